//! What Batch refuses of a job queue, known before it is asked (aws-semantics §2.2, §14).

use std::collections::BTreeSet;

use super::Spec;
use crate::kind::prelude::*;
use crate::kinds::batch::types::name::invalid_reference;
use crate::kinds::batch::types::queue_orders::{STUCK_JOBS, STUCK_SERVICE_JOBS};

/// The type of queue that service environments make.
const SAGEMAKER: &str = "SAGEMAKER_TRAINING";

pub(super) fn validate(spec: &Spec, place: &Place) -> Vec<Invalid> {
    let mut found = Vec::new();
    environments(spec, place, &mut found);
    of_type(spec, &mut found);
    time_limits(spec, &mut found);
    if let Some(policy) = &spec.scheduling_policy_arn
        && let Some(message) = invalid_policy(policy, place)
    {
        found.push(Invalid::new("schedulingPolicyArn", message));
    }
    found
}

fn environments(spec: &Spec, place: &Place, found: &mut Vec<Invalid>) {
    let (compute, service) = (spec.compute_environment_order.len(), spec.service_environment_order.len());
    match (compute, service) {
        (0, 0) => found.push(Invalid::new("computeEnvironmentOrder", "name 1 to 3 compute environments")),
        (1..=3, 0) | (0, 1) => {}
        (_, 0) => found.push(Invalid::new(
            "computeEnvironmentOrder",
            format!("there are {compute} compute environments, and Batch takes 3 at most"),
        )),
        (0, _) => found.push(Invalid::new("serviceEnvironmentOrder", "Batch takes one at most")),
        _ => found.push(Invalid::new(
            "serviceEnvironmentOrder",
            "excludes computeEnvironmentOrder: keep one of the two",
        )),
    }
    let orders: Vec<Option<i32>> = spec.compute_environment_order.iter().map(|entry| entry.order).collect();
    if let Some(message) = wrong_orders(&orders) {
        found.push(Invalid::new("computeEnvironmentOrder", message));
    }
    let mut seen = BTreeSet::new();
    for (index, entry) in spec.compute_environment_order.iter().enumerate() {
        let path = format!("computeEnvironmentOrder[{index}].computeEnvironment");
        if !seen.insert(&entry.compute_environment) {
            let message = format!("{} is in the list already: remove one", entry.compute_environment);
            found.push(Invalid::new(&path, message));
        }
        if let Some(message) = invalid_reference("compute-environment", &entry.compute_environment, place) {
            found.push(Invalid::new(path, message));
        }
    }
    for (index, entry) in spec.service_environment_order.iter().enumerate() {
        if let Some(message) = invalid_reference("service-environment", &entry.service_environment, place) {
            let path = format!("serviceEnvironmentOrder[{index}].serviceEnvironment");
            found.push(Invalid::new(path, message));
        }
    }
}

/// A queue of SageMaker has a service environment, and every other compute environments.
fn of_type(spec: &Spec, found: &mut Vec<Invalid>) {
    let Some(kind) = spec.job_queue_type.as_deref().filter(|kind| !kind.contains("${")) else { return };
    if kind == SAGEMAKER && !spec.compute_environment_order.is_empty() {
        let message = format!("{SAGEMAKER} needs serviceEnvironmentOrder in place of compute environments");
        found.push(Invalid::new("jobQueueType", message));
    }
    if kind != SAGEMAKER && !spec.service_environment_order.is_empty() {
        let message = format!("{kind} is not for a service environment: say {SAGEMAKER}, or remove it");
        found.push(Invalid::new("jobQueueType", message));
    }
}

/// Actions and reasons differ for jobs that Batch places and for those of SageMaker; each reason is there once.
fn time_limits(spec: &Spec, found: &mut Vec<Invalid>) {
    let (action, reasons) = match spec.service_environment_order.is_empty() {
        true => ("CANCEL", STUCK_JOBS),
        false => ("TERMINATE", STUCK_SERVICE_JOBS),
    };
    let mut seen = BTreeSet::new();
    for (index, entry) in spec.job_state_time_limit_actions.iter().enumerate() {
        let path = format!("jobStateTimeLimitActions[{index}]");
        let is_known = |text: &str| !text.contains("${");
        if is_known(&entry.action) && entry.action != action {
            let message = format!("{} is not for the jobs of this queue: say {action}", entry.action);
            found.push(Invalid::new(format!("{path}.action"), message));
        }
        let reason = entry.reason.as_str();
        if is_known(reason) && !reasons.contains(&reason) {
            let message =
                format!("{reason:?} is no reason that Batch knows here: say {}", reasons.join(", "));
            found.push(Invalid::new(format!("{path}.reason"), message));
        }
        if is_known(reason) && !seen.insert((entry.state.as_str(), reason)) {
            let message = format!("{reason} is in the list already: Batch takes a reason once, remove one");
            found.push(Invalid::new(format!("{path}.reason"), message));
        }
    }
}

fn invalid_policy(policy: &str, place: &Place) -> Option<String> {
    match policy.starts_with("arn:") || policy.contains("${") {
        true => invalid_reference("scheduling-policy", policy, place),
        false => Some(format!(
            "{policy:?} is no ARN: Batch knows scheduling policies by ARN only, such as {}",
            place.arn("batch", "scheduling-policy/fair")
        )),
    }
}

/// What is wrong with the numbers, if they are given.
pub(super) fn wrong_orders(orders: &[Option<i32>]) -> Option<&'static str> {
    let given: Vec<i32> = orders.iter().flatten().copied().collect();
    let distinct: BTreeSet<i32> = given.iter().copied().collect();
    match () {
        () if given.is_empty() => None,
        () if given.len() < orders.len() => {
            Some("give every entry an `order`, or none: the list's order counts then")
        }
        () if distinct.len() < given.len() => Some("two entries have the same `order`: make them distinct"),
        () => None,
    }
}
