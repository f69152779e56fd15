//! Taking over what exists: our tags are written, and nothing else (D12).

use std::collections::BTreeSet;

use super::{Action, Change, Plan, Seal, Step, Verb, tags};
use crate::kind::{Ownership, Reason};
use crate::resource::{Declared, Desired, Incarnation, OnDelete, Tags};

/// The plan that tags a live resource as the declared one. Empty if it carries these tags already.
pub fn adopt(
    desired: &Desired,
    declared: &Declared,
    live: &Incarnation,
    tags: Tags,
    ownership: Ownership,
) -> Plan {
    let fields = tags::differ(&live.tags, &tags, ownership);
    let mut plan = Plan {
        environment: desired.environment.clone(),
        owner: desired.owner.clone(),
        place: desired.place.clone(),
        changes: Vec::new(),
        steps: Vec::new(),
        objections: Vec::new(),
        warnings: Vec::new(),
        notes: Vec::new(),
        due: Vec::new(),
        impact: Vec::new(),
        unchanged: 0,
        keeps: std::collections::BTreeMap::new(),
    };
    if fields.is_empty() {
        plan.unchanged = 1;
        return plan;
    }
    let because = Reason("only tags are written; other changes come by plan and apply".to_owned());
    let change = Change {
        id: declared.id.clone(),
        action: Action::Adopt,
        effect: None,
        reason: because.clone(),
        physical: live.physical.clone(),
        fields,
        unchanged: 0,
        position: Some(declared.position.clone()),
        seal: Seal::default(),
    };
    plan.changes.push(change.sealed());
    plan.steps.push(Step {
        id: 0,
        resource: declared.id.clone(),
        verb: Verb::Adopt,
        physical: live.physical.clone(),
        revision: live.revision,
        want: live.spec.clone(),
        tags,
        ignore: Vec::new(),
        on_delete: OnDelete::default(),
        patience: None,
        interrupts: false,
        without: Vec::new(),
        after: BTreeSet::new(),
        because,
    });
    plan
}
