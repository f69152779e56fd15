//! What a change to a compute environment amounts to (aws-semantics §2.1).

use super::Spec;
use crate::diff::{ChangeRule, FieldChange};
use crate::kind::{Effect, Order, Reason, Refs};
use crate::kinds::batch::types::compute_resources::ComputeResources;

/// Fields of `computeResources` that shape instances: AWS changes them in place under conditions only.
pub(super) const CONDITIONAL: &[&str] = &[
    "allocationStrategy",
    "bidPercentage",
    "ec2Configuration",
    "ec2KeyPair",
    "imageId",
    "instanceRole",
    "instanceTypes",
    "launchTemplate",
    "placementGroup",
    "scalingPolicy",
    "securityGroupIds",
    "subnets",
    "tags",
    "type",
];

/// The strategies from and to which AWS updates instances in place.
const UPDATABLE: &[&str] =
    &["BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"];

/// Parts that cannot come or go as a whole.
const WHOLE: &[&str] = &["computeResources", "eksConfiguration", "computeResources.managedInstancesProvider"];

pub(super) fn effect(live: &Spec, want: &Spec, changes: &[FieldChange], refs: &Refs) -> (Effect, Reason) {
    match replacement(live, want, changes, refs) {
        Some(reason) => replace(want, reason),
        None => update(live, want, changes),
    }
}

/// Why a new environment is needed beside the old one, if it is.
fn replacement(live: &Spec, want: &Spec, changes: &[FieldChange], refs: &Refs) -> Option<String> {
    let paths = |wanted: &dyn Fn(&FieldChange) -> bool| {
        changes.iter().filter(|change| wanted(change)).map(|c| c.path.as_str()).collect::<Vec<_>>().join(", ")
    };
    let create_only = paths(&|change| change.rule == ChangeRule::CreateOnly);
    if !create_only.is_empty() {
        return Some(format!("create-only: {create_only}"));
    }
    let whole = paths(&|change| WHOLE.contains(&change.path.as_str()));
    if !whole.is_empty() {
        return Some(format!("cannot come or go later: {whole}"));
    }
    let is_linked = |spec: &Spec| {
        spec.service_role.as_deref().is_none_or(|role| role.is_empty() || refs.is_service_linked_role(role))
    };
    let roles = (is_linked(live), is_linked(want));
    if changes.iter().any(|change| change.path == "serviceRole") && roles.0 != roles.1 {
        return Some("serviceRole cannot change between the service-linked role and another".to_owned());
    }
    let (before, after) = (live.compute_resources.as_ref()?, want.compute_resources.as_ref()?);
    let shapes = paths(&shapes_instances);
    if shapes.is_empty() {
        return None;
    }
    if before.r#type != after.r#type && !(before.has_instances() && after.has_instances()) {
        return Some(format!("type cannot change from {} to {}", before.r#type, after.r#type));
    }
    if !before.has_instances() {
        return None;
    }
    if roles != (true, true) {
        return Some(format!("changes in place only with the service-linked role: {shapes}"));
    }
    let fixed = [before, after].into_iter().find(|resources| !is_updatable(resources))?;
    let strategy = fixed.allocation_strategy.as_deref().unwrap_or("no allocationStrategy");
    Some(format!("cannot change in place with {strategy}: {shapes}"))
}

fn is_updatable(resources: &ComputeResources) -> bool {
    resources.allocation_strategy.as_deref().is_some_and(|strategy| UPDATABLE.contains(&strategy))
}

/// Whether a change is to one of [`CONDITIONAL`].
fn shapes_instances(change: &FieldChange) -> bool {
    let Some(field) = change.path.strip_prefix("computeResources.") else { return false };
    let field = field.split(['.', '[']).next().unwrap_or_default();
    CONDITIONAL.contains(&field)
}

fn replace(want: &Spec, reason: String) -> (Effect, Reason) {
    let images = want.compute_resources.iter().flat_map(|resources| &resources.ec2_configuration);
    if let Some(image) = images.map(|c| c.image_type.as_str()).find(|image| is_retired(image)) {
        let why = format!(
            "a new compute environment is needed ({reason}), and Batch takes none with {image} since 2026-06-30: \
             set ec2Configuration.imageType to {}",
            image.replace("AL2", "AL2023")
        );
        return (Effect::Impossible(why), Reason(reason));
    }
    (Effect::Replace(Order::CreateFirst), Reason(reason))
}

/// Images of Amazon Linux 2 on ECS: `ECS_AL2`, `ECS_AL2_NVIDIA`.
fn is_retired(image: &str) -> bool {
    image == "ECS_AL2" || image.starts_with("ECS_AL2_")
}

fn update(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
    let provider =
        |change: &FieldChange| change.path.starts_with("computeResources.managedInstancesProvider.");
    let shaping: Vec<&str> = changes
        .iter()
        .filter(|change| shapes_instances(change) || provider(change))
        .map(|change| change.path.as_str())
        .collect();
    if shaping.is_empty() {
        return (Effect::Update("scale".to_owned()), Reason(shrinking(live, want).unwrap_or_default()));
    }
    let policy = want.update_policy.clone().unwrap_or_default();
    let jobs = match policy.terminate_jobs_on_update {
        true => "running jobs are stopped".to_owned(),
        false => {
            format!("running jobs are stopped after {} min", policy.job_execution_timeout_minutes)
        }
    };
    let fargate = want.compute_resources.as_ref().is_some_and(ComputeResources::is_fargate);
    let reason = match fargate {
        true => shaping.join(", "),
        false => format!("new instances for {}; {jobs}", shaping.join(", ")),
    };
    (Effect::Update("infrastructure".to_owned()), Reason(reason))
}

/// Batch refuses to go below what runs now.
fn shrinking(live: &Spec, want: &Spec) -> Option<String> {
    let running = live.compute_resources.as_ref()?.desiredv_cpus?;
    let most = want.compute_resources.as_ref()?.maxv_cpus;
    (most < running)
        .then(|| format!("{running} vCPUs are running: Batch refuses maxvCpus {most} until they are gone"))
}
