//! What a plan still has to be told before it can be judged: jobs that it may cut off, data that it deletes (D21, D22).

use crate::kind::AnyKind;
use crate::plan::guards::{impact, jobs};
use crate::plan::model::{Plan, Step, Verb};
use crate::plan::request::Registry;
use crate::resource::{Incarnation, JobsOf, Observed, OnDelete, ResourceId};

/// What has to be read for a plan to be complete; it is made once more with that.
#[derive(Debug, Clone, PartialEq)]
pub struct Reads {
    /// The jobs that it may cut off; `None` if nothing in it can interrupt one.
    pub jobs: Option<JobsOf>,
    /// What it deletes without a word of what becomes of the data in it: to be asked whether there is any.
    pub data: Vec<(ResourceId, Incarnation)>,
}

impl Reads {
    /// Whether the plan is complete as it is.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_none() && self.data.is_empty()
    }
}

/// What a plan still has to be told.
pub fn needs(plan: &Plan, observed: &Observed, kinds: &[&'static dyn AnyKind]) -> Reads {
    let kinds = Registry::new(kinds);
    let cut_off = impact::jobs_wanted(&plan.steps, &plan.changes, observed, &kinds);
    let holds_data = |id: &ResourceId| kinds.of(&id.kind).is_some_and(|kind| kind.facts().holds_data);
    let deletes = plan.steps.iter().filter(|step| {
        step.verb == Verb::Delete && step.on_delete == OnDelete::Refuse && holds_data(&step.resource)
    });
    let live = |step: &Step| {
        let seen = observed.resources.get(&step.resource)?;
        Some((step.resource.clone(), seen.iter().find(|live| live.physical == step.physical)?.clone()))
    };
    Reads {
        jobs: jobs::jobs_wanted(cut_off, &plan.steps, observed, &kinds),
        data: deletes.filter_map(live).collect(),
    }
}
