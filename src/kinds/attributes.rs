//! Settings that a service takes and tells as a map of texts, as SQS and SNS do: a spec's fields under AWS's names.

use std::collections::HashMap;
use std::hash::Hash;

use serde_json::{Map, Value};

use crate::diff::Diff;
use crate::services::{Error, Result};

/// What differs from `usual`, as a create call takes it. What is usual is not sent: AWS refuses some of it elsewhere.
pub fn unusual<N: Eq + Hash + for<'a> From<&'a str>>(spec: &Value, usual: &Value) -> HashMap<N, String> {
    let fields = spec.as_object().into_iter().flatten();
    let fields = fields.filter(|(field, value)| usual.get(field.as_str()) != Some(*value));
    fields.map(|(field, value)| (N::from(&name_of(field)), text(value))).collect()
}

/// What an update call takes of the fields that differ: what is no longer said is sent as an empty text.
pub fn changed<N: Eq + Hash + for<'a> From<&'a str>>(spec: &Value, diff: &Diff) -> HashMap<N, String> {
    let touched = diff.0.iter().filter_map(|change| change.path.split(['.', '[']).next());
    touched.map(|field| (N::from(&name_of(field)), spec.get(field).map(text).unwrap_or_default())).collect()
}

/// The fields of `schema` that AWS tells, each of the type that it has there. What is empty was never set.
pub fn read<N: AsRef<str>>(
    told: &HashMap<N, String>,
    schema: &Value,
    call: (&'static str, &'static str),
) -> Result<Value> {
    let mut fields = Map::new();
    for (name, text) in told.iter().filter(|(_, text)| !text.is_empty()) {
        let field = field(name.as_ref());
        let Some(declared) = schema.get("properties").and_then(|properties| properties.get(&field)) else {
            continue;
        };
        let value = match is_text(declared) {
            true => Value::from(text.as_str()),
            false => serde_json::from_str(text).map_err(|error| {
                Error::malformed(call.0, call.1, format!("{} is `{text}`: {error}", name.as_ref()))
            })?,
        };
        fields.insert(field, value);
    }
    Ok(Value::Object(fields))
}

fn is_text(declared: &Value) -> bool {
    match declared.get("type") {
        Some(Value::Array(types)) => types.contains(&Value::from("string")),
        kind => kind == Some(&Value::from("string")),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `VisibilityTimeout` of `visibilityTimeout`.
fn name_of(field: &str) -> String {
    let (first, rest) = field.split_at(field.len().min(1));
    first.to_ascii_uppercase() + rest
}

/// `visibilityTimeout` of `VisibilityTimeout`.
fn field(name: &str) -> String {
    let (first, rest) = name.split_at(name.len().min(1));
    first.to_ascii_lowercase() + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_have_the_types_of_their_fields_and_only_what_is_unusual_is_sent() {
        let schema = json!({"properties": {
            "delaySeconds": {"type": "integer"}, "fifoQueue": {"type": "boolean"},
            "kmsMasterKeyId": {"type": ["string", "null"]}, "redrivePolicy": {"$ref": "#/$defs/R"},
        }});
        let told = HashMap::from([
            ("DelaySeconds", "5".to_owned()),
            ("FifoQueue", "true".to_owned()),
            ("KmsMasterKeyId", "12".to_owned()),
            ("RedrivePolicy", r#"{"maxReceiveCount":3}"#.to_owned()),
            ("QueueArn", "arn".to_owned()),
        ]);
        let spec = read(&told, &schema, ("sqs", "GetQueueAttributes")).unwrap();
        let expected = json!({"delaySeconds": 5, "fifoQueue": true, "kmsMasterKeyId": "12", "redrivePolicy": {"maxReceiveCount": 3}});
        assert_eq!(spec, expected);
        let sent: HashMap<String, String> = unusual(&spec, &json!({"delaySeconds": 5}));
        assert_eq!(sent.keys().len(), 3);
        assert_eq!(sent["RedrivePolicy"], r#"{"maxReceiveCount":3}"#);
        let told = HashMap::from([("DelaySeconds", "five".to_owned())]);
        assert!(read(&told, &schema, ("sqs", "GetQueueAttributes")).unwrap_err().message.contains("five"));
    }
}
