//! What a kind's JSON Schema says about each of its fields, in the form that the differ walks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field;

/// What a change to a field does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeRule {
    /// Tags have a call of their own.
    Tag,
    /// In place.
    #[default]
    InPlace,
    /// Sent on create, never compared: AWS moves it.
    RuntimeOwned,
    /// Sent on create, never compared: AWS does not report it.
    WriteOnly,
    /// Needs a new resource.
    CreateOnly,
}

/// What the absence of a field means (D3).
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Absent {
    /// It is required.
    #[default]
    Required,
    /// None: what AWS has is removed.
    Empty,
    /// Unmanaged: AWS's own value is never compared.
    Server,
    /// This value.
    Default(Value),
}

/// When two values mean the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compare {
    /// When they are equal.
    #[default]
    Plain,
    /// As sets.
    Set,
    /// As sets, but what is live beyond what is wanted means nothing.
    AtLeast,
    /// Item by item, aligned by this field.
    Keyed(String),
    /// As numbers.
    Number,
    /// Without regard to case.
    Caseless,
    /// As JSON.
    Json,
    /// As IAM policy documents.
    Policy,
    /// By the name at the end.
    NameOrArn,
}

/// The rules of one field and of what is inside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// What a change does.
    pub change: ChangeRule,
    /// What absence means.
    pub absent: Absent,
    /// When two values mean the same.
    pub compare: Compare,
    /// Whether values are masked.
    pub sensitive: bool,
    /// Outputs that a reference may name, as `<kind>.<output>`.
    pub refers: Vec<String>,
    /// Whether what is referred to may be in another account.
    pub beyond: bool,
    /// Whether a reference may be filled in later (D17).
    pub deferrable: bool,
    /// Its fields, of an object.
    pub fields: BTreeMap<String, Rules>,
    /// Its items, of a list.
    pub items: Option<Box<Rules>>,
    /// Its values, of a map with free keys.
    pub values: Option<Box<Rules>>,
}

/// Schemas nest this deep at most: AWS's deepest (node properties, tasks, containers) need ten.
const DEEPEST: usize = 24;

impl Rules {
    /// Reads the rules out of a kind's root schema.
    pub fn of(root: &Value) -> Self {
        let mut rules = read(root, root, ChangeRule::InPlace, 0);
        rules.absent = Absent::Required;
        rules
    }

    /// The rules at a path such as `computeResources.subnets[0]` or `containers[main].image`.
    pub fn at(&self, path: &str) -> Option<&Rules> {
        let mut rules = self;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let mut parts = step.split('[');
            let name = parts.next().unwrap_or_default();
            if !name.is_empty() {
                rules = rules.fields.get(name).or(rules.values.as_deref())?;
            }
            for _ in parts {
                rules = rules.items.as_deref()?;
            }
        }
        Some(rules)
    }
}

fn read(root: &Value, schema: &Value, inherited: ChangeRule, depth: usize) -> Rules {
    if depth > DEEPEST {
        return Rules::default();
    }
    let target = follow(root, schema);
    let said = |key: &str| schema.get(key).or_else(|| target.get(key));
    let change = match said(field::CHANGE).and_then(Value::as_str) {
        Some("create-only") => ChangeRule::CreateOnly,
        Some("write-only") => ChangeRule::WriteOnly,
        Some("runtime-owned") => ChangeRule::RuntimeOwned,
        _ => inherited,
    };
    let mut rules = Rules {
        change,
        absent: absent(schema),
        compare: compare(said(field::COMPARE)),
        sensitive: said(field::SENSITIVE).is_some(),
        deferrable: said(field::DEFERRABLE).is_some(),
        refers: strings(said(field::REFERS)),
        beyond: said(field::BEYOND).is_some(),
        ..Rules::default()
    };
    let required = strings(target.get("required"));
    if let Some(properties) = target.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            let mut field = read(root, property, change, depth + 1);
            if field.absent == Absent::Required && !required.contains(name) {
                field.absent = Absent::Empty;
            }
            rules.fields.insert(name.clone(), field);
        }
    }
    rules.items = target
        .get("items")
        .filter(|items| items.is_object())
        .map(|items| Box::new(read(root, items, change, depth + 1)));
    rules.values = target
        .get("additionalProperties")
        .filter(|values| values.is_object())
        .map(|values| Box::new(read(root, values, change, depth + 1)));
    rules
}

/// Follows `$ref` and the `anyOf` of an `Option`.
pub(crate) fn follow<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..DEEPEST {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            match reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
                Some(target) => schema = target,
                None => return schema,
            }
        } else if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            match choices.iter().find(|choice| choice.get("type").and_then(Value::as_str) != Some("null")) {
                Some(choice) => schema = choice,
                None => return schema,
            }
        } else {
            return schema;
        }
    }
    schema
}

fn absent(schema: &Value) -> Absent {
    match schema.get(field::ABSENT).and_then(Value::as_str) {
        Some("server") => Absent::Server,
        Some("empty") => Absent::Empty,
        _ => match schema.get("default") {
            Some(Value::Null) | None => Absent::Required,
            Some(default) if is_empty(default) => Absent::Empty,
            Some(default) => Absent::Default(default.clone()),
        },
    }
}

/// Absent, null, `[]` and `{}` all mean none (aws-semantics §1.6).
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn compare(said: Option<&Value>) -> Compare {
    match said {
        Some(Value::String(text)) => match text.as_str() {
            "set" => Compare::Set,
            "at-least" => Compare::AtLeast,
            "number" => Compare::Number,
            "caseless" => Compare::Caseless,
            "json" => Compare::Json,
            "policy" => Compare::Policy,
            "name-or-arn" => Compare::NameOrArn,
            _ => Compare::Plain,
        },
        Some(Value::Object(object)) => match object.get("key").and_then(Value::as_str) {
            Some(key) => Compare::Keyed(key.to_owned()),
            None => Compare::Plain,
        },
        _ => Compare::Plain,
    }
}

fn strings(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default()
}
