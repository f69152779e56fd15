//! Launch templates: the templates in one listing, then the newest versions of those that matter.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{LaunchTemplate, LaunchTemplateVersion};
use futures::{StreamExt, TryStreamExt, stream};

use super::read::{by_id, matters, wanted};
use super::tags;
use crate::resource::OWNER_TAG;
use crate::services::{AT_ONCE, Error, Result, Scope, failed};

/// DescribeLaunchTemplates and DescribeLaunchTemplateVersions take no more to a page.
const PAGE: i32 = 200;
/// So many of the newest versions are read. AWS keeps thousands, and a plan that looks at each costs minutes.
const NEWEST: i64 = 200;

/// What a delete of the newest version is refused with, as long as others stand beside it: no code of AWS's.
pub const VERSIONS_LEFT: &str = "VersionsLeft";

type Versions = BTreeMap<String, Vec<LaunchTemplateVersion>>;

/// Templates by id, and the versions of those that are declared or ours.
pub(super) async fn read(
    client: &Client,
    scope: &Scope,
) -> Result<(BTreeMap<String, LaunchTemplate>, Versions)> {
    const KIND: &str = "ec2/LaunchTemplate";
    let nothing = Ok((BTreeMap::new(), BTreeMap::new()));
    if !matters(scope, KIND, "launch-template/").await? {
        return nothing;
    }
    // A template is called by its name: every name is one.
    let Some(filters) = wanted(scope, KIND, "launch-template-name", "") else { return nothing };
    let call = client.describe_launch_templates().set_filters(Some(filters)).max_results(PAGE);
    let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
    let mut templates = by_id(items.map_err(failed)?, LaunchTemplate::launch_template_id);
    let matter = |it: &LaunchTemplate| {
        let ours = tags(it.tags()).get(OWNER_TAG) == Some(&scope.owner.0);
        let called = [it.launch_template_name(), it.launch_template_id()];
        let named = || called.iter().flatten().any(|name| scope.names(KIND).any(|one| one == *name));
        ours || scope.looked_up.contains_key(KIND) || named()
    };
    let asked: Vec<(String, i64)> = templates
        .iter()
        .filter(|(_, template)| matter(template))
        .map(|(id, template)| (id.clone(), template.latest_version_number().unwrap_or(1)))
        .collect();
    let found: Vec<(String, Option<Vec<LaunchTemplateVersion>>)> = stream::iter(asked)
        .map(|(id, latest)| async move {
            let versions = versions(client, &id, latest).await?;
            Ok::<_, Error>((id, versions))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut all = BTreeMap::new();
    for (id, versions) in found {
        match versions {
            Some(versions) => drop(all.insert(id, versions)),
            None => drop(templates.remove(&id)),
        }
    }
    Ok((templates, all))
}

/// The newest versions of a template; `None` if it has gone since it was listed. An answer without any is none: AWS keeps at least
/// the default version.
///
/// # Errors
///
/// Where AWS can't be asked, or says nothing.
pub async fn versions(client: &Client, id: &str, latest: i64) -> Result<Option<Vec<LaunchTemplateVersion>>> {
    let from = latest.saturating_sub(NEWEST - 1).max(1);
    let call = client.describe_launch_template_versions().launch_template_id(id).max_results(PAGE);
    let pages = call.min_version(from.to_string()).into_paginator().items().send();
    match pages.collect::<std::result::Result<Vec<_>, _>>().await.map_err(failed) {
        Err(error) if error.is("InvalidLaunchTemplateId.NotFound") => Ok(None),
        Ok(none) if none.is_empty() => {
            let what = format!("the answer lists no version of {id}, from {from} on");
            Err(Error::malformed("ec2", "DescribeLaunchTemplateVersions", what))
        }
        versions => versions.map(Some),
    }
}
