//! Values as people read them: masked where they are sensitive, marked where they are known after the apply.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

pub use crate::diff::MASK;
use crate::diff::{Cover, FieldChange};
use crate::kinds;
use crate::outside;
use crate::value::reference;

/// Longer values are shown over several lines.
const INLINE: usize = 72;
/// So many lines beside a changed one are shown.
const CONTEXT: usize = 2;

/// A field's values, sensitive parts masked: the field's own, and those inside it by the rules of its kind.
pub fn masked(kind: &str, field: &FieldChange) -> (Option<Value>, Option<Value>) {
    let known = kinds::kind(kind).map(|found| Cover::of(&found.facts().rules, &found.facts().free));
    let cover = known.unwrap_or_else(|| Cover::unknown(&kinds::FREE)).at(&field.path);
    let cover = if field.sensitive { cover.masked() } else { cover };
    let mask = |value: &Option<Value>| value.as_ref().map(|value| cover.show(value));
    (mask(&field.before), mask(&field.after))
}

/// A value on one line, if it fits.
pub(super) fn inline(value: &Value) -> Option<String> {
    if let Value::String(text) = value {
        return (!is_document(text)).then(|| marked(value));
    }
    let text = marked(value);
    (text.chars().count() <= INLINE).then_some(text)
}

/// A value on one line; what holds an unresolved reference says so.
fn marked(value: &Value) -> String {
    let text = spaced(value);
    if reference::is_unknown(value) { format!("{text} (known after apply)") } else { text }
}

/// JSON on one line, with a space after each comma and colon, and plain keys without quotes.
fn spaced(value: &Value) -> String {
    match value {
        Value::String(text) if text == MASK => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}: {}", key(name), spaced(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

/// A value over several lines: what fits on one line stays on one.
pub(super) fn lines(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::String(string) => match serde_json::from_str::<Value>(string) {
            Ok(parsed) if parsed.is_object() || parsed.is_array() => broken(&parsed, 0, &mut text),
            _ => text.extend(string.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c })),
        },
        other => broken(other, 0, &mut text),
    }
    text
}

/// Writes a list or an object with a line for each of its parts, `depth` levels deep.
fn broken(value: &Value, depth: usize, text: &mut String) {
    let parts: Vec<(Option<&String>, &Value)> = match value {
        Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (Some(name), value)).collect(),
        leaf => return text.push_str(&marked(leaf)),
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    let indent = "  ".repeat(depth);
    text.push(open);
    for (name, part) in parts {
        text.push_str(&format!("\n{indent}  "));
        if let Some(name) = name {
            text.push_str(&format!("{}: ", key(name)));
        }
        let one_line = marked(part);
        if one_line.chars().count() + indent.len() <= INLINE {
            text.push_str(&one_line);
        } else {
            broken(part, depth + 1, text);
        }
    }
    text.push_str(&format!("\n{indent}{close}"));
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
    outside::line(&text.replace(['\n', '\r', '\t'], " "))
}
