//! The engine knows no kind: what it has to know is a fact or a hook of [`batchwright::kind::Kind`], and a rule of one service
//! stands in that service's folder. And imports point one way.

use std::collections::{BTreeMap, BTreeSet};

use batchwright::kinds::KINDS;
use serde_json::Value;

use super::{none, read, with_extension};

/// The engine's folders.
const ENGINE: &[&str] =
    &["cloud", "diff", "execute", "kind", "manifest", "permissions", "plan", "render", "resource", "value"];

/// What it may ask of the registry: kinds by their names, never one of them.
const REGISTRY: &[&str] = &["self", "KINDS", "kind", "FREE", "SUCH_AS", "SUCH_AS_FIELD", "SUCH_AS_REFERENCE"];

/// Names of fields that are words of the engine's own: why, in which folders (all, where none is named), and which.
const OWN_WORDS: &[(&str, &[&str], &[&str])] = &[
    ("of every resource: its name, its id, its ARN, its tags", &[], &["name", "id", "arn", "tags"]),
    ("of JSON Schema", &[], &["type", "description", "key", "value"]),
    (
        "of JSON that is printed",
        &["render"],
        &["action", "count", "reason", "state", "strategy", "version", "timeout", "metadata"],
    ),
    ("of JSON that is printed, and of events", &["execute"], &["event"]),
    ("of JSON that is printed", &["render"], &["environment", "path"]),
    (
        "of documents and environments",
        &["manifest"],
        &["metadata", "dependsOn", "env", "environment", "image", "limits", "policy"],
    ),
    ("where an environment is", &["manifest", "render"], &["region"]),
    ("of what is called like a secret", &["diff"], &["secret"]),
    ("roles that are passed to a service", &["permissions"], &["roles"]),
    ("a revision, where it is named beside what it is of", &["plan"], &["version"]),
    ("how a policy document is compared", &["diff", "value"], &["policy"]),
    ("a service whose names have paths", &["value"], &["iam"]),
];

/// A line of a file outside its tests, without comments.
struct Line {
    file: String,
    number: usize,
    text: String,
}

impl Line {
    fn folder(&self) -> &str {
        self.file.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default()
    }

    fn told(&self, what: &str) -> String {
        format!("{}:{}: {what}", self.file, self.number)
    }

    /// The texts in quotes.
    fn literals(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut chars = self.text.chars();
        while let Some(c) = chars.next() {
            if c != '"' {
                continue;
            }
            let mut literal = String::new();
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    '\\' => literal.extend(chars.next()),
                    c => literal.push(c),
                }
            }
            found.push(literal);
        }
        found
    }
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (path, text) in with_extension("rs") {
        let file = path.display().to_string();
        if !file.starts_with("src/") || file.contains("/tests") || file.ends_with("tests.rs") {
            continue;
        }
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let text = line.trim();
            if !text.starts_with("//") {
                lines.push(Line { file: file.clone(), number: number + 1, text: text.to_owned() });
            }
        }
    }
    assert!(lines.len() > 10_000, "{}", lines.len());
    lines
}

fn engine() -> impl Iterator<Item = Line> {
    lines().into_iter().filter(|line| ENGINE.contains(&line.folder()))
}

#[test]
fn no_kind_is_named() {
    let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.facts().name).collect();
    let mut found = Vec::new();
    for line in engine() {
        for literal in line.literals() {
            found.extend(names.iter().filter(|name| literal.contains(**name)).map(|name| line.told(name)));
        }
    }
    none("a kind by its name: make it a fact or a hook of Kind", found);
}

#[test]
fn no_field_of_a_kind_is_named() {
    let own = |folder: &str, word: &str| {
        let here = |folders: &[&str]| folders.is_empty() || folders.contains(&folder);
        OWN_WORDS.iter().any(|(_, folders, words)| here(folders) && words.contains(&word))
    };
    let mut fields = BTreeSet::new();
    for kind in KINDS {
        names_of(&kind.facts().schema, &mut fields);
    }
    assert!(fields.len() > 300, "{}", fields.len());
    let mut found = Vec::new();
    for line in engine() {
        let is_field = |word: &str| fields.contains(word) && !own(line.folder(), word);
        for literal in line.literals() {
            let pointed = literal.starts_with('/') && literal.split('/').any(is_field);
            let dotted = literal.contains('.') && !literal.contains(' ') && literal.split('.').any(is_field);
            if is_field(&literal) || pointed || dotted {
                found.push(line.told(&literal));
            }
        }
    }
    none("a field of a kind's spec", found);
    let words = OWN_WORDS.iter().flat_map(|(_, _, words)| words.iter());
    let unused = words.filter(|word| !fields.contains(**word));
    none("a word that no kind has as a field", unused.map(|word| (*word).to_owned()).collect());
}

