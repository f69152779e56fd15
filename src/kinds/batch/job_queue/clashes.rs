//! Compute environments that a queue cannot have together.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html>: all of EC2 and Spot, or of Fargate, or on
//! EKS, and of one architecture.

use super::Spec;
use crate::kind::prelude::*;
use crate::kinds::batch::compute_environment::{self, ComputeEnvironment, validate::instance_types};

pub(super) fn clashes(spec: &Spec, beside: &Beside<'_>) -> Vec<Clash> {
    let mut found = Vec::new();
    let mut first = None;
    for (index, entry) in spec.compute_environment_order.iter().enumerate() {
        let Some((id, environment)) = beside.find::<ComputeEnvironment>(&entry.compute_environment) else {
            continue;
        };
        let path = format!("computeEnvironmentOrder[{index}].computeEnvironment");
        let family = family(&environment);
        let architecture = environment.compute_resources.as_ref().and_then(instance_types::of_all);
        let declared = spec.job_queue_type.as_deref().filter(|kind| !kind.contains("${"));
        if let Some(declared) = declared.filter(|declared| *declared != family) {
            let message = format!("{id} is for queues of type {family}, and jobQueueType is {declared}");
            found.push(Clash::new(&path, id, message));
        }
        let Some((other, of, runs_on)) = first else {
            first = Some((id, family, architecture));
            continue;
        };
        if of != family {
            let message =
                format!("{id} makes a queue of {family}, and {other} one of {of}: a queue is of one type");
            found.push(Clash::new(path, other, message));
        } else if let (Some(runs_on), Some(architecture)) = (runs_on, architecture)
            && runs_on != architecture
        {
            let message = format!(
                "{id} runs on {architecture}, and {other} on {runs_on}: a queue has one architecture"
            );
            found.push(Clash::new(path, other, message));
        }
    }
    found
}

/// The type of queue that an environment makes.
fn family(environment: &compute_environment::Spec) -> &'static str {
    let kind = environment.compute_resources.as_ref().map_or("", |resources| resources.r#type.as_str());
    match kind {
        _ if environment.eks_configuration.is_some() => "EKS",
        "FARGATE" | "FARGATE_SPOT" => "ECS_FARGATE",
        "ECS_MANAGED_INSTANCES" => "ECS_MANAGED_INSTANCES",
        _ => "ECS",
    }
}
