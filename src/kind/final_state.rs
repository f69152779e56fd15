//! Where a plan leads to: what rules between resources look at before its first step.

use std::collections::{BTreeMap, BTreeSet};

use super::Order;
use crate::resource::{Desired, Document, Incarnation, Observed, ResourceId};

/// How a plan carries out what is declared of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed where it is.
    Update,
    /// It gets another revision.
    Register,
    /// Another takes its place.
    Replace(Order),
    /// It stays as it is, and old revisions go.
    Trim,
}

/// What becomes of a declared resource that differs.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// In which way.
    pub operation: Operation,
    /// What it is to be.
    pub want: &'a Document,
    /// Its name or id in AWS afterwards.
    pub physical: &'a str,
}

/// Every resource at the end of a plan.
pub struct FinalState<'a> {
    /// What is declared.
    pub desired: &'a Desired,
    /// What AWS has now.
    pub observed: &'a Observed,
    /// What differs.
    pub planned: BTreeMap<&'a ResourceId, Planned<'a>>,
    /// What this plan, or a later one, takes away.
    pub going: Vec<(&'a ResourceId, &'a Incarnation)>,
    /// What is given up, and stays in AWS.
    pub retained: Vec<(&'a ResourceId, &'a Incarnation)>,
    /// What another takes the place of, in this plan or in one that was cut off.
    pub replaced: Vec<(&'a ResourceId, &'a Incarnation)>,
    /// Who needs whom, as declared.
    pub needs: &'a BTreeMap<ResourceId, BTreeSet<ResourceId>>,
    /// What the plan is about; of others that follow by a reference, others speak.
    pub scope: &'a BTreeSet<ResourceId>,
}

impl FinalState<'_> {
    /// What a declared resource is at the end.
    pub fn spec(&self, id: &ResourceId) -> Option<&Document> {
        self.desired.resources.get(id)?;
        match self.planned.get(id).filter(|planned| planned.operation != Operation::Trim) {
            Some(planned) => Some(planned.want),
            None => Some(&self.current(id)?.spec),
        }
    }

    /// What AWS has of a resource now.
    pub fn current(&self, id: &ResourceId) -> Option<&Incarnation> {
        self.observed.resources.get(id)?.current.as_ref()
    }

    /// What goes, and what makes room for a successor that can't exist beside it.
    pub fn ending(&self) -> Vec<(&ResourceId, &Incarnation)> {
        let first = self.observed.resources.iter().filter(|(id, _)| self.makes_room(id));
        let first = first.filter_map(|(id, seen)| Some((id, seen.current.as_ref()?)));
        self.going.iter().copied().chain(first).collect()
    }

    /// Whether it goes before its successor comes.
    pub fn makes_room(&self, id: &ResourceId) -> bool {
        let operation = self.planned.get(id).map(|planned| planned.operation);
        operation == Some(Operation::Replace(Order::DeleteFirst))
    }

    /// Whether a resource that this plan is not about follows another one by a reference: then others speak of it.
    pub fn follows_elsewhere(&self, user: &ResourceId, used: &ResourceId) -> bool {
        !self.scope.contains(user) && self.needs.get(user).is_some_and(|needs| needs.contains(used))
    }
}

/// Why a plan can't be: said of the resource that would have to do otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which resource.
    pub id: ResourceId,
    /// What is the matter, and the way out.
    pub message: String,
}

/// What has to hold between resources at the end of a plan, of one service alone: stands in the folder of that service.
pub trait Rule: Send + Sync {
    /// What does not hold.
    fn findings(&self, end: &FinalState<'_>) -> Vec<Finding>;
}
