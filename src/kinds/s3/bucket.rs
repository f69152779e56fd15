//! `s3/Bucket`: where jobs' data lies, with everything that guards it.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use crate::kind::prelude::*;
use crate::services::s3::{self, BucketRead, S3, Snapshot};

mod access;
mod cors;
mod encryption;
mod lifecycle;
mod logging;
mod notification;
mod policy;
mod write;

pub use access::{OwnershipControls, OwnershipRule, PublicAccessBlock};
pub use cors::CorsConfiguration;
pub use encryption::{BlockedEncryptionTypes, BucketEncryption, EncryptionByDefault, EncryptionRule};
pub use lifecycle::LifecycleConfiguration;
pub use logging::LoggingConfiguration;
pub use notification::NotificationConfiguration;

/// An S3 bucket for general purpose.
pub struct Bucket;

/// What a manifest declares of a bucket.
#[spec]
pub struct Spec {
    /// How new objects are encrypted that do not say it themselves; absent: with S3's own keys (AES256).
    #[field(default)]
    pub bucket_encryption: BucketEncryption,
    /// Whether overwritten and deleted objects are kept as versions; absent: they are not.
    #[field(default)]
    pub versioning_configuration: Versioning,
    /// What of the public is kept out whatever policies and ACLs say; absent: everything.
    #[field(default)]
    pub public_access_block_configuration: PublicAccessBlock,
    /// Who owns objects that others write, and whether ACLs count; absent: the bucket's owner, and they do not.
    #[field(default)]
    pub ownership_controls: OwnershipControls,
    /// When objects move to a cheaper storage class, and when they go; absent: they stay.
    #[field(empty)]
    pub lifecycle_configuration: Option<LifecycleConfiguration>,
    /// Who is told of what happens to objects; absent: nobody.
    #[field(empty, deferrable)]
    pub notification_configuration: Option<NotificationConfiguration>,
    /// Where S3 writes who asked for what; absent: nowhere.
    #[field(empty)]
    pub logging_configuration: Option<LoggingConfiguration>,
    /// Which pages of other sites may use it from a browser; absent: none.
    #[field(empty)]
    pub cors_configuration: Option<CorsConfiguration>,
    /// The bucket policy (AWS::S3::BucketPolicy), at most 20 KB; absent: none.
    #[field(empty)]
    pub policy: Option<Policy>,
}

/// Whether a bucket keeps old versions of its objects.
#[spec]
pub struct Versioning {
    /// `Enabled`, or `Suspended`, which a bucket is as well that was never `Enabled`.
    #[field(one_of("Enabled", "Suspended"))]
    pub status: String,
}

impl Default for Versioning {
    fn default() -> Self {
        Self { status: "Suspended".to_owned() }
    }
}

/// What AWS assigns to a bucket.
#[outputs]
pub struct Outputs {
    /// Its ARN, `arn:aws:s3:::<name>`.
    pub arn: String,
    /// Its host name without a region.
    pub domain_name: String,
    /// Its host name in its region.
    pub regional_domain_name: String,
}

impl Outputs {
    fn of(name: &str, place: &Place) -> Self {
        let suffix = place.dns_suffix();
        Self {
            arn: format!("arn:{}:s3:::{name}", place.partition),
            domain_name: format!("{name}.s3.{suffix}"),
            regional_domain_name: format!("{name}.s3.{}.{suffix}", place.region),
        }
    }
}

