//! What becomes of each declared resource: considered after those that it needs, and compared with what AWS has of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::diff::{self, ChangeRule, FieldChange};
use crate::kind::{AnyKind, Effect, Identity, Order, Reason};
use crate::plan::compare::conflicts::{ambiguous, family, foreign, moved, newer_of_somebody_else, unpushed};
use crate::plan::compare::decision::{Decision, Decisions, Operation, count, on_delete};
use crate::plan::compare::digest::Canonical;
use crate::plan::compare::lost_tags::lost;
use crate::plan::compare::resolve::{Renewed, Resolver};
use crate::plan::compare::revisions::{Pins, surplus};
use crate::plan::compare::strategy::apply_strategy;
use crate::plan::compare::up_to_date::InProgress;
use crate::plan::compare::{digest, ignore, names, tags, up_to_date};
use crate::plan::model::{Action, Change, Digests, Note, Objection, Objector};
use crate::plan::scope::Scope;
use crate::resource::{Declared, Document, Incarnation, Incarnations, OnDelete, Readiness, ResourceId, Tags};

/// Decides about declared resources, one after the other.
pub struct Comparer<'a> {
    pub resolver: Resolver<'a>,
    pub decisions: Decisions,
    pub objections: Vec<Objection>,
    pub unchanged: usize,
    pub in_progress: Vec<InProgress>,
    pub notes: Vec<Note>,
    pins: &'a Pins,
    /// Whether the whole environment is planned.
    whole: bool,
}

impl<'a> Comparer<'a> {
    /// Has decided nothing yet. `renewed`: what is known of that all the same.
    pub fn new(scope: &'a Scope<'_>, pins: &'a Pins, renewed: Renewed) -> Self {
        let Scope { observed, whole, .. } = scope;
        let predicted = &scope.links.predicted;
        Self {
            resolver: Resolver { desired: &scope.desired, observed, predicted, renewed },
            decisions: Decisions::default(),
            objections: Vec::new(),
            unchanged: 0,
            in_progress: Vec::new(),
            notes: Vec::new(),
            pins,
            whole: *whole,
        }
    }

    pub fn decide(&mut self, declared: &Declared, kind: &'static dyn AnyKind) {
        let resolved = self.resolver.resolve(&declared.spec);
        let want = match kind.normal(&resolved, &self.resolver.desired.place) {
            Ok(want) => want,
            Err(error) => {
                return self.object(
                    declared,
                    Objector::Impossible,
                    format!("its spec does not decode: {error}"),
                );
            }
        };
        self.objections.extend(unpushed(declared, &want, self.resolver.desired));
        let seen = self.resolver.observed.resources.get(&declared.id);
        match seen.and_then(|seen| seen.current.as_ref().map(|current| (seen, current))) {
            None => self.create(declared, kind, want, seen),
            Some((seen, current)) => {
                if let Some(message) = foreign(
                    declared,
                    kind,
                    seen,
                    current,
                    &self.resolver.desired.owner,
                    &self.resolver.desired.environment,
                ) {
                    return self.object(declared, Objector::Owner, message);
                }
                if let Some(message) = ambiguous(seen, current, kind.facts().identity) {
                    return self.object(declared, Objector::Ambiguous, message);
                }
                self.compare(declared, kind, want, seen, current);
            }
        }
    }

    fn create(
        &mut self,
        declared: &Declared,
        kind: &'static dyn AnyKind,
        want: Document,
        seen: Option<&Incarnations>,
    ) {
        let facts = kind.facts();
        if facts.identity == Identity::Assigned
            && seen.is_none()
            && let Some(lost) = lost(declared, (facts, &want), self.resolver.desired, self.resolver.observed)
        {
            let message = lost.message(&declared.id, self.resolver.desired);
            return self.object(declared, Objector::Owner, message);
        }
        if let Some(retired) = kind.retired(&want) {
            let position = Some(declared.position_of(&retired.path).clone());
            let (id, message) = (declared.id.clone(), retired.message);
            self.objections.push(Objection { id, objector: Objector::Impossible, message, position });
        }
        let generation = names::next(declared, kind, seen, self.resolver.desired, self.resolver.observed);
        let physical = names::name(&declared.physical_name, generation, facts.longest_name);
        let tags = tags::wanted(declared, &self.resolver.desired.owner, facts.ownership, generation);
        let mut fields = diff::walk(&json!({}), &want, &facts.rules, &[]);
        // Of a new resource, what is as AWS would have it anyway says nothing.
        fields.retain(|field| facts.rules.at(&field.path).is_none_or(|rules| !is_default(rules, field)));
        let change = Change {
            id: declared.id.clone(),
            action: Action::Create,
            effect: None,
            reason: Reason::default(),
            physical: physical.clone(),
            fields,
            unchanged: 0,
            position: Some(declared.position.clone()),
            digests: Digests::default(),
        };
        let change = self.with_digests(change, declared, kind, (&want, &tags));
        self.renew(&declared.id, kind, &physical, &want);
        let operation = if facts.identity == Identity::Revisioned {
            Operation::Register
        } else {
            Operation::Create { physical }
        };
        self.decisions.push(Decision {
            change,
            want,
            tags,
            ignore: declared.ignore.clone(),
            operation,
            first: None,
        });
    }

