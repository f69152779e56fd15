//! The roles that let GitHub in, and all that says what these may do: no run that came in by one of them changes any (D36).

use crate::permissions;
use crate::plan::guards::input::Input;
use crate::plan::model::{Change, Objection, Objector};
use crate::resource::{Incarnations, ResourceId};

/// One objection for each change of what the environment declares of them, or AWS has: so taking them out of the manifests takes
/// away no guard.
pub fn objections(input: &Input<'_>) -> Vec<Objection> {
    let Some(role) = &input.scope.guard.caller else { return Vec::new() };
    let (declared, observed) = (input.scope.declared, input.scope.observed);
    let mut gate = permissions::gate(declared);
    gate.extend(permissions::live_gate(observed));
    let is_this = |id: &ResourceId| {
        let declared = declared.resources.get(id).map(|it| it.physical_name.as_str());
        let live = observed.resources.get(id).into_iter().flat_map(Incarnations::iter);
        declared.into_iter().chain(live.map(|it| it.physical.as_str())).any(|name| name == role)
    };
    if !gate.iter().any(is_this) {
        return Vec::new();
    }
    let message = format!(
        "it says who may act from GitHub, and this run came in that way: apply it with `batchwright bootstrap {}` and your own credentials first",
        declared.environment
    );
    let changed = input.changes.iter().filter(|change| gate.contains(&change.id));
    let objection = |change: &Change| Objection {
        id: change.id.clone(),
        objector: Objector::Protected,
        message: message.clone(),
        position: change.position.clone(),
    };
    changed.map(objection).collect()
}
