//! Revisions that outlast what they name (D20): those that something names by their number, those that
//! somebody else has registered, and those that are merely old.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::diff::fields;
use crate::kind::{FinalState, Identity, Operation};
use crate::plan::compare::revisions::{Pins, numbers, surplus};
use crate::plan::guards::dependents::sides::{Dependent, Removed};
use crate::plan::guards::final_state::held;
use crate::plan::model::{Objection, Warning};
use crate::plan::request::Registry;
use crate::resource::{Incarnation, Incarnations, ResourceId};

/// Why a revision matters that is not the one that is declared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stays {
    Foreign,
    Named(BTreeSet<ResourceId>),
    Old,
}

/// One objection for each family and thing that goes, of revisions on which somebody counts; a warning of others.
pub fn left(
    end: &FinalState<'_>,
    going: &Removed<'_>,
    users: &[Dependent<'_>],
    kinds: &Registry,
) -> (Vec<Objection>, Vec<Warning>) {
    let (mut objections, mut warnings) = (Vec::new(), Vec::new());
    let pins = LazyCell::new(|| (Pins::of(end.desired, end.observed), at_the_end(users)));
    for (id, seen) in &end.observed.resources {
        let facts = kinds.of(&id.kind).map(|kind| kind.facts());
        let Some(facts) = facts.filter(|facts| facts.identity == Identity::Revisioned) else { continue };
        let mut naming: BTreeMap<u64, BTreeMap<&ResourceId, (String, &str)>> = BTreeMap::new();
        for live in seen.iter() {
            fields(&live.spec, "", Some(&facts.rules), &mut |path, text| {
                if let (Some((used, old)), Some(revision)) = (going.named(path, text), live.revision) {
                    let uses = naming.entry(revision).or_default();
                    uses.entry(used).or_insert_with(|| (path.to_owned(), old.physical.as_str()));
                }
            });
        }
        if naming.is_empty() {
            continue;
        }
        let mut found: BTreeMap<(&ResourceId, Stays), (Vec<u64>, String, &str)> = BTreeMap::new();
        for (live, why) in outlasting(end, id, seen, &pins) {
            let revision = live.revision.unwrap_or_default();
            for (used, (path, old)) in naming.get(&revision).into_iter().flatten() {
                let told = found.entry((*used, why.clone())).or_insert((Vec::new(), path.clone(), *old));
                told.0.push(revision);
            }
        }
        for ((used, why), (revisions, path, old)) in found {
            let family = seen.iter().next().map_or("", |live| live.physical.as_str());
            let (which, s) = (numbers(&revisions), if revisions.len() == 1 { "s" } else { "" });
            let message = match why {
                Stays::Foreign => format!(
                    "{old} is to go, while {which} of {id} ({family}), registered by somebody else, need{s} it ({path}): deregister that first, or keep this one"
                ),
                Stays::Named(by) => {
                    let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                    let by = by.join(" and ");
                    format!(
                        "{old} is to go, while {which} of {id}, which {by} names, need{s} it ({path}): let that name a newer one first, or keep this one"
                    )
                }
                Stays::Old => {
                    let message = format!(
                        "{which} stay{s} ACTIVE and name{s} {old} ({path}), which goes: jobs submitted by that number will lack it"
                    );
                    let position = end.desired.resources.get(id).map(|declared| declared.position.clone());
                    warnings.push(Warning { id: Some(id.clone()), message, position });
                    continue;
                }
            };
            objections.push(held(end, used, message));
        }
    }
    (objections, warnings)
}

/// The revisions of a family that are ACTIVE after this plan, but for the one that is declared, which is looked at with
/// everything else that is.
fn outlasting<'s>(
    end: &FinalState<'_>,
    id: &ResourceId,
    seen: &'s Incarnations,
    pins: &(Pins, Pins),
) -> Vec<(&'s Incarnation, Stays)> {
    let (now, then) = pins;
    let (foreign, ours): (Vec<&Incarnation>, Vec<&Incarnation>) =
        seen.iter().partition(|live| live.owner().as_ref() != Some(&end.desired.owner));
    let mut found: Vec<(&Incarnation, Stays)> =
        foreign.into_iter().map(|live| (live, Stays::Foreign)).collect();
    // What is no longer declared goes, or is given up as a whole.
    let Some(declared) = end.desired.resources.get(id) else { return found };
    let planned = end.planned.get(id);
    let registers = planned.is_some_and(|planned| planned.operation == Operation::Register);
    let surplus = surplus(declared, seen, &end.desired.owner, registers, now);
    let gone: BTreeSet<Option<u64>> = match planned {
        Some(_) => surplus.gone.iter().map(|live| live.revision).collect(),
        None => BTreeSet::new(),
    };
    let current = seen.current.as_ref().filter(|_| !registers).and_then(|live| live.revision);
    let stay = ours
        .into_iter()
        .filter(|live| !gone.contains(&live.revision) && (current.is_none() || live.revision != current));
    found.extend(stay.map(|live| match then.holders(live) {
        Some(holders) => (live, Stays::Named(holders)),
        None => (live, Stays::Old),
    }));
    found
}

/// What names revisions by number once the plan is done.
fn at_the_end(users: &[Dependent<'_>]) -> Pins {
    let mut pins = Pins::default();
    for user in users {
        if let Some(id) = user.id {
            pins.add(id, user.spec);
        }
    }
    pins
}
