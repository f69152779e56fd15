//! Roles that are gone while a compute environment on its way out still needs them: Batch deletes with the environment's
//! own role, and gets stuck without it (P9, P10). They are made again for as long as that takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::holders::GROUND;
use super::{Action, Change, Seal, Step, StepId, Verb};
use crate::kind::Reason;
use crate::resource::{
    Desired, Document, Incarnation, NAME_TAG, OWNER_TAG, Observed, OnDelete, RETIRING_TAG, ResourceId, Tags,
};

/// A role that is made so that AWS can delete what needs it, and that goes with it.
pub(super) struct StandIn {
    pub change: Change,
    /// The role's name in AWS.
    pub name: String,
    pub want: Document,
    pub tags: Tags,
    /// The compute environments that need it.
    pub holders: BTreeSet<ResourceId>,
}

/// The roles that are missing to what goes.
pub(super) fn stand_ins<'a>(
    going: impl Iterator<Item = (&'a ResourceId, &'a Incarnation)>,
    desired: &Desired,
    observed: &Observed,
) -> Vec<StandIn> {
    let mut found: BTreeMap<String, StandIn> = BTreeMap::new();
    for (id, live) in going.filter(|(id, _)| id.kind == GROUND) {
        let Some((path, name)) = missing_role(live, desired, observed) else { continue };
        let stand_in = found.entry(name.clone()).or_insert_with(|| stand_in(desired, &path, &name, live));
        stand_in.holders.insert(id.clone());
    }
    found.into_values().collect()
}

/// Path and name of the service role of an environment, if that is gone and nobody makes it anew. Batch may not have found
/// out yet, and call the environment VALID.
fn missing_role(live: &Incarnation, desired: &Desired, observed: &Observed) -> Option<(String, String)> {
    let arn = live.spec.get("serviceRole")?.as_str().filter(|arn| observed.lost_roles.contains(*arn))?;
    let tail = arn.split_once(":role/")?.1;
    let (path, name) = tail.rsplit_once('/').unwrap_or(("", tail));
    let declared = desired.resources.values().any(|it| it.id.kind == ROLE && it.physical_name == name);
    let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
    (!declared && !name.is_empty()).then(|| (path, name.to_owned()))
}

const ROLE: &str = "iam/Role";

/// The steps with the roles made before the first and removed after the last step of what needs them.
pub(super) fn weave(steps: Vec<Step>, stand_ins: &[StandIn]) -> Vec<Step> {
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

fn stand_in(desired: &Desired, path: &str, name: &str, live: &Incarnation) -> StandIn {
    let id = ResourceId::new(ROLE, name);
    let partition = &desired.place.partition;
    let want = json!({
        "description": "Made again so that AWS Batch can delete what needs it",
        "path": path,
        "maxSessionDuration": 3600,
        "assumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "batch.amazonaws.com" },
                "Action": "sts:AssumeRole",
            }],
        },
        "managedPolicyArns": [format!("arn:{partition}:iam::aws:policy/service-role/AWSBatchServiceRole")],
    });
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
        physical: name.to_owned(),
        fields: Vec::new(),
        unchanged: 0,
        position: None,
        seal: Seal::default(),
    };
    StandIn { change: change.sealed(), name: name.to_owned(), want, tags, holders: BTreeSet::new() }
}
