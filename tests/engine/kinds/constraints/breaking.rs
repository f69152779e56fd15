//! Values that break a rule and are otherwise as they were.

use serde_json::{Value, json};

use super::probe::Probe;
use super::rules::Rule;

/// Characters of many sorts: each is put before, into and behind a text.
const CHARACTERS: &[char] = &[
    ' ', '(', '!', '/', ':', '#', '*', '"', '\'', '.', '-', '_', ',', ';', '<', '&', '$', '%', '?', '~', '^',
    '|', '`', '{', '[', '\\', 'A', 'ä', '€', '日', '\t', '\u{1}',
];

/// Manifests that break the rule, each with how.
pub fn probes(rule: &Rule, ground: &Probe) -> Vec<(String, Probe)> {
    let Some(value) = rule.field.read(ground) else { return Vec::new() };
    let number = rule.value.as_i64().unwrap_or_default();
    let size = usize::try_from(number).unwrap_or_default();
    let values: Vec<Value> = match rule.word.as_str() {
        "minimum" => vec![json!(number - 1)],
        "maximum" => vec![json!(number + 1)],
        "enum" | "const" => vec![json!("no-such-value")],
        // Tags are a map here and a list of pairs there.
        "maxItems" if value.is_object() => vec![more_entries(&value, size + 1)],
        "maxItems" => longer_list(&value, size + 1).into_iter().collect(),
        "minItems" => {
            value.as_array().map(|items| json!(items.get(..size - 1).unwrap_or(items))).into_iter().collect()
        }
        "maxEntries" => vec![more_entries(&value, size + 1)],
        "minEntries" => vec![json!({})],
        "maxLength" => longer_text(&value, size + 1).into_iter().collect(),
        "minLength" => shorter_text(&value, size - 1).into_iter().collect(),
        "pattern" => of_other_form(rule, &value),
        other => panic!("{other}: {}", rule.said()),
    };
    let probe = |value: Value| {
        let shown: String = value.to_string().chars().take(90).collect();
        Some((shown, rule.field.with(ground, &value)?))
    };
    values.into_iter().filter_map(probe).collect()
}

fn more_entries(map: &Value, size: usize) -> Value {
    Value::Object((0..size).map(|index| (format!("k{index}"), first_entry(map))).collect())
}

fn first_entry(map: &Value) -> Value {
    map.as_object().and_then(|map| map.values().next()).cloned().unwrap_or_else(|| json!("v"))
}

/// As many items: those that there are, and more that differ from them where they can.
fn longer_list(list: &Value, size: usize) -> Option<Value> {
    let items = list.as_array()?;
    let more = (items.len()..size).map(|index| {
        let mut item = items.first().cloned().unwrap_or_else(|| json!("a"));
        vary(&mut item, index);
        item
    });
    Some(items.iter().cloned().chain(more).collect())
}

/// Changes the last characters of each text that ends with a letter or digit: ids and ARNs stay what they are.
fn vary(item: &mut Value, index: usize) {
    match item {
        Value::String(text) if text.len() >= 8 && text.ends_with(|c: char| c.is_ascii_hexdigit()) => {
            text.truncate(text.len() - 2);
            text.push_str(&format!("{index:02x}"));
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| vary(field, index)),
        _ => {}
    }
}

/// A document's text is made longer and given other characters where both are free: in a condition's value, or a description.
fn in_document(document: &Value, text: &str) -> Option<Value> {
    let mut document = document.clone();
    if let Some(statement) = document.pointer_mut("/Statement/0").and_then(Value::as_object_mut) {
        statement.insert("Condition".to_owned(), json!({"StringEquals": {"aws:PrincipalTag/team": text}}));
        return Some(document);
    }
    let rule = document.pointer_mut("/rules/0").and_then(Value::as_object_mut)?;
    rule.insert("description".to_owned(), json!(text));
    Some(document)
}

fn longer_text(value: &Value, size: usize) -> Option<Value> {
    match value {
        Value::String(text) => {
            let last = text.chars().last().filter(char::is_ascii_alphanumeric).unwrap_or('a');
            let missing = size.saturating_sub(text.chars().count());
            let more: String = std::iter::repeat_n(last, missing).collect();
            // A path ends with a slash.
            let longer = match text.strip_suffix('/') {
                Some(text) => {
                    format!("{text}{}/", if text.is_empty() { format!("/{}", &more[1..]) } else { more })
                }
                None => format!("{text}{more}"),
            };
            Some(json!(longer))
        }
        Value::Object(_) => in_document(value, &"x".repeat(size)),
        _ => None,
    }
}

fn shorter_text(value: &Value, size: usize) -> Option<Value> {
    match value {
        Value::String(text) => Some(json!(text.chars().take(size).collect::<String>())),
        Value::Object(_) if size == 0 => Some(json!({})),
        _ => None,
    }
}

fn of_other_form(rule: &Rule, value: &Value) -> Vec<Value> {
    let texts = |text: &str| -> Vec<String> {
        let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        let (head, tail) = text.split_at(half);
        let with = |c: &char| [format!("{c}{text}"), format!("{head}{c}{tail}"), format!("{text}{c}")];
        // A right value may break the rule as it stands: then nothing covers it.
        CHARACTERS.iter().flat_map(with).chain([String::new(), text.to_owned()]).collect()
    };
    let pattern = rule.pattern();
    match value {
        Value::String(text) => {
            texts(text).into_iter().filter(|text| !pattern.is_match(text)).map(Value::String).collect()
        }
        Value::Object(_) => {
            let documents = texts("payments").into_iter().filter_map(|text| in_document(value, &text));
            documents.filter(|document| !pattern.is_match(&document.to_string())).collect()
        }
        _ => Vec::new(),
    }
}
