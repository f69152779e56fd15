//! What goes only after an environment that drains has gone: work that is due, neither news nor drift (D20).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kind::AnyKind;
use crate::plan::model::{Change, Due};
use crate::plan::removals::replaced;
use crate::plan::removals::replaced::{Retiring, Said};
use crate::plan::removals::undeclared::Leaving;
use crate::resource::{Incarnation, ResourceId};
use crate::value;

/// The incarnations that go and that something which is due still stands on, or something that waits for that in its turn.
/// What holds data is never among them: its end stays a change of its own, asked about each time. `replaced`: also those whose
/// replacement in the same plan says why they go.
pub fn behind(
    retiring: &[Retiring<'_>],
    leaving: &[Leaving<'_>],
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
    replaced: bool,
) -> BTreeSet<(ResourceId, String)> {
    let retiring = retiring.iter().filter(|one| replaced || !matches!(one.said, Said::ByReplacement));
    let leaving =
        leaving.iter().flat_map(|one| one.incarnations.iter().map(move |live| (&one.change.id, *live)));
    let going: Vec<(&ResourceId, &Incarnation)> =
        retiring.map(|one| (one.id, one.live)).chain(leaving).collect();
    let holds_data = |id: &ResourceId| kind_of(&id.kind).is_none_or(|kind| kind.facts().holds_data);
    let is_due = |id: &ResourceId, live: &Incarnation| {
        kind_of(&id.kind).is_some_and(|kind| replaced::is_due(live, kind))
    };
    let mut holding: Vec<&Incarnation> =
        going.iter().filter(|(id, live)| is_due(id, live)).map(|(_, live)| *live).collect();
    let mut found = BTreeSet::new();
    while let Some(holder) = holding.pop() {
        for (id, live) in going.iter().filter(|(id, live)| !is_due(id, live)) {
            if !holds_data(id)
                && stands_on(&holder.spec, live)
                && found.insert(((*id).clone(), live.physical.clone()))
            {
                holding.push(live);
            }
        }
    }
    found
}

fn stands_on(value: &Value, live: &Incarnation) -> bool {
    let id = live.outputs.get("id").and_then(Value::as_str);
    let mut found = false;
    value::strings(value, &mut |text| found |= live.arn.as_deref() == Some(text) || id == Some(text));
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
