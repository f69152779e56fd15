//! What a revision has that no manifest can say, because AWS has learned it since.

use serde_json::Value;

use crate::diff::Rules;

/// What only answers hold, and what is said elsewhere.
const ANSWERED: &[&str] =
    &["containerOrchestrationType", "jobDefinitionArn", "jobDefinitionName", "revision", "status", "tags"];

/// The paths of a revision that the spec has no field for; what says nothing is left aside.
pub(super) fn fields(written: &Value, rules: &Rules) -> Vec<String> {
    let mut found = Vec::new();
    let own = written.as_object().into_iter().flatten();
    for (name, value) in own.filter(|(name, _)| !ANSWERED.contains(&name.as_str())) {
        field(name, value, rules, "", &mut found);
    }
    found
}

fn field(name: &str, value: &Value, rules: &Rules, path: &str, found: &mut Vec<String>) {
    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match rules.fields.get(name) {
        Some(rules) => below(value, rules, &path, found),
        None if says_nothing(value) => {}
        None => found.push(path),
    }
}

fn below(value: &Value, rules: &Rules, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(values) if rules.values.is_some() => {
            for (name, value) in values {
                if let Some(rules) = rules.values.as_deref() {
                    below(value, rules, &format!("{path}.{name}"), found);
                }
            }
        }
        // A document of any form has no fields.
        Value::Object(fields) if !rules.fields.is_empty() => {
            fields.iter().for_each(|(name, value)| field(name, value, rules, path, found));
        }
        Value::Array(items) => {
            if let Some(rules) = rules.items.as_deref() {
                let places = (0..).zip(items);
                places.for_each(|(at, item): (usize, _)| below(item, rules, &format!("{path}[{at}]"), found));
            }
        }
        _ => {}
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(says_nothing),
        Value::Object(fields) => fields.values().all(says_nothing),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_spec_has_no_field_for_is_found_at_any_depth() {
        let rules = &crate::kinds::kind("batch/JobDefinition").unwrap().facts().rules;
        let mut container = json!({
            "name": "main", "image": "busybox", "resources": {"limits": {"cpu": "1"}},
            "securityContext": {"runAsUser": 1, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {}},
        });
        let written = json!({
            "jobDefinitionArn": "a", "revision": 3, "status": "ACTIVE", "type": "container", "tags": {"a": "b"},
            "parameters": {"anything": "x"}, "novelty": null,
            "eksProperties": {"podProperties": {
                "containers": [container], "securityContext": {"runAsNonRoot": true}, "novelty": {"a": []}}},
        });
        assert_eq!(
            fields(&written, rules),
            [
                "eksProperties.podProperties.containers[0].securityContext.capabilities",
                "eksProperties.podProperties.securityContext",
            ]
        );
        container["securityContext"] = json!({"runAsUser": 1});
        let known = json!({"eksProperties": {"podProperties": {"containers": [container]}}});
        assert_eq!(fields(&known, rules), Vec::<String>::new());
    }
}
