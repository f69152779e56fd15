//! A create and a delete that may be one resource under another logical name: how to say so, before anybody learns to allow the
//! delete. Said only where it comes true: what is declared is compared once more with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diff;
use crate::kind::AnyKind;
use crate::plan::compare::decision::Draft;
use crate::plan::model::{Action, Change, Objection, Objector, Plan, Warning};
use crate::plan::planner;
use crate::resource::{Desired, Observed, ResourceId};

/// What may have been renamed, by the new id: the old one.
pub type Renamings = BTreeMap<ResourceId, ResourceId>;

/// Creates and deletes that are more alike than either is to any other: where two are equally near, a choice would hang on names.
pub fn candidates(
    drafts: &[Draft],
    changes: &[Change],
    desired: &Desired,
    observed: &Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Renamings {
    let is_new = |draft: &&Draft| {
        let declared = desired.resources.get(&draft.change.id);
        draft.change.action == Action::Create && declared.is_some_and(|it| it.renamed_from.is_none())
    };
    let goes = |change: &&Change| {
        matches!(change.action, Action::Delete | Action::Forget)
            && !desired.resources.contains_key(&change.id)
    };
    let mut pairs = Vec::new();
    for new in drafts.iter().filter(is_new) {
        let Some(kind) = kind_of(&new.change.id.kind) else { continue };
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

/// Adds to a plan how to say that something was renamed, of the candidates with which that mends it.
pub fn hint(
    plan: &mut Plan,
    candidates: Renamings,
    (desired, observed): (&Desired, &Observed),
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) {
    if candidates.is_empty() {
        return;
    }
    let (mut renamed, mut seen) = (desired.clone(), observed.clone());
    for (new, old) in &candidates {
        if let (Some(declared), Some(found)) = (renamed.resources.get_mut(new), seen.resources.remove(old)) {
            declared.renamed_from = Some(old.clone());
            seen.resources.insert(new.clone(), found);
        }
    }
    let (drafts, objections) = planner::compared(&renamed, &seen, kind_of);
    for (new, old) in candidates {
        let mut changed = drafts.iter().map(|draft| &draft.change).filter(|change| change.id == new);
        let objected = objections.iter().any(|it| it.id == new && !it.only_stops_apply());
        if changed.any(|change| change.action != Action::Update) || objected {
            continue;
        }
        let position = desired.resources.get(&new).map(|declared| declared.position.clone());
        let message = format!(
            "it is like {old}, which this plan deletes: if that is only renamed, write `renamedFrom: {}` under `metadata` here, and it stays as it is in AWS",
            old.name
        );
        plan.warnings.push(Warning { id: Some(new.clone()), message, position });
        let speaks = |it: &&mut Objection| {
            it.id == old && matches!(it.objector, Objector::Delete | Objector::Protected | Objector::Data)
        };
        for objection in plan.objections.iter_mut().filter(speaks) {
            let instead = format!(
                "; or, if it is only renamed, write `renamedFrom: {}` under the `metadata` of {new}",
                old.name
            );
            objection.message.push_str(&instead);
        }
    }
}
