//! What Batch refuses of a compute environment, known before it is asked (aws-semantics §2.1, §14).

use super::{SERVICE_LINKED_ROLE, Spec};
use crate::kind::prelude::*;
use crate::kinds::batch::types::compute_resources::ComputeResources;
use crate::kinds::batch::types::environment_settings::EksConfiguration;

mod images;
pub(in crate::kinds::batch) mod instance_types;
mod launch_template;

pub(super) fn validate(spec: &Spec) -> Vec<Invalid> {
    let mut found = Vec::new();
    match (spec.r#type.as_str(), &spec.compute_resources) {
        ("UNMANAGED", resources) => unmanaged(spec, resources.is_some(), &mut found),
        (_, None) => found.push(Invalid::new(
            "computeResources",
            "a MANAGED environment needs them: say at least type, maxvCpus and subnets",
        )),
        (_, Some(resources)) => {
            if spec.unmanagedv_cpus.is_some() {
                found.push(Invalid::new("unmanagedvCpus", "is for UNMANAGED environments only: remove it"));
            }
            managed(resources, spec.eks_configuration.is_some(), &mut found);
            tags("tags", &resources.tags, &mut found);
            tags("capacityTags", &resources.capacity_tags, &mut found);
        }
    }
    if let Some(eks) = &spec.eks_configuration {
        on_eks(spec, eks, &mut found);
    }
    found
}

/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_EksConfiguration.html>
fn on_eks(spec: &Spec, eks: &EksConfiguration, found: &mut Vec<Invalid>) {
    let namespace = eks.kubernetes_namespace.as_str();
    if namespace == "default" || namespace.starts_with("kube-") {
        let message = format!("{namespace:?} is refused by Batch: give jobs a namespace of their own");
        found.push(Invalid::new("eksConfiguration.kubernetesNamespace", message));
    }
    if spec.ecs_settings.is_some() {
        found.push(Invalid::new("ecsSettings", "are of ECS, and jobs run on EKS here: remove them"));
    }
    if spec.r#type == "UNMANAGED" {
        let message = "an UNMANAGED environment is on ECS: remove it, or set type to MANAGED";
        found.push(Invalid::new("eksConfiguration", message));
    }
    let resources = spec.compute_resources.as_ref();
    if let Some(kind) = resources.map(|it| it.r#type.as_str()).filter(|it| !matches!(*it, "EC2" | "SPOT")) {
        let message = format!("{kind} is not for EKS: it takes EC2 and SPOT");
        found.push(Invalid::new("computeResources.type", message));
    }
}

/// Tags of what is launched: as those of any resource, only that nobody else counts them.
fn tags(field: &str, tags: &BTreeMap<String, String>, found: &mut Vec<Invalid>) {
    let path = format!("computeResources.{field}");
    if tags.len() > 50 {
        let message = format!("there are {}, and AWS takes 50 at most", tags.len());
        found.push(Invalid::new(&path, message));
    }
    for (key, value) in tags {
        let length = key.chars().count();
        let message = match () {
            () if key.to_ascii_lowercase().starts_with("aws:") => format!("the tag key {key:?} is AWS's own"),
            () if !(1..=128).contains(&length) => {
                format!("the tag key {key:?} has {length} characters, and AWS takes 1 to 128")
            }
            () if value.chars().count() > 256 => {
                format!("the value of the tag {key:?} has more than 256 characters")
            }
            () => continue,
        };
        found.push(Invalid::new(format!("{path}[\"{key}\"]"), message));
    }
}

fn unmanaged(spec: &Spec, has_resources: bool, found: &mut Vec<Invalid>) {
    if has_resources {
        found.push(Invalid::new(
            "computeResources",
            "an UNMANAGED environment has none: remove them, or set type to MANAGED",
        ));
    }
    match spec.service_role.as_deref() {
        None | Some("") => found.push(Invalid::new(
            "serviceRole",
            "an UNMANAGED environment needs one: refer to a role, such as ${iam/Role/batch.arn}",
        )),
        Some(role) if role.ends_with(SERVICE_LINKED_ROLE) => found.push(Invalid::new(
            "serviceRole",
            "an UNMANAGED environment cannot have the service-linked role: refer to a role of your own",
        )),
        Some(_) => {}
    }
}

