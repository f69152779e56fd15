//! The calls that change a repository.

use crate::kind::prelude::*;
use aws_sdk_ecr::types::{
    ImageScanningConfiguration, ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType,
};
use aws_smithy_types::error::operation::BuildError;

use super::{Repository, Spec};

pub(super) async fn update(cx: &Cx<'_, Repository>, want: &Spec, diff: &Diff) -> Result<()> {
    if diff.touches("imageTagMutability") || diff.touches("imageTagMutabilityExclusionFilters") {
        let call = cx.client.put_image_tag_mutability().repository_name(cx.name);
        let call = call
            .registry_id(&cx.place.account)
            .image_tag_mutability(want.image_tag_mutability.as_str().into())
            .set_image_tag_mutability_exclusion_filters(exclusion_filters(want, "PutImageTagMutability")?);
        call.send().await.map_err(failed)?;
    }
    if diff.touches("imageScanningConfiguration") {
        let call = cx.client.put_image_scanning_configuration().repository_name(cx.name);
        let call = call.registry_id(&cx.place.account).image_scanning_configuration(scanning(want));
        call.send().await.map_err(failed)?;
    }
    if diff.touches("lifecyclePolicy") {
        put_lifecycle(cx, want).await?;
    }
    if diff.touches("repositoryPolicyText") {
        put_policy(cx, want).await?;
    }
    Ok(())
}

pub(super) fn scanning(want: &Spec) -> ImageScanningConfiguration {
    ImageScanningConfiguration::builder().scan_on_push(want.image_scanning_configuration.scan_on_push).build()
}

pub(super) fn exclusion_filters(
    want: &Spec,
    operation: &'static str,
) -> Result<Option<Vec<ImageTagMutabilityExclusionFilter>>> {
    let filters = want.image_tag_mutability_exclusion_filters.iter().map(|filter| {
        let kind = filter.image_tag_mutability_exclusion_filter_type.as_str();
        ImageTagMutabilityExclusionFilter::builder()
            .filter_type(ImageTagMutabilityExclusionFilterType::from(kind))
            .filter(&filter.image_tag_mutability_exclusion_filter_value)
            .build()
    });
    let filters: std::result::Result<Vec<_>, _> = filters.collect();
    let filters = filters.map_err(incomplete(operation))?;
    Ok((!filters.is_empty()).then_some(filters))
}

/// What the SDK's builders say of a spec that lacks what a call needs.
pub(super) fn incomplete(operation: &'static str) -> impl Fn(BuildError) -> Error {
    move |error| Error::malformed("ecr", operation, error.to_string())
}

async fn put_lifecycle(cx: &Cx<'_, Repository>, want: &Spec) -> Result<()> {
    let account = &cx.place.account;
    match &want.lifecycle_policy {
        Some(policy) => {
            let call = cx.client.put_lifecycle_policy().repository_name(cx.name).registry_id(account);
            let call = call.lifecycle_policy_text(policy.text());
            call.send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.delete_lifecycle_policy().repository_name(cx.name).registry_id(account);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn put_policy(cx: &Cx<'_, Repository>, want: &Spec) -> Result<()> {
    let account = &cx.place.account;
    match &want.repository_policy_text {
        Some(policy) => {
            let call = cx.client.set_repository_policy().repository_name(cx.name).registry_id(account);
            let call = call.policy_text(policy.text());
            call.send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.delete_repository_policy().repository_name(cx.name).registry_id(account);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}
