//! The calls that make versions of a launch template, and take them away.

use aws_sdk_ec2::types::ResourceType;

use super::{LaunchTemplate, Spec, request};
use crate::kind::prelude::*;
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

/// A version; with the newest goes the template. Only what is no longer declared loses its newest version.
pub(super) async fn delete(cx: &Cx<'_, LaunchTemplate>, live: &Live<LaunchTemplate>) -> Result<()> {
    let (id, number) = (&live.outputs.id, live.revision.unwrap_or_default());
    if i64::try_from(number) == Ok(live.outputs.latest_version) {
        cx.client.delete_launch_template().launch_template_id(id).send().await.map_err(failed)?;
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