fn names_of(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let properties = fields.get("properties").and_then(Value::as_object);
            found.extend(properties.into_iter().flatten().map(|(name, _)| name.clone()));
            fields.values().for_each(|value| names_of(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| names_of(item, found)),
        _ => {}
    }
}

#[test]
fn nothing_of_a_kind_is_imported() {
    let mut found = Vec::new();
    for line in engine() {
        for (at, _) in line.text.match_indices("kinds::") {
            let rest = &line.text[at + "kinds::".len()..];
            let rest = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or_default());
            let end = |c: char| !(c.is_alphanumeric() || c == '_');
            let many = line.text[at..].starts_with("kinds::{");
            let words = rest.split(',').map(|word| word.trim().split(end).next().unwrap_or_default());
            let words = words.take(if many { usize::MAX } else { 1 });
            found.extend(words.filter(|word| !REGISTRY.contains(word)).map(|word| line.told(word)));
        }
    }
    none("something of a kind", found);
}

/// From below to above: each may import what stands before it.
const LAYERS: &[&str] = &[
    "outside",
    "nearest",
    "resource",
    "value",
    "fields",
    "field",
    "diff",
    "services",
    "kind",
    "kinds",
    "permissions",
    "plan",
    "outputs",
    "cloud",
    "execute",
    "manifest",
    "render",
    "github",
    "jobs",
    "sandbox",
    "cli",
];

#[test]
fn imports_point_one_way() {
    let layer: BTreeMap<&str, usize> = LAYERS.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut found = Vec::new();
    for line in lines().iter().filter(|line| !["lib", "main"].contains(&line.folder())) {
        // What tests need of the sandbox is no import of the program's.
        if line.file == "src/kinds/trial.rs" || line.folder() == "sandbox" {
            continue;
        }
        let own = layer.get(line.folder()).unwrap_or_else(|| panic!("{} is in no layer", line.file));
        for rest in line.text.split("crate::").skip(1) {
            let end = |c: char| !(c.is_alphanumeric() || c == '_');
            let name = rest.split(end).next().unwrap_or_default();
            if layer.get(name).is_some_and(|other| other > own) {
                found.push(line.told(name));
            }
        }
    }
    none("an import that points upwards", found);
    assert!(read("docs/architecture.md").contains("Imports point one way"));
}

/// A fact that one kind alone sets is a rule of its service in disguise, unless another kind is in sight.
#[test]
fn a_fact_is_set_by_more_than_one_kind() {
    use batchwright::kind::{Access, Identity, Removal, Work};
    let in_sight = [
        ("removal: staged", "ecs/Service scales to nothing and drains, and so does an Auto Scaling group"),
        ("identity: revisioned", "ecs/TaskDefinition"),
        ("shown late", "events/Rule: what EventBridge is told takes effect after a while"),
        ("rules between", "the rule of one service, in its folder"),
    ];
    let mut set: BTreeMap<&str, usize> = BTreeMap::new();
    for facts in KINDS.iter().map(|kind| kind.facts()) {
        let mut says = |says: bool, fact: &'static str| *set.entry(fact).or_default() += usize::from(says);
        says(facts.removal.is_staged(), "removal: staged");
        says(facts.removal != Removal::Direct, "removal");
        says(facts.work != Work::None, "work");
        says(facts.identity == Identity::Assigned, "identity: assigned");
        says(facts.identity == Identity::Revisioned, "identity: revisioned");
        says(facts.access != Access::None, "access");
        says(facts.holds_data, "holds data");
        says(facts.held_by_tasks, "held by tasks");
        says(facts.shown_late, "shown late");
        says(facts.caseless_names, "caseless names");
        says(!facts.submit.is_empty(), "submit");
        says(!facts.removed_by.is_empty(), "removed by");
        says(!facts.rules_between.is_empty(), "rules between");
    }
    let alone =
        set.into_iter().filter(|(fact, count)| *count < 2 && in_sight.iter().all(|(known, _)| known != fact));
    none("set by one kind or none", alone.map(|(fact, count)| format!("{fact}: {count}")).collect());
}
