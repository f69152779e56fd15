//! What is declared: made, changed or replaced, after what it needs.

use std::collections::BTreeSet;

use crate::kind::{Order, Reason};
use crate::plan::compare::decision::{Decision, Operation};
use crate::plan::compare::up_to_date::InProgress;
use crate::plan::model::Verb;
use crate::plan::steps::bridge;
use crate::plan::steps::scheduler::Scheduler;
use crate::resource::{Document, Incarnation, ResourceId};

impl Scheduler<'_> {
    /// Nothing but the wait for what AWS is at work on; what needs it comes after.
    pub fn settle(&mut self, pending: &InProgress) {
        let InProgress { due, want, tags, ignore } = pending;
        let because = Reason(due.what.clone());
        let step = self.add(
            &due.id,
            Verb::Update,
            &due.physical,
            None,
            want.clone(),
            tags.clone(),
            BTreeSet::new(),
            because,
        );
        if let Some(step) = self.steps.get_mut(step) {
            step.ignore.clone_from(ignore);
        }
    }

    /// The steps of what is declared, as it was decided.
    pub fn carry_out(&mut self, decision: &Decision) {
        let id = &decision.change.id;
        let needs = self.needs.get(id).cloned().unwrap_or_default();
        let mut after = self.last_of(needs.iter());
        after.extend(self.before.get(id).into_iter().flatten().filter_map(|name| self.made(name)));
        after.extend(self.of.get(id).into_iter().flatten().copied());
        let current = self.observed.resources.get(id).and_then(|seen| seen.current.as_ref());
        let first = decision.first.as_ref();
        let want = first.and_then(|first| first.want.as_ref()).unwrap_or(&decision.want);
        match &decision.operation {
            Operation::Create { physical } => self.push(decision, Verb::Create, physical, want, after),
            Operation::Register => {
                self.push(decision, Verb::Register, &decision.change.physical, want, after)
            }
            Operation::Update { tags_only: true } => {
                self.push(decision, Verb::Tag, &decision.change.physical, want, after);
            }
            // It names what is made only later, and nothing else of it differs.
            Operation::Update { tags_only: false } if first.is_some_and(|first| first.want.is_none()) => {
                return;
            }
            Operation::Update { tags_only: false } => {
                if let Some(bridged) = current.and_then(|current| self.bridged(decision, current, &needs)) {
                    self.push(decision, Verb::Update, &decision.change.physical, &bridged, after.clone());
                    after.extend(self.of.get(id).and_then(|steps| steps.last().copied()));
                }
                self.push(decision, Verb::Update, &decision.change.physical, want, after);
            }
            Operation::Replace { order: Order::DeleteFirst, physical, old } => {
                if let Some(current) = current {
                    let because = Reason("its successor can't exist beside it".to_owned());
                    let released = self.released.get(id).into_iter().flatten();
                    let first = after.iter().chain(released).copied().collect();
                    after.insert(self.remove(id, current, Verb::Delete, first, *old, because));
                }
                self.push(decision, Verb::Create, physical, want, after);
            }
            Operation::Replace { order: Order::CreateFirst, physical, .. } => {
                self.push(decision, Verb::Create, physical, want, after);
            }
            Operation::Trim => return,
        }
        if let (Some(first), Some(step)) = (first, self.steps.last_mut()) {
            step.without = first.without.iter().cloned().collect();
        }
    }

    /// The second step of a resource that could not name something at first, because that waits for it (D17).
    pub fn complete(&mut self, decision: &Decision) {
        let Some(first) = &decision.first else { return };
        let id = &decision.change.id;
        let mut after = self.last_of(self.needs.get(id).into_iter().flatten());
        after.extend(first.without.iter().filter_map(|target| self.made(target)));
        after.extend(self.of.get(id).and_then(|steps| steps.last().copied()));
        self.push(decision, Verb::Update, &decision.change.physical, &decision.want, after);
    }

    /// The document in which a holder names both generations of what is being replaced.
    fn bridged(
        &self,
        decision: &Decision,
        current: &Incarnation,
        needs: &BTreeSet<ResourceId>,
    ) -> Option<Document> {
        let old = needs.iter().flat_map(|need| self.outgoing(need));
        let old: Vec<String> = old.filter_map(|live| live.arn.clone()).collect();
        let kind = self.kinds.of(&decision.change.id.kind)?;
        bridge::bridge(&current.spec, &decision.want, &old, &kind.facts().schema)
    }

    /// The incarnations that make room for another: in this plan, or in one that was cut off.
    fn outgoing(&self, id: &ResourceId) -> Vec<&Incarnation> {
        let verbs =
            || self.of.get(id).into_iter().flatten().filter_map(|step| Some(self.steps.get(*step)?.verb));
        let beside = verbs().any(|verb| verb == Verb::Create) && verbs().all(|verb| verb != Verb::Delete);
        let Some(seen) = self.observed.resources.get(id) else { return Vec::new() };
        let current = seen.current.iter().filter(|_| beside);
        let others = seen.others.iter().filter(|i| !i.retiring() && i.owner().as_ref() == Some(self.owner));
        current.chain(others).collect()
    }
}
