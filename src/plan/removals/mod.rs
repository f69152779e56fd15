//! 3. What goes: what was replaced, what is no longer declared, and what has to wait.

use std::collections::BTreeMap;

use crate::plan::compare::decision::{Decisions, Operation};
use crate::plan::model::{Change, Due};
use crate::plan::removals::replaced::{Replaced, Reported};
use crate::plan::removals::undeclared::Undeclared;
use crate::plan::request::Registry;
use crate::plan::scope::Scope;
use crate::resource::{Declared, Incarnation, ResourceId};

pub mod deferred;
pub mod replaced;
pub mod undeclared;

/// Declared resources of which something old may go.
pub type Settled<'a> = BTreeMap<&'a ResourceId, &'a Declared>;

/// Everything that goes, and what the plan says of it.
pub struct Removals<'a> {
    pub settled: Settled<'a>,
    pub replaced: Vec<Replaced<'a>>,
    pub undeclared: Vec<Undeclared<'a>>,
    /// What is news of it.
    pub changes: Vec<Change>,
    /// What an earlier run has begun, and what waits for that.
    pub deferred: Vec<Due>,
}

/// What goes of what this plan is about.
pub fn all<'a>(scope: &'a Scope<'_>, decisions: &Decisions) -> Removals<'a> {
    let settled = settled(scope, decisions);
    let replaced = replaced::all(scope, decisions, &settled);
    // A part of an environment says nothing about the rest.
    let undeclared = if scope.whole { undeclared::all(scope) } else { Vec::new() };
    let waiting = deferred::waiting(&replaced, &undeclared, &scope.kinds, false);
    let (changes, deferred) = reported(&replaced, &undeclared, &waiting);
    let mut removals = Removals { settled, replaced, undeclared, changes, deferred };
    if scope.guard.expected.as_ref().is_some_and(|expected| !expected.holds(&removals.deferred)) {
        removals.keep_deferred(&scope.kinds);
    }
    removals
}

/// Of a part of an environment, only what this plan replaces: what still uses an old revision or generation may be left out of it.
fn settled<'a>(scope: &'a Scope<'_>, decisions: &Decisions) -> Settled<'a> {
    let replaces = |id: &ResourceId| {
        decisions.get(id).is_some_and(|decision| matches!(decision.operation, Operation::Replace { .. }))
    };
    scope.desired.resources.iter().filter(|(id, _)| scope.whole || replaces(id)).collect()
}

/// What goes, each as the change that it is; what is deferred is none.
fn reported(
    replaced: &[Replaced<'_>],
    undeclared: &[Undeclared<'_>],
    waiting: &deferred::Waiting,
) -> (Vec<Change>, Vec<Due>) {
    let waits = |id: &ResourceId, live: &Incarnation| waiting.contains(&(id.clone(), live.physical.clone()));
    let (mut changes, mut due) = (Vec::new(), Vec::new());
    for one in replaced {
        match &one.reported {
            Reported::ByReplacement => {}
            Reported::As(change) if waits(one.id, one.live) => due.push(deferred::due(change, one.live)),
            Reported::As(change) => changes.push((**change).clone()),
            Reported::Due(one) => due.push(one.clone()),
        }
    }
    for one in undeclared {
        let Undeclared { change, incarnations, .. } = one;
        if one.is_due() {
            due.extend(incarnations.iter().map(|live| replaced::due(&change.id, live, one.kind)));
        } else if incarnations.iter().all(|live| waits(&change.id, live)) {
            due.extend(incarnations.iter().map(|live| deferred::due(change, live)));
        } else {
            changes.push(change.clone());
        }
    }
    (changes, due)
}

impl Removals<'_> {
    /// What is deferred stays where it is, and so does what it stands on: no review holds its end (D20).
    fn keep_deferred(&mut self, kinds: &Registry) {
        let waiting = deferred::waiting(&self.replaced, &self.undeclared, kinds, true);
        let waits =
            |id: &ResourceId, live: &Incarnation| waiting.contains(&(id.clone(), live.physical.clone()));
        (self.changes, self.deferred) = reported(&self.replaced, &self.undeclared, &waiting);
        self.deferred.iter_mut().for_each(deferred::hold);
        self.replaced.retain(|one| match &one.reported {
            // What was replaced stays behind: the next plan says so.
            Reported::ByReplacement | Reported::As(_) => !waits(one.id, one.live),
            Reported::Due(_) => false,
        });
        self.undeclared
            .retain(|one| !one.is_due() && !one.incarnations.iter().all(|live| waits(&one.change.id, live)));
    }
}
