//! A resource that only its tags told apart and that has lost them: recognised by what lives in it, or by what can't be
//! changed in it (D11). What is not there any more has lost nothing: it is made again.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diff::{self, ChangeRule, Rules};
use crate::kind::{Facts, Identity, Ownership};
use crate::plan::compare::names;
use crate::plan::model::Note;
use crate::plan::request::Registry;
use crate::resource::{
    Declared, Desired, Document, Incarnation, Incarnations, OWNER_TAG, Observed, ResourceId,
};
use crate::value::reference::{self, Reference};

/// What exists, is not ours, and agrees with what is declared in all that can't be changed.
pub struct Lost<'a> {
    live: &'a Incarnation,
    /// How it is known.
    how: String,
}

impl Lost<'_> {
    /// What stands in the way, and the way out.
    pub fn message(&self, id: &ResourceId, desired: &Desired) -> String {
        let Desired { environment, owner, .. } = desired;
        let Lost { live: Incarnation { physical, .. }, how } = self;
        match self.live.owner() {
            None => format!(
                "{physical} has lost its ownership tags ({how}): take it over with `batchwright adopt {environment} {id}={physical}`"
            ),
            Some(other) => format!(
                "{physical} belongs to {other} ({how}): let {other} give it up, or put its tag {OWNER_TAG} back to {owner}"
            ),
        }
    }
}

/// The one that an owned resource still names; else one in the midst of ours that says the same for itself.
pub fn lost<'a>(
    declared: &Declared,
    (facts, want): (&Facts, &Document),
    desired: &Desired,
    observed: &'a Observed,
) -> Option<Lost<'a>> {
    let candidates: Vec<&Incarnation> = observed
        .astray
        .iter()
        .filter(|one| one.kind == facts.name && agrees(declared, facts, want, &one.live))
        .map(|one| &one.live)
        .collect();
    if candidates.is_empty() {
        return None;
    }
    let holders = desired.resources.values().filter(|holder| holder.id != declared.id);
    let mut held = holders.filter_map(|holder| {
        let live = observed.resources.get(&holder.id)?.current.as_ref()?;
        let ours = live.owner().as_ref() == Some(&desired.owner);
        let named = named(&declared.id, &holder.spec, ours.then_some(&live.spec)?)?;
        Some((&holder.id, *candidates.iter().find(|candidate| candidate.physical == named)?))
    });
    if let Some((holder, live)) = held.next() {
        return Some(Lost { live, how: format!("{holder} lives in it") });
    }
    let said = said_alike(declared, &facts.rules);
    let ours = ids_of(desired, observed);
    let mut alike =
        candidates.into_iter().filter(|live| names_all_of(want, &live.spec, &ours)).filter_map(|live| {
            let how = match diff::walk(&live.spec, want, &facts.rules, &declared.ignore).is_empty() {
                true => "it is as declared".to_owned(),
                false if said.is_empty() => return None,
                false => format!("it is the same in {}", said.join(" and ")),
            };
            Some(Lost { live, how })
        });
    alike.next()
}

/// What AWS assigned to the things of the environment.
fn ids_of<'a>(desired: &Desired, observed: &'a Observed) -> BTreeSet<&'a str> {
    let seen = observed.resources.values().flat_map(Incarnations::iter);
    let ours = seen.filter(|live| live.owner().as_ref() == Some(&desired.owner));
    ours.filter_map(|live| live.outputs.get("id")?.as_str()).collect()
}

/// Whether it stands beside the very things of ours that it is to stand beside.
fn names_all_of(want: &Value, live: &Value, ours: &BTreeSet<&str>) -> bool {
    let (mut wanted, mut there) = (BTreeSet::<&str>::new(), BTreeSet::<&str>::new());
    crate::value::strings(want, &mut |text| wanted.extend(ours.get(text).copied()));
    crate::value::strings(live, &mut |text| there.extend(ours.get(text).copied()));
    wanted.is_subset(&there)
}

