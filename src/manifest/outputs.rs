//! `outputs:` of an environment: what it tells whoever uses it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::error::Complaint;
use super::source::Sources;
use super::tree::Node;
use crate::resource::Output;

/// What an environment tells whoever uses it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "read from the tree, so that places are kept")]
pub enum Told {
    /// With what else is said of it.
    Said(Said),
    /// A text with references, such as `${batch/JobQueue/main.arn}`.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
}

/// An output, and what else is said of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read from the tree, so that places are kept")]
pub struct Said {
    /// The value: a text with references, a number, a boolean, or a list of texts.
    pub value: Value,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is shown only to who asks for it by name.
    #[serde(default)]
    pub sensitive: bool,
}

/// The outputs of an environment, and what is wrong with them.
pub fn read(told: Option<&Node>, sources: &Sources) -> (BTreeMap<String, Output>, Vec<Complaint>) {
    let (mut outputs, mut complaints) = (BTreeMap::new(), Vec::new());
    for entry in told.map(Node::entries).unwrap_or_default() {
        let is_name = |name: &str| {
            name.starts_with(|it: char| it.is_ascii_alphabetic())
                && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_'))
        };
        if !is_name(&entry.key) {
            complaints.push(
                Complaint::new(entry.at, format!("`{}` can't be the name of an output", entry.key))
                    .label("expected a letter, then letters, digits, `-` and `_`"),
            );
        }
        let said = |key: &str| entry.value.get(key);
        let output = Output {
            value: said("value").unwrap_or(&entry.value).to_json(),
            description: said("description").and_then(Node::text).map(str::to_owned),
            sensitive: said("sensitive").map(Node::to_json) == Some(Value::Bool(true)),
            position: sources.position(entry.at),
        };
        outputs.insert(entry.key.clone(), output);
    }
    (outputs, complaints)
}