/// Properties of AWS::S3::Bucket that are left as they are, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("abacStatus", "our tags say whose a bucket is; policies that decide by them are not ours to switch on"),
    ("accelerateConfiguration", "jobs run in the bucket's region"),
    ("accessControl", "ACLs are off by default (ownershipControls); a policy says the same"),
    ("analyticsConfigurations", "a report about a bucket, not part of what jobs need"),
    ("bucketNamePrefix", "names follow from the environment and the manifest"),
    ("bucketNamespace", "create-only, and part of the name: AWS's default, global"),
    ("intelligentTieringConfigurations", "lifecycleConfiguration moves objects by age"),
    ("inventoryConfigurations", "a report about a bucket, not part of what jobs need"),
    ("metadataConfiguration", "S3 Tables are resources with a life of their own"),
    ("metadataTableConfiguration", "S3 Tables are resources with a life of their own"),
    ("metricsConfigurations", "a report about a bucket, not part of what jobs need"),
    ("objectLockConfiguration", "cannot be taken back: not to be switched on by a line in a manifest"),
    ("objectLockEnabled", "cannot be taken back: not to be switched on by a line in a manifest"),
    ("replicationConfiguration", "spans two environments, each of which must own its side"),
    ("websiteConfiguration", "serves the public; a batch stack does not"),
    ("versioningConfiguration.mfaDelete", "can only be set with the root user's MFA device"),
    ("bucketName", "metadata.physicalName"),
    ("tags", "metadata.tags"),
];

impl Kind for Bucket {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = S3;
    type Seen = ();

    const NAME: &'static str = "s3/Bucket";
    const NAMES: NameRule = NameRule::checked(63, access::check_name);
    const ABOUT: &'static str = "An S3 bucket: its encryption, versions, guards against the public, lifecycle, policy, notifications and access logs.";
    const CLOUDFORMATION: &'static str = "AWS::S3::Bucket";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[Grant::on(
            actions![s3: GetBucketCORS GetBucketLogging GetBucketNotification GetBucketOwnershipControls GetBucketPolicy
                    GetBucketPublicAccessBlock GetBucketTagging GetBucketVersioning
                    GetEncryptionConfiguration GetLifecycleConfiguration ListBucket
                    ListBucketVersions],
            &[On::S3("{name}")],
        )],
        write: &[
            Grant::on(
                &[
                    "s3:CreateBucket",
                    "s3:DeleteBucket",
                    "s3:DeleteBucketPolicy",
                    "s3:ListBucketMultipartUploads",
                    "s3:PutBucketCORS",
                    "s3:PutBucketLogging",
                    "s3:PutBucketNotification",
                    "s3:PutBucketOwnershipControls",
                    "s3:PutBucketPolicy",
                    "s3:PutBucketPublicAccessBlock",
                    "s3:PutBucketTagging",
                    "s3:PutBucketVersioning",
                    "s3:PutEncryptionConfiguration",
                    "s3:PutLifecycleConfiguration",
                    // Tags in CreateBucket are asked for under this name.
                    "s3:TagResource",
                ],
                &[On::S3("{name}")],
            ),
            Grant::on(
                actions![s3: AbortMultipartUpload DeleteObject DeleteObjectVersion],
                &[On::S3("{name}/*")],
            ),
        ],
    };
    const HOLDS_DATA: bool = true;
    const SHOWN_LATE: bool = true;
    const EXAMPLE: &'static str = include_str!("bucket.example.yaml");
    const READ_BY_NAME: bool = true;

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = Vec::new();
        encryption::check(&spec.bucket_encryption, &mut found);
        access::check(&spec.ownership_controls, &mut found);
        if let Some(policy) = &spec.policy {
            policy::check(policy, &spec.public_access_block_configuration, &mut found);
        }
        spec.logging_configuration.iter().for_each(|logging| logging::check(logging, &mut found));
        spec.cors_configuration.iter().for_each(|cors| cors::check(cors, &mut found));
        if let Some(lifecycle) = &spec.lifecycle_configuration {
            lifecycle::check(lifecycle, &mut found);
        }
        if let Some(notification) = &spec.notification_configuration {
            notification::check(notification, &mut found);
        }
        found
    }

    fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        let own = beside.get(id).map(|it| it.physical);
        let found = spec.policy.as_ref().map(|policy| policy::of_others(policy, own, beside));
        let into_itself =
            spec.logging_configuration.as_ref().and_then(|it| logging::into_itself(it, id, beside));
        found.into_iter().flatten().map(Clash::from).chain(into_itself).collect()
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.lifecycle_configuration = spec.lifecycle_configuration.take().and_then(lifecycle::normal);
        spec.logging_configuration = spec.logging_configuration.take().map(logging::normal);
        spec.notification_configuration =
            spec.notification_configuration.take().and_then(notification::normal);
    }

    fn predict(name: &str, _spec: &Spec, place: &Place) -> BTreeMap<String, String> {
        let Outputs { arn, domain_name, regional_domain_name } = Outputs::of(name, place);
        BTreeMap::from([
            ("arn".to_owned(), arn),
            ("domainName".to_owned(), domain_name),
            ("regionalDomainName".to_owned(), regional_domain_name),
        ])
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.buckets.iter().map(|(name, bucket)| live(name, bucket, place)).collect()
    }

    /// Makes the bucket with its tags; everything else follows as an update. S3 gives a new bucket its safe defaults.
    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let mut configuration = CreateBucketConfiguration::builder();
        // The one region that must not be named (CreateBucketConfiguration, API reference).
        if cx.place.region != "us-east-1" {
            configuration =
                configuration.location_constraint(BucketLocationConstraint::from(cx.place.region.as_str()));
        }
        let configuration = configuration.set_tags(Some(s3::tag_list(cx.tags, "CreateBucket")?)).build();
        let call = cx.client.create_bucket().bucket(cx.name).create_bucket_configuration(configuration);
        let call = call.set_object_ownership(want.ownership_controls.to_sdk());
        call.send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, &live.spec, want, diff).await
    }

    async fn data(cx: &Cx<'_, Self>, _live: &Live<Self>) -> Result<Option<&'static str>> {
        let holds = s3::holds_objects(cx.client, &cx.place.account, cx.name).await?;
        Ok(holds.then_some("objects"))
    }

    async fn delete(cx: &Cx<'_, Self>, _live: &Live<Self>) -> Result<()> {
        let account = &cx.place.account;
        if cx.on_delete == OnDelete::Empty && !s3::empty(cx.client, account, cx.name).await? {
            // More remains than one call should take: the next one goes on.
            return Ok(());
        }
        let call = cx.client.delete_bucket().bucket(cx.name).expected_bucket_owner(account);
        match call.send().await.map_err(failed) {
            Err(mut error) if error.is("BucketNotEmpty") && cx.on_delete != OnDelete::Empty => {
                error.message.push_str("; set metadata.onDelete to `empty` to delete its objects as well");
                Err(error)
            }
            answer => answer.map(drop),
        }
    }
}

