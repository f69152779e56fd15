//! What a change to a compute environment amounts to (aws-semantics §2.1).

use super::Spec;
use crate::kind::prelude::*;
use crate::kinds::batch::types::compute_resources::ComputeResources;
use crate::kinds::iam::service_linked_role;

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

/// Fields that Batch calls scaling.
const SCALING: &[&str] = &["state", "computeResources.minvCpus", "computeResources.maxvCpus"];

pub(super) fn effect(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
    match replacement(live, want, changes) {
        Some(reason) => (Effect::Replace(Order::CreateFirst), Reason(reason)),
        None => update(want, changes),
    }
}

/// Why a new environment is needed beside the old one, if it is.
fn replacement(live: &Spec, want: &Spec, changes: &[FieldChange]) -> Option<String> {
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
        spec.service_role.as_deref().is_none_or(|role| role.is_empty() || service_linked_role::denotes(role))
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
    let strategy = |resources: &ComputeResources| resources.allocation_strategy.clone();
    // What is not said stays as AWS has it.
    let strategies = [strategy(before), strategy(after).or_else(|| strategy(before))];
    let fixed = strategies
        .into_iter()
        .map(|strategy| strategy.unwrap_or_else(|| "no allocationStrategy".to_owned()))
        .find(|strategy| !UPDATABLE.contains(&strategy.as_str()))?;
    Some(format!("cannot change in place with {fixed}: {shapes}"))
}

/// Whether a change is to one of [`CONDITIONAL`].
fn shapes_instances(change: &FieldChange) -> bool {
    let Some(field) = change.path.strip_prefix("computeResources.") else { return false };
    let field = field.split(['.', '[']).next().unwrap_or_default();
    CONDITIONAL.contains(&field)
}

/// Images of Amazon Linux 2 on ECS: `ECS_AL2`, `ECS_AL2_NVIDIA`.
fn is_retired(image: &str) -> bool {
    image == "ECS_AL2" || image.starts_with("ECS_AL2_")
}

/// Batch makes no more environments of these images, and keeps those that it has (aws-semantics §2.1).
pub(super) fn retired(spec: &Spec) -> Option<Invalid> {
    let images = spec.compute_resources.iter().flat_map(|resources| &resources.ec2_configuration);
    let (index, image) =
        images.map(|c| c.image_type.as_str()).enumerate().find(|(_, image)| is_retired(image))?;
    let path = format!("computeResources.ec2Configuration[{index}].imageType");
    let instead = image.replace("AL2", "AL2023");
    let message =
        format!("Batch makes no new environment with {image} since 2026-06-30: set imageType to {instead}");
    Some(Invalid::new(path, message))
}

fn update(want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
    let shaping: Vec<&str> =
        changes.iter().filter(|change| shapes_instances(change)).map(|change| change.path.as_str()).collect();
    if shaping.is_empty() {
        let scales = changes.iter().any(|change| SCALING.contains(&change.path.as_str()));
        let reason = Reason("nothing that runs is replaced".to_owned());
        return (Effect::Update(if scales { Manner::Scale } else { Manner::InPlace }), reason);
    }
    let fargate = want.compute_resources.as_ref().is_some_and(ComputeResources::is_fargate);
    let policy = want.update_policy.clone().unwrap_or_default();
    let jobs = match policy.terminate_jobs_on_update {
        true => "running jobs are stopped".to_owned(),
        false => {
            format!("running jobs are stopped after {} min", policy.job_execution_timeout_minutes)
        }
    };
    let reason = match fargate {
        true => format!("Fargate takes it in place: {}", shaping.join(", ")),
        false => format!("new instances for {}; {jobs}", shaping.join(", ")),
    };
    (Effect::Update(Manner::ReplacesInstances), Reason(reason))
}

/// What an update does to running jobs: Batch gives them as long as `updatePolicy` says, half an hour where it says nothing. Tasks on
/// Fargate stay where they are.
pub(super) fn interrupts(want: &Spec, manner: Manner) -> Interrupt {
    let fargate = want.compute_resources.as_ref().is_some_and(ComputeResources::is_fargate);
    match (manner, given_to_jobs(want)) {
        (Manner::ReplacesInstances, Some(seconds)) if !fargate => Interrupt::After(seconds / 60),
        (Manner::ReplacesInstances, None) if !fargate => Interrupt::AtOnce,
        _ => Interrupt::No,
    }
}

/// Whether an update puts new instances in place of those that jobs run on. Tasks on Fargate stay where they are.
pub(super) fn replaces_instances(want: &Spec, diff: &Diff) -> bool {
    let fargate = want.compute_resources.as_ref().is_some_and(ComputeResources::is_fargate);
    !fargate && diff.0.iter().any(shapes_instances)
}

/// How many seconds jobs get to end in such an update; `None`: they are ended at once.
pub(super) fn given_to_jobs(want: &Spec) -> Option<u64> {
    let policy = want.update_policy.clone().unwrap_or_default();
    let minutes = u64::try_from(policy.job_execution_timeout_minutes).unwrap_or_default();
    (!policy.terminate_jobs_on_update).then(|| minutes.saturating_mul(60))
}

/// What is allowed and hardly meant: versions of launch templates that nobody will look at again (P7), and a ceiling
/// below what runs (P8).
pub(super) fn warnings(spec: &Spec, live: Option<&Spec>) -> Vec<Invalid> {
    let mut found = Vec::new();
    let Some(resources) = &spec.compute_resources else { return found };
    if let Some(template) = &resources.launch_template {
        let path = "computeResources.launchTemplate";
        let overrides = template.overrides.iter().enumerate();
        let named = !(template.launch_template_id.is_none() && template.launch_template_name.is_none());
        let versions = named
            .then(|| (format!("{path}.version"), &template.version))
            .into_iter()
            .chain(overrides.map(|(index, it)| (format!("{path}.overrides[{index}].version"), &it.version)));
        for (path, version) in
            versions.filter(|(_, version)| version.starts_with('$') && !version.starts_with("${"))
        {
            let message = format!(
                "{version} is looked at when Batch next replaces the infrastructure, and then frozen: a newer version of the template goes unnoticed; refer to its latestVersion, or say a number"
            );
            found.push(Invalid::new(path, message));
        }
    }
    // <https://docs.aws.amazon.com/batch/latest/APIReference/API_UpdatePolicy.html>
    if spec.update_policy.is_some() && resources.is_fargate() {
        let message = format!("Batch ignores an updatePolicy of {}: leave it out", resources.r#type);
        found.push(Invalid::new("updatePolicy", message));
    }
    let running = live.and_then(|live| live.compute_resources.as_ref()?.desiredv_cpus);
    if let Some(running) = running.filter(|running| resources.maxv_cpus < *running) {
        let message = format!(
            "{running} vCPUs are running: Batch refuses maxvCpus {} until they are gone; an apply waits ten minutes for that",
            resources.maxv_cpus
        );
        found.push(Invalid::new("computeResources.maxvCpus", message));
    }
    found
}
