//! Manifests of one kind, and what `validate` says of each.

use std::collections::BTreeMap;
use std::fs;

use batchwright::kind::Ownership;
use batchwright::kinds;
use batchwright::manifest::{self, Options};
use serde_json::{Value, json};

/// A manifest.
#[derive(Debug, Clone)]
pub struct Probe {
    pub spec: Value,
    pub name: String,
    pub tags: Value,
}

impl Probe {
    /// A manifest with a name and a tag that every service takes.
    pub fn of(spec: Value) -> Self {
        Self { spec, name: "probe".to_owned(), tags: json!({"team": "payments"}) }
    }
}

const ENVIRONMENT: &str = "project: acme/probe\naccount: \"111111111111\"\nregion: us-east-1\nstacks: [probes]\nimages: {worker: {repository: ecr/Repository/worker}}\n";

/// What the image of the environment stands on.
const WORKER: &str = "apiVersion: batchwright/v1\nkind: ecr/Repository\nmetadata: {name: worker}\n";

/// A file stays well below the size that a manifest may have, and the number of values (`parse::MOST`).
const PER_FILE: usize = 600_000;
const VALUES_PER_FILE: usize = 40_000;

fn values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(|field| 1 + values(field)).sum::<usize>(),
        _ => 1,
    }
}

/// So many probes are read at once: some have several mistakes, and of more than 200 the rest is only counted.
const AT_ONCE: usize = 40;

/// What is wrong with each of them.
pub fn told<'p>(kind: &str, probes: impl Iterator<Item = &'p Probe>) -> Vec<Vec<String>> {
    let probes: Vec<&Probe> = probes.collect();
    probes.chunks(AT_ONCE).flat_map(|some| told_of(kind, some)).collect()
}

/// The same of a few. Each stands on a line of its own, so a line tells whose an error is.
fn told_of(kind: &str, probes: &[&Probe]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let stack = folder.path().join("stacks/probes");
    fs::create_dir_all(&stack).unwrap();
    fs::create_dir_all(folder.path().join("dev")).unwrap();
    fs::write(folder.path().join("dev/environment.yaml"), ENVIRONMENT).unwrap();
    fs::write(stack.join("worker.yaml"), WORKER).unwrap();
    let tagged = kinds::kind(kind).is_some_and(|kind| kind.facts().ownership != Ownership::Shared);
    let (mut files, mut text, mut places) = (0, String::new(), Vec::new());
    let flush = |files: &mut usize, text: &mut String| {
        fs::write(stack.join(format!("{files:04}.yaml")), std::mem::take(text)).unwrap();
        *files += 1;
    };
    let (mut line, mut held) = (1, 0);
    for (index, probe) in probes.iter().enumerate() {
        let name = if probe.name == "probe" { format!("probe-{index}") } else { probe.name.clone() };
        let tags = if tagged { probe.tags.clone() } else { json!({}) };
        let metadata = json!({"name": format!("p{index}"), "physicalName": name, "tags": tags});
        let document =
            json!({"apiVersion": "batchwright/v1", "kind": kind, "metadata": metadata, "spec": probe.spec});
        held += values(&document);
        let document = document.to_string();
        // What no parser takes for a key hides what comes after it in the same file.
        let hides = document.contains("{\"\":");
        if text.len() > PER_FILE || held > VALUES_PER_FILE || hides {
            flush(&mut files, &mut text);
            (line, held) = (1, 0);
        }
        places.push((files, line));
        text += &format!("{document}\n---\n");
        line += 2;
        if hides {
            flush(&mut files, &mut text);
            line = 1;
        }
    }
    if places.is_empty() {
        return Vec::new();
    }
    flush(&mut files, &mut text);
    let mut told = vec![Vec::new(); places.len()];
    let by_place: BTreeMap<(usize, usize), usize> = places.iter().copied().zip(0..).collect();
    let Err(errors) = manifest::load(folder.path(), "dev", &Options::default()) else { return told };
    assert_eq!(errors.1, 0, "the rest is not told");
    for error in errors.0 {
        assert!(!error.message.contains("the file holds more than"), "the rest is hidden: {error}");
        // What is only between the probes is none of theirs.
        let pair = error.related.iter().any(|other| other.label.ends_with("is declared here"));
        if pair || error.message.contains("name in AWS") || error.message.contains("speaks of its own alone")
        {
            continue;
        }
        let position = error.position();
        let file = position.file.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml")?.parse().ok());
        let index = file.and_then(|file: usize| by_place.get(&(file, position.line)));
        match index {
            Some(&index) => told[index].push(error.message.clone()),
            None => panic!("whose is this? {error}"),
        }
    }
    told
}
