//! `existing:` of an environment: what is there and not ours, and how it is found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::document::unreferring_in;
use super::environment::{self, Outline, resource_id};
use super::error::Complaint;
use super::nearest::{did_you_mean, listed};
use super::source::{Sources, Span};
use super::tree::{Data, Entry, Node};
use super::unknown::unknown_kind;
use crate::kinds;
use crate::resource::{Lookup, Owner, Place, Source, Wanted};
use crate::value::existing::uses;
use crate::value::reference::{self, Reference};

/// Something that is there and not ours: it is read, and never owned, changed or deleted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Existing {
    /// `<service>/<Kind>` of what is looked for.
    #[serde(default)]
    pub kind: Option<String>,
    /// Its id or ARN.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub id: Option<String>,
    /// Its name; of what has only an id, its tag `Name`.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// Tags that it has.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The one that AWS made for the account, such as the default VPC.
    #[serde(default)]
    pub default: bool,
    /// Fields that it has, by their paths, such as `vpcId: ${existing.vpc.id}`.
    #[serde(default, rename = "where")]
    pub fields: Map<String, Value>,
    /// Whether all that are found are meant: they stand for a list.
    #[serde(default)]
    pub all: bool,
    /// The name of a parameter of Systems Manager, such as the public one of an AMI: `${existing.<name>.value}`.
    #[serde(default)]
    #[schemars(regex(pattern = "^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$"), length(max = 1011))]
    pub ssm: Option<String>,
    /// Another environment of these manifests, in the same account and region, whose `resource` is meant.
    #[serde(default)]
    pub environment: Option<String>,
    /// What is meant of `environment`: `<service>/<Kind>/<name>`.
    #[serde(default)]
    pub resource: Option<String>,
    /// What it stays at, whatever would be found now: `batchwright hold` writes it.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub held: Option<String>,
}

/// What lookups are made of.
pub struct Reader<'a> {
    /// The manifests.
    pub root: &'a Path,
    /// Where the environment lives.
    pub place: &'a Place,
    /// Its name.
    pub environment: &'a str,
    /// The files.
    pub sources: &'a Sources,
}

impl Reader<'_> {
    /// The lookups of an environment, and what is wrong with them.
    pub fn read(
        &self,
        declared: &BTreeMap<String, Existing>,
        tree: &Node,
    ) -> (BTreeMap<String, Lookup>, Vec<Complaint>) {
        let (mut lookups, mut complaints) = (BTreeMap::new(), Vec::new());
        for entry in tree.get("existing").map(Node::entries).unwrap_or_default() {
            let Some(existing) = declared.get(&entry.key) else { continue };
            complaints.extend(named(entry));
            for key in ["id", "name", "tags"] {
                let node = entry.value.get(key);
                let wrong = node.map(|node| unreferring_in(node, "what a lookup goes by", self.sources));
                complaints.extend(wrong.unwrap_or_default());
            }
            match self.source(existing, entry) {
                Ok(source) => {
                    let position = self.sources.position(entry.at);
                    let (all, held) = (existing.all, existing.held.clone());
                    lookups.insert(entry.key.clone(), Lookup { source, all, held, position });
                }
                Err(complaint) => complaints.push(complaint),
            }
        }
        complaints.extend(circular(&lookups, tree));
        (lookups, complaints)
    }

    fn source(&self, existing: &Existing, entry: &Entry) -> Result<Source, Complaint> {
        let wrong = |message: &str, help: &str| Err(Complaint::new(entry.at, message).help(help));
        let Existing { kind, ssm, environment, resource, .. } = existing;
        let narrowed = existing.id.is_some()
            || existing.name.is_some()
            || existing.default
            || !existing.tags.is_empty()
            || !existing.fields.is_empty();
        if existing.all && existing.held.is_some() {
            return wrong(
                "what is held is one, and this lookup stands for all that are found",
                "take `held` away, or `all`",
            );
        }
        match (kind, ssm, environment) {
            (Some(kind), None, None) if resource.is_none() => self.of_kind(kind, existing, (narrowed, entry)),
            (None, Some(name), None) if resource.is_none() && !narrowed && !existing.all => {
                Ok(Source::Parameter(name.clone()))
            }
            (None, None, Some(environment)) if !narrowed && !existing.all => match resource {
                Some(resource) => self.of_environment(environment, resource, entry),
                None => wrong(
                    "this lookup does not say what it means of the environment",
                    "add `resource: <service>/<Kind>/<name>`",
                ),
            },
            _ => wrong(
                "this lookup says too little, or things that do not go together",
                "say one of: `kind` with `id`, `name`, `tags`, `default` or `where`; `ssm`; `environment` with `resource`",
            ),
        }
    }

    fn of_kind(
        &self,
        kind: &str,
        existing: &Existing,
        (narrowed, entry): (bool, &Entry),
    ) -> Result<Source, Complaint> {
        let at = |key: &str| entry.value.entry(key).map_or(entry.at, |entry| entry.value.span);
        let Some(known) = kinds::kind(kind) else {
            return Err(unknown_kind(kind, at("kind"), &str::to_owned));
        };
        let facts = known.facts();
        if !narrowed && !existing.all {
            return Err(Complaint::new(entry.at, format!("this lookup means any {kind}")).help(
                "say `id`, `name`, `tags`, `default` or `where`; or `all: true`, if all of them are meant",
            ));
        }
        if existing.default && facts.default_by.is_none() {
            return Err(Complaint::new(at("default"), format!("AWS makes no default {kind} for an account"))
                .help("say `id`, `name`, `tags` or `where`"));
        }
        if facts.read_by_name && existing.name.is_none() {
            return Err(Complaint::new(
                entry.at,
                format!("AWS is asked for `{kind}` by name, and this lookup has none"),
            )
            .help("add `name`"));
        }
        for (path, value) in &existing.fields {
            let inside = entry.value.get("where");
            let span = inside.and_then(|it| it.entry(path)).map_or(entry.at, |entry| entry.at);
            if facts.rules.at(path).is_none() && !facts.outputs.contains(path) {
                let names = || facts.rules.fields.keys().chain(&facts.outputs).map(String::as_str);
                let complaint = Complaint::new(span, format!("{kind} has no field `{path}`"));
                return Err(complaint
                    .help_if(did_you_mean(path, names()))
                    .help(format!("fields are: {}", listed(names()))));
            }
            if let Some(found) = reference::first(value)
                .filter(|it| !matches!(it, Reference::Existing { .. } | Reference::Zone(_)))
            {
                let complaint =
                    Complaint::new(span, format!("`{found}` may not be there yet when this is looked up"));
                return Err(complaint.help("name another lookup, `${existing.…}`, or write the value out"));
            }
        }
        Ok(Source::Kind(Box::new(Wanted {
            kind: kind.to_owned(),
            id: existing.id.clone(),
            name: existing.name.clone(),
            tags: existing.tags.clone(),
            default: existing.default,
            fields: existing.fields.clone(),
        })))
    }

    fn of_environment(&self, name: &str, resource: &str, entry: &Entry) -> Result<Source, Complaint> {
        let at = |key: &str| entry.value.entry(key).map_or(entry.at, |entry| entry.value.span);
        let resource = resource_id(resource, at("resource"))?;
        let names = environment::environments(self.root);
        let Some(folder) = names.iter().find(|it| *it == name) else {
            let complaint = Complaint::new(at("environment"), format!("there is no environment `{name}`"));
            let near = did_you_mean(name, names.iter().map(String::as_str));
            return Err(complaint
                .help_if(near)
                .help(format!("environments are: {}", listed(names.iter().map(String::as_str)))));
        };
        if folder == self.environment {
            let complaint = Complaint::new(at("environment"), "this is the environment itself");
            return Err(complaint.help(format!("refer to what it declares as `${{{resource}.…}}`")));
        }
        let Some(Outline { place, prefix, project }) = environment::outline(self.root, folder) else {
            return Err(Complaint::new(at("environment"), format!("the environment `{name}` can't be read"))
                .help(format!("run `batchwright validate {name}`")));
        };
        if place != *self.place {
            let message = format!(
                "the environment `{name}` lives in {} {}, and this one in {} {}",
                place.account, place.region, self.place.account, self.place.region
            );
            return Err(Complaint::new(at("environment"), message)
                .help("only what is in the same account and region can be looked up: write its id out"));
        }
        let Some(prefix) = prefix else {
            return Err(Complaint::new(at("environment"), format!("the prefix of `{name}` can't be read"))
                .help(format!("run `batchwright validate {name}`")));
        };
        let name = format!("{prefix}{}", resource.name);
        Ok(Source::Environment { owner: Owner::new(&project, folder), resource, name })
    }
}

