//! S3: one read of each aspect of a bucket that is managed, for S3 has no bulk read.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::operation::get_bucket_versioning::GetBucketVersioningOutput;
use aws_sdk_s3::types::{
    CorsRule, Delete, LoggingEnabled, MultipartUpload, ObjectIdentifier, OwnershipControls,
    PublicAccessBlockConfiguration, ServerSideEncryptionConfiguration, Tag, Tagging,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Error, Fault, Result, Scope, Service, TagRules, Target, error, failed, own_tags, settings};
use crate::resource::{COMMIT_TAG, Tags};

/// S3.
pub struct S3;

/// What was read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The buckets that matter, by name.
    pub buckets: BTreeMap<String, BucketRead>,
}

/// What S3 says of one bucket. `None`: that aspect was never set.
#[derive(Debug, Clone)]
pub struct BucketRead {
    /// Default encryption of new objects.
    pub encryption: Option<ServerSideEncryptionConfiguration>,
    /// Versioning; without a status if it was never switched on.
    pub versioning: GetBucketVersioningOutput,
    /// Block Public Access of the bucket itself.
    pub public_access_block: Option<PublicAccessBlockConfiguration>,
    /// Who owns objects that others write.
    pub ownership_controls: Option<OwnershipControls>,
    /// Lifecycle rules.
    pub lifecycle: Option<GetBucketLifecycleConfigurationOutput>,
    /// Where access logs are written to.
    pub logging: Option<LoggingEnabled>,
    /// Which pages of other sites may use it.
    pub cors: Vec<CorsRule>,
    /// Event notifications.
    pub notification: GetBucketNotificationConfigurationOutput,
    /// The bucket policy, as JSON text.
    pub policy: Option<String>,
    /// All tags except AWS's own.
    pub tags: Tags,
}

impl Service for S3 {
    const NAME: &'static str = "s3";
    // "InvalidTag: The TagValue you have provided is invalid" on parentheses, commas and `&`: alphagov/govuk-infrastructure
    // PR#1175, gardenlinux/gardenlinux#3720, versity/versitygw#1579; billing guide, "User-defined tag restrictions".
    const TAGS: TagRules = TagRules::common("S3");
    type Client = Client;
    type Snapshot = Snapshot;

    fn client(config: &SdkConfig) -> Client {
        let path_style = config.endpoint_url().is_some_and(needs_path_style);
        Client::from_conf(settings!(aws_sdk_s3, config).force_path_style(path_style).build())
    }

    async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
        if !scope.wants("s3/Bucket") {
            return Ok(Snapshot::default());
        }
        let account = scope.place.account.as_str();
        let arn = format!("arn:{}:s3:::", scope.place.partition);
        let read = |name: String| async move { read_one(client, account, &name).await };
        let buckets = scope.read_each("s3/Bucket", &arn, read).await?;
        Ok(Snapshot { buckets })
    }

    /// S3 only replaces the whole set, so what is there already is sent along.
    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        let mut tags = target.live.clone();
        tags.extend(set.clone());
        tags.retain(|key, _| !unset.contains(key));
        let told = |error| about_abac(target.physical, set, unset, error);
        if tags.is_empty() {
            let call = client.delete_bucket_tagging().bucket(target.physical);
            return call.send().await.map(drop).map_err(failed).or_else(told);
        }
        let tagging = Tagging::builder().set_tag_set(Some(tag_list(&tags, "PutBucketTagging")?)).build();
        let tagging =
            tagging.map_err(|error| Error::malformed("s3", "PutBucketTagging", error.to_string()))?;
        let call = client.put_bucket_tagging().bucket(target.physical).tagging(tagging);
        call.send().await.map(drop).map_err(failed).or_else(told)
    }

    fn hint(message: &str) -> Option<&'static str> {
        message.contains("BlockPublicPolicy").then_some(
            "Block Public Access forbids public policies: declare blockPublicPolicy: false of the bucket, see that the \
             account's own Block Public Access does not forbid them, or make the policy less public",
        )
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        let says = |text: &str| error.message.to_ascii_lowercase().contains(text);
        match error.code.as_deref() {
            Some("NoSuchBucket") if EMPTYING.contains(&error.operation) => Fault::Gone,
            // A bucket that was made a moment ago is not seen everywhere yet.
            Some("NoSuchBucket") => Fault::Propagating(Duration::from_secs(120)),
            Some("BucketAlreadyOwnedByYou") => Fault::Exists,
            Some("OperationAborted") => Fault::Settling(Duration::from_secs(300)),
            Some("MalformedPolicy") if says("principal") => Fault::Propagating(Duration::from_secs(120)),
            // Block Public Access that was lifted a moment ago still blocks.
            Some("AccessDenied") if error.operation == "PutBucketPolicy" && says("blockpublicpolicy") => {
                Fault::Propagating(Duration::from_secs(60))
            }
            // The policy of the destination may be a moment old.
            Some("InvalidTargetBucketForLogging") => Fault::Propagating(Duration::from_secs(120)),
            Some("InvalidArgument") if says("unable to validate the following destination") => {
                Fault::Propagating(Duration::from_secs(120))
            }
            _ => error::classify(error),
        }
    }
}

