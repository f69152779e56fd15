//! What holds of every plan, whatever made it.

use std::collections::BTreeSet;

use super::{Action, Plan, Verb};
use crate::resource::ResourceId;

/// What is wrong with a plan; nothing, of every plan that [`super::plan`] makes (a law).
pub fn check(plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, step) in plan.steps.iter().enumerate() {
        if step.id != index {
            wrong.push(format!("step {index} has the number {}", step.id));
        }
        if let Some(later) = step.after.iter().find(|id| **id >= step.id) {
            wrong.push(format!("step {} waits for step {later}, which does not come before it", step.id));
        }
        let key = (&step.resource, step.verb, &step.physical, step.revision, step.want.to_string());
        if !seen.insert(key) {
            wrong.push(format!("step {} does what another step does", step.id));
        }
    }
    let speaks_of = |id: &ResourceId| {
        plan.changes.iter().any(|c| c.id == *id) || plan.due.iter().any(|due| due.id == *id)
    };
    let silent = plan.steps.iter().filter(|step| !speaks_of(&step.resource));
    wrong.extend(
        silent.map(|step| format!("step {} on {} is neither changed nor due", step.id, step.resource)),
    );
    for change in &plan.changes {
        let runs =
            |verbs: &[Verb]| plan.steps.iter().any(|s| s.resource == change.id && verbs.contains(&s.verb));
        let carried_out = match change.action {
            Action::Create | Action::Replace => runs(&[Verb::Create, Verb::Register]),
            Action::Update => runs(&[
                Verb::Update,
                Verb::Tag,
                Verb::Register,
                Verb::Deregister,
                Verb::Disable,
                Verb::Delete,
            ]),
            Action::Delete => runs(&[Verb::Delete, Verb::Deregister]),
            Action::Adopt => runs(&[Verb::Adopt]),
            Action::Forget => runs(&[Verb::Forget]),
        };
        let refused = plan.objections.iter().any(|objection| objection.id == change.id);
        if !carried_out && !refused {
            wrong.push(format!("{:?} of {} has no step", change.action, change.id));
        }
    }
    wrong
}
