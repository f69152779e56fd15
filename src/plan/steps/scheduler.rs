//! The steps so far, and what is known of what they are about.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::Reason;
use crate::plan::compare::decision::Decision;
use crate::plan::model::{Step, StepId, Verb};
use crate::plan::request::Registry;
use crate::plan::scope::order::Edges;
use crate::plan::scope::uses::Users;
use crate::resource::{Document, Incarnation, Observed, OnDelete, Owner, ResourceId, Tags};

/// Collects steps; the files beside this one add those of one sort each.
pub struct Scheduler<'a> {
    pub steps: Vec<Step>,
    /// The steps of each resource, in order.
    pub of: BTreeMap<ResourceId, Vec<StepId>>,
    /// What must be there before what, as declared.
    pub needs: &'a Edges,
    /// The same among what is decided, and what else waits for something to be made.
    pub before: &'a Edges,
    /// Who needs whom, as declared.
    pub needed_by: Edges,
    /// Who uses whom, as AWS reports it.
    pub used_by: Users,
    pub observed: &'a Observed,
    pub owner: &'a Owner,
    pub kinds: &'a Registry,
    /// For each that makes room for its successor, the steps by which others let go of it.
    pub released: BTreeMap<ResourceId, BTreeSet<StepId>>,
}

impl Scheduler<'_> {
    /// The last steps so far of what a resource needs.
    pub fn last_of<'i>(&self, needs: impl Iterator<Item = &'i ResourceId>) -> BTreeSet<StepId> {
        needs.filter_map(|need| self.of.get(need)?.last().copied()).collect()
    }

    /// The step that makes a resource in this plan.
    pub fn made(&self, id: &ResourceId) -> Option<StepId> {
        let makes = |step: &&StepId| {
            self.steps.get(**step).is_some_and(|step| matches!(step.verb, Verb::Create | Verb::Register))
        };
        self.of.get(id)?.iter().rfind(makes).copied()
    }

    pub fn remove(
        &mut self,
        id: &ResourceId,
        live: &Incarnation,
        verb: Verb,
        after: BTreeSet<StepId>,
        on_delete: OnDelete,
        because: Reason,
    ) -> StepId {
        let step = self.add(
            id,
            verb,
            &live.physical,
            live.revision,
            live.spec.clone(),
            live.tags.clone(),
            after,
            because,
        );
        if let Some(step) = self.steps.get_mut(step) {
            step.on_delete = on_delete;
        }
        step
    }

    pub fn push(
        &mut self,
        decision: &Decision,
        verb: Verb,
        physical: &str,
        want: &Document,
        after: BTreeSet<StepId>,
    ) {
        let (id, tags, because) =
            (&decision.change.id, decision.tags.clone(), decision.change.reason.clone());
        let step = self.add(id, verb, physical, None, want.clone(), tags, after, because);
        if let Some(step) = self.steps.get_mut(step) {
            // What is made begins as it is wanted, whoever moves it from then on.
            if !matches!(verb, Verb::Create | Verb::Register) {
                step.ignore.clone_from(&decision.ignore);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one step")]
    pub fn add(
        &mut self,
        resource: &ResourceId,
        verb: Verb,
        physical: &str,
        revision: Option<u64>,
        want: Document,
        tags: Tags,
        after: BTreeSet<StepId>,
        because: Reason,
    ) -> StepId {
        let id = self.steps.len();
        self.of.entry(resource.clone()).or_default().push(id);
        self.steps.push(Step {
            id,
            resource: resource.clone(),
            verb,
            physical: physical.to_owned(),
            revision,
            want,
            tags,
            ignore: Vec::new(),
            on_delete: OnDelete::default(),
            drain_timeout: None,
            interrupts: false,
            without: Vec::new(),
            asks_jobs: None,
            after,
            because,
        });
        id
    }
}
