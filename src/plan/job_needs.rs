//! Jobs that are not over and would lose what they act as or write to (D21): AWS looks at the role and the log group of a job
//! for as long as it runs, whatever has become of its definition.

use std::collections::BTreeSet;

use serde_json::Value;

use super::guard::{Objection, Objector};
use super::holders::{GROUND, HOLDER};
use super::impact::named;
use super::{Step, Verb};
use crate::resource::{Desired, Incarnation, Job, JobsOf, Observed, ResourceId};

/// What is deleted and jobs may need.
struct Needed<'a> {
    id: &'a ResourceId,
    physical: &'a str,
    /// The ARN of a role, or the name of a log group: as jobs name it.
    text: &'a str,
}

/// The jobs that have to be known beside `others`: those of every queue, since any may run from a definition of ours.
pub(super) fn jobs_wanted(others: Option<JobsOf>, steps: &[Step], observed: &Observed) -> Option<JobsOf> {
    // Who has nothing that runs jobs is not granted a look at any.
    let runs_jobs = observed.resources.keys().any(|id| id.kind == GROUND || id.kind == HOLDER);
    if !runs_jobs || deleted(steps, observed).next().is_none() {
        return others;
    }
    let past = others.is_some_and(|others| others.past);
    Some(JobsOf { queues: None, waiting: true, past, needs: true })
}

/// One objection for each thing that jobs still need; what becomes of those that end with their queue is told with that.
pub(super) fn objections(
    steps: &[Step],
    observed: &Observed,
    allowed: &BTreeSet<ResourceId>,
    desired: &Desired,
) -> Vec<Objection> {
    let Some(jobs) = &observed.jobs else { return Vec::new() };
    let queues = steps.iter().filter(|step| step.verb == Verb::Delete && step.resource.kind == HOLDER);
    let ending: BTreeSet<&str> = queues.filter_map(|step| live(step, observed)?.arn.as_deref()).collect();
    let mut found = Vec::new();
    for Needed { id, physical, text } in deleted(steps, observed).filter(|it| !allowed.contains(it.id)) {
        let needing =
            |job: &&Job| !ending.contains(job.queue.as_str()) && job.needs.iter().any(|need| need == text);
        let needing: Vec<&Job> = jobs.list.iter().filter(needing).collect();
        if needing.is_empty() {
            continue;
        }
        let definitions: BTreeSet<&str> =
            needing.iter().filter_map(|job| job.definition.as_deref()).collect();
        let definitions: Vec<&str> = definitions.into_iter().take(3).collect();
        let message = format!(
            "{physical} is to go, while jobs that are not over need it: {} (of {}); wait for them, or allow it with --allow-interrupt={id}",
            named(&needing, !jobs.more_in.is_empty()),
            definitions.join(", "),
        );
        let position = desired.resources.get(id).map(|declared| declared.position.clone());
        found.push(Objection { id: id.clone(), objector: Objector::Jobs, message, position });
    }
    found
}

fn deleted<'a>(steps: &'a [Step], observed: &'a Observed) -> impl Iterator<Item = Needed<'a>> {
    let deletes = steps.iter().filter(|step| step.verb == Verb::Delete);
    deletes.filter_map(|step| {
        let live = live(step, observed)?;
        let text = match step.resource.kind.as_str() {
            "iam/Role" if is_of_tasks(live) => live.arn.as_deref()?,
            "logs/LogGroup" => &live.physical,
            _ => return None,
        };
        Some(Needed { id: &step.resource, physical: &live.physical, text })
    })
}

/// Whether tasks may act as a role: nothing else of a job's roles does.
fn is_of_tasks(role: &Incarnation) -> bool {
    let trust = role.spec.get("assumeRolePolicyDocument").map(Value::to_string);
    trust.is_some_and(|trust| trust.contains("ecs-tasks."))
}

fn live<'o>(step: &Step, observed: &'o Observed) -> Option<&'o Incarnation> {
    observed.resources.get(&step.resource)?.iter().find(|live| live.physical == step.physical)
}
