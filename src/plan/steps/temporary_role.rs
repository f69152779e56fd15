//! What is gone while AWS still needs it to delete something: a role that it acts as, without which it gets stuck (P9, P10). It is
//! made again for as long as that takes.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{Reason, Scaffold};
use crate::plan::model::{Action, Change, Digests, Step, StepId, Verb};
use crate::plan::removals::Removals;
use crate::plan::scope::Scope;
use crate::resource::{
    Desired, Document, Incarnation, NAME_TAG, OWNER_TAG, OnDelete, RETIRING_TAG, ResourceId, Tags,
};

/// What is made so that AWS can delete what needs it, and goes with it.
pub struct TemporaryRole {
    pub change: Change,
    /// Its name in AWS.
    pub name: String,
    pub want: Document,
    pub tags: Tags,
    /// What needs it.
    pub holders: BTreeSet<ResourceId>,
}

/// What is missing to what goes, and nobody makes anew.
pub fn needed(scope: &Scope<'_>, removals: &Removals<'_>) -> Vec<TemporaryRole> {
    let Scope { desired, observed, kinds, .. } = scope;
    let gone = removals.undeclared.iter().filter(|one| one.on_delete != OnDelete::Retain);
    let gone = gone.flat_map(|one| one.incarnations.iter().map(|live| (&one.change.id, *live)));
    let going = gone.chain(removals.replaced.iter().map(|one| (one.id, one.live)));
    let mut found: BTreeMap<String, TemporaryRole> = BTreeMap::new();
    for (id, live) in going {
        let scaffold = kinds.of(&id.kind).and_then(|kind| kind.scaffold(live, &desired.place));
        let Some(scaffold) = scaffold.filter(|it| observed.missing_roles.contains(&it.arn)) else { continue };
        let is_it = |name: &str| name == scaffold.id.name;
        if desired.resources.values().any(|it| it.id.kind == scaffold.id.kind && is_it(&it.physical_name)) {
            continue;
        }
        let name = scaffold.id.name.clone();
        let temporary_role = found.entry(name).or_insert_with(|| temporary_role(desired, scaffold, live));
        temporary_role.holders.insert(id.clone());
    }
    found.into_values().collect()
}

/// The steps with the roles made before the first and removed after the last step of what needs them.
pub fn weave(steps: Vec<Step>, temporary_roles: &[TemporaryRole]) -> Vec<Step> {
    let first = temporary_roles.len();
    let mut woven: Vec<Step> = Vec::with_capacity(steps.len() + 2 * first);
    for temporary_role in temporary_roles {
        woven.push(temporary_role.step(woven.len(), Verb::Create, BTreeSet::new()));
    }
    for mut step in steps {
        step.id += first;
        step.after = step.after.iter().map(|id| id + first).collect();
        let makers = temporary_roles.iter().enumerate().filter(|(_, it)| it.holders.contains(&step.resource));
        step.after.extend(makers.map(|(maker, _)| maker));
        woven.push(step);
    }
    for temporary_role in temporary_roles {
        let users =
            woven.iter().filter(|step| temporary_role.holders.contains(&step.resource)).map(|step| step.id);
        let step = temporary_role.step(woven.len(), Verb::Delete, users.collect());
        woven.push(step);
    }
    woven
}

impl TemporaryRole {
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
            drain_timeout: None,
            interrupts: false,
            without: Vec::new(),
            asks_jobs: None,
            after,
            because: self.change.reason.clone(),
        }
    }
}

fn temporary_role(desired: &Desired, scaffold: Scaffold, live: &Incarnation) -> TemporaryRole {
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
        digests: Digests::default(),
    };
    TemporaryRole { change: change.with_digests(), name, want, tags, holders: BTreeSet::new() }
}
