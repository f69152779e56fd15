//! The planner: what becomes of each declared resource, what is no longer declared, what speaks against it, and the steps.

use std::collections::BTreeSet;

use super::drafts::{Draft, Drafter, Renewed};
use super::guard::{self, Guard};
use super::obstacle::{self, held, left_out};
use super::prune::{self, Leaving};
use super::renaming;
use super::retire::{self, Retiring, Said};
use super::revisions::kept;
use super::{
    Change, Due, Objection, Plan, behind, collision, final_state, graph, impact, job_needs, literals, needed,
    only, stand_in, steps, unknown, warn,
};
use crate::kind::AnyKind;
use crate::resource::{Desired, Incarnation, Observed, OnDelete, ResourceId};

/// Computes what differs and what to run.
pub fn plan(desired: &Desired, observed: &Observed, kinds: &[&'static dyn AnyKind], guard: &Guard) -> Plan {
    let kind_of = |name: &str| kinds.iter().copied().find(|kind| kind.facts().name == name);
    let links = graph::Links::of(desired, &kind_of);
    let edges = &links.needs;
    let (part, whole) = (only::part(guard.only.as_ref(), &links), guard.only.is_none());
    let mut drafter = drafted((desired, observed), &links, &part, whole, &kind_of);
    let before = drafter.split(&links, &kind_of);
    let Drafter { drafts, mut objections, unchanged, pending, notes, .. } = drafter;
    objections.extend(held(&drafts, edges, observed));
    objections.extend(collision::objections(&drafts, desired, observed, &kind_of));
    objections.extend(left_out(&drafts, &links, &part));
    // A part of an environment says nothing about the rest.
    let settled = only::settled(desired, &drafts, whole);
    let mut retiring = retire::retiring(&drafts, &settled, observed, &kind_of);
    let mut leaving = if whole { prune::leaving(desired, observed, &kind_of) } else { Vec::new() };
    let mut changes: Vec<Change> = drafts.iter().map(|draft| draft.change.clone()).collect();
    let mut due: Vec<Due> = pending.iter().map(|pending| pending.due.clone()).collect();
    let behind = behind::behind(&retiring, &leaving, &kind_of, guard.hold_due);
    let waits = |id: &ResourceId, live: &Incarnation| behind.contains(&(id.clone(), live.physical.clone()));
    let mut departing = told(&retiring, &leaving, &waits, &mut changes);
    if guard.hold_due {
        departing.iter_mut().for_each(behind::hold);
        retiring.retain(|one| match &one.said {
            // What was replaced stays behind: the next plan says so.
            Said::ByReplacement | Said::As(_) => !waits(one.id, one.live),
            Said::Due(_) => false,
        });
        leaving
            .retain(|one| !one.is_due() && !one.incarnations.iter().all(|live| waits(&one.change.id, live)));
    }
    due.extend(departing);
    // What is due is no news, and guarded as if it were: nothing goes that nobody was asked about.
    let mut guarded = changes.clone();
    guarded.extend(due.iter().filter_map(|due| due.change.as_deref().cloned()));
    guarded.dedup();
    objections.extend(guard::objections(&guarded, desired, observed, guard, &kind_of));
    let parts = final_state::Parts { drafts: &drafts, retiring: &retiring, leaving: &leaving };
    let end = final_state::final_state(&parts, (desired, observed), edges, &part);
    objections.extend(final_state::objections(&end, kinds));
    let (needed, doubts) = needed::objections(&end, &kind_of);
    objections.extend(needed);
    let departures = steps::Departures { retiring: &retiring, leaving: &leaving };
    let before = steps::Before { needs: edges, drafts: &before };
    let (steps, stuck) =
        steps::cut((&pending, &drafts), &departures, &before, (desired, &settled), observed, &kind_of);
    objections.extend(obstacle::stuck(&drafts, &stuck));
    let gone = leaving.iter().filter(|one| one.on_delete != OnDelete::Retain);
    let gone = gone.flat_map(|one| one.incarnations.iter().map(|live| (&one.change.id, *live)));
    let going = gone.chain(retiring.iter().map(|one| (one.id, one.live)));
    let stand_ins = stand_in::stand_ins(going, desired, observed, &kind_of);
    changes.extend(stand_ins.iter().map(|one| one.change.clone()));
    let mut steps = stand_in::weave(steps, &stand_ins);
    steps.iter_mut().for_each(|step| step.interrupts = guard.allow_interrupt.contains(&step.resource));
    job_needs::ask_again(&mut steps, observed, &kind_of);
    let impact = impact::impact(&steps, &changes, observed, &guard.allow_interrupt, &kind_of);
    objections.extend(impact::objections(&impact, desired));
    objections.extend(job_needs::objections(&steps, observed, &guard.allow_interrupt, desired, &kind_of));
    objections.extend(guard::to_lose_data(&steps, desired, observed));
    objections.extend(unknown::objections(&changes, observed));
    objections.extend(literals::objections(&changes, desired, observed, &kind_of));
    objections.sort();
    objections.dedup();
    let mut warnings = warn::warnings(desired, Some(observed), kinds);
    warnings.extend(doubts);
    let renamed = renaming::candidates(&drafts, &changes, desired, observed, &kind_of);
    let mut plan = Plan {
        environment: desired.environment.clone(),
        owner: desired.owner.clone(),
        place: desired.place.clone(),
        changes,
        steps,
        objections,
        warnings,
        notes,
        due,
        impact,
        unchanged,
        keeps: kept(desired),
    };
    renaming::hint(&mut plan, renamed, (desired, observed), &kind_of);
    plan
}

/// What becomes of each declared resource of the whole environment, and what speaks against that by itself.
pub(super) fn compared(
    desired: &Desired,
    observed: &Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> (Vec<Draft>, Vec<Objection>) {
    let links = graph::Links::of(desired, kind_of);
    let part = only::part(None, &links);
    let Drafter { drafts, mut objections, .. } = drafted((desired, observed), &links, &part, true, kind_of);
    objections.extend(held(&drafts, &links.needs, observed));
    objections.extend(collision::objections(&drafts, desired, observed, kind_of));
    (drafts, objections)
}

/// What becomes of each declared resource. Each is considered after those that it needs; what it names otherwise may come later,
/// and what that denotes after the plan is known all the same: they are considered until nothing new is made anew.
fn drafted<'a>(
    (desired, observed): (&'a Desired, &'a Observed),
    links: &graph::Links,
    part: &BTreeSet<ResourceId>,
    whole: bool,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Drafter<'a> {
    let (order, _) = graph::order(&links.needs);
    let mut known = Renewed::default();
    // Each round but the last finds something new.
    let mut rounds = desired.resources.len();
    loop {
        let mut drafter = Drafter::new(desired, observed, kind_of, known, whole);
        let before = drafter.resolver.renewed.outputs.clone();
        for id in order.iter().filter(|id| part.contains(*id)) {
            if let (Some(declared), Some(kind)) = (desired.resources.get(id), kind_of(&id.kind)) {
                drafter.consider(declared, kind);
            }
        }
        let is_news = |id: &ResourceId| {
            let now = drafter.resolver.renewed.outputs.get(id);
            now.is_some() && now != before.get(id).or_else(|| drafter.resolver.expected(id))
        };
        if rounds == 0 || !links.looks_ahead(&is_news) {
            return drafter;
        }
        rounds -= 1;
        known = drafter.resolver.renewed;
    }
}

/// Adds what goes, each as the change that it is; what is due is not.
fn told(
    retiring: &[Retiring<'_>],
    leaving: &[Leaving<'_>],
    waits: &dyn Fn(&ResourceId, &Incarnation) -> bool,
    changes: &mut Vec<Change>,
) -> Vec<Due> {
    let mut due = Vec::new();
    for one in retiring {
        match &one.said {
            Said::ByReplacement => {}
            Said::As(change) if waits(one.id, one.live) => due.push(behind::due(change, one.live)),
            Said::As(change) => changes.push((**change).clone()),
            Said::Due(one) => due.push(one.clone()),
        }
    }
    for one in leaving {
        let Leaving { change, incarnations, .. } = one;
        if one.is_due() {
            due.extend(incarnations.iter().map(|live| retire::due(&change.id, live, one.kind)));
        } else if incarnations.iter().all(|live| waits(&change.id, live)) {
            due.extend(incarnations.iter().map(|live| behind::due(change, live)));
        } else {
            changes.push(change.clone());
        }
    }
    due
}
