//! What a change amounts to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Identity;
use crate::diff::{ChangeRule, FieldChange};

/// The order in which a resource is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// The new one beside the old one, then the old one goes: nothing is missed in between.
    CreateFirst,
    /// The old one goes first: both cannot exist at once.
    DeleteFirst,
}

/// In which manner a resource is changed in place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Manner {
    /// There is only one.
    #[default]
    #[serde(rename = "")]
    InPlace,
    /// It has more or less room.
    #[serde(rename = "scale")]
    Scale,
    /// What runs on it is put onto new instances.
    #[serde(rename = "infrastructure")]
    ReplacesInstances,
    /// Nothing differs: it is told again what it is to be, because it is broken.
    #[serde(rename = "repair")]
    Repair,
}

impl Manner {
    /// As a person calls it, in a list of changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::Scale => "scale",
            Self::ReplacesInstances => "infrastructure update",
            Self::Repair => "repair",
        }
    }
}

/// What a change amounts to, weakest first (D15).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is", content = "how")]
pub enum Effect {
    /// Tags only.
    Tag,
    /// In place, in this manner.
    Update(Manner),
    /// A new revision beside the old ones.
    NewRevision,
    /// Another resource in place of this one.
    Replace(Order),
    /// AWS offers no way; the text says why and what to do.
    Impossible(String),
}

/// Why, as data for every renderer: one line, such as `type is create-only`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(pub String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The strongest rule of the changed fields: what kinds answer whose conditional rules do not apply.
pub fn strongest(changes: &[FieldChange], identity: Identity) -> (Effect, Reason) {
    let create_only: Vec<&str> =
        changes.iter().filter(|c| c.rule == ChangeRule::CreateOnly).map(|c| c.path.as_str()).collect();
    if !create_only.is_empty() {
        let verb = if create_only.len() == 1 { "is" } else { "are" };
        let reason = Reason(format!("{} {verb} create-only", create_only.join(", ")));
        let order = if identity == Identity::Assigned { Order::CreateFirst } else { Order::DeleteFirst };
        return (Effect::Replace(order), reason);
    }
    match identity {
        Identity::Revisioned => (Effect::NewRevision, Reason("revisions are immutable".to_owned())),
        _ => (Effect::Update(Manner::InPlace), Reason::default()),
    }
}
