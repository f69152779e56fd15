//! Drafts → steps: in which order, and what an old incarnation still needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{AnyKind, Order, Reason};
use crate::plan::compare::decision::{Draft, How};
use crate::plan::compare::up_to_date::Pending;
use crate::plan::model::{Step, StepId, Verb};
use crate::plan::removals::replaced::Retiring;
use crate::plan::removals::undeclared::Leaving;
use crate::plan::scope::order;
use crate::plan::scope::order::Edges;
use crate::plan::scope::uses::Users;
use crate::resource::{Desired, Document, Incarnation, Observed, OnDelete, Owner, ResourceId, Tags};

pub mod bridge;
pub mod numbered;
pub mod release;
pub mod removals;
pub mod staged;
pub mod temporary_role;

/// What goes: what another replaced, and what is no longer declared.
pub struct Departures<'a> {
    pub retiring: &'a [Retiring<'a>],
    pub leaving: &'a [Leaving<'a>],
}

/// What says which step comes before which.
pub struct Before<'a> {
    /// What must be there before what, as declared.
    pub needs: &'a Edges,
    /// The same among what is drafted, and what else waits for something to be made.
    pub drafts: &'a Edges,
}

/// The steps, and what can't go before its successor is made: beside it, what uses it for as long as that is not there.
pub type Cut = (Vec<Step>, Vec<(ResourceId, ResourceId)>);

/// Cuts drafts and departures into steps; of what is `settled`, something old may go. A step's number is greater than
/// those of the steps that it waits for.
pub fn cut(
    (pending, drafts): (&[Pending], &[Draft]),
    departures: &Departures<'_>,
    before: &Before<'_>,
    (desired, settled): (&Desired, &Desired),
    observed: &Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Cut {
    let mut cutter = Cutter {
        steps: Vec::new(),
        of: BTreeMap::new(),
        before,
        needed_by: reversed(before.needs),
        used_by: Users::of(observed, kind_of),
        observed,
        owner: &desired.owner,
        kind_of,
        released: BTreeMap::new(),
    };
    for one in pending {
        cutter.settle(one);
    }
    let of_id: BTreeMap<&ResourceId, &Draft> = drafts.iter().map(|draft| (&draft.change.id, draft)).collect();
    let ordered = order::order(before.drafts).0;
    let ordered = ordered.iter().filter_map(|id| of_id.get(id).copied());
    let (off, others): (Vec<&Draft>, Vec<&Draft>) = ordered.partition(|draft| cutter.switches_off(draft));
    cutter.make_room(drafts);
    for draft in &others {
        cutter.draft(draft);
    }
    for draft in off {
        cutter.switch_off(draft);
    }
    for draft in others {
        cutter.complete(draft);
    }
    cutter.remove_all(departures, (desired, settled), &of_id);
    let stuck = cutter.wait_for_users(drafts);
    (numbered::numbered(cutter.steps), stuck)
}

/// For each that is needed, those that need it.
fn reversed(edges: &Edges) -> Edges {
    let mut reversed = Edges::new();
    for (id, needs) in edges {
        for need in needs {
            reversed.entry(need.clone()).or_default().insert(id.clone());
        }
    }
    reversed
}

struct Cutter<'a> {
    steps: Vec<Step>,
    /// The steps of each resource, in order.
    of: BTreeMap<ResourceId, Vec<StepId>>,
    before: &'a Before<'a>,
    /// Who needs whom, as declared.
    needed_by: Edges,
    /// Who uses whom, as AWS reports it.
    used_by: Users,
    observed: &'a Observed,
    owner: &'a Owner,
    kind_of: &'a dyn Fn(&str) -> Option<&'static dyn AnyKind>,
    /// For each that makes room for its successor, the steps by which others let go of it.
    released: BTreeMap<ResourceId, BTreeSet<StepId>>,
}

