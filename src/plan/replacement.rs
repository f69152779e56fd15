//! Moving what uses a resource from its old generation to the new one.

use serde_json::Value;

use crate::resource::Document;

/// The wanted document with the old generations kept behind the new ones, in the order in which every list names them now: a queue
/// on `[new, old]` goes on dispatching to both while it moves. `None` if no list names an old one, or the lists are full.
pub(super) fn bridge(live: &Document, want: &Document, old: &[String]) -> Option<Document> {
    let mut bridged = want.clone();
    let mut found = false;
    let is_old = |item: &&Value| old.iter().any(|arn| names(item, arn));
    if let (Some(live), Some(fields)) = (live.as_object(), bridged.as_object_mut()) {
        for (name, value) in fields {
            let (Some(Value::Array(before)), Value::Array(after)) = (live.get(name), value) else { continue };
            for item in before.iter().filter(is_old) {
                if !after.contains(item) && after.len() < MOST_ENVIRONMENTS {
                    after.push(item.clone());
                    found = true;
                }
            }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn old_environments_stay_in_their_own_order_as_far_as_there_is_room() {
        let order = |arns: &[&str]| {
            let items: Vec<Value> = arns.iter().map(|arn| json!({"computeEnvironment": arn})).collect();
            json!({"priority": 1, "computeEnvironmentOrder": items})
        };
        let old: Vec<String> = ["a", "b"].map(str::to_owned).into();
        let bridged = |live: &[&str], want: &[&str]| bridge(&order(live), &order(want), &old);
        assert_eq!(bridged(&["b", "a"], &["c"]), Some(order(&["c", "b", "a"])));
        assert_eq!(bridged(&["b", "a"], &["c", "d"]), Some(order(&["c", "d", "b"])));
        assert_eq!(bridged(&["b", "a"], &["c", "d", "e"]), None);
        assert_eq!(bridged(&["b"], &["b", "c"]), None);
    }
}
