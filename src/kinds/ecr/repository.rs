//! `ecr/Repository`: where jobs' images lie.

use aws_sdk_ecr::types::{
    EncryptionConfiguration as SdkEncryption, EncryptionType, ImageTagMutability,
    ImageTagMutabilityExclusionFilterType,
};

use crate::kind::prelude::*;
use crate::services::ecr::{self, Ecr, RepositoryRead, Snapshot};

mod check;
mod expiry;
mod lifecycle;
mod rule;
mod write;

pub use lifecycle::LifecyclePolicy;

/// A private repository of container images.
pub struct Repository;

/// What a manifest declares of a repository.
#[spec]
pub struct Spec {
    /// Whether a tag may move to another image: `MUTABLE`, `IMMUTABLE`, or either `_WITH_EXCLUSION`.
    #[field(default = ImageTagMutability::Mutable.as_str(), one_of(ImageTagMutability::values()))]
    pub image_tag_mutability: String,
    /// Tags for which the opposite holds, at most five; only with `_WITH_EXCLUSION`.
    #[field(default, set)]
    pub image_tag_mutability_exclusion_filters: Vec<ExclusionFilter>,
    /// Whether images are searched for known weaknesses.
    #[field(default)]
    pub image_scanning_configuration: ImageScanning,
    /// How images are encrypted; absent: with S3's own keys (AES256).
    #[field(default, create_only)]
    pub encryption_configuration: Encryption,
    /// Which images are deleted by themselves; absent: none.
    #[field(empty)]
    pub lifecycle_policy: Option<LifecyclePolicy>,
    /// The repository policy, at most 10,240 characters: who else may pull and push; absent: nobody.
    #[field(empty)]
    pub repository_policy_text: Option<Policy>,
}

/// Tags for which the opposite of the repository's mutability holds.
#[spec]
pub struct ExclusionFilter {
    /// `WILDCARD`: `*` stands for any characters.
    #[field(one_of(ImageTagMutabilityExclusionFilterType::values()))]
    pub image_tag_mutability_exclusion_filter_type: String,
    /// Such as `dev-*`: letters, digits, `.`, `_`, `-` and at most two `*`; 1 to 128 characters.
    pub image_tag_mutability_exclusion_filter_value: String,
}

/// Whether images are searched for known weaknesses.
#[spec(default)]
pub struct ImageScanning {
    /// As soon as they are pushed. The registry's own scanning settings come before this one.
    #[field(default)]
    pub scan_on_push: bool,
}

/// How images are encrypted.
#[spec]
pub struct Encryption {
    /// `AES256`: S3's own keys; `KMS`: a KMS key; `KMS_DSSE`: a KMS key, twice.
    #[field(one_of(EncryptionType::values()))]
    pub encryption_type: String,
    /// The KMS key's ARN or id, not an alias; absent: ECR's own KMS key. Not with `AES256`.
    #[field(server, name_or_arn, refers("kms/Key.arn", "kms/Key.keyId"))]
    pub kms_key: Option<String>,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { encryption_type: EncryptionType::Aes256.as_str().to_owned(), kms_key: None }
    }
}

/// What AWS assigns to a repository.
#[outputs]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// What images of it are pulled from: `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
    pub uri: String,
    /// The registry that it is in: the account.
    pub registry_id: String,
}

impl Outputs {
    fn of(name: &str, place: &Place) -> Self {
        let Place { account, region, .. } = place;
        Self {
            arn: place.arn("ecr", &format!("repository/{name}")),
            uri: format!("{account}.dkr.ecr.{region}.{}/{name}", place.dns_suffix()),
            registry_id: account.clone(),
        }
    }
}

/// Properties of AWS::ECR::Repository that are left as they are, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("emptyOnDelete", "metadata.onDelete: empty"),
    ("repositoryName", "metadata.physicalName"),
    ("tags", "metadata.tags"),
    ("lifecyclePolicy.registryId", "always the environment's own account"),
];

impl Kind for Repository {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ecr;
    type Seen = ();

