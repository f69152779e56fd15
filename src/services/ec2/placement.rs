//! Placement groups.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::PlacementGroup;

use super::read::{matters, wanted};
use crate::services::{Error, Result, Scope, Target, failed};

const KIND: &str = "ec2/PlacementGroup";

/// Placement groups in one call: AWS has no pages of them, and no more than 500 groups in a region.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-placement-group.html>
pub(super) async fn groups(client: &Client, scope: &Scope) -> Result<Vec<PlacementGroup>> {
    if !matters(scope, KIND, "placement-group/").await? {
        return Ok(Vec::new());
    }
    // A group is called by its name: every name is one.
    let Some(filters) = wanted(scope, KIND, "group-name", "") else { return Ok(Vec::new()) };
    let found = client.describe_placement_groups().set_filters(Some(filters)).send().await.map_err(failed)?;
    Ok(found.placement_groups.unwrap_or_default())
}

/// The id that a group is tagged by: its ARN ends in its name.
pub(super) async fn id(client: &Client, target: Target<'_>) -> Result<Option<String>> {
    if target.kind != KIND {
        return Ok(None);
    }
    let call = client.describe_placement_groups().group_names(target.physical);
    let found = call.send().await.map_err(failed)?;
    let id = found.placement_groups().iter().find_map(|group| group.group_id());
    let without = || {
        let what = format!("the answer does not say which id {} has", target.physical);
        Error::malformed("ec2", "DescribePlacementGroups", what)
    };
    id.map(|id| Some(id.to_owned())).ok_or_else(without)
}