    fn compare(
        &mut self,
        declared: &Declared,
        kind: &'static dyn AnyKind,
        want: Document,
        seen: &Incarnations,
        current: &Incarnation,
    ) {
        let facts = kind.facts();
        let want = self.with_ignored(declared, kind, want, current);
        let tags =
            tags::wanted(declared, &self.resolver.desired.owner, facts.ownership, current.generation());
        let mut fields = diff::walk(&current.spec, &want, &facts.rules, &declared.ignore);
        let spec_fields = fields.len();
        let (mut effect, mut reason) = match spec_fields {
            0 => (Effect::Tag, Reason::default()),
            _ => kind.effect(&current.spec, &want, &fields),
        };
        let new_name = names::name(&declared.physical_name, current.generation(), facts.longest_name);
        if moved(declared, facts.identity, current, &new_name, &self.resolver.desired.name_prefix) {
            if facts.identity == Identity::Revisioned {
                return self.object(declared, Objector::Impossible, family(current, declared));
            }
            let (before, after) = (Some(json!(current.physical)), Some(json!(declared.physical_name)));
            fields.push(FieldChange {
                path: "name".to_owned(),
                before,
                after,
                rule: ChangeRule::CreateOnly,
                sensitive: false,
            });
            // Where the kind replaces it anyway, another name would keep nothing.
            if !matches!(effect, Effect::Replace(_)) {
                reason =
                    Reason(format!("the name is create-only; physicalName: {} keeps it", current.physical));
            }
            effect = Effect::Replace(Order::CreateFirst);
        }
        let newer = newer_of_somebody_else(facts.identity, current, &self.resolver.desired.owner);
        if let Some(why) = newer {
            (effect, reason) = (Effect::NewRevision, Reason(why));
        } else {
            fields.extend(tags::differ(&current.tags, &tags, facts.ownership));
        }
        if fields.is_empty() && effect == Effect::Tag {
            return self.as_declared(declared, current, seen);
        }
        let mut trims = None;
        if facts.identity == Identity::Revisioned && self.whole {
            let registers = effect == Effect::NewRevision;
            let surplus = surplus(declared, seen, &self.resolver.desired.owner, registers, self.pins);
            let parts = [reason.0, surplus.reason().unwrap_or_default()];
            trims = surplus.trims();
            reason.0 = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
        }
        (effect, reason) = apply_strategy(declared.lifecycle.strategy, kind, &want, (effect, reason));
        self.decision(declared, kind, want, tags, fields, (effect, reason, trims), (seen, current));
    }

    /// Nothing differs: it counts as unchanged, unless it is broken or has more revisions than are kept.
    fn as_declared(&mut self, declared: &Declared, current: &Incarnation, seen: &Incarnations) {
        if let Readiness::Repairable(why) | Readiness::Failed(why) = &current.readiness {
            return self.decisions.push(up_to_date::repair(declared, current, why));
        }
        if let Readiness::Pending(why) = &current.readiness {
            self.in_progress.push(InProgress::of(declared, current, why));
        }
        let surplus = surplus(declared, seen, &self.resolver.desired.owner, false, self.pins);
        if self.whole && !surplus.gone.is_empty() {
            return self.decisions.push(up_to_date::trim(declared, current, &surplus));
        }
        self.notes.extend(surplus.reason().filter(|_| self.whole).map(|message| Note {
            id: declared.id.clone(),
            message,
            ignored: Vec::new(),
            stays: false,
        }));
        self.unchanged += 1;
    }

