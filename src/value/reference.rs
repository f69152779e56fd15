//! `${<kind>/<name>.<output>}` inside strings: the one mechanism for references (D4).

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resource::ResourceId;

/// One reference: an output of a resource, or an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reference {
    /// `${iam/Role/job.arn}`.
    Output {
        /// The resource referred to.
        id: ResourceId,
        /// Its output.
        output: String,
    },
    /// `${image.worker}`.
    Image(String),
    /// `${existing.vpc.id}`: of something that is there and not ours.
    Existing {
        /// The lookup.
        name: String,
        /// The output of what it finds.
        output: String,
    },
    /// `${zones.0}`: one of the zones that the account has in the region, from 0 on.
    Zone(usize),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output { id, output } => write!(f, "${{{id}.{output}}}"),
            Self::Image(name) => write!(f, "${{image.{name}}}"),
            Self::Existing { name, output } => write!(f, "${{existing.{name}.{output}}}"),
            Self::Zone(index) => write!(f, "${{zones.{index}}}"),
        }
    }
}

#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$\{(?:([a-z0-9]+/[A-Za-z0-9]+)/([A-Za-z][A-Za-z0-9_-]{0,62})\.([A-Za-z][A-Za-z0-9]*)|image\.([A-Za-z][A-Za-z0-9_-]*)|existing\.([A-Za-z][A-Za-z0-9_-]*)\.([A-Za-z][A-Za-z0-9]*)|zones\.([0-9]{1,2}))\}")
        .expect("the pattern of a reference")
});

/// The references in a text, in order.
pub fn references(text: &str) -> Vec<Reference> {
    REFERENCE.captures_iter(text).filter_map(|captures| reference(&captures)).collect()
}

/// The reference that the whole text is, if it is one.
pub fn whole(text: &str) -> Option<Reference> {
    let captures = REFERENCE.captures(text)?;
    (captures.get(0)?.as_str() == text).then(|| reference(&captures))?
}

fn reference(captures: &regex::Captures<'_>) -> Option<Reference> {
    let text = |at: usize| captures.get(at).map(|it| it.as_str().to_owned());
    if let (Some(kind), Some(name), Some(output)) = (text(1), text(2), text(3)) {
        return Some(Reference::Output { id: ResourceId::new(kind, name), output });
    }
    if let (Some(name), Some(output)) = (text(5), text(6)) {
        return Some(Reference::Existing { name, output });
    }
    let zone = text(7).and_then(|index| index.parse().ok()).map(Reference::Zone);
    text(4).map(Reference::Image).or(zone)
}

/// Replaces each reference that `known` knows; the others stay.
pub fn replace(text: &str, known: &dyn Fn(&Reference) -> Option<String>) -> String {
    REFERENCE
        .replace_all(text, |captures: &regex::Captures<'_>| {
            let as_it_was = captures.get(0).map(|m| m.as_str().to_owned()).unwrap_or_default();
            reference(captures).and_then(|reference| known(&reference)).unwrap_or(as_it_was)
        })
        .into_owned()
}

/// Replaces references everywhere in a document, keys of maps included (`${…oidc.url}:aud` in a trust policy).
pub fn resolve(value: &Value, known: &dyn Fn(&Reference) -> Option<String>) -> Value {
    match value {
        Value::String(text) if text.contains("${") => Value::String(replace(text, known)),
        Value::Array(items) => items.iter().map(|item| resolve(item, known)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (replace(key, known), resolve(value, known))).collect()
        }
        other => other.clone(),
    }
}

/// Calls `found` for each reference with the path of the string that holds it.
pub fn each(value: &Value, path: &str, found: &mut dyn FnMut(&str, Reference)) {
    match value {
        Value::String(text) => references(text).into_iter().for_each(|reference| found(path, reference)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each(item, &format!("{path}[{index}]"), found);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                references(key).into_iter().for_each(|reference| found(&path, reference));
                each(value, &path, found);
            }
        }
        _ => {}
    }
}

/// The first reference in a document, if there is one.
pub fn first(value: &Value) -> Option<Reference> {
    let mut first = None;
    each(value, "", &mut |_, reference| {
        first.get_or_insert(reference);
    });
    first
}

/// Whether a value holds a reference that nothing has resolved: known after the apply.
pub fn is_unknown(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${") && REFERENCE.is_match(text),
        Value::Array(items) => items.iter().any(is_unknown),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| REFERENCE.is_match(key) || is_unknown(value))
        }
        _ => false,
    }
}
