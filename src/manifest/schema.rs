//! One JSON Schema of all manifests, for editors: `# yaml-language-server: $schema=…`.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::declared::Declaration;
use super::document::Envelope;
use super::environment::Environment;
use crate::kinds::KINDS;

/// The schema of a manifest; under `$defs/Environment` that of an `environment.yaml`, under `$defs/Variables` that of a stack's
/// `variables.yaml`.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let mut envelope = rooted::<Envelope>("Envelope", &mut definitions);
    let environment = rooted::<Environment>("Environment", &mut definitions);
    definitions.insert("Environment".to_owned(), environment);
    let variables = rooted::<BTreeMap<String, Declaration>>("Variables", &mut definitions);
    definitions.insert("Variables".to_owned(), variables);
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.facts().name).collect();
    if let Some(properties) = envelope.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("kind".to_owned(), json!({"enum": names, "description": "`<service>/<Kind>`"}));
        // What stands in it follows from the kind, below.
        properties.insert("spec".to_owned(), json!({"description": "AWS's fields"}));
    }
    let choices: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            let facts = kind.facts();
            let spec = own(&facts.schema, &facts.name.replace('/', "."), &mut definitions);
            let named = json!({"properties": {"kind": {"const": facts.name}}, "required": ["kind"]});
            json!({"if": named, "then": {"properties": {"spec": spec}}})
        })
        .collect();
    let mut root = Map::new();
    root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".to_owned(), json!("Batchwright manifest"));
    if let Value::Object(envelope) = envelope {
        root.extend(envelope);
    }
    root.insert("allOf".to_owned(), Value::Array(choices));
    root.insert("$defs".to_owned(), Value::Object(definitions));
    let mut root = Value::Object(root);
    variable(&mut root);
    root
}

fn rooted<T: schemars::JsonSchema>(name: &str, definitions: &mut Map<String, Value>) -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    own(&generator.into_root_schema_for::<T>().to_value(), name, definitions)
}

/// A root schema as part of a larger one: its definitions move under names that begin with `name`.
fn own(schema: &Value, name: &str, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = schema.clone();
    repoint(&mut schema, name);
    if let Value::Object(fields) = &mut schema {
        fields.remove("$schema");
        fields.remove("title");
        if let Some(Value::Object(inner)) = fields.remove("$defs") {
            definitions.extend(inner.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
        }
    }
    schema
}

fn repoint(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get_mut("$ref")
                && let Some(key) = target.strip_prefix("#/$defs/")
            {
                *target = format!("#/$defs/{name}.{key}");
            }
            fields.values_mut().for_each(|value| repoint(value, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| repoint(value, name)),
        _ => {}
    }
}

/// Lets `${…}` stand where its value would: the editor knows no variables.
fn variable(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    for key in ["properties", "$defs"] {
        if let Some(Value::Object(inner)) = fields.get_mut(key) {
            inner.values_mut().for_each(variable);
        }
    }
    for key in ["items", "additionalProperties", "then"] {
        if let Some(inner) = fields.get_mut(key) {
            variable(inner);
        }
    }
    for key in ["allOf", "anyOf"] {
        if let Some(Value::Array(inner)) = fields.get_mut(key) {
            inner.iter_mut().for_each(variable);
        }
    }
    let plain = fields.get("type") == Some(&json!("string"));
    let narrow = ["enum", "pattern", "minLength", "maxLength"].iter().any(|key| fields.contains_key(*key));
    let typed = fields.get("type").is_some_and(|kind| *kind != json!("string"));
    // An enum whose members have a description each.
    let choice = fields.contains_key("oneOf");
    let is_root = fields.contains_key("$schema");
    if is_root || !(typed || choice || (plain && narrow)) {
        return;
    }
    let mut outer = Map::new();
    for key in ["description", "default"] {
        if let Some(value) = fields.get(key) {
            outer.insert(key.to_owned(), value.clone());
        }
    }
    let inner = Value::Object(std::mem::take(fields));
    outer.insert("anyOf".to_owned(), json!([inner, {"type": "string", "pattern": "\\$\\{.+\\}"}]));
    *fields = outer;
}
