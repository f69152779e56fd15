//! Instance profiles: the bulk read tells those that hold a role, and not whose they are.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::InstanceProfile;
use futures::{StreamExt, TryStreamExt, stream};

use super::super::{AT_ONCE, Error, Result, Scope, failed, own_tags};
use super::{Role, if_there, is_of};

/// Reads the instance profiles that may concern us: declared, found by the tag search, or holding a role that is declared or ours
/// (the search lags behind, and is said to miss them: infrahouse/infrahouse-toolkit#229). Tells each role whose they are.
pub(super) async fn read(
    client: &Client,
    scope: &Scope,
    roles: &mut BTreeMap<String, Role>,
) -> Result<BTreeMap<String, InstanceProfile>> {
    let declared: BTreeSet<&str> = scope.names("iam/Role").collect();
    let concerns = |name: &str, role: &Role| declared.contains(name) || is_of(&role.tags(), &scope.owner);
    let holding = roles.iter().filter(|(name, role)| concerns(name, role)).flat_map(|(_, role)| held(role));
    let mut names: BTreeSet<String> = holding.collect();
    names.extend(scope.names("iam/InstanceProfile").map(str::to_owned));
    // Its path stands before its name.
    let swept = scope.swept(&scope.place.iam_arn("instance-profile/")).await?;
    names.extend(swept.iter().filter_map(|rest| rest.rsplit('/').next()).map(str::to_owned));
    let mut found: BTreeMap<String, InstanceProfile> = stream::iter(names)
        .map(|name| async move { Ok::<_, Error>(one(client, &name).await?.map(|profile| (name, profile))) })
        .buffer_unordered(AT_ONCE)
        .try_filter_map(|found| async { Ok(found) })
        .try_collect()
        .await?;
    for (_, role) in roles.iter_mut().filter(|(name, role)| concerns(name, role)) {
        let is_ours =
            |name: &String| found.get(name).is_none_or(|profile| is_of(&tags(profile), &scope.owner));
        role.profiles_elsewhere = held(role).filter(|name| !is_ours(name)).collect();
    }
    // Of others their role speaks.
    let declared: BTreeSet<&str> = scope.names("iam/InstanceProfile").collect();
    found.retain(|name, profile| declared.contains(name.as_str()) || is_of(&tags(profile), &scope.owner));
    Ok(found)
}

/// The names of the profiles that hold a role.
fn held(role: &Role) -> impl Iterator<Item = String> + use<> {
    let profiles = role.detail.instance_profile_list().iter();
    profiles.map(|profile| profile.instance_profile_name().to_owned()).collect::<Vec<_>>().into_iter()
}

fn tags(profile: &InstanceProfile) -> crate::resource::Tags {
    own_tags(profile.tags().iter().map(|tag| (tag.key(), tag.value())))
}

async fn one(client: &Client, name: &str) -> Result<Option<InstanceProfile>> {
    let got = client.get_instance_profile().instance_profile_name(name).send().await.map_err(failed);
    Ok(if_there(got)?.and_then(|got| got.instance_profile))
}
