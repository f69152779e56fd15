//! Drafts → steps: in which order, and what an old incarnation still needs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::planner::{Draft, How};
use super::prune::{self, Leaving};
use super::{Due, Step, StepId, Verb, graph, replacement};
use crate::kind::{AnyKind, Identity, Order, Reason};
use crate::resource::{
    Declared, Desired, Document, Incarnation, Incarnations, Observed, OnDelete, Owner, ResourceId, Tags,
};
use crate::value::reference::{self, Reference};

/// Cuts drafts and deletions into steps. A step's number is greater than those of the steps that it waits for.
pub(super) fn cut(
    drafts: &[Draft],
    leaving: &[Leaving<'_>],
    edges: &graph::Edges,
    desired: &Desired,
    observed: &Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> (Vec<Step>, Vec<Due>) {
    let mut cutter =
        Cutter { steps: Vec::new(), of: BTreeMap::new(), edges, observed, owner: &desired.owner };
    for draft in drafts {
        cutter.draft(draft);
    }
    for draft in drafts {
        cutter.complete(draft);
    }
    for (id, declared) in &desired.resources {
        let seen = seen_of(observed, id, declared.renamed_from.as_ref());
        let (Some(seen), Some(kind)) = (seen, kind_of(&id.kind)) else { continue };
        match kind.facts().identity {
            Identity::Revisioned => cutter.trim(declared, seen),
            _ => cutter.retire(declared, seen, drafts),
        }
    }
    cutter.leave(leaving);
    (cutter.steps, Vec::new())
}

/// The revisions beyond `keepRevisions`: never the newest, and only ours (D20).
pub(super) fn surplus<'a>(
    declared: &Declared,
    seen: &'a Incarnations,
    owner: &Owner,
) -> Vec<&'a Incarnation> {
    let Some(keep) = declared.lifecycle.keep_revisions else { return Vec::new() };
    let mut older: Vec<&Incarnation> =
        seen.others.iter().filter(|i| i.owner().as_ref() == Some(owner)).collect();
    older.sort_by_key(|i| std::cmp::Reverse(i.revision));
    older.into_iter().skip((keep.max(2) as usize).saturating_sub(1)).collect()
}

/// What was observed of a resource, under its present id or the one that it was renamed from.
pub(super) fn seen_of<'a>(
    observed: &'a Observed,
    id: &ResourceId,
    former: Option<&ResourceId>,
) -> Option<&'a Incarnations> {
    observed.resources.get(id).or_else(|| observed.resources.get(former?))
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
    observed: &'a Observed,
    owner: &'a Owner,
}