fn live(name: &str, bucket: &BucketRead, place: &Place) -> Live<Bucket> {
    let outputs = Outputs::of(name, place);
    let status = bucket.versioning.status();
    Live {
        physical: name.to_owned(),
        arn: Some(outputs.arn.clone()),
        spec: Spec {
            bucket_encryption: BucketEncryption::from_sdk(bucket.encryption.as_ref()),
            versioning_configuration: status
                .map(|status| Versioning { status: status.as_str().to_owned() })
                .unwrap_or_default(),
            public_access_block_configuration: PublicAccessBlock::from_sdk(
                bucket.public_access_block.as_ref(),
            ),
            ownership_controls: OwnershipControls::from_sdk(bucket.ownership_controls.as_ref()),
            lifecycle_configuration: bucket.lifecycle.as_ref().and_then(LifecycleConfiguration::from_sdk),
            notification_configuration: NotificationConfiguration::from_sdk(&bucket.notification),
            logging_configuration: bucket.logging.as_ref().map(|it| LoggingConfiguration::from_sdk(it, name)),
            cors_configuration: CorsConfiguration::from_sdk(&bucket.cors),
            policy: bucket.policy.as_deref().map(Policy::parse),
        },
        outputs,
        tags: bucket.tags.clone(),
        readiness: Readiness::Ready,
        revision: None,
    }
}

/// What the SDK's builders say of a spec that lacks what a call needs.
fn incomplete(operation: &'static str) -> impl Fn(aws_smithy_types::error::operation::BuildError) -> Error {
    move |error| Error::malformed("s3", operation, error.to_string())
}

#[cfg(test)]
mod tests;
