//! The calls that make versions of a launch template, and take them away.

use aws_sdk_ec2::types::{LaunchTemplateVersion, ResourceType};

use super::{LaunchTemplate, Spec, request};
use crate::kind::prelude::*;
use crate::services::ec2::templates::{VERSIONS_LEFT, versions};
use crate::services::ec2::{once, tag_on_create};

/// The template with its first version.
pub(super) async fn create(cx: &Cx<'_, LaunchTemplate>, want: &Spec) -> Result<()> {
    let call = cx.client.create_launch_template().launch_template_name(cx.name);
    let call = call.launch_template_data(request(want));
    let call = call.set_version_description(want.version_description.clone());
    let call = call.tag_specifications(tag_on_create(ResourceType::LaunchTemplate, cx.tags));
    call.customize().config_override(once()).send().await.map_err(failed)?;
    Ok(())
}

/// Another version. A client token would give the version back that was made for the same plan an hour ago: back and forth
/// between two declarations, plans are equal.
pub(super) async fn add(cx: &Cx<'_, LaunchTemplate>, id: &str, want: &Spec) -> Result<()> {
    let call = cx.client.create_launch_template_version().launch_template_id(id);
    let call = call.launch_template_data(request(want));
    let call = call.set_version_description(want.version_description.clone());
    call.customize().config_override(once()).send().await.map_err(failed)?;
    Ok(())
}

/// A version; with the last one beside the default version goes the template, and never while others are there: they may be
/// somebody else's, or younger than what was planned.
pub(super) async fn delete(cx: &Cx<'_, LaunchTemplate>, live: &Live<LaunchTemplate>) -> Result<()> {
    let (id, number) = (&live.outputs.id, live.revision.unwrap_or_default());
    let Some(there) = versions(cx.client, id, live.outputs.latest_version).await? else { return Ok(()) };
    let is_it = |it: &&LaunchTemplateVersion| {
        it.version_number().and_then(|it| u64::try_from(it).ok()) == Some(number)
    };
    let newest = there.iter().filter_map(LaunchTemplateVersion::version_number).max();
    if newest.and_then(|it| u64::try_from(it).ok()) == Some(number) {
        let beside = there.iter().filter(|it| !is_it(it) && it.default_version() != Some(true));
        let beside: Vec<String> =
            beside.filter_map(|it| it.version_number()).map(|it| it.to_string()).collect();
        if !beside.is_empty() {
            let numbers = beside.join(", ");
            let what = format!("version {number} is the newest, and {numbers} would go with it");
            let error = Error::malformed("ec2", "DeleteLaunchTemplate", what);
            return Err(Error { code: Some(VERSIONS_LEFT.to_owned()), ..error });
        }
        cx.client.delete_launch_template().launch_template_id(id).send().await.map_err(failed)?;
        return Ok(());
    }
    if !there.iter().any(|it| is_it(&it)) {
        return Ok(());
    }
    let call = cx.client.delete_launch_template_versions().launch_template_id(id);
    let answer = call.versions(number.to_string()).send().await.map_err(failed)?;
    let refused = answer.unsuccessfully_deleted_launch_template_versions().iter();
    for error in refused.filter_map(|one| one.response_error()) {
        let code = error.code().map(|code| code.as_str()).unwrap_or_default();
        // The version went in the meantime.
        if code != "launchTemplateVersionDoesNotExist" {
            let what = format!("{code}: {}", error.message().unwrap_or_default());
            return Err(Error::malformed("ec2", "DeleteLaunchTemplateVersions", what));
        }
    }
    Ok(())
}
