//! Which revisions go, and which stay although they are old (D20).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::resource::{Declared, Desired, Incarnation, Incarnations, Observed, Owner, ResourceId};

#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static PINNED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:\b([a-z][a-z-]*)/|^)([A-Za-z0-9][A-Za-z0-9_-]{0,254}):([0-9]{1,10})\b")
        .expect("a pattern")
});

/// A revision as it is named: the type in its ARN, unless it is named without one; its family; its number.
type Pin = (Option<String>, String, u64);

/// Revisions that something names by number, and what names them.
#[derive(Debug, Default)]
pub struct Pins(BTreeMap<Pin, BTreeSet<ResourceId>>);

impl Pins {
    /// Everything that is declared, and everything of ours that AWS has: what is to change its mind in this apply still
    /// needs the old revision until then.
    pub fn of(desired: &Desired, observed: &Observed) -> Self {
        let mut pins = Self::default();
        for declared in desired.resources.values() {
            pins.add(&declared.id, &declared.spec);
        }
        for (id, seen) in &observed.resources {
            let ours = seen.iter().filter(|live| live.owner().as_ref() == Some(&desired.owner));
            ours.filter(|live| live.revision.is_none()).for_each(|live| pins.add(id, &live.spec));
        }
        pins
    }

    pub fn add(&mut self, id: &ResourceId, value: &Value) {
        match value {
            Value::String(text) if text.contains(':') => {
                for captures in PINNED.captures_iter(text) {
                    let part = |at| captures.get(at).map(|part: regex::Match<'_>| part.as_str().to_owned());
                    let revision = part(3).and_then(|revision| revision.parse().ok());
                    if let (Some(family), Some(revision)) = (part(2), revision) {
                        self.0.entry((part(1), family, revision)).or_default().insert(id.clone());
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(id, item)),
            Value::Object(fields) => {
                self.add_version(id, fields);
                fields.values().for_each(|value| self.add(id, value));
            }
            _ => {}
        }
    }

    /// What stands beside a `version` that is a number is named with it: a launch template's id or name.
    fn add_version(&mut self, id: &ResourceId, fields: &serde_json::Map<String, Value>) {
        let Some(number) = fields.get("version").and_then(Value::as_str).and_then(|it| it.parse().ok())
        else {
            return;
        };
        let beside = fields.iter().filter(|(field, _)| *field != "version");
        for family in beside.filter_map(|(_, value)| value.as_str()) {
            self.0.entry((None, family.to_owned(), number)).or_default().insert(id.clone());
        }
    }

    /// What names a revision.
    pub fn holders(&self, live: &Incarnation) -> Option<BTreeSet<ResourceId>> {
        let before = live.arn.as_deref().and_then(|arn| arn.split_once(&format!("/{}", live.physical)));
        let of = before.and_then(|(before, _)| before.rsplit(':').next()).map(str::to_owned);
        let id = live.outputs.get("id").and_then(Value::as_str).map(str::to_owned);
        let named = |of, family: &str| self.0.get(&(of, family.to_owned(), live.revision?));
        let found = [
            of.and_then(|of| named(Some(of), &live.physical)),
            named(None, &live.physical),
            id.and_then(|id| named(None, &id)),
        ];
        let all: BTreeSet<ResourceId> = found.into_iter().flatten().flatten().cloned().collect();
        (!all.is_empty()).then_some(all)
    }
}

/// The revisions of one family beyond `keepRevisions`.
#[derive(Debug, Default)]
pub struct Surplus<'a> {
    /// Those that are deregistered, newest first.
    pub gone: Vec<&'a Incarnation>,
    /// Those that stay because something names them.
    pub pinned: Vec<(u64, BTreeSet<ResourceId>)>,
    keep: u32,
}

/// The revisions beyond `keepRevisions`: only ours, never the one that is newest now, and none that something names.
/// `registers`: this plan adds one.
pub fn surplus<'a>(
    declared: &Declared,
    seen: &'a Incarnations,
    owner: &Owner,
    registers: bool,
    pins: &Pins,
) -> Surplus<'a> {
    let Some(keep) = declared.lifecycle.keep_revisions.map(|keep| keep.max(2)) else {
        return Surplus::default();
    };
    let ours = |live: &&Incarnation| live.owner().as_ref() == Some(owner);
    let mut older: Vec<&Incarnation> = seen.others.iter().filter(ours).collect();
    older.sort_by_key(|live| std::cmp::Reverse(live.revision));
    // The newest counts, and so does the one that comes on top of it.
    let current = u32::from(seen.current.as_ref().is_some_and(|current| ours(&current)));
    let room = keep.saturating_sub(current + u32::from(registers)) as usize;
    let mut surplus = Surplus { keep, ..Surplus::default() };
    for live in older.into_iter().skip(room) {
        match pins.holders(live) {
            Some(holders) => surplus.pinned.push((live.revision.unwrap_or_default(), holders)),
            None => surplus.gone.push(live),
        }
    }
    surplus
}

