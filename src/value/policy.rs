//! IAM policy documents: when two of them mean the same (aws-semantics §1.6).

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// An IAM policy document, as JSON or as a text that holds JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Policy(pub Value);

impl Policy {
    /// Parses what an AWS call answered: JSON text, also percent-encoded as IAM does it (RFC 3986: `+` is itself). A text that
    /// holds no JSON object stays as it is.
    pub fn parse(text: &str) -> Self {
        let decoded = if text.trim_start().starts_with('{') {
            Cow::Borrowed(text)
        } else {
            percent_encoding::percent_decode_str(text).decode_utf8_lossy()
        };
        Self(object(&decoded).unwrap_or_else(|| Value::String(text.to_owned())))
    }

    /// The document as AWS's calls take it: compact JSON.
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(text) => Self::parse(&text),
            document => Self(document),
        })
    }
}

impl JsonSchema for Policy {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["object", "string"],
            "description": "An IAM policy document",
            "x-compare": "policy",
        })
    }
}

/// The JSON object that a text holds. Any other JSON would be taken for what it spells: `null` for a field that is not there.
pub fn object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

/// What is wrong with a text that is meant to hold a JSON object, and where.
pub fn fault(text: &str) -> Option<String> {
    let meant = text.trim_start().starts_with('{');
    let fault = meant.then(|| serde_json::from_str::<Value>(text).err())??;
    Some(format!("is no JSON: {fault}"))
}

/// Calls `on` for each text of a document: `true` where it names a principal.
pub fn each(document: &Value, on: &mut dyn FnMut(bool, &str)) {
    let parsed;
    let document = match document {
        Value::String(text) => {
            parsed = Policy::parse(text).0;
            &parsed
        }
        other => other,
    };
    match document {
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(key, _)| *key != STATEMENT) {
                on(false, key);
                texts_within(value, false, on);
            }
            for statement in statements(document) {
                texts_within(statement, false, on);
            }
        }
        other => texts_within(other, false, on),
    }
}

fn texts_within(value: &Value, principal: bool, on: &mut dyn FnMut(bool, &str)) {
    match value {
        Value::String(text) => on(principal, text),
        Value::Array(items) => items.iter().for_each(|item| texts_within(item, principal, on)),
        Value::Object(fields) => {
            for (key, value) in fields {
                on(principal, key);
                texts_within(value, principal || names_principals(key), on);
            }
        }
        _ => {}
    }
}

const STATEMENT: &str = "Statement";

/// Whether an element of a statement names those whom it is about.
pub fn names_principals(element: &str) -> bool {
    matches!(element, "Principal" | "NotPrincipal")
}

fn statements(document: &Value) -> &[Value] {
    match document.get(STATEMENT) {
        Some(Value::Array(statements)) => statements,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

/// The document with other texts for some of its principals.
pub fn with_principals(document: &Value, other: &dyn Fn(&str) -> Option<String>) -> Value {
    fn named(names: &Value, other: &dyn Fn(&str) -> Option<String>) -> Value {
        match names {
            Value::String(name) => Value::String(other(name).unwrap_or_else(|| name.clone())),
            Value::Array(names) => names.iter().map(|name| named(name, other)).collect(),
            Value::Object(types) => {
                types.iter().map(|(key, names)| (key.clone(), named(names, other))).collect()
            }
            _ => names.clone(),
        }
    }
    let mut document = document.clone();
    let of_document = match document.get_mut(STATEMENT) {
        Some(Value::Array(statements)) => statements.as_mut_slice(),
        Some(one) => std::slice::from_mut(one),
        None => return document,
    };
    for statement in of_document.iter_mut().filter_map(Value::as_object_mut) {
        for (_, names) in statement.iter_mut().filter(|(key, _)| names_principals(key)) {
            *names = named(names, other);
        }
    }
    document
}

/// The document without the principals that are `gone`, and without the statements that would be about nobody then. `None` if
/// no statement is left.
pub fn without_principals(document: &Value, gone: &dyn Fn(&str) -> bool) -> Option<Value> {
    let left: Vec<Value> =
        statements(document).iter().filter_map(|one| statement_without(one, gone)).collect();
    let mut document = document.as_object().filter(|_| !left.is_empty())?.clone();
    document.insert(STATEMENT.to_owned(), Value::Array(left));
    Some(Value::Object(document))
}

fn statement_without(statement: &Value, gone: &dyn Fn(&str) -> bool) -> Option<Value> {
    let mut statement = statement.clone();
    for (_, principals) in statement.as_object_mut()?.iter_mut().filter(|(key, _)| names_principals(key)) {
        match principals {
            Value::Object(types) => {
                types.retain(|_, names| !drop_names(names, gone));
                if types.is_empty() {
                    return None;
                }
            }
            names => {
                if drop_names(names, gone) {
                    return None;
                }
            }
        }
    }
    Some(statement)
}

/// Takes names out, and says whether none is left for that reason.
fn drop_names(names: &mut Value, gone: &dyn Fn(&str) -> bool) -> bool {
    let is_gone = |name: &Value| name.as_str().is_some_and(gone);
    match names {
        Value::Array(names) => {
            let before = names.len();
            names.retain(|name| !is_gone(name));
            names.is_empty() && before > 0
        }
        one => is_gone(one),
    }
}

/// A document that lets nobody in: for a moment in the place of one whose principals do not exist yet. It denies what the first
/// statement is about.
pub fn nobody(document: &Value) -> Value {
    let first = statements(document).first().and_then(Value::as_object);
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), "Deny".into());
    statement.insert("Principal".to_owned(), serde_json::json!({ "AWS": "*" }));
    for element in ["Action", "NotAction", "Resource", "NotResource"] {
        if let Some(value) = first.and_then(|first| first.get(element)) {
            statement.insert(element.to_owned(), value.clone());
        }
    }
    let version = document.get("Version").cloned().unwrap_or_else(|| "2012-10-17".into());
    serde_json::json!({ "Version": version, "Statement": [statement] })
}

