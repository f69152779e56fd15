//! What is owned and no longer declared, and what has to go before what.

use crate::kind::{AnyKind, Ownership, Reason};
use crate::plan::compare::tags;
use crate::plan::model::{Action, Change, Seal};
use crate::plan::removals::replaced;
use crate::resource::{COMMIT_TAG, Desired, Incarnation, Incarnations, Observed, OnDelete, Owner};

/// A resource on its way out, with all its incarnations.
pub struct Leaving<'a> {
    pub change: Change,
    pub incarnations: Vec<&'a Incarnation>,
    pub on_delete: OnDelete,
    pub kind: &'static dyn AnyKind,
}

impl Leaving<'_> {
    /// Whether a run before has done all but wait for its jobs: no news, and no question to be asked again (D20).
    pub fn is_due(&self) -> bool {
        self.on_delete != OnDelete::Retain
            && self.incarnations.iter().all(|live| replaced::is_due(live, self.kind))
    }
}

/// What stays when everything of ours goes: revisions of the same family that somebody else registered.
pub fn stays(seen: &Incarnations, owner: &Owner) -> Option<String> {
    let others = seen.iter().filter(|live| live.owner().as_ref() != Some(owner));
    let mut revisions: Vec<u64> = others.filter_map(|live| live.revision).collect();
    revisions.sort_unstable();
    let named = revisions.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    match revisions.len() {
        0 => None,
        1 => Some(format!("revision {named} stays: it is not ours")),
        _ => Some(format!("revisions {named} stay: they are not ours")),
    }
}

/// Everything that carries our owner tag and is not declared.
pub fn leaving<'a>(
    desired: &Desired,
    observed: &'a Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Vec<Leaving<'a>> {
    let mut found = Vec::new();
    for (id, seen) in &observed.resources {
        if desired.resources.contains_key(id) {
            continue;
        }
        let kind = kind_of(&id.kind).filter(|kind| kind.facts().ownership != Ownership::Shared);
        let Some(kind) = kind else { continue };
        let ours: Vec<&Incarnation> =
            seen.iter().filter(|i| i.owner().as_ref() == Some(&desired.owner)).collect();
        let Some(first) = ours.first() else { continue };
        let on_delete = tags::on_delete(&first.tags);
        let action = if on_delete == OnDelete::Retain { Action::Forget } else { Action::Delete };
        let commit =
            first.tags.get(COMMIT_TAG).map(|c| format!("; last applied at commit {c}")).unwrap_or_default();
        let stays = stays(seen, &desired.owner).map(|what| format!("; {what}")).unwrap_or_default();
        let reason = Reason(format!("it is not in the manifests of {}{commit}{stays}", desired.environment));
        let change = Change {
            id: id.clone(),
            action,
            effect: None,
            reason,
            physical: first.physical.clone(),
            fields: Vec::new(),
            unchanged: 0,
            position: None,
            seal: Seal::default(),
        };
        found.push(Leaving { change: change.sealed(), incarnations: ours, on_delete, kind });
    }
    found
}
