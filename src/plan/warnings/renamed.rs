//! A create and a delete that may be one resource under another logical name: how to say so, before anybody learns to allow the
//! delete. Said only where it comes true: what is declared is compared once more with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diff;
use crate::plan::compare::Compared;
use crate::plan::compare::decision::{Decision, Decisions};
use crate::plan::guards::Renamed;
use crate::plan::model::{Action, Change, Warning};
use crate::plan::request::{Guard, Request};
use crate::plan::scope::Scope;
use crate::plan::{compare, guards};
use crate::resource::{Desired, ResourceId};

/// Creates and deletes that are more alike than either is to any other: where two are equally near, a choice would hang on names.
fn candidates(scope: &Scope<'_>, decisions: &Decisions, changes: &[Change]) -> Renamed {
    let Scope { desired, observed, kinds, .. } = scope;
    let is_new = |decision: &&Decision| {
        let declared = desired.resources.get(&decision.change.id);
        decision.change.action == Action::Create && declared.is_some_and(|it| it.renamed_from.is_none())
    };
    let goes = |change: &&Change| {
        matches!(change.action, Action::Delete | Action::Forget)
            && !desired.resources.contains_key(&change.id)
    };
    let mut pairs = Vec::new();
    for new in decisions.iter().filter(is_new) {
        let Some(kind) = kinds.of(&new.change.id.kind) else { continue };
        for old in changes.iter().filter(goes).filter(|old| old.id.kind == new.change.id.kind) {
            let Some(live) = observed.resources.get(&old.id).and_then(|seen| seen.current.as_ref()) else {
                continue;
            };
            let differing = diff::walk(&live.spec, &new.want, &kind.facts().rules, &[]);
            let top = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
            let differing: BTreeSet<String> = differing.iter().map(|field| top(&field.path)).collect();
            let said =
                new.want.as_object().map_or(0, |fields| fields.values().filter(|it| !is_empty(it)).count());
            if differing.len() * 2 <= said {
                pairs.push((differing.len(), &new.change.id, &old.id));
            }
        }
    }
    let mut nearest: BTreeMap<&ResourceId, Nearest> = BTreeMap::new();
    for (distance, new, old) in &pairs {
        for id in [new, old] {
            nearest.entry(id).or_default().take(*distance);
        }
    }
    let alone = |id: &ResourceId, distance: usize| nearest.get(id).is_some_and(|it| it.is_only(distance));
    let pairs = pairs.iter().filter(|(distance, new, old)| alone(new, *distance) && alone(old, *distance));
    pairs.map(|(_, new, old)| ((*new).clone(), (*old).clone())).collect()
}

/// How near the nearest of all that a resource may be is, and how many are as near.
#[derive(Default)]
struct Nearest {
    distance: usize,
    many: usize,
}

impl Nearest {
    fn take(&mut self, distance: usize) {
        if self.many == 0 || distance < self.distance {
            *self = Self { distance, many: 1 };
        } else if distance == self.distance {
            self.many += 1;
        }
    }

    fn is_only(&self, distance: usize) -> bool {
        self.many == 1 && self.distance == distance
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The candidates that are renamed and nothing else: what is declared is compared once more with what goes.
pub fn confirmed(scope: &Scope<'_>, compared: &Compared, changes: &[Change]) -> Renamed {
    let mut candidates = candidates(scope, &compared.decisions, changes);
    if candidates.is_empty() {
        return candidates;
    }
    let (mut desired, mut observed) = (Desired::clone(&scope.desired), scope.observed.clone());
    for (new, old) in &candidates {
        if let (Some(declared), Some(found)) =
            (desired.resources.get_mut(new), observed.resources.remove(old))
        {
            declared.renamed_from = Some(old.clone());
            observed.resources.insert(new.clone(), found);
        }
    }
    let kinds: Vec<_> = scope.kinds.iter().collect();
    let guard = Guard::default();
    let scope = Scope::of(&Request::new(&desired, &observed, &kinds, &guard));
    let Compared { decisions, mut objections, .. } = compare::all(&scope);
    objections.extend(guards::of_decisions(&scope, &decisions));
    candidates.retain(|new, _| {
        let objected = objections.iter().any(|it| it.id == *new && !it.only_stops_apply());
        !objected && decisions.get(new).is_none_or(|decision| decision.change.action == Action::Update)
    });
    candidates
}

/// How to say that something was renamed.
pub fn hints(scope: &Scope<'_>, renamed: &Renamed) -> impl Iterator<Item = Warning> {
    renamed.iter().map(|(new, old)| {
        let position = scope.desired.resources.get(new).map(|declared| declared.position.clone());
        let message = format!(
            "it is like {old}, which this plan deletes: if that is only renamed, write `renamedFrom: {}` under `metadata` here, and it stays as it is in AWS",
            old.name
        );
        Warning { id: Some(new.clone()), message, position }
    })
}
