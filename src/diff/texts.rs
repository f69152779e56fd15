//! The texts of a document, and where each stands.

use serde_json::Value;

use super::{Compare, Rules};
use crate::value::policy;

/// Where a text of a spec stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// In a field of its own.
    Alone,
    /// In a field that a second step of the same resource may fill in.
    Deferrable,
    /// In a policy document, for whom it is about: AWS refuses those that do not exist.
    AsPrincipal,
    /// Elsewhere in a policy document: what it names need not exist.
    InPolicy,
}

/// Calls `on` for each text of a spec, keys of maps included.
pub fn texts(value: &Value, rules: Option<&Rules>, stands: Stands, on: &mut dyn FnMut(Stands, &str)) {
    if rules.is_some_and(|rules| rules.compare == Compare::Policy) {
        return policy::each(value, &mut |principal, text| {
            on(if principal { Stands::AsPrincipal } else { Stands::InPolicy }, text);
        });
    }
    let deferrable = rules.is_some_and(|rules| rules.deferrable);
    let stands = if deferrable { Stands::Deferrable } else { stands };
    match value {
        Value::String(text) => on(stands, text),
        Value::Array(items) => {
            let rules = rules.and_then(|rules| rules.items.as_deref());
            items.iter().for_each(|item| texts(item, rules, stands, on));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                on(stands, key);
                let field = rules.and_then(|rules| rules.fields.get(key).or(rules.values.as_deref()));
                texts(value, field, stands, on);
            }
        }
        _ => {}
    }
}

/// Every text of a document with the path of the field, policy documents aside: what they name need not exist.
pub fn fields<'v>(value: &'v Value, path: &str, rules: Option<&Rules>, on: &mut dyn FnMut(&str, &'v str)) {
    if rules.is_some_and(|rules| rules.compare == Compare::Policy) {
        return;
    }
    match value {
        Value::String(text) => on(path, text),
        Value::Array(items) => {
            let rules = rules.and_then(|rules| rules.items.as_deref());
            items.iter().enumerate().for_each(|(at, item)| fields(item, &format!("{path}[{at}]"), rules, on));
        }
        Value::Object(map) => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                let rules = rules.and_then(|rules| rules.fields.get(key).or(rules.values.as_deref()));
                fields(value, &format!("{path}{dot}{key}"), rules, on);
            }
        }
        _ => {}
    }
}

/// The path of what should be a policy document and is none.
pub fn not_a_document(value: &Value, rules: &Rules) -> Option<String> {
    if rules.compare == Compare::Policy {
        return (!value.is_object() && !value.is_null()).then(String::new);
    }
    let join = |step: &str, rest: String| match rest.is_empty() || rest.starts_with('[') {
        true => format!("{step}{rest}"),
        false => format!("{step}.{rest}"),
    };
    match value {
        Value::Array(items) => {
            let rules = rules.items.as_deref()?;
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| Some(join(&format!("[{at}]"), not_a_document(item, rules)?)))
        }
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let rules = rules.fields.get(key).or(rules.values.as_deref())?;
            Some(join(key, not_a_document(value, rules)?))
        }),
        _ => None,
    }
}