/// Whether two policy documents mean the same.
pub fn same(a: &Value, b: &Value) -> bool {
    normal(a) == normal(b)
}

/// The form in which two documents that mean the same are equal.
pub fn normal(document: &Value) -> Value {
    let parsed = match document {
        Value::String(text) => Policy::parse(text).0,
        other => other.clone(),
    };
    let Value::Object(mut document) = parsed else { return parsed };
    document.entry("Version").or_insert_with(|| "2008-10-17".into());
    if let Some(statements) = document.remove("Statement") {
        let statements: BTreeSet<String> =
            as_list(statements).into_iter().map(|s| statement(s).to_string()).collect();
        document.insert("Statement".to_owned(), statements.into_iter().map(Value::String).collect());
    }
    Value::Object(document)
}

fn statement(statement: Value) -> Value {
    let Value::Object(fields) = statement else { return statement };
    let mut normal = Map::new();
    for (key, value) in fields {
        let value = match key.as_str() {
            "Action" | "NotAction" => texts(value, |text| text.to_ascii_lowercase()),
            "Resource" | "NotResource" => texts(value, str::to_owned),
            "Effect" => texts_or_self(value, |text| text.to_ascii_lowercase()),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            // An empty Sid is no Sid.
            "Sid" if value == "" => continue,
            _ => value,
        };
        if !matches!(&value, Value::Object(fields) if fields.is_empty()) {
            normal.insert(key, value);
        }
    }
    Value::Object(normal)
}

/// `"*"` and `{"AWS": "*"}` are the same to AWS, as are an account's id and its root's ARN.
fn principal(value: Value) -> Value {
    match value {
        Value::String(all) if all == "*" => principal(serde_json::json!({ "AWS": "*" })),
        Value::Object(kinds) => kinds
            .into_iter()
            .map(|(kind, names)| (kind, texts(names, root_of_account)))
            .filter(|(_, names)| names.as_array().is_none_or(|names| !names.is_empty()))
            .collect(),
        other => other,
    }
}

fn root_of_account(text: &str) -> String {
    match text.strip_suffix(":root").and_then(|text| text.split_once(":iam::")) {
        Some((partition, account)) if partition.starts_with("arn:") => account.to_owned(),
        _ => text.to_owned(),
    }
}

fn condition(value: Value) -> Value {
    let Value::Object(operators) = value else { return value };
    operators
        .into_iter()
        .map(|(operator, keys)| {
            let Value::Object(keys) = keys else { return (operator, keys) };
            // Condition keys are case-insensitive.
            let keys = keys
                .into_iter()
                .map(|(key, values)| (key.to_ascii_lowercase(), texts(values, str::to_owned)));
            (operator, keys.collect())
        })
        .collect()
}

fn as_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// A string, a number, a boolean or a list of them, as a sorted list of distinct strings.
fn texts(value: Value, map: impl Fn(&str) -> String) -> Value {
    let texts: BTreeSet<String> = as_list(value)
        .into_iter()
        .map(|item| match item {
            Value::String(text) => map(&text),
            other => other.to_string(),
        })
        .collect();
    texts.into_iter().map(Value::String).collect()
}

fn texts_or_self(value: Value, map: impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(map(&text)),
        other => other,
    }
}

#[cfg(test)]
mod tests;
