//! The one differ: walks a live and a wanted document side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules::is_empty;
use super::{Absent, ChangeRule, Compare, FieldChange, Rules};
use crate::value;

/// Every field in which the live document differs from the wanted one. `ignore` holds paths that are left alone.
///
/// A wanted value that holds a reference is not known yet, and so always a change (D13).
pub fn walk(live: &Value, want: &Value, rules: &Rules, ignore: &[String]) -> Vec<FieldChange> {
    let mut walk = Walk { ignore, found: Vec::new() };
    walk.value("", Some(live), Some(want), rules);
    walk.found
}

/// Whether two values mean the same under these rules.
pub fn same(live: &Value, want: &Value, rules: &Rules) -> bool {
    walk(live, want, rules, &[]).is_empty()
}

struct Walk<'a> {
    ignore: &'a [String],
    found: Vec<FieldChange>,
}

impl Walk<'_> {
    fn value(&mut self, path: &str, live: Option<&Value>, want: Option<&Value>, rules: &Rules) {
        // The whole is always there: a spec in which nothing is declared has its defaults.
        let there = |value: &&Value| path.is_empty() || !is_empty(value);
        let live = live.filter(there);
        let says_none = matches!(want, Some(Value::Array(items)) if items.is_empty());
        let mut want = want.filter(there);
        if matches!(rules.change, ChangeRule::RuntimeOwned | ChangeRule::WriteOnly)
            || self.ignore.iter().any(|i| i == path)
        {
            return;
        }
        if want.is_none() {
            match &rules.absent {
                Absent::Server => return,
                _ if rules.compare == Compare::AtLeast => return,
                // `[]` is said, not left out: it means none, whatever the default is.
                Absent::Default(_) if says_none => {}
                Absent::Default(default) => want = Some(default),
                Absent::Empty | Absent::Required => {}
            }
        }
        match (live, want) {
            (None, None) => {}
            (Some(live), Some(want)) => self.both(path, live, want, rules),
            // A sub-document that AWS fills with defaults means the same as none: compare it with an empty one.
            (Some(Value::Object(live)), None) if !rules.fields.is_empty() && !path.is_empty() => {
                let before = self.found.len();
                self.object(path, live, &serde_json::Map::new(), rules);
                if self.found.len() > before {
                    self.found.truncate(before);
                    self.change(path, Some(&Value::Object(live.clone())), None, rules);
                }
            }
            (live, want) => self.change(path, live, want, rules),
        }
    }

    fn both(&mut self, path: &str, live: &Value, want: &Value, rules: &Rules) {
        let special = match rules.compare {
            Compare::Policy => Some(value::policy::same(live, want)),
            Compare::Json => Some(value::same_json(live, want)),
            Compare::Number => Some(value::same_number(live, want)),
            Compare::Caseless => Some(value::same_caseless(live, want)),
            Compare::NameOrArn => Some(value::same_name(live, want)),
            Compare::Plain | Compare::Set | Compare::AtLeast | Compare::Keyed(_) => None,
        };
        match (special, live, want) {
            (Some(same), ..) => {
                if !same || value::reference::is_unknown(want) {
                    self.change(path, Some(live), Some(want), rules);
                }
            }
            (None, Value::Object(live), Value::Object(want)) => self.object(path, live, want, rules),
            (None, Value::Array(live), Value::Array(want)) => self.list(path, live, want, rules),
            _ => {
                if live != want || value::reference::is_unknown(want) {
                    self.change(path, Some(live), Some(want), rules);
                }
            }
        }
    }

    fn object(
        &mut self,
        path: &str,
        live: &serde_json::Map<String, Value>,
        want: &serde_json::Map<String, Value>,
        rules: &Rules,
    ) {
        let free = rules.values.as_deref();
        let plain = Rules {
            change: rules.change,
            absent: Absent::Empty,
            sensitive: rules.sensitive,
            ..Rules::default()
        };
        let keys: BTreeSet<&String> = live.keys().chain(want.keys()).chain(rules.fields.keys()).collect();
        for key in keys {
            let inner = rules.fields.get(key).or(free).unwrap_or(&plain);
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.value(&path, live.get(key), want.get(key), inner);
        }
    }

    fn list(&mut self, path: &str, live: &[Value], want: &[Value], rules: &Rules) {
        let plain = Rules { change: rules.change, sensitive: rules.sensitive, ..Rules::default() };
        let inner = rules.items.as_deref().unwrap_or(&plain);
        match &rules.compare {
            Compare::Set => {
                if !same_set(live, want, inner) {
                    self.change(path, Some(&live.into()), Some(&want.into()), rules);
                }
            }
            Compare::AtLeast => {
                if !holds(live, want, inner) {
                    self.change(path, Some(&live.into()), Some(&want.into()), rules);
                }
            }
            Compare::Keyed(key) => match (by_key(live, key), by_key(want, key)) {
                (Some(mut live), Some(want)) => {
                    if inner.fields.get(key).is_some_and(|rules| rules.compare == Compare::NameOrArn) {
                        live = named_alike(live, &want);
                    }
                    let keys: BTreeSet<&String> = live.keys().chain(want.keys()).collect();
                    let item = Rules { absent: Absent::Empty, ..inner.clone() };
                    for name in keys {
                        self.item(
                            &format!("{path}[{name}]"),
                            live.get(name).copied(),
                            want.get(name).copied(),
                            &item,
                        );
                    }
                }
                _ => {
                    if !same_set(live, want, inner) {
                        self.change(path, Some(&live.into()), Some(&want.into()), rules);
                    }
                }
            },
            _ => {
                let objects = live.len() == want.len() && live.iter().chain(want).all(Value::is_object);
                if objects {
                    for (index, (live, want)) in live.iter().zip(want).enumerate() {
                        self.value(&format!("{path}[{index}]"), Some(live), Some(want), inner);
                    }
                } else if live.len() != want.len() || !live.iter().zip(want).all(|(l, w)| same(l, w, inner)) {
                    self.change(path, Some(&live.into()), Some(&want.into()), rules);
                }
            }
        }
    }

    /// An item of a keyed list: one that is missing on either side is a change of its own, whatever its defaults.
    fn item(&mut self, path: &str, live: Option<&Value>, want: Option<&Value>, rules: &Rules) {
        match (live, want) {
            (Some(live), Some(want)) => self.value(path, Some(live), Some(want), rules),
            _ if self.ignore.iter().any(|i| i == path) => {}
            _ => self.change(path, live, want, rules),
        }
    }

    fn change(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>, rules: &Rules) {
        self.found.push(FieldChange {
            path: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
            rule: rules.change,
            sensitive: rules.sensitive,
        });
    }
}

