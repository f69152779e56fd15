//! What was loaded, written out again: every name, tag and field for itself, in YAML that leaves nothing to a reader's taste.

use std::fmt::Write;

use batchwright::kind::Ownership;
use batchwright::kinds;
use batchwright::resource::{Declared, Desired};
use batchwright::value::reference;
use serde_json::{Value, json};

/// The environment's file and one with all resources.
pub fn printed(desired: &Desired) -> (String, String) {
    let project = desired.owner.0.strip_suffix(&format!("/{}", desired.environment)).unwrap();
    let images = desired.images.iter().map(|(name, image)| {
        (name.clone(), json!({"repository": image.repository.to_string(), "tag": image.tag}))
    });
    // What is the account's has the environment's tags, and none of its own.
    let shared = desired.resources.values().find(|it| is_shared(it));
    let environment = json!({
        "tags": shared.map(|it| &it.tags),
        "project": project,
        "account": desired.place.account,
        "region": desired.place.region,
        "namePrefix": desired.name_prefix,
        "stacks": ["main"],
        "images": images.collect::<serde_json::Map<_, _>>(),
        "limits": desired.limits,
        "allowDelete": desired.allow_delete,
    });
    let manifests = desired.resources.values().map(|it| format!("---\n{}\n", yaml(&manifest(it, desired))));
    (yaml(&without_nulls(&environment)), manifests.collect())
}

fn is_shared(declared: &Declared) -> bool {
    kinds::kind(&declared.id.kind).is_some_and(|kind| kind.facts().ownership == Ownership::Shared)
}

fn manifest(declared: &Declared, desired: &Desired) -> Value {
    let mut metadata = json!({
        "name": declared.id.name,
        "protect": declared.protect,
        "tags": declared.tags,
        "ignore": declared.ignore,
        "onDelete": declared.on_delete,
        "dependsOn": declared.depends_on,
        "lifecycle": declared.lifecycle,
    });
    if is_shared(declared) {
        metadata["tags"] = Value::Null;
    }
    if let Some(old) = &declared.renamed_from {
        metadata["renamedFrom"] = old.to_string().into();
    }
    if declared.physical_name != format!("{}{}", desired.name_prefix, declared.id.name) {
        metadata["physicalName"] = declared.physical_name.clone().into();
    }
    let spec = without_nulls(&declared.spec);
    json!({"apiVersion": "batchwright/v1", "kind": declared.id.kind, "metadata": without_nulls(&metadata), "spec": spec})
}

/// A field that is not there and one that is null are the same to every kind.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let said = fields.iter().filter(|(_, value)| !value.is_null());
            said.map(|(key, value)| (key.clone(), without_nulls(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// What is left to compare: everything but where it was written.
pub fn without_places(desired: &Desired) -> Value {
    let mut desired = desired.clone();
    for declared in desired.resources.values_mut() {
        declared.positions.clear();
        declared.position.file.clear();
        (declared.position.line, declared.position.column) = (0, 0);
        // A physical name that is said is no longer made of the prefix; both are the same name.
        declared.spec = without_nulls(&declared.spec);
    }
    serde_json::to_value(desired).unwrap()
}

/// In flow style, every text in double quotes and in ASCII, and what looks like a variable escaped.
fn yaml(value: &Value) -> String {
    in_flow(value, &escaped)
}

/// The same as it is.
pub fn written(value: &Value) -> String {
    in_flow(value, &str::to_owned)
}

fn in_flow(value: &Value, text: &dyn Fn(&str) -> String) -> String {
    match value {
        Value::Object(fields) => {
            let field =
                |(key, value): (&String, &Value)| format!("{}: {}", quoted(&text(key)), in_flow(value, text));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|it| in_flow(it, text)).collect::<Vec<_>>().join(", "))
        }
        Value::String(it) => quoted(&text(it)),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            other => drop(write!(out, "\\U{:08X}", u32::from(other))),
        }
    }
    out + "\""
}

/// With `$${` for each `${` that begins no reference.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.find('}').map_or(from.len(), |end| end + 1);
        match reference::whole(&from[..end]) {
            Some(_) => {
                out.push_str(&from[..end]);
                rest = &from[end..];
            }
            None => {
                out.push_str("$${");
                rest = &from[2..];
            }
        }
    }
    out + rest
}
