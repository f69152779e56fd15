//! What holds of every plan, whatever made it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::plan::model::{Action, Change, Plan, Step, StepId, Verb};
use crate::resource::ResourceId;
use crate::value::reference::{self, Reference};

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
    let told: BTreeSet<&ResourceId> =
        plan.changes.iter().map(|change| &change.id).chain(plan.due.iter().map(|due| &due.id)).collect();
    let silent = plan.steps.iter().filter(|step| !told.contains(&step.resource));
    wrong.extend(
        silent.map(|step| format!("step {} on {} is neither changed nor due", step.id, step.resource)),
    );
    let mut steps: BTreeMap<&ResourceId, Vec<&Step>> = BTreeMap::new();
    for step in &plan.steps {
        steps.entry(&step.resource).or_default().push(step);
    }
    let refused: BTreeSet<&ResourceId> = plan.objections.iter().map(|objection| &objection.id).collect();
    for change in plan.changes.iter().filter(|change| !refused.contains(&change.id)) {
        let steps = steps.get(&change.id).map(Vec::as_slice).unwrap_or_default();
        if !is_carried_out(change.action, steps) {
            wrong.push(format!("{:?} of {} has no step", change.action, change.id));
        }
        if let Some(lost) = unkept(change, steps) {
            wrong.push(format!("no step gives {} what its change promises: {lost}", change.id));
        }
    }
    if refused.is_empty() {
        wrong.extend(unknown(plan, &steps));
    }
    wrong
}

fn is_carried_out(action: Action, steps: &[&Step]) -> bool {
    let runs = |verbs: &[Verb]| steps.iter().any(|step| verbs.contains(&step.verb));
    match action {
        Action::Create | Action::Replace => runs(&[Verb::Create, Verb::Register]),
        Action::Update => {
            runs(&[Verb::Update, Verb::Tag, Verb::Register, Verb::Deregister, Verb::Disable, Verb::Delete])
        }
        Action::Delete => runs(&[Verb::Delete, Verb::Deregister]),
        Action::Adopt => runs(&[Verb::Adopt]),
        Action::Forget => runs(&[Verb::Forget]),
    }
}

/// A text that a change promises and that the last document of its resource does not hold: something was left out, and nothing
/// fills it in.
fn unkept(change: &Change, steps: &[&Step]) -> Option<String> {
    if !matches!(change.action, Action::Create | Action::Update | Action::Replace) {
        return None;
    }
    let writes = |step: &&&Step| {
        step.physical == change.physical && matches!(step.verb, Verb::Create | Verb::Update | Verb::Register)
    };
    let last = steps.iter().rfind(writes)?;
    let mut held = BTreeSet::new();
    texts(&last.want, &mut |text| held.extend([text.to_owned()]));
    let mut lost = None;
    let promised =
        change.fields.iter().filter(|field| field.path != "name" && !field.path.starts_with("tags."));
    for value in promised.filter_map(|field| field.after.as_ref()) {
        texts(value, &mut |text| {
            if !held.contains(text) {
                lost.get_or_insert_with(|| text.to_owned());
            }
        });
    }
    lost
}

fn texts(value: &Value, on: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => on(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, on)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, on)),
        _ => {}
    }
}

/// References that nothing makes known before their step runs, and documents that stay without what they are to name.
fn unknown(plan: &Plan, steps: &BTreeMap<&ResourceId, Vec<&Step>>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut before: BTreeMap<StepId, BTreeSet<StepId>> = BTreeMap::new();
    let made = |id: &ResourceId, by: &BTreeSet<StepId>| {
        steps
            .get(id)
            .into_iter()
            .flatten()
            .any(|step| matches!(step.verb, Verb::Create | Verb::Register) && by.contains(&step.id))
    };
    let rare = |step: &Step| !step.without.is_empty() || reference::is_unknown(&step.want);
    let any = plan.steps.iter().any(rare);
    for step in plan.steps.iter().filter(|_| any) {
        let mut all: BTreeSet<StepId> = step.after.clone();
        all.extend(step.after.iter().filter_map(|id| before.get(id)).flatten());
        let mut missing = BTreeSet::new();
        reference::each(&step.want, "", &mut |_, found| {
            if let Reference::Output { id, .. } = found
                && !made(&id, &all)
            {
                missing.insert(id);
            }
        });
        for id in missing {
            wrong.push(format!("step {} names {id}, and no step before it makes that", step.id));
        }
        before.insert(step.id, all);
    }
    for step in plan.steps.iter().filter(|step| !step.without.is_empty()) {
        let fills_in = |later: &&&Step| {
            let all = before.get(&later.id);
            later.id > step.id
                && later.verb == Verb::Update
                && later.without.is_empty()
                && all
                    .is_some_and(|all| all.contains(&step.id) && step.without.iter().all(|id| made(id, all)))
        };
        if steps.get(&step.resource).is_none_or(|steps| steps.iter().rfind(fills_in).is_none()) {
            wrong.push(format!("step {} leaves out what no later step fills in", step.id));
        }
    }
    wrong
}