/// What is declared and not ours, and so stays when all that is ours goes.
pub fn not_ours(desired: &Desired, observed: &Observed, kinds: &Registry) -> Vec<Note> {
    let mut notes = Vec::new();
    for declared in desired.resources.values() {
        let Some(kind) = kinds.of(&declared.id.kind) else { continue };
        let facts = kind.facts();
        if matches!(facts.ownership, Ownership::Shared | Ownership::ViaParent) {
            continue;
        }
        let seen: Vec<&Incarnation> =
            observed.resources.get(&declared.id).into_iter().flat_map(Incarnations::iter).collect();
        let ours = seen.iter().any(|live| live.owner().as_ref() == Some(&desired.owner));
        let lost = match (seen.is_empty(), facts.identity) {
            (true, Identity::Assigned) => kind
                .normal(&declared.spec, &desired.place)
                .ok()
                .and_then(|want| lost(declared, (facts, &want), desired, observed)),
            _ => None,
        };
        let first = seen.first().filter(|_| !ours);
        let (physical, owner) = match (first, lost) {
            (Some(live), _) => (live.physical.as_str(), live.owner()),
            (None, Some(lost)) => (lost.live.physical.as_str(), lost.live.owner()),
            (None, None) => continue,
        };
        let whose =
            owner.map_or_else(|| "it has no owner".to_owned(), |owner| format!("it belongs to {owner}"));
        let message = format!("{physical} stays: {whose}");
        notes.push(Note { id: declared.id.clone(), message, ignored: Vec::new(), stays: true });
    }
    notes
}

/// Whether what can't be changed is the same, as far as it is known yet.
fn agrees(declared: &Declared, facts: &Facts, want: &Document, live: &Incarnation) -> bool {
    let name = live.outputs.get("name").and_then(Value::as_str);
    let base = declared.physical_name.as_str();
    let is_name = |name: &str| name == base || names::of_name(name, base, facts.longest_name).is_some();
    let is_unknown = |value: &Option<Value>| value.as_ref().is_some_and(refers);
    let differing = diff::walk(&live.spec, want, &facts.rules, &[]);
    name.is_none_or(is_name)
        && differing.iter().all(|field| field.rule != ChangeRule::CreateOnly || is_unknown(&field.after))
}

/// The fields that can't be changed and that the manifest says by itself: where something lives tells nothing apart.
fn said_alike<'d>(declared: &'d Declared, rules: &Rules) -> Vec<&'d str> {
    let fields = declared.spec.as_object().into_iter().flatten();
    let create_only =
        |field: &str| rules.fields.get(field).is_some_and(|rules| rules.change == ChangeRule::CreateOnly);
    fields
        .filter(|(field, value)| create_only(field) && !refers(value))
        .map(|(field, _)| field.as_str())
        .collect()
}

fn refers(value: &Value) -> bool {
    let mut found = false;
    crate::value::strings(value, &mut |text| found |= !reference::references(text).is_empty());
    found
}

/// What stands in the live document where the wanted one refers to this id. Of lists only those of one length are compared,
/// because only there a place says anything.
fn named(id: &ResourceId, want: &Value, live: &Value) -> Option<String> {
    match (want, live) {
        (Value::String(want), Value::String(live)) => match reference::whole(want)? {
            Reference::Output { id: target, output } if target == *id && output == "id" => Some(live.clone()),
            _ => None,
        },
        (Value::Object(want), Value::Object(live)) => {
            want.iter().find_map(|(field, want)| named(id, want, live.get(field)?))
        }
        (Value::Array(want), Value::Array(live)) if want.len() == live.len() => {
            want.iter().zip(live).find_map(|(want, live)| named(id, want, live))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_place_of_a_reference_tells_the_id_also_inside_lists() {
        let subnet = ResourceId::new("ec2/Subnet", "b");
        let want = json!({"computeResources": {"subnets": ["${ec2/Subnet/a.id}", "${ec2/Subnet/b.id}"]}});
        let live = json!({"computeResources": {"subnets": ["subnet-1", "subnet-2"]}, "state": "ENABLED"});
        assert_eq!(named(&subnet, &want, &live).as_deref(), Some("subnet-2"));
        let other = json!({"computeResources": {"subnets": ["subnet-1"]}});
        assert_eq!(named(&subnet, &want, &other), None);
    }
}
