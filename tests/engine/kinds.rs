//! Every kind of the registry, held to what all kinds promise: names, classes, examples, references, CloudFormation's
//! words, pages. `BLESS=1 cargo test --test engine kinds` writes the pages anew.

use std::collections::BTreeSet;
use std::fs;

use batchwright::kind::Facts;
use batchwright::kinds::{self, KINDS};
use batchwright::manifest::{self, Options};
use batchwright::resource::ResourceId;
use batchwright::services::SERVICES;
use serde_json::{Value, json};

mod api;
mod cloudformation;
mod constraints;
mod elsewhere;
mod enums;
mod literals;
mod made_up;
mod pages;
mod refusals;
mod scaffold;
mod written;

fn facts() -> impl Iterator<Item = &'static Facts> {
    KINDS.iter().map(|kind| kind.facts())
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// Sorted, and no name twice.
#[track_caller]
fn in_order(names: &[&str]) {
    let sorted: Vec<&str> = names.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(names, sorted);
}

#[test]
fn names_are_unique_and_in_order_and_lead_to_their_file() {
    let services: Vec<&str> = SERVICES.iter().map(|service| service.name()).collect();
    in_order(&services);
    in_order(&facts().map(|facts| facts.name).collect::<Vec<_>>());
    for facts in facts() {
        let (service, kind) = facts.name.split_once('/').unwrap();
        assert_eq!(service, facts.service, "{}", facts.name);
        assert!(services.contains(&service), "{}: no service {service}", facts.name);
        let file = format!("src/kinds/{service}/{}.rs", snake(kind));
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {file}: {error}", facts.name));
        assert!(text.contains(&format!("NAME: &'static str = \"{}\"", facts.name)), "{file}");
        assert!(kinds::kind(facts.name).is_some_and(|found| found.facts().name == facts.name));
        assert!(facts.about.ends_with('.'), "{}: no sentence: {}", facts.name, facts.about);
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// A property of a schema, wherever it stands.
struct Property<'a> {
    path: String,
    required: bool,
    schema: &'a Value,
    target: &'a Value,
}

/// Every property of a kind's schema: through references, `Option`s, lists and maps.
fn properties(facts: &'static Facts) -> Vec<Property<'static>> {
    let mut found = Vec::new();
    visit(&facts.schema, &facts.schema, facts.name, &mut Vec::new(), &mut found);
    assert!(!found.is_empty(), "{}: no fields", facts.name);
    found
}

fn visit<'a>(
    root: &'a Value,
    schema: &'a Value,
    path: &str,
    within: &mut Vec<&'a str>,
    found: &mut Vec<Property<'a>>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        if within.contains(&reference) {
            return;
        }
        within.push(reference);
        visit(root, referred(root, reference), path, within, found);
        within.pop();
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for choice in schema[key].as_array().into_iter().flatten() {
            visit(root, choice, path, within, found);
        }
    }
    for (key, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[key].is_object() {
            visit(root, &schema[key], &format!("{path}{mark}"), within, found);
        }
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().flat_map(Value::as_str).collect();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let required = required.contains(&name.as_str());
        found.push(Property {
            path: path.clone(),
            required,
            schema: property,
            target: followed(root, property),
        });
        visit(root, property, &path, within, found);
    }
}

fn referred<'a>(root: &'a Value, reference: &str) -> &'a Value {
    root.pointer(reference.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("no {reference}"))
}

fn followed<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().map_or(schema, |reference| followed(root, referred(root, reference)))
}

/// The classes of D3 that a field which need not be said claims for itself.
fn classes(property: &Property<'_>) -> Vec<String> {
    let Property { schema, target, .. } = property;
    let mut classes: BTreeSet<String> = schema["x-absent"].as_str().map(str::to_owned).into_iter().collect();
    let none = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match schema.get("default") {
        Some(Value::Null) => {}
        Some(default) if none(default) => drop(classes.insert("empty".to_owned())),
        Some(default) => drop(classes.insert(format!("default {default}"))),
        // A list or map that is no `Option` has no other way to be absent than to be empty.
        None if schema.get("x-absent").is_none() && (target["type"] == "array" || is_map(target)) => {
            classes.insert("empty".to_owned());
        }
        None => {}
    }
    classes.into_iter().collect()
}

fn is_map(schema: &Value) -> bool {
    schema["type"] == "object" && schema.get("properties").is_none()
}

#[test]
fn every_optional_field_has_exactly_one_class() {
    let mut wrong = Vec::new();
    for property in facts().flat_map(properties).filter(|property| !property.required) {
        let classes = classes(&property);
        let known = |class: &String| class == "empty" || class == "server" || class.starts_with("default ");
        if classes.len() != 1 || !classes.iter().all(known) {
            wrong.push(format!("{}: {classes:?} of {}", property.path, property.schema));
        }
    }
    wrong.sort();
    wrong.dedup();
    none("no class, or several (D3)", &wrong);
}

