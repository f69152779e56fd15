//! What goes after something that is due, and that nobody has reviewed: it stays, and the rest is applied.

use std::collections::{BTreeMap, BTreeSet};

use super::{Expected, Reviewed, Standing};
use crate::plan::{Due, Plan, StepId};

impl Expected {
    /// The plan without what is due and in no review: an earlier apply is why it would go now, which is no reason to stop
    /// this one. A later plan shows it as the delete that it is.
    #[must_use]
    pub fn holding_back(&self, plan: Plan) -> Plan {
        match self {
            // A fingerprint, and a record, are of that too.
            Self::Whole(_) | Self::Recorded(_) => plan,
            Self::Some(reviewed) => reviewed.holding_back(plan),
        }
    }
}

impl Reviewed {
    fn holding_back(&self, mut plan: Plan) -> Plan {
        let unseen: BTreeSet<usize> = (0..plan.due.len())
            .filter(|at| plan.due.get(*at).is_some_and(|due| !self.has_seen(due)))
            .collect();
        let held = held(&plan, &unseen);
        let others = |id: &StepId| {
            plan.steps.get(*id).is_some_and(|step| !plan.due.iter().any(|due| due.id == step.resource))
        };
        if held.is_empty() || held.iter().any(others) {
            return plan;
        }
        for at in unseen {
            if let Some(due) = plan.due.get_mut(at) {
                "it is in nothing that was reviewed, and stays for now: the next plan shows its delete"
                    .clone_into(&mut due.what);
            }
        }
        without(&mut plan, &held);
        plan
    }

    /// Whether a review holds it, where one has to.
    fn has_seen(&self, due: &Due) -> bool {
        due.change.as_deref().is_none_or(|change| self.standing(change) == Standing::Reviewed)
    }

    /// What is due, in no review, and would be done all the same.
    pub(super) fn unseen<'p>(&self, plan: &'p Plan) -> impl Iterator<Item = &'p Due> {
        let runs = |due: &Due| {
            plan.steps.iter().any(|step| step.resource == due.id && step.physical == due.physical)
        };
        plan.due.iter().filter(move |due| !self.has_seen(due) && runs(due))
    }
}

/// The steps of these, and all that come after them.
fn held(plan: &Plan, unseen: &BTreeSet<usize>) -> BTreeSet<StepId> {
    let of_unseen = |id: &crate::resource::ResourceId, physical: &str| {
        let mut due = unseen.iter().filter_map(|at| plan.due.get(*at));
        due.any(|due| due.id == *id && due.physical == physical)
    };
    let mut held = BTreeSet::new();
    // A step's number is greater than those of the steps that it waits for.
    for step in &plan.steps {
        if of_unseen(&step.resource, &step.physical) || !step.after.is_disjoint(&held) {
            held.insert(step.id);
        }
    }
    held
}

/// Takes steps out; those that stay are numbered anew.
fn without(plan: &mut Plan, held: &BTreeSet<StepId>) {
    plan.steps.retain(|step| !held.contains(&step.id));
    let numbers: BTreeMap<StepId, StepId> =
        plan.steps.iter().enumerate().map(|(number, step)| (step.id, number)).collect();
    for (number, step) in plan.steps.iter_mut().enumerate() {
        step.id = number;
        step.after = step.after.iter().filter_map(|id| numbers.get(id).copied()).collect();
    }
}
