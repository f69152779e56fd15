//! The ready queue: a step starts when those before it are done and there is room; a failure blocks its dependents only.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::drain::{Drained, drain};
use super::poll::Poller;
use super::propagation::Propagation;
use super::reach::Reach;
use super::settle::Settle;
use super::shutdown::{EndedEarly, until_told};
use super::{Event, Failure, Known, Limits, Outcome, Report, Shutdown, Stop, removes};
use crate::cloud::{Cloud, Scope};
use crate::kind::AnyKind;
use crate::plan::{Plan, Step, StepId, Verb};
use crate::resource::{Incarnation, Observed, ResourceId};
use crate::value::reference;

/// How a step ended that did not fail.
enum Ended {
    /// With this incarnation, unless it left none.
    With(Option<Box<Incarnation>>),
    /// Not at all: a later apply goes on.
    Later(String),
}

type Finished = (StepId, Result<Ended, EndedEarly>);

/// How long calls that are under way may take once the run is to be left: a runner kills it soon after it has said so twice.
const LAST_CALLS: Duration = Duration::from_secs(2);

/// Runs a plan's steps. `observed` is what the plan was made from; `stop` says when to stop, and how far.
pub async fn execute(
    plan: &Plan,
    observed: &Observed,
    cloud: &dyn Cloud,
    kinds: &[&'static dyn AnyKind],
    limits: &Limits,
    mut stop: Stop,
    on: &mut (dyn FnMut(Event) + Send),
) -> Report {
    let reach = Reach::new(cloud);
    let cloud: &dyn Cloud = &reach;
    let scope = Scope {
        owner: plan.owner.clone(),
        place: plan.place.clone(),
        names: BTreeMap::new(),
        renamed: BTreeMap::new(),
        images: BTreeMap::new(),
        existing: BTreeMap::new(),
        zones: false,
        reach: crate::cloud::Reach::Named,
    };
    let remade: BTreeSet<ResourceId> = plan
        .steps
        .iter()
        .filter(|step| matches!(step.verb, Verb::Create | Verb::Register))
        .map(|step| step.resource.clone())
        .collect();
    let poller = Poller::new(cloud, &scope);
    let known = Mutex::new(Known::of(observed, &remade));
    let (told, mut tell) = mpsc::unbounded_channel();
    let run = Run {
        plan,
        observed,
        cloud,
        kinds,
        limits,
        poller: &poller,
        known: &known,
        made: Mutex::default(),
        fresh: Propagation::default(),
        stop: stop.clone(),
        told,
    };
    let mut left = pin!(async {
        let told_again = async {
            until_told(&run.stop, Shutdown::Immediate).await;
            tokio::time::sleep(LAST_CALLS).await;
        };
        tokio::select! {
            () = told_again => {}
            () = reach.lost(&run.stop) => {}
        }
    });
    let mut outcomes: BTreeMap<StepId, Outcome> = BTreeMap::new();
    let mut running: BTreeSet<StepId> = BTreeSet::new();
    let mut flights: FuturesUnordered<BoxFuture<'_, Finished>> = FuturesUnordered::new();
    loop {
        block(plan, &mut outcomes);
        if *stop.borrow() == Shutdown::Running {
            for step in ready(plan, &outcomes, &running, limits) {
                running.insert(step.id);
                on(Event::Started { step: step.id });
                flights.push(Box::pin(run.step(step)));
            }
        }
        if flights.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            Some(event) = tell.recv() => on(event),
            Some((id, result)) = flights.next() => {
                running.remove(&id);
                let outcome = run.finish(id, result);
                on(match &outcome {
                    Outcome::Failed(failure) => Event::Failed { step: id, failure: failure.clone() },
                    Outcome::Postponed { why } | Outcome::Unfinished { why } => {
                        Event::Postponed { step: id, why: why.clone() }
                    }
                    _ => Event::Finished { step: id },
                });
                outcomes.insert(id, outcome);
            }
            () = &mut left => break,
            Ok(()) = stop.changed() => {}
        }
    }
    // Whichever failed first by the clock: the report blames the first in the plan's order.
    outcomes.retain(|_, outcome| !matches!(outcome, Outcome::Blocked { .. }));
    block(plan, &mut outcomes);
    for step in &plan.steps {
        outcomes.entry(step.id).or_insert_with(|| match running.contains(&step.id) {
            true => {
                Outcome::Unfinished { why: "a call was under way: plan again to see what it did".to_owned() }
            }
            false => Outcome::NotStarted,
        });
    }
    let stopped =
        outcomes.values().any(|outcome| matches!(outcome, Outcome::Unfinished { .. } | Outcome::NotStarted));
    drop(flights);
    let known = known.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
    Report { outcomes, interrupted: stopped && *stop.borrow() != Shutdown::Running, known }
}

