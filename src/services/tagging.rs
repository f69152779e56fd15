//! The Resource Groups Tagging API: one search for everything that carries our owner tag.
//!
//! It only widens what is read (D10): it lags, it forgets roles, and it remembers what is gone. The services' own tags
//! prove ownership, and nothing is taken for absent because the search does not name it.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use aws_types::region::Region;
use futures::FutureExt;

use super::{Result, Sweep, Swept, failed, own_tags, settings};
use crate::resource::{OWNER_TAG, Owner, Place, Tags};

/// Starts the search in the place's region and, for IAM's global resources, in the partition's home region.
///
/// Of all reads, a refusal of the second search alone is no error: it only widens what is read, IAM's roles are read whole
/// anyway, and organizations that keep to some regions deny it (safety rule 1 in docs/decisions).
pub fn sweep(config: &SdkConfig, place: &Place, owner: &Owner) -> Sweep {
    let home = home_region(&place.partition).filter(|home| *home != place.region);
    let here = search(config.clone(), owner.clone());
    let global = home.map(|region| {
        let config = config.to_builder().region(Region::new(region)).build();
        (region, search(config, owner.clone()))
    });
    async move {
        let Some((region, global)) = global else {
            return Ok(Swept { found: here.await?, unsearched: None });
        };
        let (mut found, global) = futures::try_join!(here, async { unless_refused(global.await, region) })?;
        found.extend(global.found);
        Ok(Swept { found, ..global })
    }
    .boxed()
    .shared()
}

/// What was found in the home region; nothing, if that region is closed to us.
fn unless_refused(answer: Result<BTreeMap<String, Tags>>, region: &str) -> Result<Swept> {
    match answer {
        Ok(found) => Ok(Swept { found, unsearched: None }),
        Err(error) if REFUSALS.iter().any(|code| error.is(code)) => Ok(Swept {
            found: BTreeMap::new(),
            unsearched: Some(format!(
                "the search for tags in {region} was refused: an IAM policy of this environment that no manifest names any more \
                 and no role of it has can't be found, and stays; allow tag:GetResources in {region} to find it ({})",
                error.message
            )),
        }),
        Err(error) => Err(error),
    }
}

/// How a service says that the caller may not do this.
const REFUSALS: &[&str] = &["AccessDenied", "AccessDeniedException"];

/// The region in which global resources are listed (aws-semantics §1.2).
fn home_region(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("us-east-1"),
        "aws-cn" => Some("cn-north-1"),
        "aws-us-gov" => Some("us-gov-west-1"),
        _ => None,
    }
}

async fn search(config: SdkConfig, owner: Owner) -> Result<BTreeMap<String, Tags>> {
    let settings = settings!(aws_sdk_resourcegroupstagging, &config).build();
    let client = aws_sdk_resourcegroupstagging::Client::from_conf(settings);
    let filter = TagFilter::builder().key(OWNER_TAG).values(owner.0).build();
    let mut pages =
        client.get_resources().tag_filters(filter).resources_per_page(100).into_paginator().send();
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed)?;
        for resource in page.resource_tag_mapping_list() {
            if let Some(arn) = resource.resource_arn() {
                found.insert(arn.to_owned(), own_tags(resource.tags().iter().map(|t| (t.key(), t.value()))));
            }
        }
    }
    Ok(found)
}
