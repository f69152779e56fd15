//! What has to hold between queues and compute environments at the end of a plan, whoever the queue belongs to: no queue is left
//! without an environment that is on (P1, P21), and each keeps its family for life.

use std::collections::BTreeSet;

use serde_json::Value;

use super::JobQueue;
use crate::kind::prelude::*;
use crate::kind::{FinalState, Finding, Operation};
use crate::kinds::batch::compute_environment::ComputeEnvironment;
use crate::resource::{Document, Incarnation};
use crate::value::instance_type::{Architecture, architecture};

const QUEUE: &str = JobQueue::NAME;
const ENVIRONMENT: &str = ComputeEnvironment::NAME;
/// The field of a queue that names its environments.
const ORDER: &str = "computeEnvironmentOrder";

/// No environment goes while a queue still lists it.
pub(super) struct NoneIsTakenAway;

impl Rule for NoneIsTakenAway {
    fn findings(&self, end: &FinalState<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        for (id, live) in going(end, ENVIRONMENT) {
            let Some(arn) = live.arn.as_deref() else { continue };
            let foreign =
                end.observed.outsiders.iter().filter(|it| it.kind == QUEUE && lists(&it.live.spec, arn));
            let foreign = foreign.map(|queue| of_somebody_else(&queue.live));
            found.extend(foreign.chain(ours(end, id, arn)).map(|queue| Finding {
                id: id.clone(),
                message: format!(
                    "{} is to be switched off, while {queue}; no queue may be left without a compute environment",
                    live.physical
                ),
            }));
        }
        found
    }
}

fn going<'a>(
    end: &'a FinalState<'_>,
    kind: &'a str,
) -> impl Iterator<Item = (&'a ResourceId, &'a Incarnation)> {
    end.going.iter().copied().filter(move |(id, _)| id.kind == kind)
}

/// The queues that the environment knows and that list it at the end of this plan.
fn ours(end: &FinalState<'_>, environment: &ResourceId, arn: &str) -> Vec<String> {
    let going: BTreeSet<&str> = going(end, QUEUE).map(|(_, live)| live.physical.as_str()).collect();
    let mut found = Vec::new();
    for (id, seen) in end.observed.resources.iter().filter(|(id, _)| id.kind == QUEUE) {
        for live in seen.iter().filter(|live| lists(&live.spec, arn)) {
            if !going.contains(live.physical.as_str()) {
                found.extend(at_the_end(end, (id, live), environment, arn));
            }
        }
    }
    found
}

/// Why a queue that lists the environment now still does at the end; nothing if it does not.
fn at_the_end(
    end: &FinalState<'_>,
    (id, live): (&ResourceId, &Incarnation),
    environment: &ResourceId,
    arn: &str,
) -> Option<String> {
    if live.owner().as_ref() != Some(&end.desired.owner) {
        return Some(of_somebody_else(live));
    }
    let Some(declared) = end.desired.resources.get(id) else {
        return Some(format!("{id} lists it and stays in AWS by its onDelete"));
    };
    if end.follows_elsewhere(id, environment) {
        return None;
    }
    if declared.ignore.iter().any(|path| path.split(['.', '[']).next() == Some(ORDER)) {
        return Some(format!(
            "{id} lists it and ignores {ORDER}: move it by hand, or take {ORDER} out of metadata.ignore"
        ));
    }
    let planned = end.planned.get(id).filter(|planned| planned.operation != Operation::Trim);
    if planned.is_some_and(|planned| !lists(planned.want, arn)) {
        return None;
    }
    Some(format!(
        "{id} lists it: let its {ORDER} name another, by a reference such as ${{{ENVIRONMENT}/<name>.arn}}"
    ))
}

/// No queue that is open has only environments that are switched off.
pub(super) struct OneIsEnabled;

impl Rule for OneIsEnabled {
    fn findings(&self, end: &FinalState<'_>) -> Vec<Finding> {
        let mut found = of_others_switched_off(end);
        for id in end.desired.resources.keys().filter(|id| id.kind == QUEUE) {
            let Some(queue) = end.spec(id) else { continue };
            let environments: Vec<Option<&ResourceId>> =
                listed(queue).map(|arn| environment(end, arn)).collect();
            let is_off = |id: &Option<&ResourceId>| {
                id.and_then(|id| end.spec(id)).is_some_and(|spec| is(spec, "DISABLED"))
            };
            let planned = |id: &ResourceId| end.planned.contains_key(id);
            let by_us = planned(id) || environments.iter().flatten().any(|id| planned(id));
            if by_us && !is(queue, "DISABLED") && !environments.is_empty() && environments.iter().all(is_off)
            {
                let message = "every compute environment of it would be DISABLED, and its jobs would wait for good: keep one ENABLED, or set its own state to DISABLED too";
                found.push(Finding { id: id.clone(), message: message.to_owned() });
            }
        }
        found
    }
}