/// Steps wait_for predecessors are done, as far as there is room, in order of their numbers.
fn ready<'p>(
    plan: &'p Plan,
    outcomes: &BTreeMap<StepId, Outcome>,
    running: &BTreeSet<StepId>,
    limits: &Limits,
) -> Vec<&'p Step> {
    let done = |id: &StepId| outcomes.get(id) == Some(&Outcome::Done);
    let mut busy: BTreeMap<&str, usize> = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| running.contains(&step.id)) {
        *busy.entry(step.resource.service()).or_default() += 1;
    }
    let mut room = limits.steps.saturating_sub(running.len());
    let mut found = Vec::new();
    for step in &plan.steps {
        let fresh = !outcomes.contains_key(&step.id) && !running.contains(&step.id);
        let service = busy.entry(step.resource.service()).or_default();
        if room > 0 && fresh && *service < limits.per_service && step.after.iter().all(done) {
            room -= 1;
            *service += 1;
            found.push(step);
        }
    }
    found
}

/// Marks the steps that wait for one that failed, or that is left to a later apply.
fn block(plan: &Plan, outcomes: &mut BTreeMap<StepId, Outcome>) {
    for step in &plan.steps {
        if outcomes.contains_key(&step.id) {
            continue;
        }
        let lost = step.after.iter().find_map(|id| match outcomes.get(id) {
            Some(Outcome::Failed(_)) => Some(*id),
            Some(Outcome::Blocked { by }) => Some(*by),
            _ => None,
        });
        let later = step.after.iter().find_map(|id| match outcomes.get(id) {
            Some(Outcome::Postponed { why }) => Some(why.clone()),
            _ => None,
        });
        if let Some(by) = lost {
            outcomes.insert(step.id, Outcome::Blocked { by });
        } else if let Some(why) = later {
            outcomes.insert(step.id, Outcome::Postponed { why });
        }
    }
}

struct Run<'a, 'c> {
    plan: &'a Plan,
    observed: &'a Observed,
    cloud: &'a dyn Cloud,
    kinds: &'a [&'static dyn AnyKind],
    limits: &'a Limits,
    poller: &'a Poller<'c>,
    known: &'a Mutex<Known>,
    /// What earlier steps of this run left behind, by resource and physical name of the step.
    made: Mutex<BTreeMap<(ResourceId, String), Incarnation>>,
    fresh: Propagation,
    stop: Stop,
    told: mpsc::UnboundedSender<Event>,
}

