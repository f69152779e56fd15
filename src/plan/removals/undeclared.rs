//! What is owned and no longer declared, and what has to go before what.

use crate::kind::{AnyKind, Ownership, Reason};
use crate::plan::compare::tags;
use crate::plan::model::{Action, Change, Digests};
use crate::plan::removals::replaced;
use crate::plan::scope::Scope;
use crate::resource::{COMMIT_TAG, Incarnation, Incarnations, OnDelete, Owner};

/// A resource on its way out, with all its incarnations.
pub struct Undeclared<'a> {
    pub change: Change,
    pub incarnations: Vec<&'a Incarnation>,
    pub on_delete: OnDelete,
    pub kind: &'static dyn AnyKind,
}

impl Undeclared<'_> {
    /// Whether a run before has done all but wait for its jobs: no news, and no question to be asked again (D20).
    pub fn is_due(&self) -> bool {
        self.on_delete != OnDelete::Retain
            && self.incarnations.iter().all(|live| replaced::is_due(live, self.kind))
    }
}

/// What stays when everything of ours goes: revisions of the same family that somebody else registered.
fn stays(seen: &Incarnations, owner: &Owner) -> Option<String> {
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
pub fn all<'a>(scope: &'a Scope<'_>) -> Vec<Undeclared<'a>> {
    let Scope { desired, observed, kinds, .. } = scope;
    let mut found = Vec::new();
    for (id, seen) in &observed.resources {
        if desired.resources.contains_key(id) {
            continue;
        }
        let kind = kinds.of(&id.kind).filter(|kind| kind.facts().ownership != Ownership::Shared);
        let Some(kind) = kind else { continue };
        let ours: Vec<&Incarnation> =
            seen.iter().filter(|i| i.owner().as_ref() == Some(&desired.owner)).collect();
        let Some(first) = ours.first() else { continue };
        let on_delete = tags::on_delete(&first.tags);
        let action = if on_delete == OnDelete::Retain { Action::Forget } else { Action::Delete };
        let stays = stays(seen, &desired.owner).map(|what| format!("; {what}")).unwrap_or_default();
        let why = match scope.guard.destroy {
            true => format!("everything that {} owns is destroyed", desired.environment),
            false => not_declared(&desired.environment, first),
        };
        let reason = Reason(format!("{why}{stays}"));
        let change = Change {
            id: id.clone(),
            action,
            effect: None,
            reason,
            physical: first.physical.clone(),
            fields: Vec::new(),
            unchanged: 0,
            position: None,
            digests: Digests::default(),
        };
        found.push(Undeclared { change: change.with_digests(), incarnations: ours, on_delete, kind });
    }
    found
}

fn not_declared(environment: &str, live: &Incarnation) -> String {
    let commit = live.tags.get(COMMIT_TAG).map(|c| format!("; last applied at commit {c}"));
    format!("it is not in the manifests of {environment}{}", commit.unwrap_or_default())
}
