//! The calls that change a bucket, one for each aspect, one after the other.

use crate::kind::prelude::*;
use aws_sdk_s3::types::{BucketVersioningStatus, NotificationConfiguration, VersioningConfiguration};

use super::{Bucket, Spec, cors, logging};

/// S3 refuses two changes of one bucket at a time (OperationAborted), so they go in turn: who gets in first, so that no
/// policy is refused by a block that is to be lifted, and none is open before the block is there.
pub(super) async fn update(cx: &Cx<'_, Bucket>, live: &Spec, want: &Spec, diff: &Diff) -> Result<()> {
    if diff.touches("publicAccessBlockConfiguration") {
        put_public_access_block(cx, want).await?;
    }
    if diff.touches("ownershipControls") {
        let call = cx.client.put_bucket_ownership_controls().bucket(cx.name);
        let call = call.expected_bucket_owner(&cx.place.account);
        let call = call.ownership_controls(want.ownership_controls.to_sdk_rules()?);
        call.send().await.map_err(failed)?;
    }
    if diff.touches("bucketEncryption") {
        let encryption = want.bucket_encryption.clone().keeping(&live.bucket_encryption);
        let call = cx.client.put_bucket_encryption().bucket(cx.name);
        let call = call.expected_bucket_owner(&cx.place.account);
        let call = call.server_side_encryption_configuration(encryption.to_sdk()?);
        call.send().await.map_err(failed)?;
    }
    if diff.touches("versioningConfiguration") {
        put_versioning(cx, want).await?;
    }
    if diff.touches("policy") {
        put_policy(cx, want).await?;
    }
    if diff.touches("lifecycleConfiguration") {
        put_lifecycle(cx, want).await?;
    }
    if diff.touches("loggingConfiguration") {
        logging::put(cx, want.logging_configuration.as_ref()).await?;
    }
    if diff.touches("corsConfiguration") {
        cors::put(cx, want.cors_configuration.as_ref()).await?;
    }
    if diff.touches("notificationConfiguration") {
        put_notification(cx, want).await?;
    }
    Ok(())
}

async fn put_public_access_block(cx: &Cx<'_, Bucket>, want: &Spec) -> Result<()> {
    match want.public_access_block_configuration.to_sdk() {
        Some(block) => {
            let call = cx.client.put_public_access_block().bucket(cx.name);
            let call = call.expected_bucket_owner(&cx.place.account);
            let call = call.public_access_block_configuration(block);
            call.send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.delete_public_access_block().bucket(cx.name);
            let call = call.expected_bucket_owner(&cx.place.account);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn put_versioning(cx: &Cx<'_, Bucket>, want: &Spec) -> Result<()> {
    let status = BucketVersioningStatus::from(want.versioning_configuration.status.as_str());
    let call = cx.client.put_bucket_versioning().bucket(cx.name).expected_bucket_owner(&cx.place.account);
    let call = call.versioning_configuration(VersioningConfiguration::builder().status(status).build());
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn put_policy(cx: &Cx<'_, Bucket>, want: &Spec) -> Result<()> {
    match &want.policy {
        Some(policy) => {
            let call = cx.client.put_bucket_policy().bucket(cx.name);
            let call = call.expected_bucket_owner(&cx.place.account).policy(policy.text());
            call.send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.delete_bucket_policy().bucket(cx.name);
            let call = call.expected_bucket_owner(&cx.place.account);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn put_lifecycle(cx: &Cx<'_, Bucket>, want: &Spec) -> Result<()> {
    match &want.lifecycle_configuration {
        Some(lifecycle) => {
            let size = lifecycle.transition_default_minimum_object_size.as_str();
            let call = cx.client.put_bucket_lifecycle_configuration().bucket(cx.name);
            let call = call.expected_bucket_owner(&cx.place.account);
            let call = call.transition_default_minimum_object_size(size.into());
            let call = call.lifecycle_configuration(lifecycle.to_sdk()?);
            call.send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.delete_bucket_lifecycle().bucket(cx.name);
            let call = call.expected_bucket_owner(&cx.place.account);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

/// There is no delete: an empty configuration tells nobody.
async fn put_notification(cx: &Cx<'_, Bucket>, want: &Spec) -> Result<()> {
    let notification = match &want.notification_configuration {
        Some(notification) => notification.to_sdk()?,
        None => NotificationConfiguration::builder().build(),
    };
    let call = cx.client.put_bucket_notification_configuration().bucket(cx.name);
    let call = call.expected_bucket_owner(&cx.place.account).notification_configuration(notification);
    call.send().await.map_err(failed)?;
    Ok(())
}
