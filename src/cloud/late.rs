//! Kinds that AWS shows late: for a while after a write a read may answer what was before. What differs of them counts only
//! when two looks in a row say the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cloud, Reach, Scope};
use crate::kind::AnyKind;
use crate::plan::{self, Action, Guard, Plan, Request};
use crate::resource::{Desired, Observed, ResourceId};
use crate::services::Result;

/// How often it is looked again.
const MOST_LOOKS: u32 = 3;

/// The plan of what is left when nothing differs between two looks any more; `observed` is what the last one saw.
pub(super) async fn settled(
    cloud: &dyn Cloud,
    desired: &Desired,
    observed: &mut Observed,
    kinds: &[&'static dyn AnyKind],
    guard: &Guard,
) -> Result<Plan> {
    let mut plan = plan::plan(&Request::new(desired, observed, kinds, guard));
    for _ in 0..MOST_LOOKS {
        let names = doubtful(&plan, observed, kinds);
        if names.is_empty() {
            break;
        }
        let scope = Scope::of(desired).narrowed(Reach::Named, names);
        let seen = cloud.observe(&scope).await?.resources;
        let moved = seen.iter().any(|(id, seen)| observed.resources.get(id) != Some(seen));
        if !moved {
            break;
        }
        observed.resources.extend(seen);
        plan = plan::plan(&Request::new(desired, observed, kinds, guard));
    }
    Ok(plan)
}

/// What is updated of such kinds, with the names under which it is there.
fn doubtful(
    plan: &Plan,
    observed: &Observed,
    kinds: &[&'static dyn AnyKind],
) -> BTreeMap<ResourceId, BTreeSet<String>> {
    let late =
        |id: &ResourceId| kinds.iter().any(|kind| kind.facts().name == id.kind && kind.facts().shown_late);
    let updates = plan.changes.iter().filter(|change| change.action == Action::Update && late(&change.id));
    let names = updates.filter_map(|change| {
        let seen = observed.resources.get(&change.id)?;
        Some((change.id.clone(), seen.iter().map(|live| live.physical.clone()).collect()))
    });
    names.collect()
}
