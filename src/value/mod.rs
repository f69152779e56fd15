//! When two values mean the same, and what a string refers to.

use serde_json::Value;

pub mod existing;
pub mod instance_type;
pub mod named;
pub mod policy;
pub mod reference;

pub use policy::Policy;

/// Whether two texts (or values) hold the same JSON.
pub fn same_json(a: &Value, b: &Value) -> bool {
    parsed(a) == parsed(b)
}

/// Every text in a document.
pub fn strings(value: &Value, found: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

fn parsed(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        _ => value.clone(),
    }
}

/// Whether two texts are the same number: `"1"`, `"1.0"`, `1`.
pub fn same_number(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::String(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Whether two texts are the same but for case.
pub fn same_caseless(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}

/// Whether a name and an ARN, or two of either, denote the same: two ARNs must be equal.
pub fn same_name(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => named::same(a, b),
        _ => a == b,
    }
}
