//! Incarnations that another has replaced: what becomes of them, and what says so in the plan (D16, D20).

use crate::kind::{AnyKind, Effect, Identity, Order, Reason, Removal};
use crate::plan::compare::decision::{Decisions, Operation, on_delete};
use crate::plan::compare::digest;
use crate::plan::model::{Action, Change, Digests, Due};
use crate::plan::removals::Settled;
use crate::plan::scope::Scope;
use crate::resource::{Declared, Incarnation, OnDelete, ResourceId};

/// An old incarnation of a declared resource, on its way out.
pub struct Replaced<'a> {
    pub id: &'a ResourceId,
    pub live: &'a Incarnation,
    /// What becomes of its data.
    pub on_delete: OnDelete,
    /// What says so: nothing of its own where a replacement of this plan does.
    pub reported: Reported,
}

/// What a plan says of a retiring incarnation.
pub enum Reported {
    /// The replacement in the same plan is why it goes.
    ByReplacement,
    /// A run that was cut off left it behind.
    As(Box<Change>),
    /// A run before has switched it off, and its jobs were not done.
    Due(Due),
}

/// Every incarnation that another has replaced, or does in this plan.
pub fn all<'a>(scope: &'a Scope<'_>, decisions: &Decisions, settled: &Settled<'a>) -> Vec<Replaced<'a>> {
    let makes_way = |id: &ResourceId| {
        let operation = decisions.get(id).map(|decision| &decision.operation);
        matches!(operation, Some(Operation::Replace { order: Order::CreateFirst, .. }))
    };
    let mut found = Vec::new();
    for (id, declared) in settled {
        let seen = scope.observed.resources.get(*id);
        let kind = scope.kinds.of(&id.kind).filter(|kind| kind.facts().identity != Identity::Revisioned);
        let (Some(seen), Some(kind)) = (seen, kind) else { continue };
        let on_delete = on_delete(declared, kind);
        if let Some(live) = seen.current.as_ref().filter(|_| makes_way(id)) {
            found.push(Replaced { id, live, on_delete, reported: Reported::ByReplacement });
        }
        let ours = seen.others.iter().filter(|i| i.owner().as_ref() == Some(&scope.desired.owner));
        for live in ours.filter(|i| is_older(i, seen.current.as_ref())) {
            let reported = match is_due(live, kind) {
                true => Reported::Due(due(id, live, kind)),
                false => {
                    Reported::As(Box::new(left_behind(live, seen.current.as_ref(), declared, on_delete)))
                }
            };
            found.push(Replaced { id, live, on_delete, reported });
        }
    }
    found
}

/// Two of one generation are for a person to tell apart (D14): neither goes by itself.
fn is_older(live: &Incarnation, current: Option<&Incarnation>) -> bool {
    live.retiring() || current.is_some_and(|current| live.generation() < current.generation())
}

/// Whether a run before has done all but wait for its jobs.
pub fn is_due(live: &Incarnation, kind: &dyn AnyKind) -> bool {
    live.retiring() && !kind.facts().removal.is_on(&live.spec)
}

/// What the next apply does about an incarnation that is switched off and drains.
pub fn due(id: &ResourceId, live: &Incarnation, kind: &dyn AnyKind) -> Due {
    let what = if kind.facts().removal != Removal::Direct {
        format!(
            "generation {} is switched off: an apply deletes it once its jobs are done",
            live.generation()
        )
    } else if kind.facts().held_by_tasks {
        "tasks that still run may hold it: an apply after their end deletes it".to_owned()
    } else {
        "it was made to delete something else with: an apply deletes it after that".to_owned()
    };
    Due { id: id.clone(), physical: live.physical.clone(), what, change: None }
}

fn left_behind(
    live: &Incarnation,
    current: Option<&Incarnation>,
    declared: &Declared,
    on_delete: OnDelete,
) -> Change {
    let successor = current.map_or_else(String::new, |current| format!(": {} is there", current.physical));
    let (action, end) = match on_delete {
        OnDelete::Refuse => (Action::Delete, ""),
        OnDelete::Empty => (Action::Delete, "; it goes with all that it holds, by its onDelete"),
        OnDelete::Retain => (Action::Forget, "; it stays in AWS by its onDelete"),
    };
    let change = Change {
        id: declared.id.clone(),
        action,
        effect: Some(Effect::Replace(Order::CreateFirst)),
        reason: Reason(format!(
            "generation {} was left behind by a replacement that was cut off{successor}{end}",
            live.generation()
        )),
        physical: live.physical.clone(),
        fields: Vec::new(),
        unchanged: 0,
        position: Some(declared.position.clone()),
        digests: Digests::default(),
    };
    let mut change = change.with_digests();
    change.digests.parts = vec![digest::gone(&declared.id, &live.physical, on_delete)];
    change
}
