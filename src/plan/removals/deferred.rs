//! What goes only after an environment that drains has gone: work that is due, neither news nor drift (D20).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::plan::model::{Change, Due};
use crate::plan::removals::replaced;
use crate::plan::removals::replaced::{Replaced, Reported};
use crate::plan::removals::undeclared::Undeclared;
use crate::plan::request::Registry;
use crate::resource::{Incarnation, ResourceId};
use crate::value;

/// Incarnations, by resource and name.
pub type Waiting = BTreeSet<(ResourceId, String)>;

/// The incarnations that go and that something which is due still stands on, or something that waits for that in its turn.
/// What holds data is never among them: its end stays a change of its own, asked about each time. `replaced`: also those whose
/// replacement in the same plan says why they go.
pub fn waiting(
    old: &[Replaced<'_>],
    undeclared: &[Undeclared<'_>],
    kinds: &Registry,
    replaced: bool,
) -> Waiting {
    let old = old.iter().filter(|one| replaced || !matches!(one.reported, Reported::ByReplacement));
    let undeclared =
        undeclared.iter().flat_map(|one| one.incarnations.iter().map(move |live| (&one.change.id, *live)));
    let going: Vec<(&ResourceId, &Incarnation)> =
        old.map(|one| (one.id, one.live)).chain(undeclared).collect();
    let holds_data = |id: &ResourceId| kinds.of(&id.kind).is_none_or(|kind| kind.facts().holds_data);
    let is_due = |id: &ResourceId, live: &Incarnation| {
        kinds.of(&id.kind).is_some_and(|kind| replaced::is_due(live, kind))
    };
    let mut standing: BTreeMap<&str, Vec<(&ResourceId, &Incarnation)>> = BTreeMap::new();
    for (id, live) in going.iter().filter(|(id, live)| !is_due(id, live) && !holds_data(id)) {
        let named = [live.arn.as_deref(), live.outputs.get("id").and_then(Value::as_str)];
        for text in named.into_iter().flatten() {
            standing.entry(text).or_default().push((id, live));
        }
    }
    let mut holding: Vec<&Incarnation> =
        going.iter().filter(|(id, live)| is_due(id, live)).map(|(_, live)| *live).collect();
    let mut found = Waiting::new();
    while let Some(holder) = holding.pop() {
        value::strings(&holder.spec, &mut |text| {
            for (id, live) in standing.get(text).into_iter().flatten() {
                if found.insert(((*id).clone(), live.physical.clone())) {
                    holding.push(live);
                }
            }
        });
    }
    found
}

/// What a plan says of one.
pub fn due(change: &Change, live: &Incarnation) -> Due {
    let what = "what is switched off still stands on it: an apply deletes it after that".to_owned();
    Due {
        id: change.id.clone(),
        physical: live.physical.clone(),
        what,
        change: Some(Box::new(change.clone())),
    }
}

/// Says of something that is due that it stays.
pub fn hold(due: &mut Due) {
    due.what = match due.change.take() {
        Some(_) => "no review holds its delete: it stays until one does".to_owned(),
        None => "it is switched off, and stays until a review holds what goes after it".to_owned(),
    };
}
