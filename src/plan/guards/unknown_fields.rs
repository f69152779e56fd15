//! What exists has fields that this program does not know: another revision would be without them, and nobody would see it.

use serde_json::Value;

use crate::kind::Effect;
use crate::plan::guards::input::Input;
use crate::plan::model::{Objection, Objector};
use crate::resource::UNKNOWN_FIELDS;

/// One objection for each new revision that would lose something.
pub fn objections(input: &Input<'_>) -> Vec<Objection> {
    let observed = input.scope.observed;
    let revisions = input.changes.iter().filter(|change| change.effect == Some(Effect::NewRevision));
    let lost = revisions.filter_map(|change| {
        let current = observed.resources.get(&change.id)?.current.as_ref()?;
        let fields = current.outputs.get(UNKNOWN_FIELDS)?.as_array()?;
        let fields: Vec<&str> = fields.iter().filter_map(Value::as_str).collect();
        let message = format!(
            "revision {} has {}, which this batchwright does not know and the next revision would be without: register a \
             revision without it by another tool, or use a batchwright that knows it",
            current.revision.unwrap_or_default(),
            fields.join(", ")
        );
        Some(Objection {
            id: change.id.clone(),
            objector: Objector::Impossible,
            message,
            position: change.position.clone(),
        })
    });
    lost.collect()
}
