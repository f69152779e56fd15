//! Changes to what a text says, and not to how it is written: most of them are still YAML, and many are still taken.

use batchwright::manifest;
use serde_json::Value;

use super::mutate::Draw;
use super::printed::written;

/// The text with a few values changed. `None`, if it is no YAML.
pub fn grafted(draw: &mut Draw, text: &str, other: &str, words: &[&str], odd: &[&str]) -> Option<String> {
    let mut documents = manifest::value("a.yaml", text).ok()?;
    let others = manifest::value("a.yaml", other).unwrap_or_default();
    let mut scions = Vec::new();
    others.iter().for_each(|document| scions_of(document, &mut scions));
    for _ in 0..*draw.one(&[1, 1, 1, 2, 2, 4]) {
        let at = draw.below(documents.len());
        let document = documents.get_mut(at)?;
        let mut places = Vec::new();
        places_of(document, String::new(), &mut places);
        let place = draw.one(&places).clone();
        changed(draw, document, &place, &scions, words, odd);
    }
    Some(documents.iter().map(|document| format!("---\n{}\n", written(document))).collect())
}

/// Every value below a document, by its JSON pointer.
fn places_of(value: &Value, at: String, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                places_of(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places_of(item, format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
    into.push(at);
}

/// Every field of another document, with its value.
fn scions_of(value: &Value, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                into.push((key.clone(), value.clone()));
                scions_of(value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| scions_of(item, into)),
        _ => {}
    }
}

fn changed(
    draw: &mut Draw,
    document: &mut Value,
    place: &str,
    scions: &[(String, Value)],
    words: &[&str],
    odd: &[&str],
) {
    let key = place.rsplit('/').find(|it| it.parse::<usize>().is_err()).unwrap_or_default().to_owned();
    let Some(value) = document.pointer_mut(place) else { return };
    match draw.below(9) {
        0..=3 => {
            let alike: Vec<&Value> =
                scions.iter().filter(|(name, _)| *name == key).map(|(_, it)| it).collect();
            if !alike.is_empty() {
                *value = (*draw.one(&alike)).clone();
            }
        }
        4 => {
            let word = *draw.one(words);
            *value = manifest::value("a.yaml", word).ok().and_then(|mut it| it.pop()).unwrap_or_default();
        }
        5 => *value = Value::String((*draw.one(odd)).to_owned()),
        6 => match value {
            Value::Array(items) if !items.is_empty() => {
                let again = items[draw.below(items.len())].clone();
                items.push(again);
            }
            other => *other = Value::Array(vec![other.clone()]),
        },
        7 => match value {
            Value::Array(items) if !items.is_empty() => drop(items.remove(draw.below(items.len()))),
            Value::Object(fields) if !fields.is_empty() => {
                let keys: Vec<String> = fields.keys().cloned().collect();
                fields.remove(draw.one(&keys));
            }
            other => *other = Value::Null,
        },
        _ => {
            if let (Value::Object(fields), false) = (value, scions.is_empty()) {
                let (key, value) = draw.one(scions).clone();
                fields.insert(key, value);
            }
        }
    }
}
