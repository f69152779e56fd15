//! A cloud in memory, at the level of documents: for laws of planner and executor, and for benches (D32).
//!
//! It knows nothing of calls, pages or states in between: what is asked is done at once, or a few turns later, so that steps
//! that run side by side end in another order than they began ([`Simulated::slow`]). It refuses what AWS refuses of every kind: a
//! second thing of a name, removing what something else uses, and a policy about a role that does not exist. In policies about a
//! role that goes, its unique id takes the place of its ARN, as IAM has it
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Act, Cloud, Reach, Scope, lookups, ownership};
use crate::diff::{self, ChangeRule, Compare, Rules, Stands};
use crate::kind::{AnyKind, Identity};
use crate::plan::Verb;
use crate::resource::{Document, Incarnation, Jobs, JobsOf, Observed, Place, Readiness, ResourceId};
use crate::services::{Error, Fault, Result};
use crate::value::policy;

/// What it holds: kind, physical name, revision → incarnation.
type Store = BTreeMap<(String, String, Option<u64>), Incarnation>;

/// A cloud in memory.
pub struct Simulated {
    kinds: &'static [&'static dyn AnyKind],
    place: Place,
    store: Mutex<Store>,
    /// The parameters of Systems Manager.
    parameters: Mutex<BTreeMap<String, String>>,
    /// How many ids it has assigned.
    assigned: AtomicUsize,
    /// Decides how many turns each call takes.
    turns: Option<Mutex<u64>>,
}

/// The most turns that a call takes, one less.
const MOST_TURNS: u64 = 12;

impl Simulated {
    /// An empty one.
    pub fn new(kinds: &'static [&'static dyn AnyKind], place: Place) -> Self {
        Self {
            kinds,
            place,
            store: Mutex::new(Store::new()),
            parameters: Mutex::default(),
            assigned: AtomicUsize::new(0),
            turns: None,
        }
    }

    /// The same, in which each call takes some turns of the runtime, as many as follow from `seed`.
    pub fn slow(mut self, seed: u64) -> Self {
        self.turns = Some(Mutex::new(seed | 1));
        self
    }

    /// The turns that the next call takes (xorshift64, <https://www.jstatsoft.org/article/view/v008i14>).
    fn next_turns(&self) -> u64 {
        let Some(turns) = &self.turns else { return 0 };
        let mut state = turns.lock().unwrap_or_else(PoisonError::into_inner);
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state % MOST_TURNS
    }

    /// Puts something there behind everybody's back.
    pub fn put(&self, kind: &str, incarnation: Incarnation) {
        let key = (kind.to_owned(), incarnation.physical.clone(), incarnation.revision);
        self.store().insert(key, incarnation);
    }

    /// Gives a parameter of Systems Manager a value.
    pub fn set_parameter(&self, name: &str, value: &str) {
        let mut parameters = self.parameters.lock().unwrap_or_else(PoisonError::into_inner);
        parameters.insert(name.to_owned(), value.to_owned());
    }

    /// Another one in which the same is there.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            store: Mutex::new(self.store().clone()),
            parameters: Mutex::new(self.parameters.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            assigned: AtomicUsize::new(self.assigned.load(Ordering::Relaxed)),
            turns: None,
            place: self.place.clone(),
            ..*self
        }
    }

    /// Takes something away behind everybody's back, whatever uses it: all its revisions.
    pub fn take(&self, kind: &str, physical: &str) {
        let mut store = self.store();
        let keys: Vec<_> = store.keys().filter(|key| key.0 == kind && key.1 == physical).cloned().collect();
        for key in keys {
            // Kinds that are held are known.
            self.remove(&mut store, &key).unwrap_or_default();
        }
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
            Identity::Assigned => format!("sim-{:04}", self.assigned.fetch_add(1, Ordering::Relaxed) + 1),
            _ => step.physical.clone(),
        };
        if identity == Identity::Named && store.keys().any(|key| same(&key)) {
            return Err(refused("AlreadyExists", format!("{physical} exists")));
        }
        self.refuse_strangers(&store, kind, act.want)?;
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
            // It makes nothing for the account.
            if kind.facts().default_by == Some(output.as_str()) {
                outputs.insert(output.clone(), Value::Bool(false));
            }
            // What is called by its id bears the name that it was given as well.
            let text = if output == "name" { &step.physical } else { &physical };
            outputs.entry(output.clone()).or_insert_with(|| Value::String(text.clone()));
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
        let writes = act.diff.0.iter().any(|change| change.rule != ChangeRule::Tag);
        if writes {
            self.refuse_strangers(&store, self.kind(&act.step.resource.kind)?, act.want)?;
        }
        let Some(held) = store.get_mut(&key) else {
            return Err(refused("NotFound", format!("{} does not exist", live.physical)));
        };
        if writes {
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
            let Ok(kind) = self.kind(&other.0) else { return false };
            let names = |text: &&str| mentions(&held.spec, &kind.facts().rules, text);
            // An old revision keeps nothing.
            let newer =
                |it: &(String, String, Option<u64>)| it.0 == other.0 && it.1 == other.1 && it.2 > other.2;
            let old = other.2.is_some() && store.keys().any(newer);
            **other != key && !old && denoted.iter().flatten().any(names)
        });
        if let Some((user, _)) = user {
            return Err(refused("InUse", format!("{} is used by {} {}", live.physical, user.0, user.1)));
        }
        self.remove(&mut store, &key)?;
        Ok(None)
    }

    /// Removes one thing. Policies about a role go on naming it by its unique id.
    fn remove(&self, store: &mut Store, key: &(String, String, Option<u64>)) -> Result<()> {
        let Some(arn) = store.remove(key).and_then(|held| held.arn).filter(|arn| arn.contains(ROLE)) else {
            return Ok(());
        };
        let unique = format!("AROA{:017X}", store.len());
        let other = |principal: &str| (principal == arn).then(|| unique.clone());
        for ((of_kind, ..), held) in store.iter_mut() {
            let rules = &self.kind(of_kind)?.facts().rules;
            held.spec = with_principals(&held.spec, Some(rules), &other);
        }
        Ok(())
    }

    /// Refuses a policy about a role of the account that does not exist.
    fn refuse_strangers(&self, store: &Store, kind: &dyn AnyKind, want: &Document) -> Result<()> {
        let own = format!(":{}{ROLE}", self.place.account);
        let mut strange = None;
        diff::texts(want, Some(&kind.facts().rules), Stands::Alone, &mut |stands, text| {
            let known = || store.values().any(|held| held.arn.as_deref() == Some(text));
            if stands == Stands::AsPrincipal && text.contains(&own) && !known() {
                strange.get_or_insert_with(|| text.to_owned());
            }
        });
        match strange {
            Some(principal) => Err(refused("InvalidPrincipal", format!("{principal} does not exist"))),
            None => Ok(()),
        }
    }
}

