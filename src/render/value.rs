//! Values as people read them: masked where they are sensitive, marked where they are known after the apply.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::diff::{FieldChange, Rules};
use crate::kinds;
use crate::value::reference;

/// What stands in the place of a sensitive value.
pub const MASK: &str = "••••";

/// Longer values are shown over several lines.
const INLINE: usize = 72;
/// So many lines beside a changed one are shown.
const CONTEXT: usize = 2;

/// A field's values, sensitive parts masked: the field's own, and those inside it by the rules of its kind.
pub fn masked(kind: &str, field: &FieldChange) -> (Option<Value>, Option<Value>) {
    let rules = kinds::kind(kind).and_then(|kind| kind.facts().rules.at(&field.path));
    let mask = |value: &Option<Value>| {
        value.as_ref().map(|value| if field.sensitive { hide(value) } else { inside(value, rules) })
    };
    (mask(&field.before), mask(&field.after))
}

fn inside(value: &Value, rules: Option<&Rules>) -> Value {
    let Some(rules) = rules else { return value.clone() };
    if rules.sensitive {
        return hide(value);
    }
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| {
                (key.clone(), inside(value, rules.fields.get(key).or(rules.values.as_deref())))
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| inside(item, rules.items.as_deref())).collect(),
        other => other.clone(),
    }
}

/// Every value is hidden but names: which variable it is may be said, what it holds may not.
fn hide(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| {
                (key.clone(), if key == "name" && value.is_string() { value.clone() } else { hide(value) })
            })
            .collect(),
        Value::Array(items) => items.iter().map(hide).collect(),
        _ => Value::String(MASK.to_owned()),
    }
}

/// A value on one line, if it fits.
pub(super) fn inline(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) if text == MASK => text.clone(),
        Value::String(text) if is_document(text) => return None,
        Value::Array(_) | Value::Object(_) if reference::is_unknown(value) => spaced(value),
        Value::String(text) => serde_json::to_string(text).unwrap_or_default(),
        other => spaced(other),
    };
    let fits = text.chars().count() <= INLINE || matches!(value, Value::String(_));
    fits.then(|| if reference::is_unknown(value) { format!("{text} (known after apply)") } else { text })
}

/// JSON on one line, with a space after each comma and colon.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key}: {}", spaced(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// A value over several lines.
pub(super) fn lines(value: &Value) -> String {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(parsed) if parsed.is_object() || parsed.is_array() => pretty(&parsed),
            _ => text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect(),
        },
        other => pretty(other),
    }
}

/// Whether a text holds JSON or several lines.
fn is_document(text: &str) -> bool {
    let trimmed = text.trim_start();
    text.trim_end().contains('\n')
        || (trimmed.starts_with(['{', '['])
            && serde_json::from_str::<Value>(text).is_ok_and(|v| v.is_object() || v.is_array()))
}

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Same(String),
    Added(String),
    Removed(String),
    Gap,
}

/// The lines that differ, with a few around them.
pub(super) fn difference(before: &str, after: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(before, after);
    let mut found = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            found.push(Line::Gap);
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
            found.push(match change.tag() {
                ChangeTag::Equal => Line::Same(text),
                ChangeTag::Insert => Line::Added(text),
                ChangeTag::Delete => Line::Removed(text),
            });
        }
    }
    found
}

/// One field's change, as far as it can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// Something where nothing was.
    Added(String),
    /// Nothing where something was.
    Removed(String),
    /// Both on one line.
    Both(String, String),
    /// Over several lines.
    Lines(Vec<Line>),
}

/// How a field's change is shown.
pub(super) fn shown(kind: &str, field: &FieldChange) -> Shown {
    let (before, after) = masked(kind, field);
    let long = |value: &Value, line: fn(String) -> Line| {
        Shown::Lines(lines(value).lines().map(|text| line(text.to_owned())).collect())
    };
    match (before, after) {
        (None, None) => Shown::Both("none".to_owned(), "none".to_owned()),
        (None, Some(after)) => inline(&after).map_or_else(|| long(&after, Line::Added), Shown::Added),
        (Some(before), None) => inline(&before).map_or_else(|| long(&before, Line::Removed), Shown::Removed),
        (Some(before), Some(after)) if before == after && field.before != field.after => {
            Shown::Both(MASK.to_owned(), format!("{MASK} (changed)"))
        }
        (Some(before), Some(after)) => match (inline(&before), inline(&after)) {
            (Some(before), Some(after)) => Shown::Both(before, after),
            _ => Shown::Lines(difference(&lines(&before), &lines(&after))),
        },
    }
}

/// Text from outside, on one line and without a terminal's orders.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