/// The same of other people's queues: an environment that this plan switches off, and that they have no other than.
fn of_others_switched_off(end: &FinalState<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for id in end.planned.keys().filter(|id| id.kind == ENVIRONMENT) {
        let Some(live) = end.current(id).filter(|live| is(&live.spec, "ENABLED")) else { continue };
        if !end.spec(id).is_some_and(|spec| is(spec, "DISABLED")) {
            continue;
        }
        let queues =
            end.observed.outsiders.iter().filter(|it| it.kind == QUEUE && is(&it.live.spec, "ENABLED"));
        for queue in queues.map(|queue| &queue.live) {
            let alone = listed(&queue.spec).count() == 1;
            if alone && live.arn.as_deref().is_some_and(|arn| lists(&queue.spec, arn)) {
                let (live, queue) = (&live.physical, of_somebody_else(queue));
                let message = format!("{live} would have nothing else to run jobs on, while {queue}");
                found.push(Finding { id: (*id).clone(), message });
            }
        }
    }
    found
}

/// The declared environment that an ARN denotes, at the end of the plan or now.
fn environment<'a>(end: &'a FinalState<'_>, arn: &str) -> Option<&'a ResourceId> {
    let (_, physical) = arn.rsplit_once(":compute-environment/")?;
    let planned = end.planned.iter().map(|(id, planned)| (*id, planned.physical));
    let seen = end.observed.resources.iter();
    let seen = seen.filter_map(|(id, seen)| Some((id, seen.current.as_ref()?.physical.as_str())));
    planned.chain(seen).find(|(id, name)| id.kind == ENVIRONMENT && *name == physical).map(|(id, _)| id)
}

/// A queue takes environments of one family, for life: a successor of another family can't take the old one's place.
pub(super) struct OneFamily;

impl Rule for OneFamily {
    fn findings(&self, end: &FinalState<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        for (id, planned) in end.planned.iter().filter(|(id, _)| id.kind == ENVIRONMENT) {
            let live = end.replaced.iter().find(|(replaced, _)| replaced == id).map(|(_, live)| *live);
            let live = live.filter(|_| planned.operation == Operation::Replace(Order::CreateFirst));
            let Some((live, arn)) = live.and_then(|live| Some((live, live.arn.as_deref()?))) else {
                continue;
            };
            let (before, after) = (family(&live.spec), family(planned.want));
            let lists = |id: &&ResourceId| end.current(id).is_some_and(|queue| lists(&queue.spec, arn));
            let queues = end.desired.resources.keys().filter(|id| id.kind == QUEUE);
            let queues: Vec<String> = queues.filter(lists).map(ToString::to_string).collect();
            if before != after && !queues.is_empty() {
                let message = format!(
                    "its successor runs jobs on {after} instead of {before}, and a queue takes one of them for life: {} can't follow; declare a new compute environment and a new queue beside them",
                    queues.join(", ")
                );
                found.push(Finding { id: (*id).clone(), message });
            }
        }
        found
    }
}

fn is(spec: &Document, state: &str) -> bool {
    spec.get("state").and_then(Value::as_str) == Some(state)
}

fn of_somebody_else(queue: &Incarnation) -> String {
    let owner =
        queue.owner().map_or_else(|| "nobody we know".to_owned(), |owner| format!("the owner {owner}"));
    format!("the job queue {} of {owner} lists it and has to let go of it first", queue.physical)
}

/// The environments that a queue names.
fn listed(queue: &Document) -> impl Iterator<Item = &str> {
    let order = queue.get(ORDER).and_then(Value::as_array).into_iter().flatten();
    order.filter_map(|entry| entry.get("computeEnvironment").and_then(Value::as_str))
}

fn lists(queue: &Document, arn: &str) -> bool {
    listed(queue).any(|it| it == arn)
}

/// What a queue takes for life: one family, and of instances one architecture.
fn family(environment: &Document) -> &'static str {
    let resources = environment.get("computeResources");
    let of_resources = resources.and_then(|resources| resources.get("type")).and_then(Value::as_str);
    let arm = resources.and_then(|resources| resources.get("instanceTypes")).is_some_and(is_arm);
    match (of_resources, arm) {
        (_, arm) if environment.get("eksConfiguration").is_some_and(|eks| !eks.is_null()) => {
            if arm {
                "EKS (arm64)"
            } else {
                "EKS"
            }
        }
        (Some("FARGATE" | "FARGATE_SPOT"), _) => "Fargate",
        (Some("ECS_MANAGED_INSTANCES"), _) => "managed instances",
        (_, true) => "EC2 (arm64)",
        (_, false) => "EC2",
    }
}

/// Whether instance types are of Graviton. Batch takes no mixture: the first whose name tells speaks for all.
fn is_arm(types: &Value) -> bool {
    let known = types.as_array().into_iter().flatten().filter_map(Value::as_str).find_map(architecture);
    known == Some(Architecture::Arm64)
}