impl Cutter<'_> {
    /// Nothing but the wait for what AWS is at work on; what needs it comes after.
    fn settle(&mut self, pending: &Pending) {
        let Pending { due, want, tags, ignore } = pending;
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

    fn draft(&mut self, draft: &Draft) {
        let id = &draft.change.id;
        let needs = self.before.needs.get(id).cloned().unwrap_or_default();
        let mut after = self.last_of(needs.iter());
        after.extend(self.before.drafts.get(id).into_iter().flatten().filter_map(|name| self.made(name)));
        after.extend(self.of.get(id).into_iter().flatten().copied());
        let current = self.observed.resources.get(id).and_then(|seen| seen.current.as_ref());
        let first = draft.first.as_ref();
        let want = first.and_then(|first| first.want.as_ref()).unwrap_or(&draft.want);
        match &draft.how {
            How::Create { physical } => self.push(draft, Verb::Create, physical, want, after),
            How::Register => self.push(draft, Verb::Register, &draft.change.physical, want, after),
            How::Update { tags_only: true } => {
                self.push(draft, Verb::Tag, &draft.change.physical, want, after);
            }
            // It names what is made only later, and nothing else of it differs.
            How::Update { tags_only: false } if first.is_some_and(|first| first.want.is_none()) => return,
            How::Update { tags_only: false } => {
                if let Some(bridged) = current.and_then(|current| self.bridged(draft, current, &needs)) {
                    self.push(draft, Verb::Update, &draft.change.physical, &bridged, after.clone());
                    after.extend(self.of.get(id).and_then(|steps| steps.last().copied()));
                }
                self.push(draft, Verb::Update, &draft.change.physical, want, after);
            }
            How::Replace { order: Order::DeleteFirst, physical, old } => {
                if let Some(current) = current {
                    let because = Reason("its successor can't exist beside it".to_owned());
                    let released = self.released.get(id).into_iter().flatten();
                    let first = after.iter().chain(released).copied().collect();
                    after.insert(self.remove(id, current, Verb::Delete, first, *old, because));
                }
                self.push(draft, Verb::Create, physical, want, after);
            }
            How::Replace { order: Order::CreateFirst, physical, .. } => {
                self.push(draft, Verb::Create, physical, want, after);
            }
            How::Trim => return,
        }
        if let (Some(first), Some(step)) = (first, self.steps.last_mut()) {
            step.without = first.without.iter().cloned().collect();
        }
    }

    /// The second step of a resource that could not name something at first, because that waits for it (D17).
    fn complete(&mut self, draft: &Draft) {
        let Some(first) = &draft.first else { return };
        let id = &draft.change.id;
        let mut after = self.last_of(self.before.needs.get(id).into_iter().flatten());
        after.extend(first.without.iter().filter_map(|target| self.made(target)));
        after.extend(self.of.get(id).and_then(|steps| steps.last().copied()));
        self.push(draft, Verb::Update, &draft.change.physical, &draft.want, after);
    }

    /// The last steps so far of what a resource needs.
    fn last_of<'i>(&self, needs: impl Iterator<Item = &'i ResourceId>) -> BTreeSet<StepId> {
        needs.filter_map(|need| self.of.get(need)?.last().copied()).collect()
    }

    /// The step that makes a resource in this plan.
    fn made(&self, id: &ResourceId) -> Option<StepId> {
        let makes = |step: &&StepId| {
            self.steps.get(**step).is_some_and(|step| matches!(step.verb, Verb::Create | Verb::Register))
        };
        self.of.get(id)?.iter().rfind(makes).copied()
    }

    /// The document in which a holder names both generations of what is being replaced.
    fn bridged(
        &self,
        draft: &Draft,
        current: &Incarnation,
        needs: &BTreeSet<ResourceId>,
    ) -> Option<Document> {
        let old = needs.iter().flat_map(|need| self.outgoing(need));
        let old: Vec<String> = old.filter_map(|live| live.arn.clone()).collect();
        let kind = (self.kind_of)(&draft.change.id.kind)?;
        bridge::bridge(&current.spec, &draft.want, &old, &kind.facts().schema)
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

    fn remove(
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

    fn push(&mut self, draft: &Draft, verb: Verb, physical: &str, want: &Document, after: BTreeSet<StepId>) {
        let (id, tags, because) = (&draft.change.id, draft.tags.clone(), draft.change.reason.clone());
        let step = self.add(id, verb, physical, None, want.clone(), tags, after, because);
        if let Some(step) = self.steps.get_mut(step) {
            // What is made begins as it is wanted, whoever moves it from then on.
            if !matches!(verb, Verb::Create | Verb::Register) {
                step.ignore.clone_from(&draft.ignore);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one step")]
    fn add(
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
            patience: None,
            interrupts: false,
            without: Vec::new(),
            asks_jobs: None,
            after,
            because,
        });
        id
    }
}
