//! Every text of a fixed choice, of every kind and at any depth, misspelt alone: the mistake is marked itself.

use std::fs;

use batchwright::kind::Facts;
use batchwright::manifest::{self, Errors, ManifestError, Options};
use serde_json::{Map, Value, json};

use super::{facts, followed, none, properties};

pub const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"111122223333\"\nregion: us-east-1\nstacks: [all]\n";

/// What no choice ends with: it stands once in the file that it is written into.
const MARK: &str = "Qx";

/// Texts for fields that must be said: the first that fits.
const TEXTS: [&str; 5] = [
    "a",
    "fs-12345678",
    "arn:aws:eks:us-east-1:111122223333:cluster/a",
    "arn:aws:iam::111122223333:role/a",
    "2030-01-01T00:00:00.000Z",
];

/// A step from a value into it.
#[derive(Clone)]
pub enum Step {
    Field(String),
    Item,
    Entry,
}

/// A place where one of some texts is expected.
struct Choice {
    path: String,
    steps: Vec<Step>,
    names: Vec<String>,
}

/// Behind references and `Option`s.
fn plain<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = followed(root, schema);
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    match choices.map(|choice| followed(root, choice)).find(|choice| choice["type"] != "null") {
        Some(choice) => plain(root, choice),
        None => schema,
    }
}

/// The texts of a fixed choice.
fn names(root: &Value, schema: &Value) -> Vec<String> {
    let schema = plain(root, schema);
    let of = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let described: Value =
        schema["oneOf"].as_array().into_iter().flatten().map(|one| one["const"].clone()).collect();
    [of(&schema["enum"]), of(&described)].concat()
}

/// The steps of a property's path.
pub fn steps_of(facts: &Facts, path: &str) -> Vec<Step> {
    let fields = path.strip_prefix(facts.name).unwrap_or_default();
    let mut steps = Vec::new();
    for part in fields.split('.').filter(|part| !part.is_empty()) {
        let end = part.find(['[', '{']).unwrap_or(part.len());
        steps.push(Step::Field(part[..end].to_owned()));
        let marks = part.as_bytes()[end..].chunks(2);
        steps.extend(marks.map(|mark| if mark == b"[]" { Step::Item } else { Step::Entry }));
    }
    steps
}

/// All choices of a kind, those of items of lists and of values of maps among them.
fn choices(facts: &'static Facts) -> Vec<Choice> {
    let root = &facts.schema;
    let mut found = Vec::new();
    for property in properties(facts) {
        let mut steps = steps_of(facts, &property.path);
        let (mut schema, mut path) = (plain(root, property.schema), property.path);
        loop {
            let names = names(root, schema);
            if !names.is_empty() {
                found.push(Choice { path, steps, names });
                break;
            }
            let (step, mark, inner) = match (&schema["items"], &schema["additionalProperties"]) {
                (items, _) if items.is_object() => (Step::Item, "[]", items),
                (_, values) if values.is_object() => (Step::Entry, "{}", values),
                _ => break,
            };
            steps.push(step);
            path.push_str(mark);
            schema = plain(root, inner);
            // What is inside an object is a property of its own.
            if schema["properties"].is_object() {
                break;
            }
        }
    }
    found
}

/// Something of the form that a schema describes, and no more than it asks for.
fn least(root: &Value, schema: &Value) -> Value {
    let schema = plain(root, schema);
    if let Some(name) = names(root, schema).first() {
        return json!(name);
    }
    let is = |name: &str| match &schema["type"] {
        Value::Array(types) => types.iter().any(|it| it == name),
        one => one == name,
    };
    if is("object") {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let field = |name: &str| (name.to_owned(), least(root, &schema["properties"][name]));
        Value::Object(required.map(field).collect::<Map<_, _>>())
    } else if is("array") {
        let items = schema["minItems"].as_u64().unwrap_or_default();
        (0..items).map(|_| least(root, &schema["items"])).collect()
    } else if is("string") {
        let validator = jsonschema::validator_for(schema).unwrap();
        let fitting = TEXTS.iter().map(|text| json!(text)).find(|text| validator.is_valid(text));
        fitting.unwrap_or_else(|| panic!("no text of the list fits {schema}"))
    } else if is("integer") || is("number") {
        schema.get("minimum").cloned().unwrap_or(json!(1))
    } else {
        json!(true)
    }
}

/// Puts a value where the steps lead, and makes what lies between.
pub fn put(root: &Value, schema: &Value, into: &mut Value, steps: &[Step], value: &str) {
    let Some((step, rest)) = steps.split_first() else {
        *into = json!(value);
        return;
    };
    let schema = plain(root, schema);
    match step {
        Step::Field(name) => {
            if !into.is_object() {
                *into = least(root, schema);
            }
            put(root, &schema["properties"][name], &mut into[name.as_str()], rest, value);
        }
        Step::Item => {
            if into.as_array().is_none_or(Vec::is_empty) {
                *into = json!([least(root, &schema["items"])]);
            }
            put(root, &schema["items"], &mut into[0], rest, value);
        }
        Step::Entry => {
            if into.as_object().is_none_or(Map::is_empty) {
                *into = json!({"a": least(root, &schema["additionalProperties"])});
            }
            let first = into.as_object_mut().and_then(|fields| fields.values_mut().next()).unwrap();
            put(root, &schema["additionalProperties"], first, rest, value);
        }
    }
}