impl Cutter<'_> {
    fn draft(&mut self, draft: &Draft) {
        let id = &draft.change.id;
        let needs = self.edges.get(id).cloned().unwrap_or_default();
        let mut after: BTreeSet<StepId> =
            needs.iter().filter_map(|need| self.of.get(need)?.last().copied()).collect();
        let current =
            seen_of(self.observed, id, draft.former.as_ref()).and_then(|seen| seen.current.as_ref());
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
            How::Replace { order: Order::DeleteFirst, physical } => {
                if let Some(current) = current {
                    let because = Reason("its successor can't exist beside it".to_owned());
                    after.insert(self.remove(
                        id,
                        current,
                        Verb::Delete,
                        after.clone(),
                        OnDelete::Refuse,
                        because,
                    ));
                }
                self.push(draft, Verb::Create, physical, &draft.want, after);
            }
            How::Replace { order: Order::CreateFirst, physical } => {
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
        let replaced = needs.iter().filter(|need| {
            let made = self.of.get(*need).into_iter().flatten().filter_map(|step| self.steps.get(*step));
            made.into_iter().any(|step| step.verb == Verb::Create)
        });
        let old: Vec<String> = replaced
            .filter_map(|need| self.observed.resources.get(need)?.current.as_ref()?.arn.clone())
            .collect();
        let mut bridged = None;
        for old in old {
            let base = bridged.as_ref().unwrap_or(&draft.want);
            if let Some(next) = replacement::bridge(&current.spec, base, &old) {
                bridged = Some(next);
            }
        }
        bridged
    }

    /// Old generations of a declared resource: switched off and deleted once everything that used them has moved.
    fn retire(&mut self, declared: &Declared, seen: &Incarnations, drafts: &[Draft]) {
        let replaced = drafts.iter().any(|d| {
            d.change.id == declared.id && matches!(d.how, How::Replace { order: Order::CreateFirst, .. })
        });
        let current = seen.current.as_ref().filter(|_| replaced);
        let old: Vec<&Incarnation> = current
            .into_iter()
            .chain(seen.others.iter().filter(|i| i.owner().as_ref() == Some(self.owner)))
            .collect();
        let holders =
            self.edges.iter().filter(|(_, needs)| needs.contains(&declared.id)).map(|(holder, _)| holder);
        let mut after: BTreeSet<StepId> =
            holders.filter_map(|holder| self.of.get(holder)).flatten().copied().collect();
        after.extend(self.of.get(&declared.id).into_iter().flatten().copied());
        for incarnation in old {
            let because = Reason("another generation has taken its place".to_owned());
            let mut after = after.clone();
            if incarnation.spec.get("state").and_then(Value::as_str) == Some("ENABLED") {
                after.insert(self.switch_off(&declared.id, incarnation, after.clone(), because.clone()));
            }
            self.remove(&declared.id, incarnation, Verb::Delete, after, OnDelete::Refuse, because);
        }
    }

    fn switch_off(
        &mut self,
        id: &ResourceId,
        live: &Incarnation,
        after: BTreeSet<StepId>,
        because: Reason,
    ) -> StepId {
        let mut want = live.spec.clone();
        if let Some(fields) = want.as_object_mut() {
            fields.insert("state".to_owned(), json!("DISABLED"));
        }
        self.add(id, Verb::Disable, &live.physical, live.revision, want, live.tags.clone(), after, because)
    }

    /// Revisions beyond the number to keep, after everything that uses the family has moved on.
    fn trim(&mut self, declared: &Declared, seen: &Incarnations) {
        let holders =
            self.edges.iter().filter(|(_, needs)| needs.contains(&declared.id)).map(|(holder, _)| holder);
        let mut after: BTreeSet<StepId> =
            holders.filter_map(|holder| self.of.get(holder)).flatten().copied().collect();
        after.extend(self.of.get(&declared.id).into_iter().flatten().copied());
        for revision in surplus(declared, seen, self.owner) {
            let because = Reason("it is beyond keepRevisions".to_owned());
            self.remove(&declared.id, revision, Verb::Deregister, after.clone(), OnDelete::Refuse, because);
        }
    }

    /// What is no longer declared: users before what they use.
    fn leave(&mut self, leaving: &[Leaving<'_>]) {
        let uses = prune::uses(self.observed);
        let gone: BTreeSet<&ResourceId> = leaving.iter().map(|leaving| &leaving.change.id).collect();
        // `order` puts what is needed first; here users go first, so an edge leads from what is used to its users.
        let mut users: graph::Edges = gone.iter().map(|id| ((*id).clone(), BTreeSet::new())).collect();
        for (user, used) in &uses {
            for target in used.iter().filter(|_| gone.contains(user)) {
                if let Some(users) = users.get_mut(target) {
                    users.insert(user.clone());
                }
            }
        }
        let (order, _) = graph::order(&users);
        for id in order {
            let Some(leaving) = leaving.iter().find(|leaving| leaving.change.id == id) else { continue };
            let using = uses.iter().filter(|(_, used)| used.contains(&id)).map(|(user, _)| user);
            let after: BTreeSet<StepId> =
                using.filter_map(|user| self.of.get(user)).flatten().copied().collect();
            for incarnation in &leaving.incarnations {
                let verb = match (leaving.on_delete, incarnation.revision) {
                    (OnDelete::Retain, _) => Verb::Forget,
                    (_, Some(_)) => Verb::Deregister,
                    (_, None) => Verb::Delete,
                };
                self.remove(
                    &id,
                    incarnation,
                    verb,
                    after.clone(),
                    leaving.on_delete,
                    leaving.change.reason.clone(),
                );
            }
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
            step.ignore.clone_from(&draft.ignore);
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
            after,
            because,
        });
        id
    }
}
