//! Two documents and a kind's field rules → field changes. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

mod masked;
mod rules;
mod texts;
mod walk;

pub use masked::{Cover, Free, MASK};
pub(crate) use rules::follow;
pub use rules::{Absent, ChangeRule, Compare, Rules};
pub use texts::{Stands, fields, not_a_document, texts};
pub use walk::{same, walk};

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Such as `computeResources.maxvCpus`, `containers[main].image` or `tags.team`.
    pub path: String,
    /// What AWS has; `None` for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is declared; `None` for nothing. May hold references that are known only after the apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// What a change to this field does.
    pub rule: ChangeRule,
    /// Whether both values are masked where they are shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// What differs between a live resource and what is wanted of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Diff(pub Vec<FieldChange>);

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this field, or something inside it, differs: `computeResources`, `computeResources.subnets`.
    pub fn touches(&self, field: &str) -> bool {
        self.0.iter().any(|change| {
            change
                .path
                .strip_prefix(field)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
        })
    }

    /// Whether only tags differ.
    pub fn only_tags(&self) -> bool {
        self.0.iter().all(|change| change.rule == ChangeRule::Tag)
    }
}