/// Refusals of tags that have nothing to do with attribute-based access control.
const OF_TAGS: &[&str] = &["InvalidTag", "MalformedXML", "NoSuchBucket", "BadRequest"];

/// Where attribute-based access control (ABAC) is on, S3 takes a bucket's tags by TagResource of S3 Control alone
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>); which code it refuses with is in no public
/// text. The commit alone, which nobody compares, is not worth an apply that fails.
fn about_abac(bucket: &str, set: &Tags, unset: &[String], mut error: Error) -> Result<()> {
    let code = error.code.as_deref();
    let other = code.is_none_or(|code| OF_TAGS.contains(&code)) || error::is_access(code);
    if other || S3::classify(&error, Duration::ZERO) != Fault::Terminal {
        return Err(error);
    }
    if unset.is_empty() && set.keys().all(|key| key == COMMIT_TAG) {
        tracing::warn!(bucket, %error, "the commit was not written to the bucket's tags");
        return Ok(());
    }
    error.message = format!(
        "{}: if attribute-based access control is on for bucket {bucket:?} (`aws s3api get-bucket-abac`), S3 takes its tags by \
         TagResource of S3 Control alone, which batchwright does not call: switch it off (`aws s3api put-bucket-abac \
         --bucket {bucket} --abac-status Status=Disabled`), then run this again",
        error.message
    );
    Err(error)
}

/// The calls of a delete: to them a missing bucket is what was wanted.
const EMPTYING: &[&str] =
    &["DeleteBucket", "ListObjectVersions", "DeleteObjects", "ListMultipartUploads", "AbortMultipartUpload"];

