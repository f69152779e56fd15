//! A cloud in memory, at the level of documents: for laws of planner and executor, and for benches (D32).
//!
//! It knows nothing of calls, pages or states in between: what is asked is done at once. It refuses what AWS refuses of
//! every kind: a second thing of a name, and removing what something else uses.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Act, Cloud, Reach, Scope, ownership};
use crate::diff::ChangeRule;
use crate::kind::{AnyKind, Identity};
use crate::plan::Verb;
use crate::resource::{Document, Incarnation, Jobs, JobsOf, Observed, Place, Readiness, ResourceId};
use crate::services::{Error, Fault, Result};

/// What it holds: kind, physical name, revision → incarnation.
type Store = BTreeMap<(String, String, Option<u64>), Incarnation>;

/// A cloud in memory.
pub struct Simulated {
    kinds: &'static [&'static dyn AnyKind],
    place: Place,
    store: Mutex<Store>,
}

impl Simulated {
    /// An empty one.
    pub fn new(kinds: &'static [&'static dyn AnyKind], place: Place) -> Self {
        Self { kinds, place, store: Mutex::new(Store::new()) }
    }

    /// Puts something there behind everybody's back.
    pub fn put(&self, kind: &str, incarnation: Incarnation) {
        let key = (kind.to_owned(), incarnation.physical.clone(), incarnation.revision);
        self.store().insert(key, incarnation);
    }

    /// Everything that is there, as documents in order of kind and name: ids that it assigned itself are left out, so that
    /// two clouds in which the same was done in another order are equal.
    pub fn documents(&self) -> Vec<(String, Document)> {
        let store = self.store();
        let mut ids: Vec<(&str, String)> = Vec::new();
        for ((kind, ..), held) in store.iter() {
            let name = held.tags.get(crate::resource::NAME_TAG).cloned().unwrap_or_default();
            ids.push((held.physical.as_str(), format!("<{kind} {name}>")));
        }
        let mut documents: Vec<(String, Document)> = store
            .iter()
            .map(|((kind, ..), held)| {
                let mut text = json!({ "spec": held.spec, "tags": held.tags }).to_string();
                for (id, name) in ids.iter().filter(|(id, _)| id.starts_with("sim-")) {
                    text = text.replace(id, name);
                }
                (kind.clone(), serde_json::from_str(&text).unwrap_or(Value::Null))
            })
            .collect();
        documents.sort_by_key(|(kind, document)| (kind.clone(), document.to_string()));
        documents
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kind(&self, name: &str) -> Result<&'static dyn AnyKind> {
        let found = self.kinds.iter().copied().find(|kind| kind.facts().name == name);
        found.ok_or_else(|| refused("Unknown", format!("{name} is not a kind")))
    }

    fn create(&self, act: &Act<'_>) -> Result<Option<String>> {
        let (step, kind) = (act.step, self.kind(&act.step.resource.kind)?);
        let mut store = self.store();
        let identity = kind.facts().identity;
        let same =
            |key: &&(String, String, Option<u64>)| key.0 == step.resource.kind && key.1 == step.physical;
        let revision = match identity {
            Identity::Revisioned => {
                Some(store.keys().filter(same).filter_map(|key| key.2).max().unwrap_or(0) + 1)
            }
            _ => None,
        };
        let physical = match identity {
            Identity::Assigned => format!(
                "sim-{:04}",
                store.len() + 1 + store.values().filter(|i| i.physical.starts_with("sim-")).count()
            ),
            _ => step.physical.clone(),
        };
        if identity == Identity::Named && store.keys().any(|key| same(&key)) {
            return Err(refused("AlreadyExists", format!("{physical} exists")));
        }
        let mut outputs: BTreeMap<String, Value> = kind
            .predict(&physical, act.want, &self.place)
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        let arn = match outputs.get("arn").and_then(Value::as_str) {
            Some(arn) => arn.to_owned(),
            None => self.place.arn(
                "simulated",
                &format!("{physical}{}", revision.map_or_else(String::new, |r| format!(":{r}"))),
            ),
        };
        outputs.insert("arn".to_owned(), Value::String(arn.clone()));
        for output in &kind.facts().outputs {
            outputs.entry(output.clone()).or_insert_with(|| Value::String(physical.clone()));
        }
        let incarnation = Incarnation {
            physical: physical.clone(),
            arn: Some(arn),
            spec: act.want.clone(),
            outputs,
            tags: step.tags.clone(),
            readiness: Readiness::Ready,
            revision,
            named_generation: None,
        };
        store.insert((step.resource.kind.clone(), physical.clone(), revision), incarnation);
        Ok(Some(physical))
    }

    fn change(&self, act: &Act<'_>, live: &Incarnation) -> Result<Option<String>> {
        let key = (act.step.resource.kind.clone(), live.physical.clone(), live.revision);
        let mut store = self.store();
        let Some(held) = store.get_mut(&key) else {
            return Err(refused("NotFound", format!("{} does not exist", live.physical)));
        };
        if act.diff.0.iter().any(|change| change.rule != ChangeRule::Tag) {
            held.spec = act.want.clone();
        }
        for change in act.diff.0.iter().filter(|change| change.rule == ChangeRule::Tag) {
            let name = change.path.trim_start_matches("tags.").to_owned();
            match change.after.as_ref().and_then(Value::as_str) {
                Some(value) => drop(held.tags.insert(name, value.to_owned())),
                None => drop(held.tags.remove(&name)),
            }
        }
        Ok(None)
    }

    fn delete(&self, act: &Act<'_>, live: &Incarnation) -> Result<Option<String>> {
        let mut store = self.store();
        let key = (act.step.resource.kind.clone(), live.physical.clone(), live.revision);
        let denoted =
            [live.arn.as_deref(), live.physical.starts_with("sim-").then_some(live.physical.as_str())];
        let user = store.iter().find(|(other, held)| {
            **other != key && denoted.iter().flatten().any(|text| mentions(&held.spec, text))
        });
        if let Some((user, _)) = user {
            return Err(refused("InUse", format!("{} is used by {} {}", live.physical, user.0, user.1)));
        }
        store.remove(&key);
        Ok(None)
    }
}

fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(held) => held == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(fields) => fields.values().any(|value| mentions(value, text)),
        _ => false,
    }
}

fn refused(code: &str, message: String) -> Error {
    Error { code: Some(code.to_owned()), ..Error::malformed("simulated", "perform", message) }
}

impl Cloud for Simulated {
    fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed>> {
        let (mut observed, mut others) = (Observed::default(), Vec::new());
        for kind in self.kinds {
            let facts = kind.facts();
            let seen: Vec<Incarnation> = self
                .store()
                .iter()
                .filter(|((name, ..), _)| name == facts.name)
                .map(|(_, held)| held.clone())
                .collect();
            let by_name = facts.identity != Identity::Assigned || scope.reach == Reach::Named;
            let identified = ownership::identify(facts, seen, scope, by_name);
            observed.resources.extend(identified.found);
            others.extend(identified.others.into_iter().map(|one| (facts.name, one)));
        }
        if scope.reach == Reach::Everything {
            ownership::keep_outsiders(&mut observed, others, scope);
        }
        std::future::ready(Ok(observed)).boxed()
    }

    fn perform<'a>(&'a self, act: Act<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        let done = match (act.step.verb, act.live) {
            (Verb::Register, _) | (Verb::Create, None) => self.create(&act),
            (Verb::Delete | Verb::Deregister, Some(live)) => self.delete(&act, live),
            (_, Some(live)) => self.change(&act, live),
            (_, None) => Ok(None),
        };
        std::future::ready(done).boxed()
    }

    fn jobs<'a>(&'a self, _about: &'a JobsOf) -> BoxFuture<'a, Result<Jobs>> {
        std::future::ready(Ok(Jobs::default())).boxed()
    }

    fn data<'a>(
        &'a self,
        _id: &'a ResourceId,
        _live: &'a Incarnation,
    ) -> BoxFuture<'a, Result<Option<String>>> {
        std::future::ready(Ok(None)).boxed()
    }

    fn classify(&self, _id: &ResourceId, error: &Error, _age: Duration) -> Fault {
        match error.code.as_deref() {
            Some("AlreadyExists") => Fault::Exists,
            Some("NotFound") => Fault::Gone,
            _ => Fault::Terminal,
        }
    }
}
