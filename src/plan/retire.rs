//! Incarnations that another has replaced: what becomes of them, and what says so in the plan (D16, D20).

use std::collections::BTreeSet;

use serde_json::Value;

use super::drafts::{Draft, How};
use super::{Action, Change, Due, Seal};
use crate::kind::{AnyKind, Effect, Identity, Order, Reason};
use crate::resource::{Desired, Incarnation, Observed, ResourceId};

/// An old incarnation of a declared resource, on its way out.
pub(super) struct Retiring<'a> {
    pub id: &'a ResourceId,
    pub live: &'a Incarnation,
    /// What says so: nothing of its own where a replacement of this plan does.
    pub said: Said,
}

/// What a plan says of a retiring incarnation.
pub(super) enum Said {
    /// The replacement in the same plan is why it goes.
    ByReplacement,
    /// A run that was cut off left it behind.
    As(Box<Change>),
    /// A run before has switched it off, and its jobs were not done.
    Due(Due),
}

/// Every incarnation that another has replaced, or does in this plan.
pub(super) fn retiring<'a>(
    drafts: &[Draft],
    desired: &'a Desired,
    observed: &'a Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Vec<Retiring<'a>> {
    let replaced: BTreeSet<&ResourceId> = drafts
        .iter()
        .filter(|draft| matches!(draft.how, How::Replace { order: Order::CreateFirst, .. }))
        .map(|draft| &draft.change.id)
        .collect();
    let mut found = Vec::new();
    for (id, declared) in &desired.resources {
        let seen = observed.resources.get(id);
        let revisioned = kind_of(&id.kind).is_none_or(|kind| kind.facts().identity == Identity::Revisioned);
        let Some(seen) = seen.filter(|_| !revisioned) else { continue };
        if let Some(live) = seen.current.as_ref().filter(|_| replaced.contains(id)) {
            found.push(Retiring { id, live, said: Said::ByReplacement });
        }
        let ours = seen.others.iter().filter(|i| i.owner().as_ref() == Some(&desired.owner));
        for live in ours.filter(|i| is_older(i, seen.current.as_ref())) {
            let said = match is_due(live) {
                true => Said::Due(due(id, live)),
                false => Said::As(Box::new(left_behind(id, live, seen.current.as_ref(), declared))),
            };
            found.push(Retiring { id, live, said });
        }
    }
    found
}

/// Two of one generation are for a person to tell apart (D14): neither goes by itself.
fn is_older(live: &Incarnation, current: Option<&Incarnation>) -> bool {
    live.retiring() || current.is_some_and(|current| live.generation() < current.generation())
}

/// Whether a run before has done all but wait for its jobs.
pub(super) fn is_due(live: &Incarnation) -> bool {
    live.retiring() && !is_enabled(live)
}

/// Whether its `state`, if it has one, is `ENABLED`.
pub(super) fn is_enabled(live: &Incarnation) -> bool {
    live.spec.get("state").and_then(Value::as_str) == Some("ENABLED")
}

/// What the next apply does about an incarnation that is switched off and drains.
pub(super) fn due(id: &ResourceId, live: &Incarnation) -> Due {
    let what = match live.spec.get("state") {
        Some(_) => format!(
            "generation {} is switched off: an apply deletes it once its jobs are done",
            live.generation()
        ),
        None => "it was made to delete something else with: an apply deletes it after that".to_owned(),
    };
    Due { id: id.clone(), physical: live.physical.clone(), what, change: None }
}

fn left_behind(
    id: &ResourceId,
    live: &Incarnation,
    current: Option<&Incarnation>,
    declared: &crate::resource::Declared,
) -> Change {
    let successor = current.map_or_else(String::new, |current| format!(": {} is there", current.physical));
    let change = Change {
        id: id.clone(),
        action: Action::Delete,
        effect: Some(Effect::Replace(Order::CreateFirst)),
        reason: Reason(format!(
            "generation {} was left behind by a replacement that was cut off{successor}",
            live.generation()
        )),
        physical: live.physical.clone(),
        fields: Vec::new(),
        unchanged: 0,
        position: Some(declared.position.clone()),
        seal: Seal::default(),
    };
    change.sealed()
}
