//! What was looked up that is not ours: put in the place of what names it before anything is compared, and told with the plan.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::plan::model::{Action, Change, LookedUp};
use crate::resource::{Desired, Observed, ResourceId};
use crate::value::reference::{self, Reference};

/// What each lookup found, and which changes come of nothing but that it finds something else than what is in use. `declared`: the
/// manifests, in which it is named.
pub fn told(declared: &Desired, observed: &Observed, changes: &[Change]) -> Vec<LookedUp> {
    let moved = moved(declared, changes);
    let of = |(name, lookup): (&String, &crate::resource::Lookup)| {
        let found = observed.surroundings.found.get(name)?;
        let by_this = moved.iter().filter(|(_, names)| names.contains(name)).map(|(id, _)| id.clone());
        Some(LookedUp {
            name: name.clone(),
            what: lookup.described(),
            found: found.described(),
            held: lookup.held.is_some(),
            newer: found.newer.clone(),
            moves: by_this.collect(),
            position: Some(lookup.position.clone()),
        })
    };
    declared.existing.iter().filter_map(of).collect()
}

type Moved = Vec<(ResourceId, BTreeSet<String>)>;

/// The changes all of whose fields come from lookups, or from what is changed by nothing else; each with those lookups.
fn moved(declared: &Desired, changes: &[Change]) -> Moved {
    let mut moved = Moved::new();
    loop {
        let before = moved.len();
        for change in changes {
            if moved.iter().any(|(id, _)| *id == change.id)
                || !matches!(change.action, Action::Update | Action::Replace)
            {
                continue;
            }
            let Some(resource) = declared.resources.get(&change.id) else { continue };
            // What is held moves by a change of the manifests alone.
            let moves =
                |name: &String| declared.existing.get(name).is_some_and(|lookup| lookup.held.is_none());
            let sources = change.fields.iter().map(|field| sources(&resource.spec, &field.path, &moved));
            let sources: Option<Vec<BTreeSet<String>>> = sources.collect();
            let all_move = |sources: &Vec<BTreeSet<String>>| sources.iter().all(|it| it.iter().all(moves));
            if let Some(sources) = sources.filter(|sources| !sources.is_empty() && all_move(sources)) {
                moved.push((change.id.clone(), sources.into_iter().flatten().collect()));
            }
        }
        if moved.len() == before {
            return moved;
        }
    }
}

/// The lookups that a field's value comes from; nothing, if it does not.
fn sources(spec: &Value, path: &str, moved: &Moved) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    reference::each(follow(spec, path)?, "", &mut |_, of| match of {
        Reference::Existing { name, .. } => drop(names.insert(name)),
        Reference::Output { id, .. } => {
            names.extend(
                moved.iter().filter(|(it, _)| *it == id).flat_map(|(_, names)| names.iter().cloned()),
            );
        }
        Reference::Image(_) | Reference::Zone(_) => {}
    });
    (!names.is_empty()).then_some(names)
}

/// The value at a path of a difference. Nothing, where an item is told by its key: it could be another.
fn follow<'v>(spec: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(spec, |value, part| {
        let (name, items) = part.split_once('[').map_or((part, ""), |(name, items)| (name, items));
        let value = value.get(name)?;
        let mut items = items.split(['[', ']']).filter(|item| !item.is_empty());
        items.try_fold(value, |value, item| value.get(item.parse::<usize>().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_comes_of_a_lookup_only_where_its_field_names_one() {
        let spec = json!({"a": {"b": "${existing.ami.value}"}, "c": ["x", "${existing.vpc.id}"], "d": "x", "e": "${x/Y/z.arn}"});
        let sources = |path: &str, moved: &Moved| {
            sources(&spec, path, moved).map(|it| it.into_iter().collect::<Vec<_>>())
        };
        let none = Moved::new();
        assert_eq!(sources("a.b", &none), Some(vec!["ami".to_owned()]));
        assert_eq!(sources("c[1]", &none), Some(vec!["vpc".to_owned()]));
        assert_eq!(sources("c", &none), Some(vec!["vpc".to_owned()]));
        for path in ["c[0]", "c[x]", "d", "e", "nothing"] {
            assert_eq!(sources(path, &none), None, "{path}");
        }
        let moved = vec![(ResourceId::new("x/Y", "z"), BTreeSet::from(["ami".to_owned()]))];
        assert_eq!(sources("e", &moved), Some(vec!["ami".to_owned()]));
    }
}
