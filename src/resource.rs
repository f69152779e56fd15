//! The nouns: what is declared, what is observed, and who owns it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod existing;
mod lifecycle;
mod limits;
mod listing;

pub use existing::{Found, Lookup, Match, Output, Source, Surroundings, Wanted};

pub use lifecycle::{Architecture, Lifecycle, OnDelete, RunsOn, Strategy, seconds};
pub use limits::{Limits, Parallel};
pub use listing::Listing;

mod job;

pub use job::{Definition, Job, Jobs, JobsOf};

/// A resource as plain data: the same words whether a manifest declares it or AWS reports it.
pub type Document = serde_json::Value;

/// Tag keys and values, in key order.
pub type Tags = BTreeMap<String, String>;

/// `<project>/<environment>`: everything an environment owns carries it (D8).
pub const OWNER_TAG: &str = "batchwright:owner";
/// `<service>/<Kind>/<name>`, the logical identity of a resource.
pub const NAME_TAG: &str = "batchwright:name";
/// The stack that declared the resource.
pub const STACK_TAG: &str = "batchwright:stack";
/// A counter: which physical incarnation of a resource this is (D14).
pub const GENERATION_TAG: &str = "batchwright:generation";
/// Marks an old generation that is being drained (D20).
pub const RETIRING_TAG: &str = "batchwright:retiring";
/// `true`: the resource is not deleted or replaced, also when its manifest is gone.
pub const PROTECT_TAG: &str = "batchwright:protect";
/// What becomes of its data when the resource is deleted, where that is not "refuse".
pub const ON_DELETE_TAG: &str = "batchwright:on-delete";
/// The commit that last created or changed the resource; never compared.
pub const COMMIT_TAG: &str = "batchwright:commit";
/// All tags that are ours and not the user's begin with this.
pub const TAG_PREFIX: &str = "batchwright:";

/// The logical identity of a resource: `<service>/<Kind>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// `<service>/<Kind>`, such as `batch/JobQueue`.
    pub kind: String,
    /// The logical name from the manifest: stable for life.
    pub name: String,
}

impl ResourceId {
    /// An id from its two parts.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }

    /// The AWS service part of the kind: `batch` of `batch/JobQueue`.
    pub fn service(&self) -> &str {
        self.kind.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// A text that is not `<service>/<Kind>/<name>`.
#[derive(Debug, thiserror::Error)]
#[error("read {0:?} as a resource: expected <service>/<Kind>/<name>")]
pub struct NotAnId(String);

impl FromStr for ResourceId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let mut parts = text.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(service), Some(kind), Some(name))
                if !service.is_empty() && !kind.is_empty() && !name.is_empty() =>
            {
                Ok(Self::new(format!("{service}/{kind}"), name))
            }
            _ => Err(NotAnId(text.to_owned())),
        }
    }
}

