//! Where a plan leads to, put together from its parts.

use crate::kind::{self, FinalState, Planned};
use crate::plan::compare::Compared;
use crate::plan::compare::decision::{Decision, Operation};
use crate::plan::model::{Objection, Objector};
use crate::plan::removals::Removals;
use crate::plan::scope::Scope;
use crate::resource::{OnDelete, ResourceId};

/// The end of a plan.
pub fn of<'a>(scope: &'a Scope<'a>, compared: &'a Compared, removals: &'a Removals<'a>) -> FinalState<'a> {
    let replaced = removals.replaced.iter().map(|one| (one.on_delete, (one.id, one.live)));
    let undeclared = removals
        .undeclared
        .iter()
        .flat_map(|one| one.incarnations.iter().map(move |live| (one.on_delete, (&one.change.id, *live))));
    let (retained, going): (Vec<_>, Vec<_>) =
        replaced.chain(undeclared).partition(|(on_delete, _)| *on_delete == OnDelete::Retain);
    let decisions = compared.decisions.iter();
    FinalState {
        desired: &scope.desired,
        observed: scope.observed,
        planned: decisions.map(|decision| (&decision.change.id, planned(decision))).collect(),
        going: going.into_iter().map(|(_, one)| one).collect(),
        retained: retained.into_iter().map(|(_, one)| one).collect(),
        replaced: removals.replaced.iter().map(|one| (one.id, one.live)).collect(),
        needs: &scope.links.needs,
        scope: &scope.members,
    }
}

fn planned(decision: &Decision) -> Planned<'_> {
    let operation = match decision.operation {
        Operation::Create { .. } => kind::Operation::Create,
        Operation::Update { .. } => kind::Operation::Update,
        Operation::Register => kind::Operation::Register,
        Operation::Replace { order, .. } => kind::Operation::Replace(order),
        Operation::Trim => kind::Operation::Trim,
    };
    Planned { operation, want: &decision.want, physical: &decision.change.physical }
}

/// Something that a resource would take from under something else.
pub fn held(end: &FinalState<'_>, id: &ResourceId, message: String) -> Objection {
    let position = end.desired.resources.get(id).map(|declared| declared.position.clone());
    Objection { id: id.clone(), objector: Objector::Held, message, position }
}
