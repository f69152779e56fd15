//! Names in AWS that a plan would give to something, and that something else bears: what is there would be taken for what is
//! to be made (D14).

use std::collections::BTreeMap;

use crate::kind::Identity;
use crate::plan::compare::decision::{Decision, Decisions, Operation};
use crate::plan::model::{Objection, Objector};
use crate::plan::scope::Scope;
use crate::resource::{Desired, Observed, Owner, ResourceId};

/// One objection for each name that is not free.
pub fn objections(scope: &Scope<'_>, decisions: &Decisions) -> Vec<Objection> {
    let Scope { desired, observed, kinds, .. } = scope;
    let (mut found, bearers) = (Vec::new(), Bearers::of(observed));
    for Decision { change, operation, .. } in decisions.iter() {
        let id = &change.id;
        let name = match operation {
            Operation::Create { physical } | Operation::Replace { physical, .. } => physical,
            Operation::Register => &change.physical,
            Operation::Update { .. } | Operation::Trim => continue,
        };
        if kinds.of(&id.kind).is_none_or(|kind| kind.facts().identity == Identity::Assigned) {
            continue;
        }
        let of_others = observed.taken.get(&id.kind).and_then(|names| names.get(name));
        let message = match (bearers.of_name(id, name), of_others) {
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

/// What of ours bears which name.
struct Bearers<'o> {
    observed: &'o Observed,
    by_name: BTreeMap<(&'o str, &'o str), Vec<&'o ResourceId>>,
}

impl<'o> Bearers<'o> {
    fn of(observed: &'o Observed) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (id, seen) in &observed.resources {
            for live in seen.iter() {
                by_name.entry((id.kind.as_str(), live.physical.as_str())).or_default().push(id);
            }
        }
        Self { observed, by_name }
    }

    /// Another resource, or an older generation of this one.
    fn of_name(&self, id: &ResourceId, name: &str) -> Option<&'o ResourceId> {
        let bearers = self.by_name.get(&(id.kind.as_str(), name))?;
        let older = || {
            let others = self.observed.resources.get(id).into_iter().flat_map(|seen| &seen.others);
            others.into_iter().any(|live| live.revision.is_none() && live.physical == name)
        };
        bearers.iter().copied().find(|other| *other != id || older())
    }
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
