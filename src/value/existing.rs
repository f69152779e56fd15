//! References to what is there and not ours → values: known before anything is planned, for nothing that is planned changes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::reference::{self, Reference};
use crate::resource::{Desired, Found, Lookup, Position, Source, Surroundings};

/// The lookups that a lookup stands on.
pub fn uses(lookup: &Lookup) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Source::Kind(wanted) = &lookup.source else { return found };
    for value in wanted.fields.values() {
        reference::each(value, "", &mut |_, of| {
            if let Reference::Existing { name, .. } = of {
                found.insert(name);
            }
        });
    }
    found
}

/// Whether an environment names a zone of its region.
pub fn are_zones_named(desired: &Desired) -> bool {
    let mut found = false;
    let mut look = |value: &Value| super::strings(value, &mut |text| found |= text.contains("${zones."));
    desired.resources.values().for_each(|declared| look(&declared.spec));
    desired.outputs.values().for_each(|output| look(&output.value));
    for lookup in desired.existing.values() {
        if let Source::Kind(wanted) = &lookup.source {
            wanted.fields.values().for_each(&mut look);
        }
    }
    found
}

/// A document with what is known of the surroundings. What a lookup of several stands for takes the place of an item as so many.
pub fn resolved(value: &Value, known: &Surroundings) -> Value {
    match value {
        Value::Array(items) => {
            let item = |item: &Value| match several(item, known) {
                Some(all) => all,
                None => vec![resolved(item, known)],
            };
            Value::Array(items.iter().flat_map(item).collect())
        }
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                (reference::replace(key, &|of| text(of, known)), resolved(value, known))
            };
            fields.iter().map(field).collect()
        }
        Value::String(written) if written.contains("${") => {
            Value::String(reference::replace(written, &|of| text(of, known)))
        }
        other => other.clone(),
    }
}

/// What an item stands for that names all that a lookup found.
fn several(item: &Value, known: &Surroundings) -> Option<Vec<Value>> {
    let Some(Reference::Existing { name, output }) = item.as_str().and_then(reference::whole) else {
        return None;
    };
    let found = known.found.get(&name)?;
    found.matches.iter().map(|it| it.outputs.get(&output).and_then(as_text).map(Value::String)).collect()
}

fn text(of: &Reference, known: &Surroundings) -> Option<String> {
    match of {
        Reference::Existing { name, output } => match known.found.get(name)?.matches.as_slice() {
            [one] => as_text(one.outputs.get(output)?),
            _ => None,
        },
        Reference::Zone(index) => known.zones.iter().nth(*index).cloned(),
        Reference::Output { .. } | Reference::Image(_) => None,
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What is declared, with all that was looked up. Nothing, where nothing is looked up.
pub fn settled(desired: &Desired, known: &Surroundings) -> Option<Desired> {
    if known.is_empty() {
        return None;
    }
    let mut settled = desired.clone();
    for declared in settled.resources.values_mut() {
        declared.spec = resolved(&declared.spec, known);
    }
    for output in settled.outputs.values_mut() {
        output.value = resolved(&output.value, known);
    }
    Some(settled)
}

/// A lookup that does not say what is meant, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfound {
    /// What is the matter.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where.
    pub position: Position,
}

/// Every lookup that found nothing, or several where one is meant; every output that what it found does not have; and every zone that
/// the region does not have.
pub fn unfound(desired: &Desired, known: &Surroundings) -> Vec<Unfound> {
    let mut all = Vec::new();
    for (name, lookup) in &desired.existing {
        let Some(found) = known.found.get(name) else { continue };
        let told = match found.matches.len() {
            0 => Some(nothing(desired, (name, lookup), found)),
            many if many > 1 && !lookup.all => Some((
                format!("`existing.{name}` finds {many}, and one is meant: {}", found.described()),
                "say more of it by `id`, `name`, `tags` or `where`; or `all: true`, if all of them are meant"
                    .to_owned(),
            )),
            _ => disguised(name, found),
        };
        let unfound = |(message, help)| Unfound { message, help, position: lookup.position.clone() };
        all.extend(told.map(unfound));
    }
    let mut lacking: BTreeMap<String, (String, Position)> = BTreeMap::new();
    let mut look = |value: &Value, at: &dyn Fn(&str) -> Position| {
        reference::each(value, "", &mut |path, of| {
            if let Some((message, help)) = lacks(desired, &of, known) {
                lacking.entry(message).or_insert_with(|| (help, at(path)));
            }
        });
    };
    for declared in desired.resources.values() {
        look(&declared.spec, &|path| declared.position_of(path).clone());
    }
    for output in desired.outputs.values() {
        look(&output.value, &|_| output.position.clone());
    }
    for lookup in desired.existing.values() {
        if let Source::Kind(wanted) = &lookup.source {
            wanted.fields.values().for_each(|value| look(value, &|_| lookup.position.clone()));
        }
    }
    all.extend(lacking.into_iter().map(|(message, (help, position))| Unfound { message, help, position }));
    all
}

/// What is said of a lookup that finds nothing, and what to do.
fn nothing(desired: &Desired, (name, lookup): (&String, &Lookup), found: &Found) -> (String, String) {
    if let Some(held) = lookup.held.as_ref().filter(|_| lookup.kind().is_some()) {
        return (
            format!("`existing.{name}` is held at {held}, which is not there"),
            format!(
                "`batchwright hold {} {name}` writes what is found now, or take the line `held` away",
                desired.environment
            ),
        );
    }
    if found.secret {
        return (
            format!("`existing.{name}` finds a secret: {} is a SecureString", lookup.described()),
            "name it under `secrets` of the container: what a manifest says is shown".to_owned(),
        );
    }
    let place = format!("{} {}", desired.place.account, desired.place.region);
    let help = match (&found.own, &lookup.source) {
        (Some(own), _) => {
            format!("{own} would be found, and is this environment's own: refer to it as `${{{own}.…}}`")
        }
        (None, Source::Environment { .. }) => {
            "apply that environment first; if the name in AWS is another there, look it up by `kind` and `name`"
                .to_owned()
        }
        _ => "say it otherwise, or make it first".to_owned(),
    };
    (format!("`existing.{name}` finds nothing: there is no {} in {place}", lookup.described()), help)
}

/// What is found stands for itself: what has the form of a reference would be taken for one.
fn disguised(name: &str, found: &Found) -> Option<(String, String)> {
    let mut seen = false;
    for one in &found.matches {
        one.outputs.values().for_each(|value| reference::each(value, "", &mut |_, _| seen = true));
    }
    let message =
        format!("what `existing.{name}` finds holds `${{…}}`, which would be taken for a reference");
    seen.then(|| (message, "write the value out, with `$${` for each `${`".to_owned()))
}

/// What a reference names that what was found does not have.
fn lacks(desired: &Desired, of: &Reference, known: &Surroundings) -> Option<(String, String)> {
    match of {
        Reference::Zone(index) if *index >= known.zones.len() => {
            let names = known.zones.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let region = &desired.place.region;
            let message =
                format!("`${{zones.{index}}}` is none of the zones that the account has in {region}");
            Some((message, format!("from `${{zones.0}}` on they are: {names}")))
        }
        Reference::Existing { name, output } => {
            let found = known.found.get(name)?;
            let without =
                found.matches.iter().find(|it| it.outputs.get(output).and_then(as_text).is_none())?;
            let message = format!("{}, which `existing.{name}` finds, has no `{output}`", without.physical);
            let has: Vec<&str> = without.outputs.keys().map(String::as_str).collect();
            Some((message, format!("it has: {}", has.join(", "))))
        }
        _ => None,
    }
}
