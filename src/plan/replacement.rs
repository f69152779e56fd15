//! Moving what uses a resource from its old generation to the new one.

use serde_json::Value;

use crate::resource::Document;

/// The wanted document with the old generation kept behind the new one, in every list that names it now: a queue on
/// `[new, old]` goes on dispatching to both while it moves. `None` if no list names the old one, or the list is full.
pub(super) fn bridge(live: &Document, want: &Document, old: &str) -> Option<Document> {
    let mut bridged = want.clone();
    let mut found = false;
    if let (Some(live), Some(fields)) = (live.as_object(), bridged.as_object_mut()) {
        for (name, value) in fields {
            let (Some(Value::Array(before)), Value::Array(after)) = (live.get(name), value) else { continue };
            let Some(item) = before.iter().find(|item| names(item, old)) else { continue };
            if after.iter().any(|item| names(item, old)) || after.len() >= MOST_ENVIRONMENTS {
                continue;
            }
            after.push(item.clone());
            found = true;
        }
    }
    found.then_some(bridged)
}

/// A queue takes three compute environments at most (aws-semantics §2.2).
const MOST_ENVIRONMENTS: usize = 3;

/// Whether an item is this ARN, or an object that holds it.
fn names(item: &Value, arn: &str) -> bool {
    match item {
        Value::String(text) => text == arn,
        Value::Object(fields) => fields.values().any(|value| value.as_str() == Some(arn)),
        _ => false,
    }
}
