//! What is looked up that is not ours: told from the same snapshots that everything else is, by what kinds say of what they saw.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::kind::AnyKind;
use crate::resource::{Found, Incarnation, Lookup, Match, NAME_TAG, Owner, Source, Surroundings, Wanted};
use crate::value::existing;

/// What was seen that lookups may mean.
#[derive(Debug, Default)]
pub struct Seen {
    /// All that was seen, of the kinds that are looked for.
    pub of_kinds: BTreeMap<&'static str, Vec<Incarnation>>,
    /// The values of the parameters that exist.
    pub parameters: BTreeMap<String, String>,
    /// Those of them that are secrets, whose values are not kept.
    pub secrets: BTreeSet<String>,
    /// The zones of the region.
    pub zones: BTreeSet<String>,
}

impl Seen {
    /// Keeps what was seen of a kind, if it is looked for.
    pub fn keep(&mut self, kind: &'static str, seen: &[Incarnation], lookups: &BTreeMap<String, Lookup>) {
        if lookups.values().any(|lookup| lookup.kind() == Some(kind)) {
            self.of_kinds.insert(kind, seen.to_vec());
        }
    }

    /// What each lookup finds: those that stand on others after these.
    pub fn found(
        self,
        lookups: &BTreeMap<String, Lookup>,
        owner: &Owner,
        kinds: &[&'static dyn AnyKind],
    ) -> Surroundings {
        let mut surroundings = Surroundings { found: BTreeMap::new(), zones: self.zones.clone() };
        // Each round finds something: no lookup stands on itself.
        while surroundings.found.len() < lookups.len() {
            let before = surroundings.found.len();
            for (name, lookup) in lookups {
                let waits =
                    |name: &String| lookups.contains_key(name) && !surroundings.found.contains_key(name);
                if surroundings.found.contains_key(name) || existing::uses(lookup).iter().any(waits) {
                    continue;
                }
                let found = self.one(lookup, owner, kinds, &surroundings);
                surroundings.found.insert(name.clone(), found);
            }
            if surroundings.found.len() == before {
                break;
            }
        }
        surroundings
    }

    fn one(
        &self,
        lookup: &Lookup,
        owner: &Owner,
        kinds: &[&'static dyn AnyKind],
        known: &Surroundings,
    ) -> Found {
        let (mut now, own): (Vec<Match>, Option<String>) = match &lookup.source {
            Source::Parameter(name) if self.secrets.contains(name) => {
                return Found { secret: true, ..Found::default() };
            }
            Source::Parameter(name) => {
                (self.parameters.get(name).map(|value| parameter(value)).into_iter().collect(), None)
            }
            Source::Environment { owner: other, resource, .. } => {
                let is_it = |it: &&Incarnation| {
                    it.owner().as_ref() == Some(other)
                        && it.tags.get(NAME_TAG) == Some(&resource.to_string())
                        && !it.retiring()
                };
                let newest =
                    self.of(&resource.kind).filter(is_it).max_by_key(|it| (it.generation(), it.revision));
                (newest.map(of).into_iter().collect(), None)
            }
            Source::Kind(wanted) => {
                let default_by = kinds.iter().map(|kind| kind.facts()).find(|it| it.name == wanted.kind);
                let default_by = default_by.and_then(|facts| facts.default_by);
                let is_it = |it: &&Incarnation| !it.retiring() && fits(wanted, default_by, it, known);
                let (own, others): (Vec<_>, Vec<_>) =
                    self.of(&wanted.kind).filter(is_it).partition(|it| it.owner().as_ref() == Some(owner));
                (newest(others).into_iter().map(of).collect(), own.first().map(|it| name(it)))
            }
        };
        now.sort_by(|a: &Match, b| (&a.label, &a.physical).cmp(&(&b.label, &b.physical)));
        let Some(held) = &lookup.held else { return Found { matches: now, own, ..Found::default() } };
        let newer = Found { matches: now, ..Found::default() };
        let is_newer = !newer.matches.iter().any(|it| it.physical == *held);
        let told = match newer.matches.is_empty() {
            true => "nothing".to_owned(),
            false => newer.described(),
        };
        let matches = match lookup.kind() {
            None => vec![parameter(held)],
            Some(kind) => newest(self.of(kind).filter(|it| it.physical == *held).collect())
                .into_iter()
                .map(of)
                .collect(),
        };
        Found { matches, newer: is_newer.then_some(told), own, secret: false }
    }

    fn of(&self, kind: &str) -> impl Iterator<Item = &Incarnation> {
        self.of_kinds.get(kind).into_iter().flatten()
    }
}

/// Of what has revisions, the newest of each.
fn newest(seen: Vec<&Incarnation>) -> Vec<&Incarnation> {
    let is_last = |it: &&Incarnation| {
        !seen.iter().any(|other| other.physical == it.physical && other.revision > it.revision)
    };
    seen.iter().copied().filter(|it| is_last(it)).collect()
}

/// The tag that names what has only an id.
const NAME: &str = "Name";

fn name(it: &Incarnation) -> String {
    it.tags.get(NAME_TAG).unwrap_or(&it.physical).clone()
}

fn of(it: &Incarnation) -> Match {
    let label = it.tags.get(NAME).filter(|label| **label != it.physical).cloned();
    Match { physical: it.physical.clone(), label, outputs: it.outputs.clone() }
}

fn parameter(value: &str) -> Match {
    let outputs = BTreeMap::from([("value".to_owned(), Value::String(value.to_owned()))]);
    Match { physical: value.to_owned(), label: None, outputs }
}

fn fits(wanted: &Wanted, default_by: Option<&str>, it: &Incarnation, known: &Surroundings) -> bool {
    let said = |output: &str| it.outputs.get(output);
    let is_named = |name: &String| {
        it.physical == *name
            || said("name").and_then(Value::as_str) == Some(name)
            || it.tags.get(NAME) == Some(name)
    };
    let has = |(path, value): (&String, &Value)| {
        let live = path.split('.').try_fold(&it.spec, |value, field| value.get(field));
        live.or_else(|| said(path)) == Some(&existing::resolved(value, known))
    };
    let is_id = |id: &String| {
        it.physical == *id || it.arn.as_ref() == Some(id) || said("id").and_then(Value::as_str) == Some(id)
    };
    wanted.id.as_ref().is_none_or(is_id)
        && wanted.name.as_ref().is_none_or(is_named)
        && wanted.tags.iter().all(|(key, value)| it.tags.get(key) == Some(value))
        && (!wanted.default || default_by.and_then(said) == Some(&Value::Bool(true)))
        && wanted.fields.iter().all(has)
}