impl Serialize for ResourceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Who owns a resource: `<project>/<environment>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(pub String);

impl Owner {
    /// The owner of what a project's environment makes.
    pub fn new(project: &str, environment: &str) -> Self {
        Self(format!("{project}/{environment}"))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an environment lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// Such as `eu-west-1`.
    pub region: String,
    /// `aws`, `aws-cn`, `aws-us-gov`, …: follows from the region.
    pub partition: String,
}

impl Place {
    /// The place of an account and region.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        let region = region.into();
        let partition = partition_of(&region).to_owned();
        Self { account: account.into(), region, partition }
    }

    /// An ARN of a regional resource here.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    /// An ARN of an IAM resource here; `resource` such as `role/name`.
    pub fn iam_arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.account)
    }

    /// The DNS suffix of the partition, as service principals and registries use it.
    pub fn dns_suffix(&self) -> &'static str {
        match self.partition.as_str() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-iso" => "c2s.ic.gov",
            "aws-iso-b" => "sc2s.sgov.gov",
            "aws-eusc" => "amazonaws.eu",
            _ => "amazonaws.com",
        }
    }
}

/// The partition that a region belongs to (<https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>).
pub fn partition_of(region: &str) -> &'static str {
    match region {
        r if r.starts_with("cn-") => "aws-cn",
        r if r.starts_with("us-gov-") => "aws-us-gov",
        r if r.starts_with("us-isob-") => "aws-iso-b",
        r if r.starts_with("us-isof-") => "aws-iso-f",
        r if r.starts_with("us-iso-") => "aws-iso",
        r if r.starts_with("eu-isoe-") => "aws-iso-e",
        r if r.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

/// Where something was written: 1-based line and column of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Relative to the folder that was given as `--manifests`' parent, with `/`.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One resource as the manifests of an environment declare it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// Its logical identity.
    pub id: ResourceId,
    /// The name in AWS of its first generation.
    pub physical_name: String,
    /// What is declared, in the kind's normal form. A string may still hold references: `${<kind>/<name>.<output>}`.
    pub spec: Document,
    /// The user's tags: the environment's, overlaid with the resource's own.
    pub tags: Tags,
    /// The stack that it was declared in.
    pub stack: String,
    /// Becomes a tag on the AWS resource, and holds after the manifest is gone.
    pub protect: bool,
    /// Field paths that are left alone, such as `computeResources.maxvCpus`.
    pub ignore: Vec<String>,
    /// What becomes of its data when it is deleted.
    pub on_delete: OnDelete,
    /// Further resources that come first.
    pub depends_on: Vec<ResourceId>,
    /// Its former logical identity.
    pub renamed_from: Option<ResourceId>,
    /// How it lives.
    pub lifecycle: Lifecycle,
    /// What its jobs run on.
    #[serde(default)]
    pub runs_on: RunsOn,
    /// Where the manifest begins.
    pub position: Position,
    /// Where its fields stand, by path such as `spec.computeEnvironmentOrder[0].computeEnvironment`.
    pub positions: BTreeMap<String, Position>,
}

impl Declared {
    /// A name in AWS of which nothing else is said.
    pub fn named(id: ResourceId, physical_name: impl Into<String>) -> Self {
        Self {
            id,
            physical_name: physical_name.into(),
            spec: Document::Null,
            tags: Tags::new(),
            stack: String::new(),
            protect: false,
            ignore: Vec::new(),
            on_delete: OnDelete::Refuse,
            depends_on: Vec::new(),
            renamed_from: None,
            lifecycle: Lifecycle::default(),
            runs_on: RunsOn::default(),
            position: Position { file: String::new(), line: 0, column: 0 },
            positions: BTreeMap::new(),
        }
    }

    /// Where a field of the spec stands, or else the nearest thing around it.
    pub fn position_of(&self, field: &str) -> &Position {
        let mut path = format!("spec.{field}");
        loop {
            if let Some(position) = self.positions.get(&path) {
                return position;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path.truncate(end),
                None => return &self.position,
            }
        }
    }
}

/// Everything that an environment's manifests declare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// The environment's name: `dev`.
    pub environment: String,
    /// Who owns what is made: `<project>/<environment>`.
    pub owner: Owner,
    /// Where it lives.
    pub place: Place,
    /// What physical names begin with.
    pub name_prefix: String,
    /// The resources, in order of their ids.
    pub resources: BTreeMap<ResourceId, Declared>,
    /// The images that the environment names, by the name in `${image.<name>}`.
    pub images: BTreeMap<String, Image>,
    /// Limits on deletes.
    pub limits: Limits,
    /// Resources whose deletion was reviewed in `environment.yaml`.
    pub allow_delete: Vec<ResourceId>,
    /// What is there and not ours, by the name in `${existing.<name>.<output>}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub existing: BTreeMap<String, Lookup>,
    /// What it tells whoever uses it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Output>,
}

/// An image that job definitions use (D6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The repository that holds it.
    pub repository: ResourceId,
    /// The tag that is resolved to a digest.
    pub tag: String,
    /// `<repository uri>@sha256:…` where it is known already (`--image`).
    pub resolved: Option<String>,
}

