//! Names in AWS that a plan would give to something, and that something else bears: what is there would be taken for what is
//! to be made (D14).

use crate::kind::{AnyKind, Identity};
use crate::plan::compare::decision::{Draft, How};
use crate::plan::model::{Objection, Objector};
use crate::resource::{Desired, Observed, Owner, ResourceId};

/// One objection for each name that is not free.
pub fn objections(
    drafts: &[Draft],
    desired: &Desired,
    observed: &Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Vec<Objection> {
    let mut found = Vec::new();
    for Draft { change, how, .. } in drafts {
        let id = &change.id;
        let name = match how {
            How::Create { physical } | How::Replace { physical, .. } => physical,
            How::Register => &change.physical,
            How::Update { .. } | How::Trim => continue,
        };
        if kind_of(&id.kind).is_none_or(|kind| kind.facts().identity == Identity::Assigned) {
            continue;
        }
        let of_others = observed.taken.get(&id.kind).and_then(|names| names.get(name));
        let message = match (bearer(id, name, observed), of_others) {
            (Some(other), _) if other == id => {
                format!("{name} is an older generation of it, which has to go first: apply again once it has")
            }
            (Some(other), _) => ours(name, other, desired),
            (None, Some(owner)) => theirs(name, owner.as_ref()),
            (None, None) => continue,
        };
        let position = change.position.clone();
        found.push(Objection { id: id.clone(), objector: Objector::Owner, message, position });
    }
    found
}

/// What of ours bears a name: another resource, or an older generation of this one.
fn bearer<'o>(id: &ResourceId, name: &str, observed: &'o Observed) -> Option<&'o ResourceId> {
    let of_kind = observed.resources.iter().filter(|(other, _)| other.kind == id.kind);
    let mut bearers = of_kind.filter(|(other, seen)| match *other == id {
        true => seen.others.iter().any(|live| live.revision.is_none() && live.physical == name),
        false => seen.iter().any(|live| live.physical == name),
    });
    bearers.next().map(|(other, _)| other)
}

fn ours(name: &str, other: &ResourceId, desired: &Desired) -> String {
    match desired.resources.contains_key(other) {
        true => format!(
            "{name} is the name of {other} still: apply its other name first, then this one's (by way of a third where two change names)"
        ),
        false => format!(
            "{name} is {other}: if they are the same, say `renamedFrom: {}` here; else give this one another name",
            other.name
        ),
    }
}

fn theirs(name: &str, owner: Option<&Owner>) -> String {
    match owner {
        Some(owner) => format!(
            "{name} exists and belongs to {owner}: give it another name here, or let {owner} give it up first"
        ),
        None => format!(
            "{name} exists and has no owner: give it another name here, or remove what is there first"
        ),
    }
}
