//! Reading the members of a JSON request with AWS's refusals for what is missing or of the wrong type.

use serde_json::{Map, Value};

use super::error::{Result, invalid, refuse};

/// A JSON object: the shape of every request, answer and stored resource.
pub(super) type Object = Map<String, Value>;

/// Typed access to an object's members. `null` never occurs: requests are stripped of it.
pub(super) trait Fields {
    fn text(&self, name: &str) -> Result<Option<&str>>;
    fn integer(&self, name: &str) -> Result<Option<i64>>;
    fn list(&self, name: &str) -> Result<Option<&Vec<Value>>>;
    fn object(&self, name: &str) -> Result<Option<&Object>>;

    /// A string that must be there and not be empty.
    fn required(&self, name: &str) -> Result<&str> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => invalid!("{name} is required."),
        }
    }

    /// The strings of a list; empty if absent.
    fn texts(&self, name: &str) -> Result<Vec<String>> {
        let Some(list) = self.list(name)? else { return Ok(Vec::new()) };
        list.iter()
            .map(|item| match item.as_str() {
                Some(text) => Ok(text.to_owned()),
                None => refuse!("{name} must be a list of strings"),
            })
            .collect()
    }

    /// A stored string member, or nothing; for resources whose shape was checked when they came in.
    fn shown(&self, name: &str) -> &str {
        self.text(name).ok().flatten().unwrap_or_default()
    }
}

impl Fields for Object {
    fn text(&self, name: &str) -> Result<Option<&str>> {
        typed(self, name, "a string", Value::as_str)
    }
    fn integer(&self, name: &str) -> Result<Option<i64>> {
        typed(self, name, "an integer", Value::as_i64)
    }
    fn list(&self, name: &str) -> Result<Option<&Vec<Value>>> {
        typed(self, name, "a list", Value::as_array)
    }
    fn object(&self, name: &str) -> Result<Option<&Object>> {
        typed(self, name, "an object", Value::as_object)
    }
}

fn typed<'a, T>(
    object: &'a Object,
    name: &str,
    what: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<Option<T>> {
    let Some(value) = object.get(name) else { return Ok(None) };
    match read(value) {
        Some(read) => Ok(Some(read)),
        None => refuse!("Could not deserialize the request: {name} must be {what}"),
    }
}

/// The request's body as an object without `null` members; an empty body is an empty object.
pub(super) fn parse(body: &[u8]) -> Result<Object> {
    if body.is_empty() {
        return Ok(Object::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(mut object)) => {
            strip_nulls(&mut object);
            Ok(object)
        }
        Ok(_) => refuse!("Could not deserialize the request: the body must be a JSON object"),
        Err(error) => refuse!("Could not deserialize the request: {error}"),
    }
}

fn strip_nulls(object: &mut Object) {
    object.retain(|_, value| !value.is_null());
    for value in object.values_mut() {
        strip_nulls_within(value);
    }
}

fn strip_nulls_within(value: &mut Value) {
    match value {
        Value::Object(object) => strip_nulls(object),
        Value::Array(items) => items.iter_mut().for_each(strip_nulls_within),
        _ => {}
    }
}

/// Copies the named members that are there: what is not listed, AWS would not have stored.
pub(super) fn keep(from: &Object, names: &[&str]) -> Object {
    names.iter().filter_map(|name| from.get(*name).map(|value| ((*name).to_owned(), value.clone()))).collect()
}

/// Puts a member only where it is absent.
pub(super) fn fill(object: &mut Object, name: &str, value: impl Into<Value>) {
    object.entry(name).or_insert_with(|| value.into());
}

/// Whether `name` is one that AWS Batch accepts: 1–128 letters, digits, `-` and `_`, not beginning with `-` or `_`.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
