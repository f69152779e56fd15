//! Server access logs: where S3 writes who asked for what.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html>

use aws_sdk_s3::types::{
    BucketLoggingStatus, LoggingEnabled, PartitionDateSource, PartitionedPrefix as SdkPartitionedPrefix,
    SimplePrefix as SdkSimplePrefix, TargetObjectKeyFormat as SdkFormat,
};

use super::{Bucket, incomplete};
use crate::kind::prelude::*;

/// Where S3 writes its access logs.
#[spec(default)]
pub struct LoggingConfiguration {
    /// The bucket that they are written to, in the same region and account; absent: the bucket itself. Its policy lets
    /// `logging.s3.amazonaws.com` put objects.
    #[field(empty, refers("s3/Bucket.name"))]
    pub destination_bucket_name: Option<String>,
    /// What their keys begin with.
    #[field(default)]
    pub log_file_prefix: String,
    /// How their keys go on; absent: with the time that they were delivered.
    #[field(empty)]
    pub target_object_key_format: Option<TargetObjectKeyFormat>,
}

/// How the keys of access logs go on after their prefix: one of these.
#[spec(default)]
pub struct TargetObjectKeyFormat {
    /// With the time that they were delivered.
    #[field(empty)]
    pub simple_prefix: Option<SimplePrefix>,
    /// With account, region, bucket and day, as folders.
    #[field(empty)]
    pub partitioned_prefix: Option<PartitionedPrefix>,
}

/// It has nothing to say.
#[spec(default)]
pub struct SimplePrefix {}

/// Keys by day.
#[spec]
pub struct PartitionedPrefix {
    /// Which day: that of the delivery, or that of the requests.
    #[field(server, one_of(PartitionDateSource::values()))]
    pub partition_date_source: Option<String>,
}

pub(super) fn check(logging: &LoggingConfiguration, found: &mut Vec<Invalid>) {
    let format = logging.target_object_key_format.as_ref();
    if format.is_some_and(|it| it.simple_prefix.is_some() && it.partitioned_prefix.is_some()) {
        let path = "loggingConfiguration.targetObjectKeyFormat";
        found.push(Invalid::new(path, "has one format: remove simplePrefix or partitionedPrefix"));
    }
}

/// Absence says that the bucket logs into itself: its own name is no other way to say it.
pub(super) fn into_itself(
    logging: &LoggingConfiguration,
    id: &ResourceId,
    beside: &Beside<'_>,
) -> Option<Clash> {
    let name = logging.destination_bucket_name.as_deref()?;
    let (other, _) = beside.find::<Bucket>(name).filter(|(other, _)| *other == id)?;
    let message = "is this bucket itself: leave destinationBucketName out".to_owned();
    Some(Clash::new("loggingConfiguration.destinationBucketName", other, message))
}

/// The simple format is what a configuration without one has.
pub(super) fn normal(mut logging: LoggingConfiguration) -> LoggingConfiguration {
    let format = logging.target_object_key_format.take();
    logging.target_object_key_format = format
        .filter(|it| it.partitioned_prefix.is_some())
        .map(|it| TargetObjectKeyFormat { simple_prefix: None, ..it });
    logging
}

impl LoggingConfiguration {
    /// What S3 reports of the bucket of this name.
    pub(super) fn from_sdk(sdk: &LoggingEnabled, name: &str) -> Self {
        let partitioned = sdk.target_object_key_format().and_then(|it| it.partitioned_prefix());
        let partitioned_prefix = partitioned.map(|it| PartitionedPrefix {
            partition_date_source: it.partition_date_source().map(|it| it.as_str().to_owned()),
        });
        Self {
            destination_bucket_name: Some(sdk.target_bucket().to_owned()).filter(|target| target != name),
            log_file_prefix: sdk.target_prefix().to_owned(),
            target_object_key_format: partitioned_prefix
                .is_some()
                .then_some(TargetObjectKeyFormat { simple_prefix: None, partitioned_prefix }),
        }
    }

    pub(super) fn to_sdk(&self, name: &str) -> Result<LoggingEnabled> {
        let format = self.target_object_key_format.as_ref();
        let partitioned = format.and_then(|it| it.partitioned_prefix.as_ref()).map(|it| {
            let source = it.partition_date_source.as_deref().map(PartitionDateSource::from);
            SdkPartitionedPrefix::builder().set_partition_date_source(source).build()
        });
        let format = match partitioned {
            Some(partitioned) => SdkFormat::builder().partitioned_prefix(partitioned),
            None => SdkFormat::builder().simple_prefix(SdkSimplePrefix::builder().build()),
        };
        LoggingEnabled::builder()
            .target_bucket(self.destination_bucket_name.as_deref().unwrap_or(name))
            .target_prefix(&self.log_file_prefix)
            .target_object_key_format(format.build())
            .build()
            .map_err(incomplete("PutBucketLogging"))
    }
}

/// There is no delete: an empty status logs nothing.
pub(super) async fn put(cx: &Cx<'_, Bucket>, want: Option<&LoggingConfiguration>) -> Result<()> {
    let enabled = want.map(|it| it.to_sdk(cx.name)).transpose()?;
    let status = BucketLoggingStatus::builder().set_logging_enabled(enabled).build();
    let call = cx.client.put_bucket_logging().bucket(cx.name).bucket_logging_status(status);
    call.expected_bucket_owner(&cx.place.account).send().await.map_err(failed)?;
    Ok(())
}