/// The output in which a kind lists the fields of what exists that this program does not know: a new revision would be without
/// them.
pub const UNKNOWN_FIELDS: &str = "unknownFields";

/// Whether AWS has finished with a resource (D24).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is", content = "why")]
pub enum Readiness {
    /// Ready to be used.
    Ready,
    /// AWS is still working on it.
    Pending(String),
    /// Broken, but an update may mend it.
    Repairable(String),
    /// Broken for good.
    Failed(String),
}

/// One physical incarnation of a resource, as AWS reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incarnation {
    /// The name or id that AWS's calls take.
    pub physical: String,
    /// Its ARN, where it has one.
    pub arn: Option<String>,
    /// What AWS reports, in the words of the manifest.
    pub spec: Document,
    /// What AWS assigned: ids, ARNs, URLs.
    pub outputs: BTreeMap<String, serde_json::Value>,
    /// All its tags except AWS's own (`aws:`).
    pub tags: Tags,
    /// Whether AWS has finished with it.
    pub readiness: Readiness,
    /// The revision, of kinds that have them.
    pub revision: Option<u64>,
    /// The generation that its name tells; nothing where it bears the name that is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_generation: Option<u32>,
}

impl Incarnation {
    /// Who owns it, by its tag.
    pub fn owner(&self) -> Option<Owner> {
        self.tags.get(OWNER_TAG).cloned().map(Owner)
    }

    /// Which generation it is, by its tag; where somebody took that off, by its name; else 1.
    pub fn generation(&self) -> u32 {
        let tagged = self.tags.get(GENERATION_TAG).and_then(|generation| generation.parse().ok());
        tagged.or(self.named_generation).unwrap_or(1)
    }

    /// Whether it is an old generation that is being drained.
    pub fn retiring(&self) -> bool {
        self.tags.contains_key(RETIRING_TAG)
    }
}

/// All incarnations of one logical resource (D14).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Incarnations {
    /// The one that counts: the newest that is not retiring.
    pub current: Option<Incarnation>,
    /// Older generations and revisions, newest first.
    pub others: Vec<Incarnation>,
}

impl Incarnations {
    /// All of them, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &Incarnation> {
        self.current.iter().chain(&self.others)
    }
}

/// What AWS has, of what concerns an environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// What carries our owner tag, and what bears the name of something declared.
    pub resources: BTreeMap<ResourceId, Incarnations>,
    /// What images' tags point to now: `<repository uri>@sha256:…`.
    #[serde(default)]
    pub images: BTreeMap<String, String>,
    /// What was looked up that is not ours.
    #[serde(default, skip_serializing_if = "Surroundings::is_empty")]
    pub surroundings: Surroundings,
    /// What is none of the resources above and names one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outsiders: Vec<Outsider>,
    /// What only tags tell apart, is not ours, and names one of the resources above or is named by one of ours: it may have
    /// lost its tags, or been given others (D11).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub astray: Vec<Outsider>,
    /// Names in AWS, by kind, that a plan may want and that belong to none of the resources above, each with its owner.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub taken: BTreeMap<String, BTreeMap<String, Option<Owner>>>,
    /// All that the account has, of the kinds that were listed as a whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub listed: BTreeMap<String, Listing>,
    /// Service roles of compute environments, by ARN, that are not in the account any more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing_roles: BTreeSet<String>,
    /// What data is in what a plan deletes, once it was asked for: `objects`, `images`, `logs` (D22).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<ResourceId, String>,
    /// What the search for our tags could not see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsearched: Option<String>,
    /// The jobs that a plan's changes may cut off, once they were asked for (D21).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<Jobs>,
}

/// Something that is not ours and stands on what is: another owner's queue on a compute environment of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outsider {
    /// `<service>/<Kind>`.
    pub kind: String,
    /// As AWS reports it.
    pub live: Incarnation,
}