/// How many revisions stay ACTIVE, of each resource that says so: lowering it is part of what is reviewed (D19).
pub fn kept(desired: &Desired) -> BTreeMap<ResourceId, u32> {
    let kept = |declared: &Declared| Some((declared.id.clone(), declared.lifecycle.keep_revisions?.max(2)));
    desired.resources.values().filter_map(kept).collect()
}

impl Surplus<'_> {
    /// How many stay, if any go.
    pub fn trims(&self) -> Option<u32> {
        (!self.gone.is_empty()).then_some(self.keep)
    }

    /// What goes and what stays, in one line; nothing, if nothing is beyond the number.
    pub fn reason(&self) -> Option<String> {
        let gone: Vec<u64> = self.gone.iter().filter_map(|live| live.revision).collect();
        let are = if gone.len() == 1 { "is" } else { "are" };
        let mut parts = match gone.is_empty() {
            true => Vec::new(),
            false => {
                vec![format!("{} {are} deregistered (keepRevisions: {})", numbers(&gone), self.keep)]
            }
        };
        parts.extend(self.pinned.iter().map(|(revision, holders)| {
            let holders: Vec<String> = holders.iter().map(ToString::to_string).collect();
            format!("revision {revision} stays: {} names it", holders.join(", "))
        }));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// Revisions by number, at least one: many are told by the first and the last.
pub fn numbers(revisions: &[u64]) -> String {
    const NAMED: usize = 6;
    let mut sorted = revisions.to_vec();
    sorted.sort_unstable();
    match &sorted[..] {
        [one] => format!("revision {one}"),
        [first, .., last] if sorted.len() > NAMED => {
            format!("{} revisions from {first} to {last}", sorted.len())
        }
        _ => format!("revisions {}", sorted.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pin_is_a_name_or_an_arn_with_a_revision() {
        let mut pins = Pins::default();
        let id = ResourceId::new("iam/Role", "caller");
        pins.add(
            &id,
            &json!(["arn:aws:batch:eu-west-1:111111111111:job-definition/dev-job:7", "dev-job:8", {"a": "x dev-job:9"},
                "arn:aws:batch:eu-west-1:111111111111:job-definition/dev-job", "https://host:80", "12:30"]),
        );
        let found: Vec<(Option<&str>, &str, u64)> =
            pins.0.keys().map(|(of, family, revision)| (of.as_deref(), family.as_str(), *revision)).collect();
        let definition = Some("job-definition");
        let versions = json!({"launchTemplateId": "lt-1", "version": "7", "overrides": [{"launchTemplateName": "jobs", "version": "$Latest"}]});
        let mut by_version = Pins::default();
        by_version.add(&id, &versions);
        let named: Vec<&Pin> = by_version.0.keys().collect();
        assert_eq!(named, [&(None, "lt-1".to_owned(), 7)]);
        assert_eq!(found, [(None, "12", 30), (None, "dev-job", 8), (definition, "dev-job", 7)]);
    }
}
