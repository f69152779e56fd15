//! The envelope of a manifest: everything but `spec` (D2).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::check::Checker;
use super::error::Complaint;
use super::source::{Sources, Span};
use super::tree::Node;
use super::when::Condition;
use crate::field;
use crate::resource::{Lifecycle, OnDelete, RunsOn};
use crate::services::tag_rules::{LONGEST_KEY, LONGEST_VALUE};
use crate::value::reference;

/// The format that manifests are written in.
pub const API_VERSION: &str = "batchwright/v1";

/// One manifest.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// The format: `batchwright/v1`.
    #[schemars(transform = field::one_of(&[API_VERSION]))]
    #[allow(dead_code, reason = "read by the schema check alone")]
    pub api_version: String,
    /// `<service>/<Kind>`, such as `batch/JobQueue`.
    #[allow(dead_code, reason = "read from the tree, so that it is known of documents that do not decode")]
    pub kind: String,
    /// Our own settings.
    pub metadata: Metadata,
    /// AWS's fields; see `batchwright explain <kind>`.
    #[serde(default)]
    #[allow(dead_code, reason = "checked against the kind's own schema")]
    pub spec: Option<Map<String, Value>>,
}

/// Our own settings of a resource.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The logical name: stable for life. References use it.
    #[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9_-]{0,62}$"))]
    #[allow(dead_code, reason = "read from the tree, so that it is known of documents that do not decode")]
    pub name: String,
    /// The name in AWS; absent: the environment's `namePrefix` and the logical name.
    #[serde(default)]
    #[schemars(length(min = 1))]
    #[allow(dead_code, reason = "read from the tree, so that it is checked in documents that do not decode")]
    pub physical_name: Option<String>,
    /// Its former logical name, also as `<service>/<Kind>/<name>`.
    #[serde(default)]
    #[allow(dead_code, reason = "read from the tree, so that it is checked in documents that do not decode")]
    pub renamed_from: Option<String>,
    /// Neither deleted nor replaced; kept as a tag, so that it holds after the manifest is gone.
    #[serde(default)]
    pub protect: bool,
    /// Tags of the resource, over those of the environment.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Field paths that are left alone, such as `computeResources.maxvCpus`.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// What there is one resource of each for: a mapping, or a list of names. `${each.key}` and `${each.value.x}` tell them apart.
    #[serde(default)]
    #[allow(dead_code, reason = "taken from the tree before it is decoded")]
    pub each: Option<Each>,
    /// Whether the resource exists in this environment: `${var.private}`, `{not: "${var.private}"}`, or
    /// `{equals: ["${env.name}", prod]}`.
    #[serde(default)]
    #[allow(dead_code, reason = "read from the tree, so that it is known of documents that do not decode")]
    pub when: Option<Condition>,
    /// What becomes of its data when it is to be deleted.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// Further resources that come first, as `<service>/<Kind>/<name>`.
    #[serde(default)]
    #[allow(dead_code, reason = "read from the tree, so that it is checked in documents that do not decode")]
    pub depends_on: Vec<String>,
    /// How it lives.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// What the jobs of a job definition run on: `{queues: [batch/JobQueue/main], architecture: ARM64}`.
    #[serde(default)]
    pub runs_on: RunsOn,
}

/// What there is one resource of each for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "taken from the tree before it is decoded")]
pub enum Each {
    /// By key, each with what is another in it.
    Mapping(Map<String, Value>),
    /// By name.
    Names(Vec<String>),
}

/// The identity of a document before its variables are known: both parts must be written out.
pub fn identity(document: &Node) -> Option<(&str, &str)> {
    Some((document.get("kind")?.text()?, document.get("metadata")?.get("name")?.text()?))
}

/// The schema check of the envelope. What it says of `spec` is only that it is a mapping.
pub fn checker() -> &'static Checker {
    static CHECKER: LazyLock<Checker> = LazyLock::new(Checker::of::<Envelope>);
    &CHECKER
}

/// What the schema of the envelope cannot say. Read from the tree: whatever else is wrong in the document hides none of it.
pub fn settings(document: &Node) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let Some(metadata) = document.get("metadata") else { return complaints };
    if let Some(entry) = metadata.get("lifecycle").and_then(|it| it.entry("drainTimeout"))
        && let Some(timeout) = entry.value.literal()
        && crate::resource::seconds(timeout).is_none()
    {
        complaints.push(
            Complaint::new(entry.at, format!("`{timeout}` is not a time span"))
                .label("expected a number and a unit, such as 90s, 30m or 2h"),
        );
    }
    for entry in metadata.get("tags").map(Node::entries).unwrap_or_default() {
        complaints.extend(tag(entry.at, &entry.key, entry.value.text()));
    }
    complaints
}

/// Our own settings are needed before anything exists: they hold no references to what does.
pub fn unreferring(tree: &Node, sources: &Sources) -> Vec<Complaint> {
    tree.get("metadata").map(|node| unreferring_in(node, "metadata", sources)).unwrap_or_default()
}

/// What is needed before anything is known of what exists holds no references. `what`: what it is.
pub fn unreferring_in(node: &Node, what: &str, sources: &Sources) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut nodes = vec![node];
    while let Some(node) = nodes.pop() {
        nodes.extend(node.items());
        nodes.extend(node.entries().iter().map(|entry| &entry.value));
        for found in node.text().map(reference::references).unwrap_or_default() {
            let span = sources.find(node.span, &found.to_string(), 0);
            complaints.push(
                Complaint::new(span, format!("`{found}` can't be used in {what}"))
                    .label("expected a text, `${var.…}` or `${env.…}`"),
            );
        }
    }
    complaints
}

/// What AWS does not take as a tag, or what is ours.
pub fn tag(at: Span, key: &str, value: Option<&str>) -> Option<Complaint> {
    let lower = key.to_lowercase();
    if lower.starts_with("aws:") || lower.starts_with(crate::resource::TAG_PREFIX) {
        let whose = if lower.starts_with("aws:") { "AWS's" } else { "batchwright's" };
        return Some(
            Complaint::new(at, format!("the tag key `{key}` is {whose} own")).help("choose another prefix"),
        );
    }
    if key.is_empty() {
        return Some(Complaint::new(at, "a tag's key can't be empty"));
    }
    if key.chars().count() > LONGEST_KEY || value.is_some_and(|it| it.chars().count() > LONGEST_VALUE) {
        return Some(
            Complaint::new(at, "this tag is too long")
                .label("expected a key of at most 128 characters and a value of at most 256"),
        );
    }
    None
}
