//! Moving what uses a resource from its old generation to the new one.

use serde_json::Value;

use crate::resource::Document;

/// How many items a list takes; as many as there are, where its schema does not say.
fn most(schema: &Value, field: &str) -> usize {
    let most = schema.pointer(&format!("/properties/{field}/maxItems")).and_then(Value::as_u64);
    most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX))
}

/// The wanted document with the old generations kept behind the new ones, in the order in which every list names them now: a queue
/// on `[new, old]` goes on dispatching to both while it moves. `None` if no list names an old one, or the lists are full.
pub fn bridge(live: &Document, want: &Document, old: &[String], schema: &Value) -> Option<Document> {
    let mut bridged = want.clone();
    let mut found = false;
    let is_old = |item: &&Value| old.iter().any(|arn| names(item, arn));
    if let (Some(live), Some(fields)) = (live.as_object(), bridged.as_object_mut()) {
        for (name, value) in fields {
            let (Some(Value::Array(before)), Value::Array(after)) = (live.get(name), value) else { continue };
            for item in before.iter().filter(is_old) {
                if !after.contains(item) && after.len() < most(schema, name) {
                    after.push(item.clone());
                    found = true;
                }
            }
        }
    }
    found.then_some(bridged)
}

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
        let schema = json!({"properties": {"computeEnvironmentOrder": {"maxItems": 3}}});
        let bridged = |live: &[&str], want: &[&str]| bridge(&order(live), &order(want), &old, &schema);
        assert_eq!(bridged(&["b", "a"], &["c"]), Some(order(&["c", "b", "a"])));
        assert_eq!(bridged(&["b", "a"], &["c", "d"]), Some(order(&["c", "d", "b"])));
        assert_eq!(bridged(&["b", "a"], &["c", "d", "e"]), None);
        assert_eq!(bridged(&["b"], &["b", "c"]), None);
    }
}
