//! Fields that are left alone (`metadata.ignore`): the wanted document takes the live value there, so that an update that
//! sends a whole sub-document, a new revision and a new generation carry it on.

use serde_json::{Map, Value};

use crate::diff::{Compare, FieldChange, Rules, walk};
use crate::resource::Document;

/// One move down a path: `computeResources`, or the item `main` of `containers[main]`.
#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Field(&'a str),
    Item(&'a str),
}

fn parts(path: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let mut pieces = step.split('[');
        parts.extend(pieces.next().filter(|name| !name.is_empty()).map(Part::Field));
        parts.extend(pieces.map(|item| Part::Item(item.trim_end_matches(']'))));
    }
    parts
}

/// The wanted document with the live value at each of these paths.
pub fn kept(live: &Document, want: &Document, ignore: &[String], rules: &Rules) -> Document {
    ignore.iter().fold(want.clone(), |want, path| {
        keep(Some(live), Some(want), &parts(path), Some(rules)).unwrap_or_default()
    })
}

/// The fields in which a live resource differs from what is declared, and is left as it is.
pub fn left(live: &Document, want: &Document, ignore: &[String], rules: &Rules) -> Vec<FieldChange> {
    let ignored = |path: &str| {
        ignore.iter().any(|ignored| {
            path.strip_prefix(ignored.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    let mut found = walk(live, want, rules, &[]);
    found.retain(|field| ignored(&field.path));
    found
}

fn keep(
    live: Option<&Value>,
    want: Option<Value>,
    path: &[Part<'_>],
    rules: Option<&Rules>,
) -> Option<Value> {
    let Some((part, rest)) = path.split_first() else { return live.cloned() };
    match part {
        Part::Field(name) => field(live, want, name, rest, rules),
        Part::Item(key) => item(live, want, key, rest, rules),
    }
}

fn field(
    live: Option<&Value>,
    want: Option<Value>,
    name: &str,
    rest: &[Part<'_>],
    rules: Option<&Rules>,
) -> Option<Value> {
    let said = want.is_some();
    let mut fields = match want {
        Some(Value::Object(fields)) => fields,
        None | Some(Value::Null) => Map::new(),
        other => return other,
    };
    let rules = rules.and_then(|rules| rules.fields.get(name).or(rules.values.as_deref()));
    let inner = fields.remove(name);
    if let Some(value) = keep(live.and_then(|live| live.get(name)), inner, rest, rules) {
        fields.insert(name.to_owned(), value);
    }
    (said || !fields.is_empty()).then_some(Value::Object(fields))
}

fn item(
    live: Option<&Value>,
    want: Option<Value>,
    key: &str,
    rest: &[Part<'_>],
    rules: Option<&Rules>,
) -> Option<Value> {
    let mut items = match want {
        Some(Value::Array(items)) => items,
        None if rest.is_empty() => Vec::new(),
        other => return other,
    };
    let at = |items: &[Value]| match rules.map(|rules| &rules.compare) {
        Some(Compare::Keyed(field)) => items.iter().position(|item| match item.get(field) {
            Some(Value::String(text)) => text == key,
            other => other.is_some_and(|other| format!("{other}") == key),
        }),
        _ => key.parse().ok().filter(|index| *index < items.len()),
    };
    let lives = live.and_then(Value::as_array).and_then(|live| live.get(at(live)?));
    let inner = rules.and_then(|rules| rules.items.as_deref());
    match (at(&items), lives) {
        (Some(index), lives) if rest.is_empty() || lives.is_some() => {
            let before = items.remove(index);
            if let Some(value) = keep(lives, Some(before), rest, inner) {
                items.insert(index, value);
            }
        }
        (None, Some(lives)) if rest.is_empty() => items.push(lives.clone()),
        _ => {}
    }
    Some(Value::Array(items))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> Rules {
        Rules::of(&json!({"properties": {
            "a": {"type": "object", "properties": {"b": {}, "c": {}}},
            "list": {"type": "array", "x-compare": {"key": "name"}, "items": {"properties": {"name": {}, "v": {}}}},
        }}))
    }

    #[test]
    fn the_live_value_stays_and_nothing_else() {
        let live = json!({"a": {"b": 1, "c": 1}, "list": [{"name": "x", "v": 1}, {"name": "y", "v": 1}]});
        let want = json!({"a": {"b": 2, "c": 2}, "list": [{"name": "z", "v": 2}, {"name": "x", "v": 2}]});
        let kept = |want: &Value, path: &str| kept(&live, want, &[path.to_owned()], &rules());
        for (path, expected) in [
            ("a.b", json!({"a": {"b": 1, "c": 2}, "list": want["list"]})),
            ("a", json!({"a": {"b": 1, "c": 1}, "list": want["list"]})),
            ("list[x].v", json!({"a": want["a"], "list": [{"name": "z", "v": 2}, {"name": "x", "v": 1}]})),
            ("list[z].v", want.clone()),
            ("list[z]", json!({"a": want["a"], "list": [{"name": "x", "v": 2}]})),
            (
                "list[y]",
                json!({"a": want["a"], "list": [{"name": "z", "v": 2}, {"name": "x", "v": 2}, {"name": "y", "v": 1}]}),
            ),
            ("list[y].v", want.clone()),
            ("list", json!({"a": want["a"], "list": live["list"]})),
        ] {
            assert_eq!(kept(&want, path), expected, "{path}");
        }
        assert_eq!(
            kept(&json!({}), "a.b"),
            json!({"a": {"b": 1}}),
            "what is not said is said with the live value"
        );
        assert_eq!(super::kept(&json!({}), &want, &["a.b".to_owned()], &rules())["a"], json!({"c": 2}));
    }

    #[test]
    fn what_is_left_alone_is_told() {
        let (live, want) = (json!({"a": {"b": 1, "c": 1}}), json!({"a": {"b": 2, "c": 2}}));
        let left = left(&live, &want, &["a.b".to_owned()], &rules());
        assert_eq!(left.iter().map(|field| field.path.as_str()).collect::<Vec<_>>(), ["a.b"]);
    }
}
