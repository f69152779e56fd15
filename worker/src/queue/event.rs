//! What a message of S3 says: straight from S3, through SNS, or through EventBridge.

use serde::Deserialize;
use serde_json::Value;

/// An object that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The bucket's name.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// These objects were created; nothing else in the message matters. There may be none.
    Created(Vec<Object>),
    /// S3 tries whether it may send to this queue.
    Test,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    s3: Named,
}

#[derive(Deserialize)]
struct Named {
    bucket: Bucket,
    object: Key,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

/// Reads a message's body; the error says what it is instead.
pub fn read(body: &str) -> Result<Event, String> {
    let value: Value = serde_json::from_str(body).map_err(|error| format!("it is not JSON: {error}"))?;
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    if let (Some("Notification"), Some(inner)) = (text("Type"), text("Message")) {
        // SNS puts the message into one of its own, as text. It is not looked at twice.
        let inner: Value =
            serde_json::from_str(inner).map_err(|error| format!("its Message is not JSON: {error}"))?;
        return unwrapped(&inner);
    }
    unwrapped(&value)
}

fn unwrapped(value: &Value) -> Result<Event, String> {
    if value.get("detail-type").and_then(Value::as_str) == Some("Object Created") {
        return from_eventbridge(value);
    }
    from_s3(value)
}

fn from_s3(value: &Value) -> Result<Event, String> {
    if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Event::Test);
    }
    let Some(records) = value.get("Records") else { return Err("it is no event of S3".to_owned()) };
    let records =
        Vec::<Record>::deserialize(records).map_err(|error| format!("it is no event of S3: {error}"))?;
    let created = records.into_iter().filter(|record| {
        let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
        name.starts_with("ObjectCreated:")
    });
    created
        .map(|record| Ok(Object { bucket: record.s3.bucket.name, key: decoded(&record.s3.object.key)? }))
        .collect::<Result<_, _>>()
        .map(Event::Created)
}

/// EventBridge does not encode keys.
fn from_eventbridge(value: &Value) -> Result<Event, String> {
    let detail = value.get("detail").ok_or("it is an event without a detail")?;
    let named = Named::deserialize(detail).map_err(|error| format!("it is no event of S3: {error}"))?;
    Ok(Event::Created(vec![Object { bucket: named.bucket.name, key: named.object.key }]))
}

/// A key as S3 encodes it in events: like the fields of a form.
fn decoded(key: &str) -> Result<String, String> {
    let spaced = key.replace('+', " ");
    let key = percent_encoding::percent_decode_str(&spaced).decode_utf8();
    key.map(|key| key.into_owned()).map_err(|_| format!("the key {spaced} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, key: &str) -> String {
        format!(
            r#"{{"eventVersion":"2.1","eventName":"{name}","s3":{{"bucket":{{"name":"in"}},"object":{{"key":"{key}","size":7}}}}}}"#
        )
    }

    #[test]
    fn every_way_of_saying_it_is_understood() {
        let two = format!(
            r#"{{"Records":[{},{},{}]}}"#,
            record("ObjectCreated:Put", "a+b%2Bc/%C3%A9.jsonl"),
            record("ObjectRemoved:Delete", "gone"),
            record("s3:ObjectCreated:CompleteMultipartUpload", "x"),
        );
        let wrapped =
            serde_json::json!({"Type": "Notification", "MessageId": "1", "Message": two}).to_string();
        let bridge = r#"{"detail-type":"Object Created","detail":{"bucket":{"name":"in"},"object":{"key":"a+b%20c"}}}"#;
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-01-01T00:00:00.000Z","Bucket":"in"}"#;
        let object = |key: &str| Object { bucket: "in".to_owned(), key: key.to_owned() };
        let created = Ok(Event::Created(vec![object("a b+c/é.jsonl"), object("x")]));
        assert_eq!(read(&two), created);
        assert_eq!(read(&wrapped), created);
        assert_eq!(read(bridge), Ok(Event::Created(vec![object("a+b%20c")])));
        let wrapped = serde_json::json!({"Type": "Notification", "Message": bridge}).to_string();
        assert_eq!(read(&wrapped), read(bridge));
        assert_eq!(read(test), Ok(Event::Test));
        assert_eq!(read(r#"{"Records":[]}"#), Ok(Event::Created(vec![])));
    }

    #[test]
    fn anything_else_is_said_to_be_so() {
        let bodies = [
            "hello",
            "{}",
            r#"{"Records":[{"eventName":"x"}]}"#,
            r#"{"Type":"Notification","Message":"hi"}"#,
        ];
        insta::assert_snapshot!(bodies.map(|body| read(body).unwrap_err()).join("\n"), @r"
        it is not JSON: expected value at line 1 column 1
        it is no event of S3
        it is no event of S3: missing field `s3`
        its Message is not JSON: expected value at line 1 column 1
        ");
        let body = format!(r#"{{"Records":[{}]}}"#, record("ObjectCreated:Put", "%FF"));
        assert!(read(&body).unwrap_err().ends_with("is not UTF-8"));
    }
}
