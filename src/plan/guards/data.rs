//! What holds data and would be deleted with it.

use crate::plan::guards::input::Input;
use crate::plan::model::{Objection, Objector, Step, Verb};
use crate::plan::scope::Scope;
use crate::resource::OnDelete;

/// Objections to deletes of what holds data, by what AWS was asked (D22): before the first step, not in the middle.
pub fn objections(input: &Input<'_>) -> Vec<Objection> {
    let (steps, Scope { desired, observed, .. }) = (&input.steps.list, input.scope);
    let deletes = steps.iter().filter(|step| step.verb == Verb::Delete && step.on_delete == OnDelete::Refuse);
    let objection = |step: &Step| {
        let what = observed.data.get(&step.resource)?;
        let declared = desired.resources.get(&step.resource);
        let makes_room = steps.iter().any(|other| {
            other.resource == step.resource && other.verb == Verb::Create && other.after.contains(&step.id)
        });
        let message = match (declared, makes_room) {
            // It can't make room and stay: that was objected to.
            (Some(declared), true) if declared.on_delete == OnDelete::Retain => return None,
            (_, true) => format!(
                "{} holds {what}, and has to go before its successor is made: apply it with metadata.onDelete `empty` (they go with it), give the new one another name, or empty it first",
                step.physical
            ),
            _ => format!(
                "{} holds {what}: apply it with metadata.onDelete `empty` (they go with it) or `retain` (it stays in AWS), or empty it first",
                step.physical
            ),
        };
        let position = declared.map(|declared| declared.position.clone());
        Some(Objection { id: step.resource.clone(), objector: Objector::Data, message, position })
    };
    deletes.filter_map(objection).collect()
}
