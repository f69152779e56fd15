//! What goes while something that stays still stands on it. AWS would take a role from under a compute environment without
//! a word, and refuses the delete of others only in the middle of an apply.

use std::collections::BTreeMap;

use serde_json::Value;

use super::guard::Objection;
use super::holders::{End, GROUND};
use super::warn::Warning;
use crate::diff::{Compare, Rules};
use crate::kind::{AnyKind, Identity, Ownership};
use crate::resource::{Incarnation, OnDelete, ResourceId};

mod outside;
mod revisions;

pub use outside::runs_by;

/// One objection for each user, at the end of a plan, of something that the plan takes away, and warnings of uses that hold
/// nothing up. Who lists a compute environment is not asked here: [`End::objections`] knows more of queues.
pub(super) fn objections(
    end: &End<'_>,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> (Vec<Objection>, Vec<Warning>) {
    let (going, users) = (Going::of(end, kind_of), end.users(kind_of));
    let rules = |kind: &str| kind_of(kind).map(|kind| &kind.facts().rules);
    let (mut found, warnings) = revisions::left(end, &going, &users, &rules);
    found.extend(outside::objections(end, &users));
    for user in &users {
        let mut uses = BTreeMap::new();
        mentions(user.spec, "", rules(user.kind), &mut |path, text| {
            if let Some((id, live)) = going.named(path, text).filter(|(id, _)| user.id != Some(*id)) {
                uses.entry(id).or_insert_with(|| (path.to_owned(), live));
            }
        });
        for (id, (path, live)) in uses {
            // Of what follows by a reference, others speak.
            let follows = |user| end.edges.get(user).is_some_and(|needs| needs.contains(id));
            let told = |user| end.follows_elsewhere(user, id) || (end.makes_room(id) && follows(user));
            if !user.id.is_some_and(told) {
                let (live, who) = (&live.physical, &user.who);
                let message = format!("{live} is to go, while {who} needs it ({path}): {}", user.way_out);
                found.push(end.object(id, message));
            }
        }
    }
    (found, warnings)
}

/// What goes, by the texts that denote it.
struct Going<'a> {
    denoted: BTreeMap<&'a str, (&'a ResourceId, &'a Incarnation)>,
    /// Log groups, which are called by their names, and by one option of a log driver.
    groups: BTreeMap<&'a str, (&'a ResourceId, &'a Incarnation)>,
}

impl<'a> Going<'a> {
    fn of(end: &'a End<'_>, kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>) -> Self {
        let (mut denoted, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for (id, live) in end.ending().into_iter().filter(|(id, _)| id.kind != GROUND) {
            let assigned = kind_of(&id.kind).is_some_and(|kind| kind.facts().identity == Identity::Assigned);
            let name = live.outputs.get("id").and_then(Value::as_str).filter(|_| assigned);
            let arn = live.outputs.get("arn").and_then(Value::as_str);
            denoted.extend(
                live.arn.as_deref().into_iter().chain(arn).chain(name).map(|text| (text, (id, live))),
            );
            if id.kind == "logs/LogGroup" && !end.makes_room(id) {
                groups.insert(live.physical.as_str(), (id, live));
            }
        }
        Self { denoted, groups }
    }

    fn named(&self, path: &str, text: &str) -> Option<(&'a ResourceId, &'a Incarnation)> {
        let by_name = || self.groups.get(text).filter(|_| path.ends_with(".awslogs-group"));
        self.denoted.get(text).or_else(by_name).copied()
    }
}

/// Something that is there at the end of a plan.
pub(super) struct User<'a> {
    /// `<service>/<Kind>`.
    pub kind: &'a str,
    /// Which resource, of the environment's own.
    pub id: Option<&'a ResourceId>,
    pub spec: &'a Value,
    /// As a sentence calls it.
    pub who: String,
    pub way_out: &'static str,
}

impl End<'_> {
    /// Everything that stays, as it is at the end: what is declared, what is given up, and what is somebody else's.
    fn users(&self, kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>) -> Vec<User<'_>> {
        let declared = self.desired.resources.keys().filter_map(|id| {
            let spec = self.final_spec(id, "")?;
            let way_out = "let that field name another first, or keep this one";
            Some(User { kind: &id.kind, id: Some(id), spec, who: id.to_string(), way_out })
        });
        let retained = self.parts.leaving.iter().filter(|leaving| leaving.on_delete == OnDelete::Retain);
        let retained =
            retained.flat_map(|leaving| leaving.incarnations.iter().map(|live| (&leaving.change.id, *live)));
        let replaced = self.parts.retiring.iter().filter(|one| one.on_delete == OnDelete::Retain);
        let retained = retained.chain(replaced.map(|one| (one.id, one.live))).map(|(id, live)| {
            let way_out = "keep this one, or let it stay as well (onDelete: retain)";
            let who = format!("{id} ({}), which stays in AWS by its onDelete,", live.physical);
            User { kind: &id.kind, id: Some(id), spec: &live.spec, who, way_out }
        });
        let outsiders = self.observed.outsiders.iter().map(|one| stranger(&one.kind, &one.live));
        // What bears the name of something that is no longer wanted, and is not ours, stays like any other stranger. Revisions
        // are asked about one by one.
        let is_one_of_many = |kind: &str| {
            kind_of(kind).is_none_or(|kind| {
                let facts = kind.facts();
                facts.identity == Identity::Revisioned || facts.ownership == Ownership::Shared
            })
        };
        let undeclared =
            self.observed.resources.iter().filter(move |(id, _)| {
                !self.desired.resources.contains_key(*id) && !is_one_of_many(&id.kind)
            });
        let namesakes = undeclared.flat_map(|(id, seen)| seen.iter().map(move |live| (id, live)));
        let namesakes = namesakes
            .filter(|(_, live)| live.owner().as_ref() != Some(&self.desired.owner))
            .map(|(id, live)| stranger(&id.kind, live));
        declared.chain(retained).chain(outsiders).chain(namesakes).collect()
    }
}

/// Something of somebody else's.
fn stranger<'a>(kind: &'a str, live: &'a Incarnation) -> User<'a> {
    let owner =
        live.owner().map_or_else(|| "nobody we know".to_owned(), |owner| format!("the owner {owner}"));
    let noun = kind.rsplit('/').next().unwrap_or_default();
    let who = format!("the {noun} {} of {owner}", live.physical);
    let way_out = match kind.starts_with("ec2/") {
        true => "it has to go first, or to let go of it",
        false => "it has to let go of it first",
    };
    User { kind, id: None, spec: &live.spec, who, way_out }
}

/// Every text of a document with the path of the field, policy documents aside: what they name need not exist.
fn mentions<'v>(value: &'v Value, path: &str, rules: Option<&Rules>, on: &mut dyn FnMut(&str, &'v str)) {
    if rules.is_some_and(|rules| rules.compare == Compare::Policy) {
        return;
    }
    match value {
        Value::String(text) => on(path, text),
        Value::Array(items) => {
            let rules = rules.and_then(|rules| rules.items.as_deref());
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| mentions(item, &format!("{path}[{at}]"), rules, on));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                let rules = rules.and_then(|rules| rules.fields.get(key).or(rules.values.as_deref()));
                mentions(value, &format!("{path}{dot}{key}"), rules, on);
            }
        }
        _ => {}
    }
}