    /// What is wanted, with the live value of every field that is left alone.
    fn with_ignored(
        &mut self,
        declared: &Declared,
        kind: &dyn AnyKind,
        want: Document,
        current: &Incarnation,
    ) -> Document {
        let rules = &kind.facts().rules;
        let ignored = ignore::left(&current.spec, &want, &declared.ignore, rules);
        if ignored.is_empty() {
            return want;
        }
        let message = "left as it is (metadata.ignore)".to_owned();
        self.notes.push(Note { id: declared.id.clone(), message, ignored, stays: false });
        let kept = ignore::kept(&current.spec, &want, &declared.ignore, rules);
        kind.normal(&kept, &self.resolver.desired.place).unwrap_or(want)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one decision, each computed by its own rule")]
    fn decision(
        &mut self,
        declared: &Declared,
        kind: &'static dyn AnyKind,
        want: Document,
        mut tags: Tags,
        fields: Vec<FieldChange>,
        (effect, mut reason, trims): (Effect, Reason, Option<u32>),
        (seen, current): (&Incarnations, &Incarnation),
    ) {
        let mut physical = current.physical.clone();
        let (action, operation) = match &effect {
            Effect::Tag => (Action::Update, Operation::Update { tags_only: true }),
            Effect::Update(_) => (Action::Update, Operation::Update { tags_only: false }),
            Effect::NewRevision => (Action::Update, Operation::Register),
            Effect::Replace(order) => {
                let generation = match order {
                    Order::CreateFirst => {
                        let Resolver { desired, observed, .. } = &self.resolver;
                        names::next(declared, kind, Some(seen), desired, observed)
                    }
                    Order::DeleteFirst => current.generation(),
                };
                physical =
                    names::name_after((seen, current), declared, generation, kind.facts().longest_name);
                tags =
                    tags::wanted(declared, &self.resolver.desired.owner, kind.facts().ownership, generation);
                let old = self.old(declared, kind, *order, &mut reason);
                (Action::Replace, Operation::Replace { order: *order, physical: physical.clone(), old })
            }
            Effect::Impossible(why) => {
                self.object(declared, Objector::Impossible, why.clone());
                (Action::Update, Operation::Update { tags_only: false })
            }
        };
        let changed: BTreeSet<&str> =
            fields.iter().map(|f| f.path.split(['.', '[']).next().unwrap_or_default()).collect();
        let change = Change {
            id: declared.id.clone(),
            action,
            effect: Some(effect),
            reason,
            physical: physical.clone(),
            unchanged: count(&want).saturating_sub(changed.iter().filter(|f| **f != "tags").count()),
            fields,
            position: Some(declared.position.clone()),
            digests: Digests { trims, ..Digests::default() },
        };
        let mut change = self.with_digests(change, declared, kind, (&want, &tags));
        if change.action == Action::Replace {
            // A run that is cut off leaves the old one behind: its end was reviewed with the replacement.
            let old = on_delete(declared, kind);
            change.digests.parts = vec![digest::gone(&declared.id, &current.physical, old)];
        }
        if matches!(operation, Operation::Register | Operation::Replace { .. }) {
            if change.digests.only_images(&change) {
                let images = change.digests.images.keys().cloned().collect();
                self.resolver.renewed.deltas.insert(declared.id.clone(), images);
            }
            self.renew(&declared.id, kind, &physical, &want);
            if let (Operation::Register, Some(renewed)) =
                (&operation, self.resolver.renewed.outputs.get_mut(&declared.id))
            {
                renewed.extend(kind.carried(current));
            }
        }
        self.decisions.push(Decision {
            change,
            want,
            tags,
            ignore: declared.ignore.clone(),
            operation,
            first: None,
        });
    }

    /// What becomes of the data of what is replaced, as the reason says as well. What stays can't make room.
    fn old(
        &mut self,
        declared: &Declared,
        kind: &dyn AnyKind,
        order: Order,
        reason: &mut Reason,
    ) -> OnDelete {
        let old = on_delete(declared, kind);
        if old == OnDelete::Retain && order == Order::DeleteFirst {
            let message = format!(
                "it would have to be deleted before its successor is made ({reason}), and stays in AWS by its onDelete: give the new one another name, or apply it with metadata.onDelete `empty` (what it holds goes with it) or `refuse` first"
            );
            self.object(declared, Objector::Impossible, message);
            return OnDelete::Refuse;
        }
        reason.0.push_str(match old {
            OnDelete::Refuse => "",
            OnDelete::Empty => "; the old one goes with all that it holds, by its onDelete",
            OnDelete::Retain => "; the old one is given up and stays in AWS, by its onDelete",
        });
        old
    }

    fn with_digests(
        &self,
        change: Change,
        declared: &Declared,
        kind: &dyn AnyKind,
        end: (&Value, &Tags),
    ) -> Change {
        change.sealed_through(&Canonical::of(declared, kind.facts(), &self.resolver), Some(end))
    }

    /// From here on, references to it denote the new incarnation.
    fn renew(&mut self, id: &ResourceId, kind: &dyn AnyKind, physical: &str, want: &Value) {
        let outputs = kind.predict(physical, want, &self.resolver.desired.place);
        self.resolver.renewed.outputs.insert(id.clone(), outputs);
    }

    fn object(&mut self, declared: &Declared, objector: Objector, message: String) {
        let position = Some(declared.position.clone());
        self.objections.push(Objection { id: declared.id.clone(), objector, message, position });
    }
}

fn is_default(rules: &diff::Rules, field: &FieldChange) -> bool {
    matches!((&rules.absent, &field.after), (diff::Absent::Default(default), Some(after)) if default == after)
}
