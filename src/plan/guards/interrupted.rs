//! Jobs that would be cut off, and nobody has allowed it (D21).

use crate::plan::guards::impact::named;
use crate::plan::guards::input::Input;
use crate::plan::model::{End, Impact, Objection, Objector};

/// One objection for each impact that cuts jobs off and was not allowed.
pub fn objections(input: &Input<'_>) -> Vec<Objection> {
    let desired = &input.scope.desired;
    let refused = input.impact.iter().filter(|impact| !impact.allowed && impact.cut_off().next().is_some());
    refused
        .map(|impact| {
            let position = desired.resources.get(&impact.id).map(|declared| declared.position.clone());
            let message = refusal(impact);
            Objection { id: impact.id.clone(), objector: Objector::Jobs, message, position }
        })
        .collect()
}

fn refusal(impact: &Impact) -> String {
    let (names, id) = (named(&impact.cut_off().collect::<Vec<_>>(), impact.more), &impact.id);
    match impact.end {
        End::WithQueue => format!(
            "its jobs that are not over would end with it: {names}; wait for them, cancel them, or allow it with --allow-interrupt={id}"
        ),
        End::AtOnce => format!(
            "running jobs would be cut off at once: {names}; wait for them, set lifecycle.strategy to blueGreen, or allow it with --allow-interrupt={id}"
        ),
        End::After(minutes) => format!(
            "jobs that may take longer than the {minutes} min that updatePolicy gives them would be cut off: {names}; raise updatePolicy.jobExecutionTimeoutMinutes, set lifecycle.strategy to blueGreen, or allow it with --allow-interrupt={id}"
        ),
    }
}