/// Manifests that are right, and the place of this kind's own among them.
pub fn manifests(facts: &Facts) -> (Vec<Value>, usize) {
    let file = format!("tests/contract/{}.yaml", facts.name.replace('/', "."));
    let contract: Value = serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let documents = manifest::value(facts.name, contract["manifests"].as_str().unwrap()).unwrap();
    let is_subject = |document: &Value| {
        document["kind"] == facts.name && document["metadata"]["name"] == contract["subject"]
    };
    let subject = documents.iter().position(is_subject).unwrap();
    (documents, subject)
}

/// What is said of these manifests, and the file in which they stand.
fn said(documents: &[Value]) -> (Result<(), Errors>, String) {
    let folder = tempfile::tempdir().unwrap();
    let documents: Vec<String> =
        documents.iter().map(|document| serde_yaml::to_string(document).unwrap()).collect();
    let text = documents.join("---\n");
    fs::create_dir_all(folder.path().join("dev")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/all")).unwrap();
    fs::write(folder.path().join("dev/environment.yaml"), ENVIRONMENT).unwrap();
    fs::write(folder.path().join("stacks/all/a.yaml"), &text).unwrap();
    (manifest::load(folder.path(), "dev", &Options::default()).map(|_| ()), text)
}

/// Whether it is about the form of a value, and not about what values mean together.
fn is_of_form(error: &ManifestError) -> bool {
    error.at.label.starts_with("expected") || error.message.contains(" is missing ")
}

#[test]
fn every_choice_of_every_kind_misspelt_alone_is_marked_itself() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for facts in facts() {
        let root = &facts.schema;
        let (documents, subject) = manifests(facts);
        for choice in choices(facts) {
            seen += 1;
            let with = |value: &str| {
                let mut documents = documents.clone();
                put(root, root, &mut documents[subject]["spec"], &choice.steps, value);
                said(&documents)
            };
            let right = &choice.names[choice.names.len() / 2];
            if let (Err(errors), _) = with(right)
                && let Some(error) = errors.0.iter().find(|error| is_of_form(error))
            {
                wrong.push(format!("{}: {right} is refused: {error}", choice.path));
                continue;
            }
            let misspelt = format!("{right}{MARK}");
            let (result, text) = with(&misspelt);
            let at =
                text.lines().enumerate().find_map(|(line, text)| Some((line + 1, text.find(&misspelt)? + 1)));
            let (line, column) = at.unwrap();
            assert_eq!(text.matches(&misspelt).count(), 1, "{text}");
            let errors = result.expect_err(&choice.path);
            let Some(field) = choice.steps.iter().rev().find_map(|step| match step {
                Step::Field(name) => Some(name),
                _ => None,
            }) else {
                panic!("{}: no field", choice.path)
            };
            let subject = if matches!(choice.steps.last(), Some(Step::Field(_))) {
                format!("`{field}`")
            } else {
                "this ".to_owned()
            };
            let is_told = |error: &ManifestError| {
                let place = error.position();
                // A text in quotes begins with them.
                (place.line, place.column.abs_diff(column) <= 1) == (line, true)
                    && error.message.starts_with(&subject)
                    && error.message.ends_with(&format!("is the text `{misspelt}`"))
                    && choice.names.iter().take(8).all(|name| error.at.label.contains(name.as_str()))
                    && error.help.iter().any(|help| help.starts_with("did you mean `"))
            };
            let forms: Vec<&ManifestError> = errors.0.iter().filter(|error| is_of_form(error)).collect();
            if forms.len() != 1 || !forms.iter().all(|error| is_told(error)) {
                wrong.push(format!("{} ({misspelt} at {line}:{column}):\n{errors}", choice.path));
            }
        }
    }
    none("not marked itself, or something else as well", &wrong);
    println!("{seen} choices");
    assert!(seen > 60, "{seen}");
}

#[test]
fn the_walk_sees_choices_at_every_depth() {
    let paths: Vec<String> = facts().flat_map(choices).map(|choice| choice.path).collect();
    for path in [
        "batch/JobQueue.state",
        "batch/ComputeEnvironment.computeResources.allocationStrategy",
        "batch/JobDefinition.platformCapabilities[]",
        "batch/JobDefinition.nodeProperties.nodeRangeProperties[].container.networkConfiguration.assignPublicIp",
        "s3/Bucket.versioningConfiguration.status",
    ] {
        assert!(paths.iter().any(|it| it == path), "{path} is not among {paths:#?}");
    }
}