impl<'a> Run<'a, '_> {
    async fn step(&self, step: &'a Step) -> Finished {
        let ended = match step.verb {
            Verb::Drain => self.drain(step).await,
            _ => self.settle(step).await.map(|left| Ended::With(left.map(Box::new))),
        };
        (step.id, ended)
    }

    fn kind_of(&self, step: &Step) -> Result<&'static dyn AnyKind, Failure> {
        let kind = self.kinds.iter().copied().find(|kind| kind.facts().name == step.resource.kind);
        kind.ok_or_else(|| Failure::new(format!("{} is not a kind", step.resource.kind)))
    }

    /// Only looks, and may end at any moment.
    async fn drain(&self, step: &'a Step) -> Result<Ended, EndedEarly> {
        let last = Mutex::new("nobody has looked at its jobs yet".to_owned());
        let waiting = |why: String| {
            last.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&why);
            drop(self.told.send(Event::Waiting { step: step.id, why }));
        };
        let live = self.live(step);
        let kind = self.kind_of(step)?;
        let drained = tokio::select! {
            biased;
            () = until_told(&self.stop, Shutdown::Graceful) => None,
            drained = drain(self.cloud, kind, step, live.as_ref(), self.limits, &waiting) => Some(drained?),
        };
        match drained {
            Some(Drained::Empty) => Ok(Ended::With(None)),
            Some(Drained::Later(why)) => Ok(Ended::Later(why)),
            None => Err(EndedEarly::Stopped(last.into_inner().unwrap_or_else(PoisonError::into_inner))),
        }
    }

    async fn settle(&self, step: &'a Step) -> Result<Option<Incarnation>, EndedEarly> {
        let kind = self.kind_of(step)?;
        let resolved = self.known.lock().unwrap_or_else(PoisonError::into_inner).resolve(&step.want);
        if let Some(unknown) = reference::first(&resolved) {
            let message = format!("{unknown} is not known: no step before this one makes it");
            return Err(Failure::new(message).into());
        }
        let want =
            kind.normal(&resolved, &self.plan.place).map_err(|error| Failure::new(error.to_string()))?;
        let token = token(self.plan, step);
        let waiting = |why: String| drop(self.told.send(Event::Waiting { step: step.id, why }));
        let fresh = || self.fresh.concerns(&want, self.observed, self.limits.propagation);
        let goes = |id: &ResourceId, physical: &str| self.goes_yet(step, id, physical);
        let settle = Settle {
            cloud: self.cloud,
            poller: self.poller,
            kind,
            owner: &self.plan.owner,
            step,
            want: &want,
            newest: self.newest(step),
            fresh: &fresh,
            goes: &goes,
            token: &token,
            limits: self.limits,
            waiting: &waiting,
            stop: &self.stop,
            asked: AtomicBool::new(false),
        };
        settle.run(self.live(step)).await
    }

    /// The incarnation that the plan saw, of steps that are about one; an earlier step may have changed it since.
    fn live(&self, step: &Step) -> Option<Incarnation> {
        if matches!(step.verb, Verb::Create | Verb::Register) {
            return None;
        }
        let key = (step.resource.clone(), step.physical.clone());
        if step.revision.is_none()
            && let Some(made) = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
        {
            return Some(made.clone());
        }
        let seen = self.observed.resources.get(&step.resource)?;
        seen.iter()
            .find(|i| i.physical == step.physical && (step.revision.is_none() || i.revision == step.revision))
            .cloned()
    }

    /// Whether a step that does not come before this one removes what bears this name.
    fn goes_yet(&self, step: &Step, id: &ResourceId, physical: &str) -> bool {
        let mut before: BTreeSet<StepId> = BTreeSet::new();
        let mut open: Vec<StepId> = step.after.iter().copied().collect();
        while let Some(earlier) = open.pop() {
            if before.insert(earlier) {
                open.extend(self.plan.steps.get(earlier).into_iter().flat_map(|step| step.after.iter()));
            }
        }
        let removing =
            self.plan.steps.iter().filter(|other| removes(other.verb) && !before.contains(&other.id));
        removing.into_iter().any(|other| other.resource == *id && other.physical == physical)
    }

    fn newest(&self, step: &Step) -> Option<u64> {
        let seen = self.observed.resources.get(&step.resource)?;
        seen.iter().filter_map(|incarnation| incarnation.revision).max()
    }

    /// What a step left behind is what later steps of the same resource start from, and what references denote.
    fn learn(&self, step: &Step, incarnation: Incarnation) {
        // What goes or is given up is not what they denote.
        let goes = |later: &Step| {
            later.resource == step.resource && later.physical == step.physical && later.verb == Verb::Delete
        };
        if !matches!(step.verb, Verb::Disable | Verb::Forget)
            && !self.plan.steps.iter().skip(step.id).any(goes)
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.learn(&step.resource, incarnation.outputs.clone());
        }
        if step.verb != Verb::Register {
            let key = (step.resource.clone(), step.physical.clone());
            self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(key, incarnation);
        }
    }

    fn finish(&self, id: StepId, result: Result<Ended, EndedEarly>) -> Outcome {
        match result {
            Err(EndedEarly::Failed(failure)) => Outcome::Failed(failure),
            Err(EndedEarly::Stopped(why)) => Outcome::Unfinished { why },
            Err(EndedEarly::Later(why)) | Ok(Ended::Later(why)) => Outcome::Postponed { why },
            Ok(Ended::With(incarnation)) => {
                self.plan.steps.get(id).into_iter().for_each(|step| self.fresh.note(step));
                if let (Some(step), Some(incarnation)) = (self.plan.steps.get(id), incarnation) {
                    self.learn(step, *incarnation);
                }
                Outcome::Done
            }
        }
    }
}

/// A client token: the same for every attempt at one step of one plan, another for another.
fn token(plan: &Plan, step: &Step) -> String {
    let text = format!(
        "{}\n{}\n{}\n{}\n{}",
        plan.owner,
        step.resource,
        step.physical,
        step.want,
        plan.fingerprint()
    );
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