fn managed(resources: &ComputeResources, on_eks: bool, found: &mut Vec<Invalid>) {
    let mut say = |field: &str, message: String| {
        found.push(Invalid::new(format!("computeResources.{field}"), message));
    };
    if resources.maxv_cpus < 1 {
        say("maxvCpus", format!("{} is not above 0", resources.maxv_cpus));
    }
    let least = resources.minv_cpus.max(0);
    let between = least..=resources.maxv_cpus.max(least);
    if resources.minv_cpus < 0 || least > resources.maxv_cpus {
        say(
            "minvCpus",
            format!("{} is not between 0 and maxvCpus ({})", resources.minv_cpus, resources.maxv_cpus),
        );
    }
    if let Some(desired) = resources.desiredv_cpus.filter(|desired| !between.contains(desired)) {
        say("desiredvCpus", format!("{desired} is not between minvCpus and maxvCpus"));
    }
    match resources.r#type.as_str() {
        "FARGATE" | "FARGATE_SPOT" => fargate(resources, &mut say),
        "ECS_MANAGED_INSTANCES" => managed_instances(resources, &mut say),
        _ => instances(resources, on_eks, &mut say),
    }
    if let Some(template) = &resources.launch_template {
        launch_template::validate(template, resources, on_eks, &mut say);
    }
    instance_types::validate(resources, &mut say);
    images::validate(resources, on_eks, &mut say);
}

/// Fields that only instances have, and whether they are set.
fn of_instances(resources: &ComputeResources) -> Vec<(&'static str, bool)> {
    vec![
        ("allocationStrategy", resources.allocation_strategy.is_some()),
        ("minvCpus", resources.minv_cpus != 0),
        ("desiredvCpus", resources.desiredv_cpus.is_some()),
        ("instanceTypes", !resources.instance_types.is_empty()),
        ("imageId", resources.image_id.is_some()),
        ("ec2KeyPair", resources.ec2_key_pair.is_some()),
        ("instanceRole", resources.instance_role.is_some()),
        ("tags", !resources.tags.is_empty()),
        ("placementGroup", resources.placement_group.is_some()),
        ("bidPercentage", resources.bid_percentage.is_some()),
        ("spotIamFleetRole", resources.spot_iam_fleet_role.is_some()),
        ("launchTemplate", resources.launch_template.is_some()),
        ("ec2Configuration", !resources.ec2_configuration.is_empty()),
        ("scalingPolicy", resources.scaling_policy.is_some()),
        ("updateToLatestImageVersion", resources.update_to_latest_image_version),
    ]
}

fn fargate(resources: &ComputeResources, say: &mut dyn FnMut(&str, String)) {
    let kind = resources.r#type.as_str();
    for (field, _) in of_instances(resources).into_iter().filter(|(_, set)| *set) {
        say(field, format!("has no meaning with {kind}: remove it"));
    }
    of_managed_instances_only(resources, say);
    network(resources, say);
    if resources.security_group_ids.is_empty() {
        say("securityGroupIds", format!("{kind} needs at least one"));
    }
}