/// Whether each item of one list has its like in the other; duplicates mean nothing.
fn same_set(live: &[Value], want: &[Value], rules: &Rules) -> bool {
    holds(live, want, rules) && live.iter().all(|l| want.iter().any(|w| same(l, w, rules)))
}

/// Whether each wanted item is there.
fn holds(live: &[Value], want: &[Value], rules: &Rules) -> bool {
    want.iter().all(|w| live.iter().any(|l| same(l, w, rules)))
}

/// The items by their key; `None` if one lacks it or two share it.
fn by_key<'a>(items: &'a [Value], key: &str) -> Option<BTreeMap<String, &'a Value>> {
    let mut found = BTreeMap::new();
    for item in items {
        let name = match item.get(key)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if found.insert(name, item).is_some() {
            return None;
        }
    }
    Some(found)
}

/// The live items under the wanted names: a name and an ARN may be one.
fn named_alike<'a>(
    live: BTreeMap<String, &'a Value>,
    want: &BTreeMap<String, &Value>,
) -> BTreeMap<String, &'a Value> {
    let wanted = |name: &String| want.keys().find(|want| value::named::same(want, name)).cloned();
    live.into_iter().map(|(name, item)| (wanted(&name).unwrap_or(name), item)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Rules, walk};

    #[test]
    fn what_others_add_to_a_shared_set_is_no_drift() {
        let rules = Rules::of(
            &json!({"properties": {"ids": {"type": "array", "items": {}, "x-compare": "at-least", "x-absent": "empty"}}}),
        );
        let differs = |live, want| !walk(&live, &want, &rules, &[]).is_empty();
        assert!(!differs(json!({"ids": ["theirs", "ours"]}), json!({"ids": ["ours"]})));
        assert!(!differs(json!({"ids": ["theirs"]}), json!({})));
        assert!(differs(json!({"ids": ["theirs"]}), json!({"ids": ["ours"]})));
        assert!(differs(json!({}), json!({"ids": ["ours"]})));
    }

    #[test]
    fn items_are_found_by_a_name_or_an_arn() {
        let rules = Rules::of(
            &json!({"properties": {"list": {"type": "array", "x-compare": {"key": "name"}, "items": {
            "properties": {"name": {"type": "string", "x-compare": "name-or-arn"}, "many": {"type": "integer"}}}}}}),
        );
        let paths = |live, want| {
            let changes = walk(&json!({"list": live}), &json!({"list": want}), &rules, &[]);
            changes.into_iter().map(|change| change.path).collect::<Vec<_>>()
        };
        let arn = "arn:aws:batch:eu-west-1:111122223333:consumable-resource/licence";
        let (long, short) = (json!([{"name": arn, "many": 1}]), json!([{"name": "licence", "many": 1}]));
        assert_eq!(paths(long.clone(), short.clone()), [""; 0]);
        assert_eq!(paths(short, long.clone()), [""; 0]);
        assert_eq!(paths(long, json!([{"name": "licence", "many": 2}])), ["list[licence].many"]);
    }

    #[test]
    fn an_empty_list_means_none_even_where_absence_does_not() {
        let rules = Rules::of(
            &json!({"properties": {"egress": {"type": "array", "items": {}, "x-compare": "set", "default": ["all"]}}}),
        );
        let differs = |live, want| !walk(&live, &want, &rules, &[]).is_empty();
        assert!(!differs(json!({"egress": ["all"]}), json!({})));
        assert!(differs(json!({"egress": []}), json!({})));
        assert!(differs(json!({}), json!({"egress": null})));
        assert!(differs(json!({"egress": ["all"]}), json!({"egress": []})));
        assert!(!differs(json!({"egress": []}), json!({"egress": []})));
        assert!(!differs(json!({}), json!({"egress": []})));
    }
}