/// What tells the ARN of a role.
const ROLE: &str = ":role/";

/// Whether a spec names something, policy documents aside.
fn mentions(spec: &Document, rules: &Rules, text: &str) -> bool {
    let mut found = false;
    diff::texts(spec, Some(rules), Stands::Alone, &mut |stands, held| {
        found |= held == text && matches!(stands, Stands::Alone | Stands::Deferrable);
    });
    found
}

fn with_principals(value: &Value, rules: Option<&Rules>, other: &dyn Fn(&str) -> Option<String>) -> Value {
    if rules.is_some_and(|rules| rules.compare == Compare::Policy) {
        return policy::with_principals(value, other);
    }
    match value {
        Value::Array(items) => {
            let rules = rules.and_then(|rules| rules.items.as_deref());
            items.iter().map(|item| with_principals(item, rules, other)).collect()
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| {
                let rules = rules.and_then(|rules| rules.fields.get(key).or(rules.values.as_deref()));
                (key.clone(), with_principals(value, rules, other))
            })
            .collect(),
        other => other.clone(),
    }
}

fn refused(code: &str, message: String) -> Error {
    Error { code: Some(code.to_owned()), ..Error::malformed("simulated", "perform", message) }
}

impl Cloud for Simulated {
    fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed>> {
        let (mut observed, mut others) = (Observed::default(), Vec::new());
        let zones = ["a", "b", "c"].map(|letter| format!("{}{letter}", self.place.region));
        let mut looked = lookups::Seen {
            zones: zones.into_iter().filter(|_| scope.zones).collect(),
            ..lookups::Seen::default()
        };
        for kind in self.kinds {
            let facts = kind.facts();
            let seen: Vec<Incarnation> = self
                .store()
                .iter()
                .filter(|((name, ..), _)| name == facts.name)
                .map(|(_, held)| held.clone())
                .collect();
            looked.keep(facts.name, &seen, &scope.existing);
            let by_name = facts.identity != Identity::Assigned || scope.reach == Reach::Named;
            let identified = ownership::identify(facts, seen, scope, by_name);
            observed.resources.extend(identified.found);
            others.extend(identified.others.into_iter().map(|one| (*kind, one)));
        }
        if scope.reach == Reach::Everything {
            looked.parameters = self.parameters.lock().unwrap_or_else(PoisonError::into_inner).clone();
            observed.surroundings = looked.found(&scope.existing, &scope.owner, self.kinds);
            ownership::keep_outsiders(&mut observed, others, scope);
        }
        std::future::ready(Ok(observed)).boxed()
    }

    fn perform<'a>(&'a self, act: Act<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        async move {
            for _ in 0..self.next_turns() {
                tokio::task::yield_now().await;
            }
            let done = match (act.step.verb, act.live) {
                (Verb::Register, Some(live)) if !act.diff.is_empty() && act.diff.only_tags() => {
                    self.change(&act, live)
                }
                (Verb::Register, _) | (Verb::Create, None) => self.create(&act),
                (Verb::Delete | Verb::Deregister, Some(live)) => self.delete(&act, live),
                (_, Some(live)) => self.change(&act, live),
                (_, None) => Ok(None),
            };
            for _ in 0..self.next_turns() {
                tokio::task::yield_now().await;
            }
            done
        }
        .boxed()
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
