//! Job queues: create, update, describe, delete.
//!
//! Sources of the refusals: <https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html> and the
//! messages that public preflight rules quote as measured on AWS.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Batch;
use super::arn::name_of;
use super::clock::millis;
use super::environments::{self, kind_of, refuse_moving};
use super::error::{Result, invalid, refuse};
use super::page::page;
use super::request::{Fields, Object, fill, is_name, keep};
use super::services::{self, SAGEMAKER};
use super::state::{Life, Managed, State, Status, environments_of};

const CREATABLE: [&str; 7] = [
    "jobQueueName",
    "state",
    "schedulingPolicyArn",
    "priority",
    "jobQueueType",
    "tags",
    "jobStateTimeLimitActions",
];

/// Why a job may be stuck, as far as a queue can act on it: those that AWS's refusal was seen to name. The user guide of one
/// partition has a fourth, `MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED`.
const STUCK: [&str; 3] = [
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
];

/// The same of jobs of SageMaker: API_JobStateTimeLimitAction, `reason`.
const STUCK_SERVICE: [&str; 3] = [
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "MISCONFIGURATION:SERVICE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:QUOTA_MANAGEMENT_LIMIT_EXCEEDED",
];

impl Batch {
    pub(super) fn create_job_queue(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        let name = request.required("jobQueueName")?.to_owned();
        if !is_name(&name) {
            invalid!("Job Queue name should match a valid pattern.");
        }
        if request.integer("priority")?.is_none() {
            invalid!("priority is required.");
        }
        self.with(|state, now| {
            if state.queues.contains_key(&name) {
                refuse!("Object already exists");
            }
            let mut detail = keep(&request, &CREATABLE);
            detail.insert("jobQueueArn".into(), settings.arn("job-queue", &name).into());
            fill(&mut detail, "state", "ENABLED");
            fill(&mut detail, "tags", json!({}));
            fill(&mut detail, "jobStateTimeLimitActions", json!([]));
            if let Some(policy) = request.text("schedulingPolicyArn")?.filter(|arn| !arn.is_empty()) {
                require_policy(state, policy)?;
            }
            let (order, family) = if request.contains_key("serviceEnvironmentOrder") {
                detail.insert("serviceEnvironmentOrder".into(), services::order(state, &request)?);
                (Vec::new(), SAGEMAKER)
            } else {
                let order = order(state, &request, &BTreeSet::new())?;
                let family = check_family(state, &order)?;
                (order, family)
            };
            detail.insert("computeEnvironmentOrder".into(), listed(&order));
            let declared = request.text("jobQueueType")?.unwrap_or(family);
            if declared != family {
                invalid!(
                    "{declared} jobQueueType is incompatible with the provided computeEnvironmentOrder."
                );
            }
            detail.insert("jobQueueType".into(), family.into());
            check_detail(&detail)?;
            let answer = named(&detail);
            state.queues.insert(name, Managed::created(detail, now + millis(settings.transition), None));
            Ok(answer)
        })
    }

    pub(super) fn update_job_queue(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        let reference = request.required("jobQueue")?;
        self.with(|state, now| {
            let (name, queue) = find(state, reference)?;
            refuse_moving(queue, "update")?;
            let before: BTreeSet<String> = environments_of(queue).into_iter().collect();
            let mut detail = queue.detail.clone();
            for field in ["state", "priority", "jobStateTimeLimitActions"] {
                if let Some(value) = request.get(field) {
                    detail.insert(field.into(), value.clone());
                }
            }
            if let Some(policy) = request.text("schedulingPolicyArn")? {
                change_policy(state, &mut detail, policy)?;
            }
            if request.contains_key("computeEnvironmentOrder") {
                let order = order(state, &request, &before)?;
                let family = check_family(state, &order)?;
                if family != detail.shown("jobQueueType") {
                    invalid!("computeEnvironmentOrder is incompatible with the job queue's type.");
                }
                detail.insert("computeEnvironmentOrder".into(), listed(&order));
            }
            if request.contains_key("serviceEnvironmentOrder") {
                if detail.shown("jobQueueType") != SAGEMAKER {
                    invalid!("serviceEnvironmentOrder is incompatible with the job queue's type.");
                }
                detail.insert("serviceEnvironmentOrder".into(), services::order(state, &request)?);
            }
            check_detail(&detail)?;
            let answer = named(&detail);
            if let Some(queue) = state.queues.get_mut(&name) {
                queue.detail = detail;
                queue.life = Life::begin(Status::Updating, now + millis(settings.transition), None);
                queue.life.looks = settings.updating_looks;
                let after = environments_of(queue);
                let left: Vec<String> = before.into_iter().filter(|name| !after.contains(name)).collect();
                state.linger(&left, settings.relationship_lag);
            }
            Ok(answer)
        })
    }

