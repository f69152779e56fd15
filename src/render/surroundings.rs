//! What was looked up, and what an environment tells whoever uses it.

use std::fmt::Write;

use serde_json::{Value, json};

use super::value::plain;
use super::{MASK, Paint};
use crate::outputs::Told;
use crate::plan::{LookedUp, Plan};

/// What lookups found; nothing, where there are none.
pub(super) fn looked_up(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    if plan.looked_up.is_empty() {
        return text;
    }
    let _ = writeln!(text, "{}", paint.strong("Looked up, and not ours:"));
    let width = plan.looked_up.iter().map(|it| it.name.chars().count()).max().unwrap_or_default();
    for it in &plan.looked_up {
        let _ = writeln!(text, "  existing.{:width$}  {}", it.name, line(it, plan, paint));
    }
    text.push('\n');
    text
}

/// What a lookup found, in one line.
fn line(it: &LookedUp, plan: &Plan, paint: Paint) -> String {
    let what = paint.faint(&plain(&it.what));
    let held = match (&it.newer, it.held) {
        (Some(newer), _) => {
            let found = paint.change(&format!("held; found now is {}", plain(newer)));
            match newer.as_str() {
                "nothing" => format!(", {found}"),
                _ => format!(", {found}; `batchwright hold {} {}` takes it", plan.environment, it.name),
            }
        }
        (None, true) => ", held".to_owned(),
        (None, false) => String::new(),
    };
    format!("{}  {what}{held}", paint.strong(&plain(&it.found)))
}

/// The record of a lookup.
pub(super) fn record(it: &LookedUp) -> Value {
    json!({
        "@level": "info", "type": "lookup", "name": it.name, "what": it.what, "found": it.found, "held": it.held,
        "newer": it.newer, "moves": it.moves, "position": it.position,
    })
}

/// All outputs, one a line; what is sensitive is masked.
pub fn outputs(told: &[Told], paint: Paint) -> String {
    let mut text = String::new();
    let width = told.iter().map(|it| it.name.chars().count()).max().unwrap_or_default();
    for it in told {
        let value = match (&it.unknown, it.sensitive) {
            (Some(unknown), _) => paint.faint(&format!("not known: {unknown} is not there yet")),
            (None, true) => format!("{MASK} {}", paint.faint("(sensitive)")),
            (None, false) => plain(&one_line(&it.value)),
        };
        let _ = writeln!(text, "{:width$}  {value}", it.name);
    }
    text
}

/// The value of one output, as a script takes it: a text as it is.
pub fn output(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn one_line(value: &Value) -> String {
    match value {
        Value::String(text) if !text.contains('\n') => text.clone(),
        other => other.to_string(),
    }
}

/// The records of outputs. The value of what is sensitive is told only where it is asked for by name.
pub fn output_records(told: &[Told], by_name: bool) -> Vec<Value> {
    let record = |it: &Told| {
        let mut record =
            json!({"@level": "info", "type": "output", "name": it.name, "sensitive": it.sensitive});
        let shown = it.unknown.is_none() && (by_name || !it.sensitive);
        if let Some(fields) = record.as_object_mut() {
            fields.extend(shown.then(|| ("value".to_owned(), it.value.clone())));
            fields.extend(it.unknown.iter().map(|unknown| ("unknown".to_owned(), json!(unknown))));
            fields.extend(it.description.iter().map(|text| ("description".to_owned(), json!(text))));
        }
        record
    };
    told.iter().map(record).collect()
}