    const NAME: &'static str = "ecr/Repository";
    const NAMES: NameRule = NameRule::checked(128, check::check_name);
    const ABOUT: &'static str = "A private repository of container images: whether tags may move, how long images stay, who may pull.";
    const CLOUDFORMATION: &'static str = "AWS::ECR::Repository";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[
            Grant::any(actions![ecr: DescribeRepositories]),
            Grant::on(
                actions![ecr: BatchGetImage DescribeImages GetLifecyclePolicy
                    GetRepositoryPolicy ListTagsForResource],
                &[On::Regional("ecr", "repository/{name}")],
            ),
        ],
        write: &[
            Grant::on(
                actions![ecr: CreateRepository DeleteLifecyclePolicy DeleteRepository
                    DeleteRepositoryPolicy PutImageScanningConfiguration PutImageTagMutability
                    PutLifecyclePolicy SetRepositoryPolicy TagResource UntagResource],
                &[On::Regional("ecr", "repository/{name}")],
            ),
            // With a key of one's own, which may be another account's.
            // <https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html>
            Grant::any(actions![kms: CreateGrant DescribeKey RetireGrant])
                .when(When::Via("ecr"))
                .given(Given::Has(&["kmsKey"])),
        ],
    };
    const HOLDS_DATA: bool = true;
    const EXAMPLE: &'static str = include_str!("repository.example.yaml");
    const READ_BY_NAME: bool = true;

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        check::check(spec)
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.lifecycle_policy = spec.lifecycle_policy.take().map(lifecycle::normal);
    }

    fn predict(name: &str, _spec: &Spec, place: &Place) -> BTreeMap<String, String> {
        let Outputs { arn, uri, registry_id } = Outputs::of(name, place);
        BTreeMap::from([
            ("arn".to_owned(), arn),
            ("uri".to_owned(), uri),
            ("registryId".to_owned(), registry_id),
        ])
    }

    fn expiring(spec: &Spec, pinned: &Pinned) -> Vec<Invalid> {
        expiry::doubts(spec, pinned)
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.repositories.iter().map(|(name, read)| live(name, read, place)).collect()
    }

    /// Makes the repository with its tags; both policies follow as an update.
    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let encryption = &want.encryption_configuration;
        let encryption = SdkEncryption::builder()
            .encryption_type(EncryptionType::from(encryption.encryption_type.as_str()))
            .set_kms_key(encryption.kms_key.clone())
            .build()
            .map_err(write::incomplete("CreateRepository"))?;
        let call = cx.client.create_repository().repository_name(cx.name).registry_id(&cx.place.account);
        let call = call
            .set_tags(Some(ecr::tag_list(cx.tags, "CreateRepository")?))
            .image_tag_mutability(want.image_tag_mutability.as_str().into())
            .set_image_tag_mutability_exclusion_filters(write::exclusion_filters(want, "CreateRepository")?)
            .image_scanning_configuration(write::scanning(want))
            .encryption_configuration(encryption);
        call.send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, _live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, want, diff).await
    }

    async fn data(cx: &Cx<'_, Self>, _live: &Live<Self>) -> Result<Option<&'static str>> {
        Ok(ecr::holds_images(cx.client, &cx.place.account, cx.name).await?.then_some("images"))
    }

    async fn delete(cx: &Cx<'_, Self>, _live: &Live<Self>) -> Result<()> {
        let empty = cx.on_delete == OnDelete::Empty;
        let call = cx.client.delete_repository().repository_name(cx.name);
        let call = call.registry_id(&cx.place.account).force(empty);
        match call.send().await.map_err(failed) {
            Err(mut error) if error.is("RepositoryNotEmptyException") => {
                error.message.push_str("; set metadata.onDelete to `empty` to delete its images as well");
                Err(error)
            }
            answer => answer.map(drop),
        }
    }
}

fn live(name: &str, read: &RepositoryRead, place: &Place) -> Live<Repository> {
    let repository = &read.repository;
    let Outputs { arn, uri, registry_id } = Outputs::of(name, place);
    let outputs = Outputs {
        arn: repository.repository_arn().map_or(arn, str::to_owned),
        uri: repository.repository_uri().map_or(uri, str::to_owned),
        registry_id: repository.registry_id().map_or(registry_id, str::to_owned),
    };
    let filters = repository.image_tag_mutability_exclusion_filters().iter();
    let encryption = repository.encryption_configuration();
    Live {
        physical: name.to_owned(),
        arn: Some(outputs.arn.clone()),
        spec: Spec {
            image_tag_mutability: repository
                .image_tag_mutability()
                .map_or_else(Spec::default_image_tag_mutability, |mutability| mutability.as_str().to_owned()),
            image_tag_mutability_exclusion_filters: filters
                .map(|filter| ExclusionFilter {
                    image_tag_mutability_exclusion_filter_type: filter.filter_type().as_str().to_owned(),
                    image_tag_mutability_exclusion_filter_value: filter.filter().to_owned(),
                })
                .collect(),
            image_scanning_configuration: ImageScanning {
                scan_on_push: repository.image_scanning_configuration().is_some_and(|s| s.scan_on_push()),
            },
            encryption_configuration: encryption
                .map(|encryption| Encryption {
                    encryption_type: encryption.encryption_type().as_str().to_owned(),
                    kms_key: encryption.kms_key().map(str::to_owned),
                })
                .unwrap_or_default(),
            lifecycle_policy: read.details.lifecycle_policy.as_deref().map(LifecyclePolicy::parse),
            repository_policy_text: read.details.policy.as_deref().map(Policy::parse),
        },
        outputs,
        tags: read.details.tags.clone(),
        readiness: Readiness::Ready,
        revision: None,
    }
}

#[cfg(test)]
mod tests;