/// What can't be the name of a lookup.
fn named(entry: &Entry) -> Option<Complaint> {
    let written = format!("${{existing.{}.x}}", entry.key);
    let is_name = reference::whole(&written).is_some();
    (!is_name).then(|| {
        Complaint::new(entry.at, format!("`{}` can't be the name of a lookup", entry.key))
            .label("expected a letter, then letters, digits, `-` and `_`")
    })
}

fn circular(lookups: &BTreeMap<String, Lookup>, tree: &Node) -> Vec<Complaint> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let free = |(_, lookup): &(&String, &Lookup)| {
            uses(lookup).iter().all(|it| done.contains(it.as_str()) || !lookups.contains_key(it))
        };
        let next: Vec<&str> = lookups
            .iter()
            .filter(|(name, _)| !done.contains(name.as_str()))
            .filter(free)
            .map(|(name, _)| name.as_str())
            .collect();
        if next.is_empty() {
            break;
        }
        done.extend(next);
    }
    let stuck = lookups.keys().filter(|name| !done.contains(name.as_str()));
    let span = |name: &str| {
        tree.get("existing").and_then(|it| it.entry(name)).map_or_else(Span::default, |it| it.at)
    };
    let complaint = |name: &String| {
        Complaint::new(span(name), format!("the lookup `{name}` stands on itself"))
            .help("write the value of one field out")
    };
    stuck.map(complaint).collect()
}

/// Puts what stands for a list in a list of its own, where it stands alone in a value. In a list, it brings its items.
pub fn in_lists(node: &mut Node, lookups: &BTreeMap<String, Lookup>) {
    let is_list = |node: &Node| match node.text().and_then(reference::whole) {
        Some(Reference::Existing { name, .. }) => lookups.get(&name).is_some_and(|lookup| lookup.all),
        _ => false,
    };
    match &mut node.data {
        Data::Map(fields) => {
            for entry in fields.entries_mut() {
                if is_list(&entry.value) {
                    let item = entry.value.clone();
                    entry.value.data = Data::List(vec![item]);
                } else {
                    in_lists(&mut entry.value, lookups);
                }
            }
        }
        Data::List(items) => items.iter_mut().for_each(|item| in_lists(item, lookups)),
        _ => {}
    }
}
