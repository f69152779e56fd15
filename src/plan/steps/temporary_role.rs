//! What is gone while AWS still needs it to delete something: a role that it acts as, without which it gets stuck (P9, P10). It is
//! made again for as long as that takes.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{AnyKind, Reason, Scaffold};
use crate::plan::model::{Action, Change, Seal, Step, StepId, Verb};
use crate::resource::{
    Desired, Document, Incarnation, NAME_TAG, OWNER_TAG, Observed, OnDelete, RETIRING_TAG, ResourceId, Tags,
};

/// What is made so that AWS can delete what needs it, and goes with it.
pub struct StandIn {
    pub change: Change,
    /// Its name in AWS.
    pub name: String,
    pub want: Document,
    pub tags: Tags,
    /// What needs it.
    pub holders: BTreeSet<ResourceId>,
}

/// What is missing to what goes, and nobody makes anew.
pub fn stand_ins<'a>(
    going: impl Iterator<Item = (&'a ResourceId, &'a Incarnation)>,
    desired: &Desired,
    observed: &Observed,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> Vec<StandIn> {
    let mut found: BTreeMap<String, StandIn> = BTreeMap::new();
    for (id, live) in going {
        let scaffold = kind_of(&id.kind).and_then(|kind| kind.scaffold(live, &desired.place));
        let Some(scaffold) = scaffold.filter(|it| observed.lost_roles.contains(&it.arn)) else { continue };
        let is_it = |name: &str| name == scaffold.id.name;
        if desired.resources.values().any(|it| it.id.kind == scaffold.id.kind && is_it(&it.physical_name)) {
            continue;
        }
        let name = scaffold.id.name.clone();
        let stand_in = found.entry(name).or_insert_with(|| stand_in(desired, scaffold, live));
        stand_in.holders.insert(id.clone());
    }
    found.into_values().collect()
}

/// The steps with the roles made before the first and removed after the last step of what needs them.
pub fn weave(steps: Vec<Step>, stand_ins: &[StandIn]) -> Vec<Step> {
    let first = stand_ins.len();
    let mut woven: Vec<Step> = Vec::with_capacity(steps.len() + 2 * first);
    for stand_in in stand_ins {
        woven.push(stand_in.step(woven.len(), Verb::Create, BTreeSet::new()));
    }
    for mut step in steps {
        step.id += first;
        step.after = step.after.iter().map(|id| id + first).collect();
        let makers = stand_ins.iter().enumerate().filter(|(_, it)| it.holders.contains(&step.resource));
        step.after.extend(makers.map(|(maker, _)| maker));
        woven.push(step);
    }
    for stand_in in stand_ins {
        let users = woven.iter().filter(|step| stand_in.holders.contains(&step.resource)).map(|step| step.id);
        let step = stand_in.step(woven.len(), Verb::Delete, users.collect());
        woven.push(step);
    }
    woven
}

impl StandIn {
    fn step(&self, id: StepId, verb: Verb, after: BTreeSet<StepId>) -> Step {
        Step {
            id,
            resource: self.change.id.clone(),
            verb,
            physical: self.name.clone(),
            revision: None,
            want: self.want.clone(),
            tags: self.tags.clone(),
            ignore: Vec::new(),
            on_delete: OnDelete::default(),
            patience: None,
            interrupts: false,
            without: Vec::new(),
            asks_jobs: None,
            after,
            because: self.change.reason.clone(),
        }
    }
}

fn stand_in(desired: &Desired, scaffold: Scaffold, live: &Incarnation) -> StandIn {
    let Scaffold { id, want, .. } = scaffold;
    let name = id.name.clone();
    // Marked as on its way out: a run that was cut off leaves no news behind, but work that is due.
    let tags = Tags::from([
        (OWNER_TAG.to_owned(), desired.owner.0.clone()),
        (NAME_TAG.to_owned(), id.to_string()),
        (RETIRING_TAG.to_owned(), "true".to_owned()),
    ]);
    let change = Change {
        id,
        action: Action::Create,
        effect: None,
        reason: Reason(format!(
            "it is gone, and AWS deletes {} with it: it goes again afterwards",
            live.physical
        )),
        physical: name.clone(),
        fields: Vec::new(),
        unchanged: 0,
        position: None,
        seal: Seal::default(),
    };
    StandIn { change: change.sealed(), name, want, tags, holders: BTreeSet::new() }
}
