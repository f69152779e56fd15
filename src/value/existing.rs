//! References to what is there and not ours → values: known before anything is planned, for nothing that is planned changes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::reference::{self, Reference};
use crate::resource::{Desired, Lookup, Position, Source, Surroundings};

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

/// Every lookup that found nothing, or several where one is meant; and every zone that the region does not have.
pub fn unfound(desired: &Desired, known: &Surroundings) -> Vec<Unfound> {
    let mut all = Vec::new();
    for (name, lookup) in &desired.existing {
        let Some(found) = known.found.get(name) else { continue };
        let place = format!("{} {}", desired.place.account, desired.place.region);
        let (message, help) = match (found.matches.len(), &lookup.held) {
            (1, _) => continue,
            (many, _) if many > 1 && lookup.all => continue,
            (0, Some(held)) if lookup.kind().is_some() => (
                format!("`existing.{name}` is held at {held}, which is not there"),
                format!(
                    "`batchwright hold {} {name}` writes what is found now, or take the line `held` away",
                    desired.environment
                ),
            ),
            (0, _) => (
                format!("`existing.{name}` finds nothing: there is no {} in {place}", lookup.described()),
                match &found.own {
                    Some(own) => format!(
                        "{own} would be found, and is this environment's own: refer to it as `${{{own}.…}}`"
                    ),
                    None => "say it otherwise, or make it first".to_owned(),
                },
            ),
            (many, _) => (
                format!("`existing.{name}` finds {many}, and one is meant: {}", found.described()),
                "say more of it by `id`, `name`, `tags` or `where`; or `all: true`, if all of them are meant"
                    .to_owned(),
            ),
        };
        all.push(Unfound { message, help, position: lookup.position.clone() });
    }
    let mut zones: BTreeMap<usize, Position> = BTreeMap::new();
    for declared in desired.resources.values() {
        reference::each(&declared.spec, "", &mut |path, of| {
            if let Reference::Zone(index) = of {
                zones.entry(index).or_insert_with(|| declared.position_of(path).clone());
            }
        });
    }
    for (index, position) in zones.into_iter().filter(|(index, _)| *index >= known.zones.len()) {
        let names = known.zones.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let message = format!(
            "`${{zones.{index}}}` is none of the zones that the account has in {}",
            desired.place.region
        );
        all.push(Unfound { message, help: format!("from `${{zones.0}}` on they are: {names}"), position });
    }
    all
}
