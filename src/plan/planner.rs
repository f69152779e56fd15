//! The planner: what becomes of each declared resource, what is no longer declared, what speaks against it, and the steps.

use std::collections::BTreeSet;

use crate::kind::AnyKind;
use crate::plan::compare::Drafter;
use crate::plan::compare::decision::Draft;
use crate::plan::compare::resolve::Renewed;
use crate::plan::compare::revisions::kept;
use crate::plan::guards::blocked::{held, left_out};
use crate::plan::guards::{
    blocked, collisions, consent, dependents, final_state, impact, jobs, literals, unknown_fields,
};
use crate::plan::model::{Change, Due, Objection, Plan};
use crate::plan::removals::replaced::{Retiring, Said};
use crate::plan::removals::undeclared::Leaving;
use crate::plan::removals::{deferred, replaced, undeclared};
use crate::plan::request::Guard;
use crate::plan::scope::{only, order, references};
use crate::plan::steps::temporary_role;
use crate::plan::warnings::renamed;
use crate::plan::{removals, steps, warnings};
use crate::resource::{Desired, Incarnation, Observed, OnDelete, ResourceId};

/// Computes what differs and what to run.
pub fn plan(desired: &Desired, observed: &Observed, kinds: &[&'static dyn AnyKind], guard: &Guard) -> Plan {
    let kind_of = |name: &str| kinds.iter().copied().find(|kind| kind.facts().name == name);
    let links = references::Links::of(desired, &kind_of);
    let edges = &links.needs;
    let (part, whole) = (only::part(guard.only.as_ref(), &links), guard.only.is_none());
    let mut drafter = drafted((desired, observed), &links, &part, whole, &kind_of);
    let before = drafter.split(&links, &kind_of);
    let Drafter { drafts, mut objections, unchanged, pending, notes, .. } = drafter;
    objections.extend(held(&drafts, edges, observed));
    objections.extend(collisions::objections(&drafts, desired, observed, &kind_of));
    objections.extend(left_out(&drafts, &links, &part));
    // A part of an environment says nothing about the rest.
    let settled = removals::settled(desired, &drafts, whole);
    let mut retiring = replaced::retiring(&drafts, &settled, observed, &kind_of);
    let mut leaving = if whole { undeclared::leaving(desired, observed, &kind_of) } else { Vec::new() };
    let mut changes: Vec<Change> = drafts.iter().map(|draft| draft.change.clone()).collect();
    let mut due: Vec<Due> = pending.iter().map(|pending| pending.due.clone()).collect();
    let behind = deferred::behind(&retiring, &leaving, &kind_of, guard.hold_due);
    let waits = |id: &ResourceId, live: &Incarnation| behind.contains(&(id.clone(), live.physical.clone()));
    let mut departing = told(&retiring, &leaving, &waits, &mut changes);
    if guard.hold_due {
        departing.iter_mut().for_each(deferred::hold);
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
    objections.extend(consent::objections(&guarded, desired, observed, guard, &kind_of));
    let parts = final_state::Parts { drafts: &drafts, retiring: &retiring, leaving: &leaving };
    let end = final_state::final_state(&parts, (desired, observed), edges, &part);
    objections.extend(final_state::objections(&end, kinds));
    let (needed, doubts) = dependents::objections(&end, &kind_of);
    objections.extend(needed);
    let departures = steps::Departures { retiring: &retiring, leaving: &leaving };
    let before = steps::Before { needs: edges, drafts: &before };
    let (steps, stuck) =
        steps::cut((&pending, &drafts), &departures, &before, (desired, &settled), observed, &kind_of);
    objections.extend(blocked::stuck(&drafts, &stuck));
    let gone = leaving.iter().filter(|one| one.on_delete != OnDelete::Retain);
    let gone = gone.flat_map(|one| one.incarnations.iter().map(|live| (&one.change.id, *live)));
    let going = gone.chain(retiring.iter().map(|one| (one.id, one.live)));
    let stand_ins = temporary_role::stand_ins(going, desired, observed, &kind_of);
    changes.extend(stand_ins.iter().map(|one| one.change.clone()));
    let mut steps = temporary_role::weave(steps, &stand_ins);
    steps.iter_mut().for_each(|step| step.interrupts = guard.allow_interrupt.contains(&step.resource));
    jobs::ask_again(&mut steps, observed, &kind_of);
    let impact = impact::impact(&steps, &changes, observed, &guard.allow_interrupt, &kind_of);
    objections.extend(impact::objections(&impact, desired));
    objections.extend(jobs::objections(&steps, observed, &guard.allow_interrupt, desired, &kind_of));
    objections.extend(consent::to_lose_data(&steps, desired, observed));
    objections.extend(unknown_fields::objections(&changes, observed));
    objections.extend(literals::objections(&changes, desired, observed, &kind_of));
    objections.sort();
    objections.dedup();
    let mut warnings = warnings::warnings(desired, Some(observed), kinds);
    warnings.extend(doubts);
    let renamed = renamed::candidates(&drafts, &changes, desired, observed, &kind_of);
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
    renamed::hint(&mut plan, renamed, (desired, observed), &kind_of);
    plan
}

/// What becomes of each declared resource of the whole environment, and what speaks against that by itself.
pub fn compared(
    desired: &Desired,
    observed: &Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> (Vec<Draft>, Vec<Objection>) {
    let links = references::Links::of(desired, kind_of);
    let part = only::part(None, &links);
    let Drafter { drafts, mut objections, .. } = drafted((desired, observed), &links, &part, true, kind_of);
    objections.extend(held(&drafts, &links.needs, observed));
    objections.extend(collisions::objections(&drafts, desired, observed, kind_of));
    (drafts, objections)
}

/// What becomes of each declared resource. Each is considered after those that it needs; what it names otherwise may come later,
/// and what that denotes after the plan is known all the same: they are considered until nothing new is made anew.
fn drafted<'a>(
    (desired, observed): (&'a Desired, &'a Observed),
    links: &references::Links,
    part: &BTreeSet<ResourceId>,
    whole: bool,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Drafter<'a> {
    let (order, _) = order::order(&links.needs);
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
            Said::As(change) if waits(one.id, one.live) => due.push(deferred::due(change, one.live)),
            Said::As(change) => changes.push((**change).clone()),
            Said::Due(one) => due.push(one.clone()),
        }
    }
    for one in leaving {
        let Leaving { change, incarnations, .. } = one;
        if one.is_due() {
            due.extend(incarnations.iter().map(|live| replaced::due(&change.id, live, one.kind)));
        } else if incarnations.iter().all(|live| waits(&change.id, live)) {
            due.extend(incarnations.iter().map(|live| deferred::due(change, live)));
        } else {
            changes.push(change.clone());
        }
    }
    due
}