#[test]
fn the_walk_goes_down_to_the_last_field_and_sees_what_is_missing() {
    let paths: BTreeSet<String> = facts().flat_map(properties).map(|property| property.path).collect();
    for path in [
        "batch/JobDefinition.nodeProperties.nodeRangeProperties[].container.linuxParameters.devices[].hostPath",
        "batch/JobDefinition.eksProperties.podProperties.containers[].securityContext.runAsUser",
        "s3/Bucket.lifecycleConfiguration.rules[].transitions[].storageClass",
    ] {
        assert!(paths.contains(path), "{path}");
    }
    let of = |schema: Value| {
        classes(&Property { path: String::new(), required: false, schema: &schema, target: &schema })
    };
    assert!(of(json!({"type": ["string", "null"], "default": null})).is_empty());
    assert!(of(json!({"type": "boolean"})).is_empty());
    assert_eq!(of(json!({"type": "integer", "default": 1, "x-absent": "server"})).len(), 2);
}

#[test]
fn every_field_says_what_it_is() {
    let said = |schema: &Value| schema["description"].as_str().is_some_and(|text| !text.trim().is_empty());
    let mut dumb: Vec<String> = facts()
        .flat_map(properties)
        .filter(|property| !said(property.schema) && !said(property.target))
        .map(|property| property.path)
        .collect();
    dumb.sort();
    dumb.dedup();
    none("no doc comment", &dumb);
}

/// What examples refer to and no example declares.
const BESIDE: &str = r#"
---
apiVersion: batchwright/v1
kind: ec2/Subnet
metadata: {name: a}
spec: {vpcId: "${ec2/Vpc/main.id}", cidrBlock: 10.20.16.0/20, availabilityZone: "${env.region}a"}
---
apiVersion: batchwright/v1
kind: ec2/Subnet
metadata: {name: b}
spec: {vpcId: "${ec2/Vpc/main.id}", cidrBlock: 10.20.32.0/20, availabilityZone: "${env.region}b"}
---
apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: instances}
spec:
  assumeRolePolicyDocument:
    Version: "2012-10-17"
    Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}]
---
apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: payments-execution}
spec:
  assumeRolePolicyDocument:
    Version: "2012-10-17"
    Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
"#;

const ENVIRONMENT: &str = r#"
project: acme/jobs
account: "111122223333"
region: eu-west-1
stacks: [examples]
images: {worker: {repository: ecr/Repository/worker, tag: latest}}
"#;

#[test]
fn all_examples_together_are_an_environment() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("dev/environment.yaml", ENVIRONMENT);
    write("stacks/examples/beside.yaml", BESIDE);
    for facts in facts() {
        write(&format!("stacks/examples/{}.yaml", facts.name.replace('/', ".")), facts.example);
    }
    let desired = manifest::load(folder.path(), "dev", &Options::default());
    let desired = desired.unwrap_or_else(|errors| panic!("{errors}"));
    for kind in KINDS {
        let facts = kind.facts();
        let name = &manifest::value(facts.name, facts.example).unwrap()[0]["metadata"]["name"];
        let declared = &desired.resources[&ResourceId::new(facts.name, name.as_str().unwrap())];
        let normal = kind.normal(&declared.spec, &desired.place).unwrap();
        assert_eq!(kind.normal(&normal, &desired.place).unwrap(), normal, "{}: no fixed point", facts.name);
        let complaints = kind.validate(&normal, &desired.place);
        assert!(complaints.is_empty(), "{}: {complaints:?}", facts.name);
    }
}

/// Kinds that are referred to before they exist.
const NOT_YET: &[&str] =
    &["kms/Key", "lambda/Function", "secretsmanager/Secret", "sns/Topic", "ssm/Parameter"];

#[test]
fn references_name_outputs_that_exist() {
    let mut wrong = BTreeSet::new();
    let mut to_come = BTreeSet::new();
    for facts in facts() {
        for (path, target) in references(facts) {
            let Some((kind, output)) = target.split_once('.') else {
                wrong.insert(format!("{path}: {target:?} is not <kind>.<output>"));
                continue;
            };
            match kinds::kind(kind) {
                Some(found) if found.facts().outputs.iter().any(|it| it == output) => {}
                Some(found) => {
                    let outputs = found.facts().outputs.join(", ");
                    wrong.insert(format!("{path}: {kind} has no output {output}; it has {outputs}"));
                }
                None => {
                    to_come.insert(kind.to_owned());
                }
            }
        }
    }
    none("dead references", &wrong.into_iter().collect::<Vec<_>>());
    assert_eq!(to_come.iter().map(String::as_str).collect::<Vec<_>>(), NOT_YET, "kinds that don't exist");
}

/// Each `x-refers` of a kind's schema, with where it stands.
fn references(facts: &'static Facts) -> Vec<(String, String)> {
    let said = |schema: &'static Value| {
        let items = schema["items"]["x-refers"].as_array().into_iter().flatten();
        let own = schema["x-refers"].as_array().into_iter().flatten();
        own.chain(items).map(|target| target.as_str().unwrap().to_owned())
    };
    let of = |property: Property<'static>| {
        let path = property.path;
        said(property.schema).map(move |target| (path.clone(), target))
    };
    properties(facts).into_iter().flat_map(of).collect()
}
