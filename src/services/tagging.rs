//! The Resource Groups Tagging API: one search for everything that carries our owner tag.
//!
//! It only widens what is read (D10): it lags, it forgets roles, and it remembers what is gone. The services' own tags
//! prove ownership, and nothing is taken for absent because the search does not name it.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use aws_types::region::Region;
use futures::FutureExt;

use super::{Result, Sweep, failed, own_tags};
use crate::resource::{OWNER_TAG, Owner, Place, Tags};

/// Starts the search in the place's region and, for IAM's global resources, in the partition's home region.
pub fn sweep(config: &SdkConfig, place: &Place, owner: &Owner) -> Sweep {
    let home = home_region(&place.partition).filter(|home| *home != place.region);
    let here = search(config.clone(), owner.clone());
    let global = home.map(|region| {
        let config = config.to_builder().region(Region::new(region)).build();
        search(config, owner.clone())
    });
    async move {
        match global {
            None => here.await,
            Some(global) => {
                let (mut found, global) = futures::try_join!(here, global)?;
                found.extend(global);
                Ok(found)
            }
        }
    }
    .boxed()
    .shared()
}

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
    let client = aws_sdk_resourcegroupstagging::Client::new(&config);
    let filter = TagFilter::builder().key(OWNER_TAG).values(owner.0).build();
    let mut pages =
        client.get_resources().tag_filters(filter).resources_per_page(100).into_paginator().send();
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed("tag", "GetResources"))?;
        for resource in page.resource_tag_mapping_list() {
            if let Some(arn) = resource.resource_arn() {
                found.insert(arn.to_owned(), own_tags(resource.tags().iter().map(|t| (t.key(), t.value()))));
            }
        }
    }
    Ok(found)
}
