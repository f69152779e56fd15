//! Drafts → steps: in which order, and what an old incarnation still needs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::drafts::{Draft, How};
use super::prune::{self, Leaving};
use super::retire::{Retiring, is_enabled};
use super::revisions::{Pins, Surplus, surplus};
use super::unchanged::Pending;
use super::{Step, StepId, Verb, graph, holders, replacement};
use crate::kind::{AnyKind, Identity, Order, Reason};
use crate::resource::{
    Declared, Desired, Document, Incarnation, Lifecycle, Observed, OnDelete, Owner, RETIRING_TAG, ResourceId,
    Tags,
};
use crate::value::reference::{self, Reference};

mod switch_off;

/// What goes: what another replaced, and what is no longer declared.
pub(super) struct Departures<'a> {
    pub retiring: &'a [Retiring<'a>],
    pub leaving: &'a [Leaving<'a>],
}

/// Cuts drafts and departures into steps; of what is `settled`, something old may go. A step's number is greater than
/// those of the steps that it waits for.
pub(super) fn cut(
    (pending, drafts): (&[Pending], &[Draft]),
    departures: &Departures<'_>,
    edges: &graph::Edges,
    (desired, settled): (&Desired, &Desired),
    observed: &Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Vec<Step> {
    let pins = Pins::of(desired, observed);
    let mut cutter = Cutter {
        steps: Vec::new(),
        of: BTreeMap::new(),
        edges,
        uses: prune::uses(observed),
        observed,
        owner: &desired.owner,
    };
    for one in pending {
        cutter.settle(one);
    }
    let (off, others): (Vec<&Draft>, Vec<&Draft>) =
        drafts.iter().partition(|draft| cutter.switches_off(draft));
    for draft in others {
        cutter.draft(draft);
    }
    for draft in off {
        cutter.switch_off(draft);
    }
    for draft in drafts {
        cutter.complete(draft);
    }
    // Users before what they use, so that nothing goes while something still stands on it, be it old or no longer declared.
    for id in cutter.departing(settled.resources.keys(), departures.leaving) {
        if let Some(leaving) = departures.leaving.iter().find(|leaving| leaving.change.id == id) {
            cutter.leave(leaving);
        }
        let Some(declared) = settled.resources.get(&id) else { continue };
        for retiring in departures.retiring.iter().filter(|retiring| *retiring.id == id) {
            cutter.retire(declared, retiring);
        }
        let seen = observed.resources.get(&id);
        let revisioned = kind_of(&id.kind).is_some_and(|kind| kind.facts().identity == Identity::Revisioned);
        let changes = drafts.iter().any(|draft| draft.change.id == id);
        if let Some(seen) = seen.filter(|_| revisioned && changes) {
            let registers = |draft: &Draft| draft.change.id == id && matches!(draft.how, How::Register);
            let registers = drafts.iter().any(registers);
            cutter.trim(declared, &surplus(declared, seen, &desired.owner, registers, &pins));
        }
    }
    cutter.steps
}

/// The resources that a document still refers to.
fn named(want: &Document) -> BTreeSet<ResourceId> {
    let mut found = BTreeSet::new();
    reference::each(want, "", &mut |_, reference| {
        if let Reference::Output { id, .. } = reference {
            found.insert(id);
        }
    });
    found
}

struct Cutter<'a> {
    steps: Vec<Step>,
    /// The steps of each resource, in order.
    of: BTreeMap<ResourceId, Vec<StepId>>,
    edges: &'a graph::Edges,
    /// Who uses whom, as AWS reports it.
    uses: BTreeMap<ResourceId, BTreeSet<ResourceId>>,
    observed: &'a Observed,
    owner: &'a Owner,
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
        let needs = self.edges.get(id).cloned().unwrap_or_default();
        let mut after: BTreeSet<StepId> =
            needs.iter().filter_map(|need| self.of.get(need)?.last().copied()).collect();
        let current = self.observed.resources.get(id).and_then(|seen| seen.current.as_ref());
        match &draft.how {
            How::Create { physical } => self.push(draft, Verb::Create, physical, &draft.want, after),
            How::Register => self.push(draft, Verb::Register, &draft.change.physical, &draft.want, after),
            How::Update { tags_only: true } => {
                self.push(draft, Verb::Tag, &draft.change.physical, &draft.want, after)
            }
            // It exists, and names what is made only later: a run before was cut off between the two (D17).
            How::Update { tags_only: false } if !self.later(draft).is_empty() => {}
            How::Update { tags_only: false } => {
                if let Some(bridged) = current.and_then(|current| self.bridged(draft, current, &needs)) {
                    self.push(draft, Verb::Update, &draft.change.physical, &bridged, after.clone());
                    after.extend(self.of.get(id).and_then(|steps| steps.last().copied()));
                }
                self.push(draft, Verb::Update, &draft.change.physical, &draft.want, after);
            }
            How::Replace { order: Order::DeleteFirst, physical, old } => {
                if let Some(current) = current {
                    let because = Reason("its successor can't exist beside it".to_owned());
                    after.insert(self.remove(id, current, Verb::Delete, after.clone(), *old, because));
                }
                self.push(draft, Verb::Create, physical, &draft.want, after);
            }
            How::Replace { order: Order::CreateFirst, physical, .. } => {
                self.push(draft, Verb::Create, physical, &draft.want, after)
            }
            How::Trim => {}
        }
    }

    /// A second step of a resource whose create had to leave references out: to itself, or to what comes after it (D17).
    fn complete(&mut self, draft: &Draft) {
        let id = &draft.change.id;
        if matches!(draft.how, How::Update { .. }) && !self.of.contains_key(id) {
            let targets = named(&draft.want);
            let after = targets.iter().filter_map(|target| self.of.get(target)?.first().copied()).collect();
            return self.push(draft, Verb::Update, &draft.change.physical, &draft.want, after);
        }
        let made = self.of.get(id).and_then(|steps| steps.last().copied());
        let create = made.and_then(|step| self.steps.get(step)).filter(|step| step.verb == Verb::Create);
        let (Some(made), Some(physical)) = (made, create.map(|step| step.physical.clone())) else { return };
        let mut left_out = BTreeSet::new();
        reference::each(&draft.want, "", &mut |_, found| {
            if let Reference::Output { id: target, .. } = found {
                left_out.extend(
                    self.of
                        .get(&target)
                        .and_then(|steps| steps.first().copied())
                        .filter(|step| *step >= made),
                );
            }
        });
        if !left_out.is_empty() {
            left_out.insert(made);
            self.push(draft, Verb::Update, &physical, &draft.want, left_out);
        }
    }

    /// What a wanted document names and no step makes so far.
    fn later(&self, draft: &Draft) -> BTreeSet<ResourceId> {
        let mut named = named(&draft.want);
        named.retain(|target| *target != draft.change.id && !self.of.contains_key(target));
        named
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
        let mut bridged = None;
        for old in old {
            let base = bridged.as_ref().unwrap_or(&draft.want);
            if let Some(next) = replacement::bridge(&current.spec, base, &old) {
                bridged = Some(next);
            }
        }
        bridged
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

    /// An old incarnation goes once everything that used it has moved.
    fn retire(&mut self, declared: &Declared, retiring: &Retiring<'_>) {
        let id = retiring.id;
        let declared_users = self.edges.iter().filter(|(_, needs)| needs.contains(id));
        let seen_users = self.uses.iter().filter(|(user, used)| *user != id && used.contains(id));
        let users = declared_users.map(|(user, _)| user).chain(seen_users.map(|(user, _)| user));
        let mut after: BTreeSet<StepId> =
            users.filter_map(|user| self.of.get(user)).flatten().copied().collect();
        after.extend(self.of.get(id).into_iter().flatten().copied());
        let because = Reason("another generation has taken its place".to_owned());
        let Retiring { live, on_delete, .. } = *retiring;
        if on_delete == OnDelete::Retain {
            self.remove(id, live, Verb::Forget, after, on_delete, because);
            return;
        }
        self.depart(id, live, &declared.lifecycle, after, on_delete, because);
    }

    /// Off, drained, deleted: what jobs run on. Deleted at once: everything else.
    fn depart(
        &mut self,
        id: &ResourceId,
        live: &Incarnation,
        lifecycle: &Lifecycle,
        mut after: BTreeSet<StepId>,
        on_delete: OnDelete,
        because: Reason,
    ) {
        if id.kind == holders::GROUND {
            if is_enabled(live) || !live.retiring() {
                after.insert(self.disable(id, live, after.clone(), because.clone()));
            }
            let drain = self.remove(id, live, Verb::Drain, after.clone(), on_delete, because.clone());
            if let Some(step) = self.steps.get_mut(drain) {
                step.patience = Some(lifecycle.drain_seconds());
            }
            after.insert(drain);
        }
        self.remove(id, live, Verb::Delete, after, on_delete, because);
    }

    fn disable(
        &mut self,
        id: &ResourceId,
        live: &Incarnation,
        after: BTreeSet<StepId>,
        because: Reason,
    ) -> StepId {
        let (mut want, mut tags) = (live.spec.clone(), live.tags.clone());
        if let Some(fields) = want.as_object_mut() {
            fields.insert("state".to_owned(), json!("DISABLED"));
        }
        tags.insert(RETIRING_TAG.to_owned(), "true".to_owned());
        self.add(id, Verb::Disable, &live.physical, live.revision, want, tags, after, because)
    }

    /// Revisions beyond the number to keep, after everything that uses the family has moved on.
    fn trim(&mut self, declared: &Declared, surplus: &Surplus<'_>) {
        let holders =
            self.edges.iter().filter(|(_, needs)| needs.contains(&declared.id)).map(|(holder, _)| holder);
        let mut after: BTreeSet<StepId> =
            holders.filter_map(|holder| self.of.get(holder)).flatten().copied().collect();
        after.extend(self.of.get(&declared.id).into_iter().flatten().copied());
        for revision in &surplus.gone {
            let because = Reason("it is beyond keepRevisions".to_owned());
            self.remove(&declared.id, revision, Verb::Deregister, after.clone(), OnDelete::Refuse, because);
        }
    }

    /// Everything of which something may go, users before what they use.
    fn departing<'d>(
        &self,
        declared: impl Iterator<Item = &'d ResourceId>,
        leaving: &'d [Leaving<'_>],
    ) -> Vec<ResourceId> {
        let parts: BTreeSet<&ResourceId> =
            declared.chain(leaving.iter().map(|leaving| &leaving.change.id)).collect();
        // `order` puts what is needed first; here users go first, so an edge leads from what is used to its users.
        let mut users: graph::Edges = parts.iter().map(|id| ((*id).clone(), BTreeSet::new())).collect();
        for (user, used) in self.edges.iter().chain(&self.uses).filter(|(user, _)| parts.contains(user)) {
            for target in used.iter().filter(|target| *target != user) {
                if let Some(users) = users.get_mut(target) {
                    users.insert(user.clone());
                }
            }
        }
        graph::order(&users).0
    }

    /// What is no longer declared goes after all that was done to what uses it.
    fn leave(&mut self, leaving: &Leaving<'_>) {
        let id = &leaving.change.id;
        let using = self.uses.iter().filter(|(_, used)| used.contains(id)).map(|(user, _)| user);
        let after: BTreeSet<StepId> = using.filter_map(|user| self.of.get(user)).flatten().copied().collect();
        for incarnation in &leaving.incarnations {
            let (after, because) = (after.clone(), leaving.change.reason.clone());
            let verb = match (leaving.on_delete, incarnation.revision) {
                (OnDelete::Retain, _) => Verb::Forget,
                (_, Some(_)) => Verb::Deregister,
                (_, None) => {
                    self.depart(id, incarnation, &Lifecycle::default(), after, leaving.on_delete, because);
                    continue;
                }
            };
            self.remove(id, incarnation, verb, after, leaving.on_delete, because);
        }
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
            after,
            because,
        });
        id
    }
}
