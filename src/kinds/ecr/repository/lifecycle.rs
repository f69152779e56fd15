//! Which images of a repository are deleted by themselves.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::kind::prelude::*;
use crate::value::policy;

/// A repository's lifecycle policy.
#[spec]
pub struct LifecyclePolicy {
    /// ECR's own JSON, as an object or as a text that holds it; 100 to 30,720 characters, at most 50 rules.
    pub lifecycle_policy_text: PolicyText,
}

/// A lifecycle policy in ECR's own words, parsed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct PolicyText(pub Value);

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(text) => Self(policy::object(&text).unwrap_or(Value::String(text))),
            document => Self(document),
        })
    }
}

impl JsonSchema for PolicyText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "LifecyclePolicyText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["object", "string"], "x-compare": "json" })
    }
}

impl LifecyclePolicy {
    /// What ECR answered; a text that holds no JSON object stays one.
    pub(super) fn parse(text: &str) -> Self {
        let document = policy::object(text).unwrap_or_else(|| Value::String(text.to_owned()));
        Self { lifecycle_policy_text: PolicyText(document) }
    }

    /// The policy as ECR's call takes it: compact JSON.
    pub(super) fn text(&self) -> String {
        self.lifecycle_policy_text.0.to_string()
    }
}

/// The form in which policies that mean the same are equal: rules by priority, lists of tags in order, no empty lists.
pub(super) fn normal(mut policy: LifecyclePolicy) -> LifecyclePolicy {
    let rules = policy.lifecycle_policy_text.0.get_mut("rules").and_then(Value::as_array_mut);
    let Some(rules) = rules else { return policy };
    rules.sort_by_key(|rule| rule.get("rulePriority").and_then(Value::as_i64));
    for selection in rules.iter_mut().filter_map(|rule| rule.get_mut("selection")?.as_object_mut()) {
        selection.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
        for list in ["tagPrefixList", "tagPatternList"] {
            if let Some(items) = selection.get_mut(list).and_then(Value::as_array_mut) {
                items.sort_by_key(ToString::to_string);
                items.dedup();
            }
        }
    }
    policy
}