    pub(super) fn describe_job_queues(&self, request: Object) -> Result<Value> {
        let wanted = request.texts("jobQueues")?;
        self.with(|state, _| {
            let chosen = state.queues.iter().filter(|(name, queue)| {
                let arn = queue.detail.shown("jobQueueArn");
                wanted.is_empty() || wanted.iter().any(|want| want == *name || want == arn)
            });
            let items: Vec<_> = chosen.map(|(name, queue)| (name.clone(), queue.shown())).collect();
            let looked_at: Vec<String> = items.iter().map(|(name, _)| name.clone()).collect();
            let answer = page(&request, "jobQueues", items)?;
            for name in looked_at {
                if let Some(queue) = state.queues.get_mut(&name) {
                    queue.life.looks = queue.life.looks.saturating_sub(1);
                }
            }
            Ok(answer)
        })
    }

    pub(super) fn delete_job_queue(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        let reference = request.required("jobQueue")?;
        let arn = self.with(|state, now| {
            let (name, queue) = find(state, reference)?;
            refuse_moving(queue, "delete")?;
            if queue.is_enabled() {
                // AWS's exact words are not in public text; the rule is (API_DeleteJobQueue).
                refuse!("Cannot delete, job queue must be in DISABLED state");
            }
            let arn = queue.detail.shown("jobQueueArn").to_owned();
            if let Some(queue) = state.queues.get_mut(&name) {
                queue.life = Life::begin(Status::Deleting, now + millis(settings.transition), None);
            }
            Ok(arn)
        })?;
        self.end_jobs_of_queue(&arn, "Job queue was deleted");
        Ok(json!({}))
    }
}

/// Finds a queue by name or ARN.
pub(super) fn find<'a>(state: &'a State, reference: &str) -> Result<(String, &'a Managed)> {
    let found = state.queues.get_key_value(name_of(reference)).filter(|(_, queue)| {
        !reference.starts_with("arn:") || queue.detail.shown("jobQueueArn") == reference
    });
    match found {
        Some((name, queue)) => Ok((name.clone(), queue)),
        None => refuse!("Job queue {reference} does not exist"),
    }
}

/// The asked-for compute environments with their order, lowest first. Those in `held` need not be valid.
fn order(state: &State, request: &Object, held: &BTreeSet<String>) -> Result<Vec<(i64, String)>> {
    let entries = request.list("computeEnvironmentOrder")?.map_or(&[][..], Vec::as_slice);
    match entries.len() {
        0 => invalid!("computeEnvironmentOrder is required."),
        1..=3 => {}
        _ => invalid!("Only 3 environments are allowed in job queue request."),
    }
    let mut order = Vec::new();
    for entry in entries {
        let empty = Object::new();
        let entry = entry.as_object().unwrap_or(&empty);
        let Some(position) = entry.integer("order")? else { invalid!("order is required.") };
        let Ok((name, environment)) = environments::find(state, entry.required("computeEnvironment")?) else {
            invalid!("Compute Environments must be created and valid before attaching them to a job queue");
        };
        if environment.life.status != Status::Valid && !held.contains(&name) {
            invalid!("Compute Environments must be created and valid before attaching them to a job queue");
        }
        order.push((position, name));
    }
    let positions: BTreeSet<i64> = order.iter().map(|(position, _)| *position).collect();
    if positions.len() < order.len() {
        invalid!("Duplicate ComputeEnvironment order values.");
    }
    let names: BTreeSet<&String> = order.iter().map(|(_, name)| name).collect();
    if names.len() < order.len() {
        invalid!("Duplicate ComputeEnvironments within order list.");
    }
    order.sort();
    order
        .into_iter()
        .map(|(position, name)| {
            let (_, environment) = environments::find(state, &name)?;
            Ok((position, environment.detail.shown("computeEnvironmentArn").to_owned()))
        })
        .collect()
}

