//! Taking over what exists: our tags are written, and nothing else (D12).

use std::collections::BTreeSet;

use crate::kind::{Ownership, Reason};
use crate::plan::compare::revisions::numbers;
use crate::plan::compare::tags;
use crate::plan::model::{Action, Change, Digests, Plan, Step, Verb};
use crate::resource::{Declared, Desired, Incarnation, OnDelete};

/// The plan that tags live incarnations as the declared resource: one, or every revision of a family that nobody owns, the newest
/// first. Empty if they carry these tags already.
pub fn adopt(desired: &Desired, declared: &Declared, live: &[&Incarnation], ownership: Ownership) -> Plan {
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
        looked_up: Vec::new(),
        unchanged: 0,
        keeps: std::collections::BTreeMap::new(),
    };
    let wanted = live.iter().map(|live| (*live, tags::adoption(declared, &desired.owner, ownership, live)));
    let differing: Vec<_> =
        wanted.filter(|(live, wanted)| !tags::differ(&live.tags, wanted, ownership).is_empty()).collect();
    let Some((first, wanted)) = differing.first() else {
        // Only tags were looked at: that the rest is as declared, a plan says.
        return plan;
    };
    let revisions: Vec<u64> = differing.iter().filter_map(|(live, _)| live.revision).collect();
    let of = if revisions.len() > 1 { format!(" on {}", numbers(&revisions)) } else { String::new() };
    let because = Reason(format!("only tags are written{of}; other changes come by plan and apply"));
    let change = Change {
        id: declared.id.clone(),
        action: Action::Adopt,
        effect: None,
        reason: because.clone(),
        physical: first.physical.clone(),
        fields: tags::differ(&first.tags, wanted, ownership),
        unchanged: 0,
        position: Some(declared.position.clone()),
        digests: Digests::default(),
    };
    plan.changes.push(change.with_digests());
    for (live, tags) in differing {
        plan.steps.push(Step {
            id: plan.steps.len(),
            resource: declared.id.clone(),
            verb: Verb::Adopt,
            physical: live.physical.clone(),
            revision: live.revision,
            want: live.spec.clone(),
            tags,
            ignore: Vec::new(),
            on_delete: OnDelete::default(),
            drain_timeout: None,
            interrupts: false,
            without: Vec::new(),
            asks_jobs: None,
            after: BTreeSet::new(),
            because: because.clone(),
        });
    }
    plan
}
