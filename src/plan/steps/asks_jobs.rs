//! Deletes of what jobs may need: a role that they act as, a log group that they write to. They are asked once more, right before.

use std::collections::BTreeSet;

use crate::kind::Work;
use crate::plan::model::{AsksJobs, Step, StepId, Verb};
use crate::plan::request::Registry;
use crate::resource::{Incarnation, Observed, ResourceId};

/// What is deleted and jobs may need.
pub struct Needed<'a> {
    pub step: StepId,
    pub id: &'a ResourceId,
    pub physical: &'a str,
    /// The ARN of a role, or the name of a log group: as jobs name it.
    pub text: String,
}

/// Has the steps ask jobs once more that delete what they may need, unless they may be cut off.
pub fn ask_again(steps: &mut [Step], observed: &Observed, kinds: &Registry) {
    let ending: BTreeSet<String> = ending(steps, observed, kinds).into_iter().map(str::to_owned).collect();
    let asked: Vec<(StepId, String)> =
        deleted(steps, observed, kinds).map(|needed| (needed.step, needed.text)).collect();
    for (step, about) in asked {
        if let Some(step) = steps.get_mut(step).filter(|step| !step.interrupts) {
            step.asks_jobs = Some(AsksJobs { about, ending: ending.clone() });
        }
    }
}

/// The queues that these steps delete, by ARN.
pub fn ending<'o>(steps: &[Step], observed: &'o Observed, kinds: &Registry) -> BTreeSet<&'o str> {
    let waits =
        |step: &Step| kinds.of(&step.resource.kind).is_some_and(|kind| kind.facts().work == Work::Waits);
    let queues = steps.iter().filter(|step| step.verb == Verb::Delete && waits(step));
    queues.filter_map(|step| live(step, observed)?.arn.as_deref()).collect()
}

/// What these steps delete and jobs may need.
pub fn deleted<'a>(
    steps: &'a [Step],
    observed: &'a Observed,
    kinds: &'a Registry,
) -> impl Iterator<Item = Needed<'a>> {
    let deletes = steps.iter().filter(|step| step.verb == Verb::Delete);
    deletes.filter_map(move |step| {
        let live = live(step, observed)?;
        let text = kinds.of(&step.resource.kind)?.held_by_jobs(live)?;
        Some(Needed { step: step.id, id: &step.resource, physical: &live.physical, text })
    })
}

fn live<'o>(step: &Step, observed: &'o Observed) -> Option<&'o Incarnation> {
    observed.resources.get(&step.resource)?.iter().find(|live| live.physical == step.physical)
}