fn network(resources: &ComputeResources, say: &mut dyn FnMut(&str, String)) {
    match resources.subnets.len() {
        0 => say("subnets", format!("{} needs at least one", resources.r#type)),
        many if many > 16 && resources.is_fargate() => {
            say("subnets", format!("there are {many}, and Batch takes 16 at most"));
        }
        _ => {}
    }
    if resources.is_fargate() && resources.security_group_ids.len() > 5 {
        say(
            "securityGroupIds",
            format!("there are {}, and Batch takes 5 at most", resources.security_group_ids.len()),
        );
    }
}

fn of_managed_instances_only(resources: &ComputeResources, say: &mut dyn FnMut(&str, String)) {
    let only = "is for type ECS_MANAGED_INSTANCES only: remove it";
    if resources.managed_instances_provider.is_some() {
        say("managedInstancesProvider", only.to_owned());
    }
    if !resources.capacity_tags.is_empty() {
        say("capacityTags", only.to_owned());
    }
}

fn managed_instances(resources: &ComputeResources, say: &mut dyn FnMut(&str, String)) {
    let inside = "is said in managedInstancesProvider with ECS_MANAGED_INSTANCES: remove it";
    let network = [
        ("subnets", !resources.subnets.is_empty()),
        ("securityGroupIds", !resources.security_group_ids.is_empty()),
    ];
    for (field, _) in of_instances(resources).into_iter().chain(network).filter(|(_, set)| *set) {
        say(field, inside.to_owned());
    }
    if resources.managed_instances_provider.is_none() {
        say("managedInstancesProvider", "ECS_MANAGED_INSTANCES needs it".to_owned());
    }
}

fn instances(resources: &ComputeResources, on_eks: bool, say: &mut dyn FnMut(&str, String)) {
    let is_spot = resources.r#type == "SPOT";
    of_managed_instances_only(resources, say);
    network(resources, say);
    if resources.instance_types.is_empty() {
        say("instanceTypes", "say which, or [optimal]".to_owned());
    }
    if resources.instance_role.as_deref().unwrap_or_default().is_empty() {
        say("instanceRole", "name an instance profile, such as ${iam/InstanceProfile/batch.arn}".to_owned());
    }
    if resources.security_group_ids.is_empty() && resources.launch_template.is_none() {
        say("securityGroupIds", "name at least one here, or in a launch template".to_owned());
    }
    if !is_spot && resources.bid_percentage.is_some() {
        say("bidPercentage", "is for type SPOT only: remove it".to_owned());
    }
    let fleet = resources.spot_iam_fleet_role.is_some();
    if !is_spot && fleet {
        say("spotIamFleetRole", "is for type SPOT only: remove it".to_owned());
    }
    strategy(resources, on_eks, say);
    let delay = resources.scaling_policy.as_ref().map_or(0, |policy| policy.min_scale_down_delay_minutes);
    if delay != 0 && !(20..=10080).contains(&delay) {
        let message = format!("{delay} is neither 0 nor between 20 and 10080 minutes");
        say("scalingPolicy.minScaleDownDelayMinutes", message);
    }
}

fn strategy(resources: &ComputeResources, on_eks: bool, say: &mut dyn FnMut(&str, String)) {
    let is_spot = resources.r#type == "SPOT";
    let strategy = resources.allocation_strategy.as_deref().unwrap_or("BEST_FIT");
    if is_spot && strategy == "BEST_FIT" && resources.spot_iam_fleet_role.is_none() {
        let message = "Spot with BEST_FIT needs a fleet role; better set allocationStrategy to SPOT_PRICE_CAPACITY_OPTIMIZED";
        say("spotIamFleetRole", message.to_owned());
    }
    if strategy.starts_with("SPOT_") && !is_spot {
        say("allocationStrategy", format!("{strategy} is for type SPOT only: use BEST_FIT_PROGRESSIVE"));
    }
    if strategy == "BEST_FIT_PROGRESSIVE_ORDERED" && is_spot {
        let message = format!("{strategy} is for type EC2 only: use SPOT_CAPACITY_OPTIMIZED_PRIORITIZED");
        say("allocationStrategy", message);
    }
    if on_eks && strategy == "BEST_FIT" {
        say("allocationStrategy", "EKS does not know BEST_FIT: say BEST_FIT_PROGRESSIVE".to_owned());
    }
}
