//! What a plan still has to be told: jobs, and data.

use crate::kind::AnyKind;
use crate::plan::guards::{impact, jobs};
use crate::plan::model::{Plan, Step, Verb};
use crate::resource::{Incarnation, JobsOf, Observed, OnDelete, ResourceId};

impl Plan {
    /// The jobs that have to be known to judge it; `None` if nothing in it can interrupt one.
    pub fn jobs_wanted(&self, observed: &Observed, kinds: &[&'static dyn AnyKind]) -> Option<JobsOf> {
        let kind_of = |name: &str| kinds.iter().copied().find(|kind| kind.facts().name == name);
        let cut_off = impact::jobs_wanted(&self.steps, &self.changes, observed, &kind_of);
        jobs::jobs_wanted(cut_off, &self.steps, observed, &kind_of)
    }

    /// What it deletes without a word of what becomes of the data in it: to be asked whether there is any.
    pub fn data_wanted<'o>(
        &self,
        observed: &'o Observed,
        kinds: &[&'static dyn AnyKind],
    ) -> Vec<(&'o ResourceId, &'o Incarnation)> {
        let holds_data = |id: &ResourceId| {
            kinds.iter().any(|kind| kind.facts().name == id.kind && kind.facts().holds_data)
        };
        let deletes = self.steps.iter().filter(|step| {
            step.verb == Verb::Delete && step.on_delete == OnDelete::Refuse && holds_data(&step.resource)
        });
        let live = |step: &Step| {
            let (id, seen) = observed.resources.get_key_value(&step.resource)?;
            Some((id, seen.iter().find(|live| live.physical == step.physical)?))
        };
        deletes.filter_map(live).collect()
    }
}
