//! Both sides: what goes, by all that denotes it, and what stays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::kind::{Denotations, FinalState, Identity, Ownership, Work};
use crate::plan::request::Registry;
use crate::resource::{Incarnation, ResourceId};

/// What goes, by the texts that denote it.
pub struct Removed<'a> {
    denoted: BTreeMap<&'a str, (&'a ResourceId, &'a Incarnation)>,
    /// By what else it is called; a successor of the same name takes its place there.
    names: Denotations<(&'a ResourceId, &'a Incarnation)>,
}

impl<'a> Removed<'a> {
    pub fn of(end: &'a FinalState<'_>, kinds: &Registry) -> Self {
        let (mut denoted, mut names) = (BTreeMap::new(), Denotations::default());
        for (id, live) in end.ending() {
            let Some(kind) = kinds.of(&id.kind).filter(|kind| kind.facts().work != Work::Runs) else {
                continue;
            };
            let assigned = kind.facts().identity == Identity::Assigned;
            let name = live.outputs.get("id").and_then(Value::as_str).filter(|_| assigned);
            let arn = live.outputs.get("arn").and_then(Value::as_str);
            denoted.extend(
                live.arn.as_deref().into_iter().chain(arn).chain(name).map(|text| (text, (id, live))),
            );
            if !end.makes_room(id) {
                kind.denoted_by(live).into_iter().for_each(|name| names.add(name, (id, live)));
            }
        }
        Self { denoted, names }
    }

    pub fn named(&self, path: &str, text: &str) -> Option<(&'a ResourceId, &'a Incarnation)> {
        self.denoted.get(text).or_else(|| self.names.find(path, text)).copied()
    }
}

/// Something that is there at the end of a plan.
pub struct Dependent<'a> {
    /// `<service>/<Kind>`.
    pub kind: &'a str,
    /// Which resource, of the environment's own.
    pub id: Option<&'a ResourceId>,
    pub spec: &'a Value,
    /// As a sentence calls it.
    pub who: String,
    pub way_out: &'static str,
}

/// Everything that stays, as it is at the end: what is declared, what is given up, and what is somebody else's.
pub fn dependents<'a>(end: &'a FinalState<'_>, kinds: &Registry) -> Vec<Dependent<'a>> {
    let declared = end.desired.resources.keys().filter_map(|id| {
        let spec = end.spec(id)?;
        let way_out = "let that field name another first, or keep this one";
        Some(Dependent { kind: &id.kind, id: Some(id), spec, who: id.to_string(), way_out })
    });
    let retained = end.retained.iter().map(|(id, live)| {
        let way_out = "keep this one, or let it stay as well (onDelete: retain)";
        let who = format!("{id} ({}), which stays in AWS by its onDelete,", live.physical);
        Dependent { kind: &id.kind, id: Some(*id), spec: &live.spec, who, way_out }
    });
    let facts = |kind: &str| kinds.of(kind).map(|kind| kind.facts());
    let identity = |kind: &str| facts(kind).map(|facts| facts.identity);
    let outsiders =
        end.observed.outsiders.iter().map(|one| stranger(&one.kind, identity(&one.kind), &one.live));
    // What bears the name of something that is no longer wanted, and is not ours, stays like any other stranger. Revisions
    // are asked about one by one.
    let is_one_of_many = |kind: &str| {
        facts(kind).is_none_or(|facts| {
            facts.identity == Identity::Revisioned || facts.ownership == Ownership::Shared
        })
    };
    let undeclared = end
        .observed
        .resources
        .iter()
        .filter(|(id, _)| !end.desired.resources.contains_key(*id) && !is_one_of_many(&id.kind));
    let undeclared = undeclared.flat_map(|(id, seen)| seen.iter().map(move |live| (id, live)));
    let (ours, namesakes): (Vec<_>, Vec<_>) =
        undeclared.partition(|(_, live)| live.owner().as_ref() == Some(&end.desired.owner));
    let namesakes = namesakes.into_iter().map(|(id, live)| stranger(&id.kind, identity(&id.kind), live));
    // What is no longer wanted, and not for this plan to remove, is there at its end.
    let told = end.going.iter().chain(&end.retained).map(|(id, live)| (*id, live.physical.as_str()));
    let told: BTreeSet<(&ResourceId, &str)> = told.collect();
    let left = ours.into_iter().filter(|(id, live)| !told.contains(&(*id, live.physical.as_str())));
    let left = left.map(|(id, live)| {
        let who =
            format!("{id} ({}), which is no longer declared and not removed by this plan,", live.physical);
        let way_out = "plan the whole environment, which removes it, or keep this one";
        Dependent { kind: &id.kind, id: None, spec: &live.spec, who, way_out }
    });
    declared.chain(retained).chain(outsiders).chain(namesakes).chain(left).collect()
}

/// Something of somebody else's. What only its id tells apart is made anew under another: it may as well go.
fn stranger<'a>(kind: &'a str, identity: Option<Identity>, live: &'a Incarnation) -> Dependent<'a> {
    let owner =
        live.owner().map_or_else(|| "nobody we know".to_owned(), |owner| format!("the owner {owner}"));
    let noun = kind.rsplit('/').next().unwrap_or_default();
    let who = format!("the {noun} {} of {owner}", live.physical);
    let way_out = match identity {
        Some(Identity::Assigned) => "it has to go first, or to let go of it",
        _ => "it has to let go of it first",
    };
    Dependent { kind, id: None, spec: &live.spec, who, way_out }
}
