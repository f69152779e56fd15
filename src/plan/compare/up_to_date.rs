//! What is as declared: nothing to do, unless it is broken or has more revisions than are kept.

use crate::kind::{Effect, Manner, Reason};
use crate::plan::compare::decision::{Decision, Operation, count};
use crate::plan::compare::revisions::Surplus;
use crate::plan::model::{Action, Change, Digests, Due};
use crate::resource::{Declared, Document, Incarnation, Tags};

/// As declared, and AWS is still at work on it: a run that was cut off has made or changed it. There is nothing to change,
/// and an apply ends when AWS has.
pub struct InProgress {
    pub due: Due,
    pub want: Document,
    pub tags: Tags,
    pub ignore: Vec<String>,
}

impl InProgress {
    pub fn of(declared: &Declared, current: &Incarnation, why: &str) -> Self {
        let what = format!("AWS is still at work on it ({why}): an apply waits for the end of that");
        Self {
            due: Due { id: declared.id.clone(), physical: current.physical.clone(), what, change: None },
            want: current.spec.clone(),
            tags: current.tags.clone(),
            ignore: declared.ignore.clone(),
        }
    }
}

/// Nothing differs, and there are more revisions than are kept.
pub fn trim(declared: &Declared, current: &Incarnation, surplus: &Surplus<'_>) -> Decision {
    let change = Change {
        id: declared.id.clone(),
        action: Action::Update,
        effect: None,
        reason: Reason(surplus.reason().unwrap_or_default()),
        physical: current.physical.clone(),
        fields: Vec::new(),
        unchanged: count(&current.spec),
        position: Some(declared.position.clone()),
        digests: Digests { trims: surplus.trims(), ..Digests::default() },
    };
    Decision {
        change: change.with_digests(),
        want: current.spec.clone(),
        tags: current.tags.clone(),
        ignore: Vec::new(),
        operation: Operation::Trim,
        first: None,
    }
}

/// As declared, and broken: a run that was cut off here goes on, or the reason is mended elsewhere, perhaps by this very
/// plan. An update makes AWS look again. It stands in nobody else's way.
pub fn repair(declared: &Declared, current: &Incarnation, why: &str) -> Decision {
    let change = Change {
        id: declared.id.clone(),
        action: Action::Update,
        effect: Some(Effect::Update(Manner::Repair)),
        reason: Reason(format!("AWS reports it as broken: {why}")),
        physical: current.physical.clone(),
        fields: Vec::new(),
        unchanged: count(&current.spec),
        position: Some(declared.position.clone()),
        digests: Digests::default(),
    };
    Decision {
        change: change.with_digests(),
        want: current.spec.clone(),
        tags: current.tags.clone(),
        ignore: declared.ignore.clone(),
        operation: Operation::Update { tags_only: false },
        first: None,
    }
}