/// Whether an endpoint cannot carry the bucket in its host name: an IP address, or `localhost`.
fn needs_path_style(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// Tags as S3's calls take them. `operation`: the call that they are for.
pub fn tag_list(tags: &Tags, operation: &'static str) -> Result<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::malformed("s3", operation, error.to_string()))
}

/// Everything of one bucket that is managed, at once; `None` if there is no such bucket.
async fn read_one(client: &Client, account: &str, name: &str) -> Result<Option<BucketRead>> {
    // Names are shared by all accounts of a partition: with the owner said, S3 refuses to speak of anybody else's.
    macro_rules! get {
        ($call:ident) => {
            async {
                let call = client.$call().bucket(name).expected_bucket_owner(account);
                Box::pin(call.send()).await.map_err(failed)
            }
        };
    }
    let (tags, encryption, versioning, block, ownership, lifecycle, notification, policy, logging, cors) = futures::join!(
        get!(get_bucket_tagging),
        get!(get_bucket_encryption),
        get!(get_bucket_versioning),
        get!(get_public_access_block),
        get!(get_bucket_ownership_controls),
        get!(get_bucket_lifecycle_configuration),
        get!(get_bucket_notification_configuration),
        get!(get_bucket_policy),
        get!(get_bucket_logging),
        get!(get_bucket_cors),
    );
    // One call says whether the bucket is there: the same word from another one only is an error, not absence.
    if tags.as_ref().is_err_and(|error| error.is("NoSuchBucket")) {
        return Ok(None);
    }
    let read = || -> Result<BucketRead> {
        let tags = unless(tags, "NoSuchTagSet")?;
        let tags = tags.iter().flat_map(|output| output.tag_set());
        let encryption = unless(encryption, "ServerSideEncryptionConfigurationNotFoundError")?;
        let block = unless(block, "NoSuchPublicAccessBlockConfiguration")?;
        let ownership = unless(ownership, "OwnershipControlsNotFoundError")?;
        Ok(BucketRead {
            encryption: encryption.and_then(|output| output.server_side_encryption_configuration),
            versioning: versioning?,
            public_access_block: block.and_then(|output| output.public_access_block_configuration),
            ownership_controls: ownership.and_then(|output| output.ownership_controls),
            lifecycle: unless(lifecycle, "NoSuchLifecycleConfiguration")?,
            logging: logging?.logging_enabled,
            cors: unless(cors, "NoSuchCORSConfiguration")?
                .and_then(|output| output.cors_rules)
                .unwrap_or_default(),
            notification: notification?,
            policy: unless(policy, "NoSuchBucketPolicy")?.and_then(|output| output.policy),
            tags: own_tags(tags.map(|tag| (tag.key(), tag.value()))),
        })
    };
    read().map(Some).map_err(|error| about(name, error))
}

/// The answer, or `None` if AWS says that this was never set.
fn unless<T>(answer: Result<T>, code: &str) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is(code) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Names the bucket, and says what AWS's refusals mean: a bucket that cannot be read is there all the same.
fn about(name: &str, mut error: Error) -> Error {
    let what = match error.code.as_deref() {
        Some("AccessDenied" | "AllAccessDisabled" | "Forbidden" | "403") => {
            "exists, but belongs to another account or may not be read by this role; \
             choose another metadata.physicalName, or grant the role the call"
        }
        Some("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" | "301") => {
            "exists in another region; choose another metadata.physicalName"
        }
        _ => "could not be read",
    };
    error.message = format!("bucket {name:?} {what}: {}", error.message);
    error
}

/// Pages of [`empty`] in one go: after 100,000 objects the executor gets a word in.
const PAGES_AT_ONCE: usize = 100;

/// Whether a bucket of this account holds an object, or an old version or delete marker of one.
pub async fn holds_objects(client: &Client, account: &str, bucket: &str) -> Result<bool> {
    let page = client.list_object_versions().bucket(bucket).expected_bucket_owner(account).max_keys(1);
    let page = page.send().await.map_err(failed)?;
    Ok(!page.versions().is_empty() || !page.delete_markers().is_empty())
}

/// Deletes every object, version, delete marker and unfinished upload of a bucket. `false`: there is more to delete.
///
/// For a bucket of our own only: `account` is sent along, and S3 refuses another's. An object that S3 will not delete
/// (object lock, a legal hold, a policy) is an error that names it.
pub async fn empty(client: &Client, account: &str, bucket: &str) -> Result<bool> {
    for _ in 0..PAGES_AT_ONCE {
        // What was listed is deleted before the next look, so each page is the first one.
        let page = client.list_object_versions().bucket(bucket).expected_bucket_owner(account).send();
        let page = page.await.map_err(failed)?;
        let versions = page.versions().iter().map(|v| (v.key(), v.version_id()));
        let markers = page.delete_markers().iter().map(|m| (m.key(), m.version_id()));
        let found: Vec<(Option<&str>, Option<&str>)> = versions.chain(markers).collect();
        if found.is_empty() {
            return abort_uploads(client, account, bucket).await;
        }
        delete_objects(client, account, bucket, &found).await?;
    }
    Ok(false)
}

async fn delete_objects(
    client: &Client,
    account: &str,
    bucket: &str,
    found: &[(Option<&str>, Option<&str>)],
) -> Result<()> {
    const CALL: &str = "DeleteObjects";
    let invalid = |error: aws_smithy_types::error::operation::BuildError| {
        Error::malformed("s3", CALL, error.to_string())
    };
    let objects = found
        .iter()
        .map(|(key, version)| {
            let object = ObjectIdentifier::builder().set_key(key.map(str::to_owned));
            object.set_version_id(version.map(str::to_owned)).build()
        })
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(invalid)?;
    let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(invalid)?;
    let call = client.delete_objects().bucket(bucket).expected_bucket_owner(account).delete(delete);
    let answer = call.send().await.map_err(failed)?;
    match answer.errors().first() {
        None => Ok(()),
        // 200 with errors inside: the first speaks for all.
        Some(refused) => Err(Error {
            code: refused.code().map(str::to_owned),
            ..Error::malformed(
                "s3",
                CALL,
                format!(
                    "{} of {} objects of bucket {bucket:?} were not deleted, {:?} among them: {}",
                    answer.errors().len(),
                    found.len(),
                    refused.key().unwrap_or_default(),
                    refused.message().unwrap_or_default()
                ),
            )
        }),
    }
}

async fn abort_uploads(client: &Client, account: &str, bucket: &str) -> Result<bool> {
    let page = client.list_multipart_uploads().bucket(bucket).expected_bucket_owner(account).send();
    let page = page.await.map_err(failed)?;
    let abort = |upload: MultipartUpload| async move {
        let call = client.abort_multipart_upload().bucket(bucket).expected_bucket_owner(account);
        let call = call.set_key(upload.key).set_upload_id(upload.upload_id);
        let aborted = call.send().await.map_err(failed);
        unless(aborted, "NoSuchUpload").map(drop)
    };
    let uploads = page.uploads().to_vec();
    stream::iter(uploads).map(abort).buffer_unordered(super::AT_ONCE).try_collect::<()>().await?;
    Ok(page.is_truncated() != Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(operation: &'static str, code: &str, message: &str) -> Error {
        Error { code: Some(code.to_owned()), ..Error::malformed("s3", operation, message) }
    }

    #[test]
    fn errors_mean() {
        let seconds = Duration::from_secs;
        for (operation, code, message, fault) in [
            ("DeleteBucket", "NoSuchBucket", "", Fault::Gone),
            ("DeleteObjects", "NoSuchBucket", "", Fault::Gone),
            ("PutBucketVersioning", "NoSuchBucket", "", Fault::Propagating(seconds(120))),
            ("CreateBucket", "BucketAlreadyOwnedByYou", "", Fault::Exists),
            ("CreateBucket", "BucketAlreadyExists", "", Fault::Terminal),
            ("CreateBucket", "OperationAborted", "", Fault::Settling(seconds(300))),
            ("DeleteBucket", "BucketNotEmpty", "", Fault::Terminal),
            (
                "PutBucketPolicy",
                "MalformedPolicy",
                "Invalid principal in policy",
                Fault::Propagating(seconds(120)),
            ),
            (
                "PutBucketPolicy",
                "AccessDenied",
                "because public policies are blocked by the BlockPublicPolicy block public access setting.",
                Fault::Propagating(seconds(60)),
            ),
            ("PutBucketPolicy", "MalformedPolicy", "Policy has invalid resource", Fault::Terminal),
            ("PutBucketPolicy", "AccessDenied", "", Fault::Terminal),
            (
                "PutBucketNotificationConfiguration",
                "InvalidArgument",
                "Unable to validate the following destination configurations",
                Fault::Propagating(seconds(120)),
            ),
            ("PutBucketNotificationConfiguration", "InvalidArgument", "overlapping", Fault::Terminal),
            ("GetBucketPolicy", "SlowDown", "", Fault::Throttled),
            ("GetBucketPolicy", "InternalError", "", Fault::Unknown),
        ] {
            assert_eq!(
                S3::classify(&refusal(operation, code, message), Duration::ZERO),
                fault,
                "{operation} {code}"
            );
        }
    }

    #[test]
    fn only_hosts_that_cannot_hold_a_bucket_take_it_in_the_path() {
        for endpoint in ["http://127.0.0.1:5000", "http://localhost:1", "http://[::1]:80", "http://10.0.0.1"]
        {
            assert!(needs_path_style(endpoint), "{endpoint}");
        }
        for endpoint in
            ["https://s3.eu-west-1.amazonaws.com", "https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com"]
        {
            assert!(!needs_path_style(endpoint), "{endpoint}");
        }
    }

    #[test]
    fn a_bucket_that_may_not_be_read_is_named() {
        let error = about("payments", refusal("GetBucketTagging", "AccessDenied", "Access Denied"));
        insta::assert_snapshot!(error, @r#"call s3:GetBucketTagging: AccessDenied: bucket "payments" exists, but belongs to another account or may not be read by this role; choose another metadata.physicalName, or grant the role the call: Access Denied"#);
        assert_eq!(S3::classify(&error, Duration::ZERO), Fault::Terminal);
    }

    #[test]
    fn only_the_word_for_never_set_is_taken_for_that() {
        assert_eq!(unless(Ok(1), "NoSuchTagSet").unwrap(), Some(1));
        assert_eq!(
            unless::<i32>(Err(refusal("GetBucketTagging", "NoSuchTagSet", "")), "NoSuchTagSet").unwrap(),
            None
        );
        assert!(unless::<i32>(Err(refusal("GetBucketTagging", "AccessDenied", "")), "NoSuchTagSet").is_err());
    }
}
