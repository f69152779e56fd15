//! Where a plan leads to, put together from its parts.

use std::collections::BTreeSet;

use crate::kind::{AnyKind, FinalState, Operation, Planned, Rule};
use crate::plan::compare::decision::{Draft, How};
use crate::plan::model::{Objection, Objector};
use crate::plan::removals::replaced::Retiring;
use crate::plan::removals::undeclared::Leaving;
use crate::plan::scope::order::Edges;
use crate::resource::{Desired, Observed, OnDelete, ResourceId};

/// What a plan does to each resource.
pub struct Parts<'a> {
    pub drafts: &'a [Draft],
    pub retiring: &'a [Retiring<'a>],
    pub leaving: &'a [Leaving<'a>],
}

/// The end of a plan.
pub fn final_state<'a>(
    parts: &Parts<'a>,
    (desired, observed): (&'a Desired, &'a Observed),
    needs: &'a Edges,
    scope: &'a BTreeSet<ResourceId>,
) -> FinalState<'a> {
    let replaced = parts.retiring.iter().map(|one| (one.on_delete, (one.id, one.live)));
    let undeclared = parts
        .leaving
        .iter()
        .flat_map(|one| one.incarnations.iter().map(move |live| (one.on_delete, (&one.change.id, *live))));
    let (retained, going): (Vec<_>, Vec<_>) =
        replaced.chain(undeclared).partition(|(on_delete, _)| *on_delete == OnDelete::Retain);
    FinalState {
        desired,
        observed,
        planned: parts.drafts.iter().map(|draft| (&draft.change.id, planned(draft))).collect(),
        going: going.into_iter().map(|(_, one)| one).collect(),
        retained: retained.into_iter().map(|(_, one)| one).collect(),
        replaced: parts.retiring.iter().map(|one| (one.id, one.live)).collect(),
        needs,
        scope,
    }
}

fn planned(draft: &Draft) -> Planned<'_> {
    let operation = match draft.how {
        How::Create { .. } => Operation::Create,
        How::Update { .. } => Operation::Update,
        How::Register => Operation::Register,
        How::Replace { order, .. } => Operation::Replace(order),
        How::Trim => Operation::Trim,
    };
    Planned { operation, want: &draft.want, physical: &draft.change.physical }
}

/// What the rules between resources say of the end, each of the kinds that have some.
pub fn objections(end: &FinalState<'_>, kinds: &[&'static dyn AnyKind]) -> Vec<Objection> {
    let rules = kinds.iter().flat_map(|kind| kind.facts().rules_between);
    let findings = rules.flat_map(|rule: &&dyn Rule| rule.findings(end));
    findings.map(|finding| held(end, &finding.id, finding.message)).collect()
}

/// Something that a resource would take from under something else.
pub fn held(end: &FinalState<'_>, id: &ResourceId, message: String) -> Objection {
    let position = end.desired.resources.get(id).map(|declared| declared.position.clone());
    Objection { id: id.clone(), objector: Objector::Held, message, position }
}
