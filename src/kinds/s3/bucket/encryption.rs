//! How new objects are encrypted.

use crate::kind::prelude::*;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes as SdkBlocked, EncryptionType, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

use super::incomplete;

/// How new objects are encrypted that do not say it themselves.
#[spec]
pub struct BucketEncryption {
    /// Exactly one rule.
    #[field(required)]
    pub server_side_encryption_configuration: Vec<EncryptionRule>,
}

/// The one rule of a bucket's encryption.
#[spec(default)]
pub struct EncryptionRule {
    /// The algorithm, and the key.
    #[field(default)]
    pub server_side_encryption_by_default: EncryptionByDefault,
    /// Whether one data key serves many objects, which costs fewer KMS requests; for `aws:kms` only.
    #[field(default)]
    pub bucket_key_enabled: bool,
    /// Kinds of encryption that requests may not ask for; absent: as S3 has it (SSE-C is refused by new buckets).
    #[field(server)]
    pub blocked_encryption_types: Option<BlockedEncryptionTypes>,
}

/// The algorithm and key of a bucket's encryption.
#[spec]
pub struct EncryptionByDefault {
    /// `AES256`: S3's own keys; `aws:kms`: a KMS key; `aws:kms:dsse`: a KMS key, twice.
    #[field(one_of(ALGORITHMS))]
    pub sse_algorithm: String,
    /// The KMS key's id, ARN or alias; absent: S3's own KMS key. Not with `AES256`.
    #[serde(rename = "kmsMasterKeyID")]
    #[field(empty, name_or_arn, refers("kms/Key.arn", "kms/Key.keyId"))]
    pub kms_master_key_id: Option<String>,
}

/// Kinds of encryption that requests may not ask for.
#[spec]
pub struct BlockedEncryptionTypes {
    /// `SSE-C`, or `NONE` to refuse nothing.
    #[field(required, set, items_one_of(EncryptionType::values()))]
    pub encryption_type: Vec<String>,
}

/// Of the SDK's list, those that a bucket takes.
const ALGORITHMS: &[&str] = &["AES256", "aws:kms", "aws:kms:dsse"];

impl Default for BucketEncryption {
    fn default() -> Self {
        Self { server_side_encryption_configuration: vec![EncryptionRule::default()] }
    }
}

impl Default for EncryptionByDefault {
    fn default() -> Self {
        Self { sse_algorithm: "AES256".to_owned(), kms_master_key_id: None }
    }
}

impl BucketEncryption {
    /// A bucket that says nothing encrypts with AES256, as all do since January 2023.
    pub(super) fn from_sdk(sdk: Option<&ServerSideEncryptionConfiguration>) -> Self {
        match sdk.map(ServerSideEncryptionConfiguration::rules) {
            None | Some([]) => Self::default(),
            Some(rules) => Self { server_side_encryption_configuration: rules.iter().map(rule).collect() },
        }
    }

    /// With what is not declared as the live bucket has it: S3 only replaces the whole.
    pub(super) fn keeping(mut self, live: &Self) -> Self {
        let live = &live.server_side_encryption_configuration;
        for (rule, live) in self.server_side_encryption_configuration.iter_mut().zip(live) {
            let blocked = rule.blocked_encryption_types.take();
            rule.blocked_encryption_types = blocked.or_else(|| live.blocked_encryption_types.clone());
        }
        self
    }

    pub(super) fn to_sdk(&self) -> Result<ServerSideEncryptionConfiguration> {
        let sdk = |rule: &EncryptionRule| {
            let by = &rule.server_side_encryption_by_default;
            let by = ServerSideEncryptionByDefault::builder()
                .sse_algorithm(ServerSideEncryption::from(by.sse_algorithm.as_str()))
                .set_kms_master_key_id(by.kms_master_key_id.clone())
                .build()?;
            let blocked = rule.blocked_encryption_types.as_ref().map(|blocked| {
                let types =
                    blocked.encryption_type.iter().map(|t| EncryptionType::from(t.as_str())).collect();
                SdkBlocked::builder().set_encryption_type(Some(types)).build()
            });
            Ok(ServerSideEncryptionRule::builder()
                .apply_server_side_encryption_by_default(by)
                .bucket_key_enabled(rule.bucket_key_enabled)
                .set_blocked_encryption_types(blocked)
                .build())
        };
        let rules: std::result::Result<Vec<_>, _> =
            self.server_side_encryption_configuration.iter().map(sdk).collect();
        let configuration = rules
            .and_then(|rules| ServerSideEncryptionConfiguration::builder().set_rules(Some(rules)).build());
        configuration.map_err(incomplete("PutBucketEncryption"))
    }
}

fn rule(sdk: &ServerSideEncryptionRule) -> EncryptionRule {
    let by = sdk.apply_server_side_encryption_by_default();
    EncryptionRule {
        server_side_encryption_by_default: by
            .map(|by| EncryptionByDefault {
                sse_algorithm: by.sse_algorithm().as_str().to_owned(),
                kms_master_key_id: by.kms_master_key_id().map(str::to_owned),
            })
            .unwrap_or_default(),
        bucket_key_enabled: sdk.bucket_key_enabled().unwrap_or_default(),
        blocked_encryption_types: sdk.blocked_encryption_types().map(|blocked| BlockedEncryptionTypes {
            encryption_type: blocked.encryption_type().iter().map(|t| t.as_str().to_owned()).collect(),
        }),
    }
}

pub(super) fn check(encryption: &BucketEncryption, found: &mut Vec<Invalid>) {
    const PATH: &str = "bucketEncryption.serverSideEncryptionConfiguration";
    let rules = &encryption.server_side_encryption_configuration;
    if rules.len() != 1 {
        found.push(Invalid::new(PATH, format!("{} rules, but S3 takes exactly one", rules.len())));
    }
    for (index, rule) in rules.iter().enumerate() {
        let by = &rule.server_side_encryption_by_default;
        if by.sse_algorithm == "AES256" && by.kms_master_key_id.is_some() {
            found.push(Invalid::new(
                format!("{PATH}[{index}].serverSideEncryptionByDefault.kmsMasterKeyID"),
                "AES256 takes no KMS key; set sseAlgorithm to `aws:kms`, or leave the key out",
            ));
        }
        if rule.bucket_key_enabled && by.sse_algorithm != "aws:kms" {
            found.push(Invalid::new(
                format!("{PATH}[{index}].bucketKeyEnabled"),
                format!("{} has no bucket key; only `aws:kms` has one", by.sse_algorithm),
            ));
        }
    }
}
