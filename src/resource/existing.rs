//! What is there and not ours: how it is looked up, and what was found.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Owner, Position, ResourceId, Tags};

/// Something that is there and not ours: `${existing.<name>.<output>}` denotes it. It is never owned, changed or deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// Where it is looked for, and by what.
    pub source: Source,
    /// Whether all that are found are meant, as a list.
    pub all: bool,
    /// What it is held at, whatever would be found now.
    pub held: Option<String>,
    /// Where it is written.
    pub position: Position,
}

/// Where something is looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// Among all of a kind.
    Kind(Box<Wanted>),
    /// In a parameter of Systems Manager.
    Parameter(String),
    /// In another environment of the same account and region.
    Environment {
        /// Who owns it.
        owner: Owner,
        /// What it is there.
        resource: ResourceId,
        /// The name that it may have in AWS.
        name: String,
    },
}

/// Which one of a kind is meant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// `<service>/<Kind>`.
    pub kind: String,
    /// Its id or ARN.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Tags that it has.
    pub tags: Tags,
    /// Whether it is the one that AWS made for the account.
    pub default: bool,
    /// Fields that it has, by their paths. A text may denote another lookup.
    pub fields: Map<String, Value>,
}

impl Lookup {
    /// The kind of what is looked for; none of a parameter.
    pub fn kind(&self) -> Option<&str> {
        match &self.source {
            Source::Kind(wanted) => Some(&wanted.kind),
            Source::Environment { resource, .. } => Some(&resource.kind),
            Source::Parameter(_) => None,
        }
    }

    /// The names under which AWS may have to be asked for it, of kinds that no list tells.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let of_kind = match &self.source {
            // An ARN is no name: where something is asked for by name, that is said as well.
            Source::Kind(wanted) => {
                [wanted.id.as_deref().filter(|id| !id.starts_with("arn:")), wanted.name.as_deref()]
            }
            Source::Environment { name, .. } => [Some(name.as_str()), None],
            Source::Parameter(_) => [None, None],
        };
        of_kind.into_iter().chain([self.held.as_deref().filter(|_| self.kind().is_some())]).flatten()
    }

    /// What is looked for, in words.
    pub fn described(&self) -> String {
        let wanted = match &self.source {
            Source::Parameter(name) => return format!("parameter {name}"),
            Source::Environment { owner, resource, .. } => return format!("{resource} of {owner}"),
            Source::Kind(wanted) => wanted,
        };
        let mut parts = Vec::new();
        parts.extend(wanted.default.then(|| "that is the default one".to_owned()));
        parts.extend(wanted.id.iter().map(|id| format!("of the id {id}")));
        parts.extend(wanted.name.iter().map(|name| format!("of the name {name}")));
        parts.extend(wanted.tags.iter().map(|(key, value)| format!("tagged {key}={value}")));
        parts.extend(wanted.fields.iter().map(|(path, value)| match value {
            Value::String(text) => format!("whose {path} is {text}"),
            other => format!("whose {path} is {other}"),
        }));
        format!("{} {}", wanted.kind, parts.join(", ")).trim_end().to_owned()
    }
}

/// What a lookup found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// What is meant: one, or all of them in order of their names.
    pub matches: Vec<Match>,
    /// What would be found, where the lookup is held at something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<String>,
    /// Whether it is there and is a secret, which no manifest can say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// Something of this environment that it would find: that is no one else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<String>,
}

/// One thing that a lookup found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// Its name or id in AWS, or the parameter's value.
    pub physical: String,
    /// What it is called, if that says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What references to it may name.
    pub outputs: BTreeMap<String, Value>,
}

impl Found {
    /// What is meant, in words.
    pub fn described(&self) -> String {
        let one = |it: &Match| match &it.label {
            Some(label) => format!("{} ({label})", it.physical),
            None => it.physical.clone(),
        };
        self.matches.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// What lookups found, and the zones of the region, where somebody names one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Surroundings {
    /// By the name of the lookup.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub found: BTreeMap<String, Found>,
    /// The zones that the account has in the region, in order of their names.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub zones: BTreeSet<String>,
}

impl Surroundings {
    /// Whether nothing was looked up.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty() && self.zones.is_empty()
    }
}

/// What an environment tells whoever uses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The value. Texts may hold references.
    pub value: Value,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is shown only to who asks for it by name.
    pub sensitive: bool,
    /// Where it is written.
    pub position: Position,
}