fn listed(order: &[(i64, String)]) -> Value {
    order.iter().map(|(position, arn)| json!({ "order": position, "computeEnvironment": arn })).collect()
}

/// The type of queue that these environments make; Fargate, EC2, EKS and managed instances do not mix.
fn check_family(state: &State, order: &[(i64, String)]) -> Result<&'static str> {
    let mut families = BTreeSet::new();
    for (_, arn) in order {
        let (_, environment) = environments::find(state, arn)?;
        let is_eks = environment.detail.contains_key("eksConfiguration");
        families.insert(match kind_of(&environment.detail) {
            _ if is_eks => "EKS",
            "FARGATE" | "FARGATE_SPOT" => "ECS_FARGATE",
            "ECS_MANAGED_INSTANCES" => "ECS_MANAGED_INSTANCES",
            _ => "ECS",
        });
    }
    match families.first() {
        Some(family) if families.len() == 1 => Ok(family),
        _ if families.contains("EKS") => invalid!("EKS and ECS compute environments can not be mixed."),
        _ => invalid!("Fargate and EC2 compute environments can not be mixed."),
    }
}

fn check_detail(detail: &Object) -> Result<()> {
    if !detail.integer("priority")?.is_some_and(|priority| (0..=1000).contains(&priority)) {
        invalid!("Priority must be between 0 and 1000.");
    }
    if !matches!(detail.shown("state"), "ENABLED" | "DISABLED") {
        invalid!("state {} is not valid. Valid values: [ENABLED, DISABLED]", detail.shown("state"));
    }
    let mut seen = BTreeSet::new();
    let empty = Object::new();
    for action in detail.list("jobStateTimeLimitActions")?.into_iter().flatten() {
        let action = action.as_object().unwrap_or(&empty);
        if action.required("state")? != "RUNNABLE" {
            invalid!("Invalid job state. Valid job states: [RUNNABLE]");
        }
        let (ends, reasons) = match detail.shown("jobQueueType") {
            SAGEMAKER => ("TERMINATE", STUCK_SERVICE.as_slice()),
            _ => ("CANCEL", STUCK.as_slice()),
        };
        if action.required("action")? != ends {
            invalid!("Invalid job action. Valid job actions: [{ends}]");
        }
        if !action.integer("maxTimeSeconds")?.is_some_and(|time| (600..=86_400).contains(&time)) {
            invalid!("maxTimeSeconds must be between 600 and 86400.");
        }
        if !reasons.contains(&action.required("reason")?) {
            invalid!("Invalid job reason. Valid job reasons: [{}]", reasons.join(", "));
        }
        if !seen.insert((action.required("state")?, action.required("reason")?)) {
            invalid!("Duplicate job state limit actions are not allowed.");
        }
    }
    Ok(())
}

fn require_policy(state: &State, arn: &str) -> Result<()> {
    match state.policies.contains_key(arn) {
        true => Ok(()),
        false => invalid!("SchedulingPolicy {arn} not found."),
    }
}

/// A queue's scheduling policy can be exchanged, but neither added later nor taken away.
fn change_policy(state: &State, detail: &mut Object, policy: &str) -> Result<()> {
    let held = detail.shown("schedulingPolicyArn");
    if held == policy {
        return Ok(());
    }
    if policy.is_empty() {
        invalid!("schedulingPolicyArn can be replaced but not removed.");
    }
    if held.is_empty() {
        invalid!("schedulingPolicyArn cannot be added to a job queue that was created without one.");
    }
    require_policy(state, policy)?;
    detail.insert("schedulingPolicyArn".into(), policy.into());
    Ok(())
}

/// The service's identity of a queue, as create and update answer it.
fn named(detail: &Object) -> Value {
    Value::Object(keep(detail, &["jobQueueName", "jobQueueArn"]))
}

#[cfg(test)]
mod tests;
