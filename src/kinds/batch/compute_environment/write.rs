//! The calls that change a compute environment.

use std::collections::HashMap;

use aws_sdk_batch::types as sdk;

use super::{ComputeEnvironment, Outputs, Spec, effect, service_linked_role};
use crate::kind::prelude::*;
use crate::kinds::batch::types::compute_resources::{ComputeResources, InstanceLaunchTemplate};
use crate::kinds::mirror::{Field, Part};
use crate::services::batch;

/// CreateComputeEnvironment takes neither `DISABLED` nor an update policy: both follow with the first update.
pub(super) async fn create(cx: &Cx<'_, ComputeEnvironment>, want: &Spec) -> Result<String> {
    // Batch makes its service-linked role by itself only if none is named.
    let role = want.service_role.clone().filter(|role| *role != service_linked_role(cx.place));
    cx.client
        .create_compute_environment()
        .compute_environment_name(cx.name)
        .r#type(want.r#type.as_str().into())
        .set_unmanagedv_cpus(want.unmanagedv_cpus)
        .set_compute_resources(want.compute_resources.as_ref().map(created_resources))
        .set_service_role(role)
        .set_eks_configuration(want.eks_configuration.write())
        .set_ecs_settings(want.ecs_settings.write())
        .set_context(want.context.clone())
        .set_tags(Some(cx.tags.clone().into_iter().collect()))
        .send()
        .await
        .map_err(failed)?;
    Ok(cx.name.to_owned())
}

fn created_resources(resources: &ComputeResources) -> sdk::ComputeResource {
    let mut sent = resources.sdk();
    if !resources.has_instances() {
        // Fargate refuses the number, also where it is nought.
        sent.minv_cpus = sent.minv_cpus.filter(|min| *min > 0);
    }
    sent
}

/// Sends what differs; where nothing does, a call that changes nothing makes Batch look again at a repaired role.
pub(super) async fn update(
    cx: &Cx<'_, ComputeEnvironment>,
    live: &Live<ComputeEnvironment>,
    want: &Spec,
    diff: &Diff,
) -> Result<()> {
    if live.outputs.is_busy() {
        return Ok(());
    }
    if diff.touches("state") && want.state == sdk::CeState::Disabled.as_str() {
        batch::refuse_to_strand(cx.client, &live.outputs.arn).await?;
    }
    if !cx.interrupts && effect::replaces_instances(want, diff) {
        let cluster = live.outputs.ecs_cluster_arn.as_deref().and_then(|arn| arn.rsplit_once('/'));
        let (cluster, given) = (cluster.map(|(_, name)| name), effect::given_to_jobs(want));
        batch::refuse_to_cut_off(cx.client, &live.outputs.arn, cluster, given).await?;
    }
    let mut call = cx.client.update_compute_environment().compute_environment(cx.name);
    if diff.touches("state") {
        call = call.state(want.state.as_str().into());
    }
    if diff.touches("unmanagedvCpus") {
        call = call.set_unmanagedv_cpus(want.unmanagedv_cpus);
    }
    if diff.touches("updatePolicy") {
        call = call.update_policy(want.update_policy.clone().unwrap_or_default().sdk());
    }
    if diff.touches("ecsSettings") {
        call = call.ecs_settings(want.ecs_settings.clone().unwrap_or_default().sdk());
    }
    if diff.touches("eksConfiguration.accessEntry") {
        let entry = want.eks_configuration.as_ref().and_then(|eks| eks.access_entry.write());
        call = call.eks_configuration(sdk::EksConfigurationUpdate::builder().set_access_entry(entry).build());
    }
    if diff.touches("context") {
        call = call.set_context(want.context.clone());
    }
    let role = diff.touches("serviceRole");
    if role {
        call = call.set_service_role(want.service_role.clone());
    }
    if let Some(resources) = &want.compute_resources {
        // Batch refuses a role together with what shapes instances: the role first, the rest when it is asked again.
        let none = Diff::default();
        let before = live.spec.compute_resources.as_ref();
        let on_eks = want.eks_configuration.is_some();
        let diff = if role { &none } else { diff };
        call = call.compute_resources(updated_resources(before, resources, diff, on_eks));
    }
    call.send().await.map_err(failed)?;
    Ok(())
}

pub(super) fn updated_resources(
    before: Option<&ComputeResources>,
    want: &ComputeResources,
    diff: &Diff,
    on_eks: bool,
) -> sdk::ComputeResourceUpdate {
    let touched = |field: &str| diff.touches(&format!("computeResources.{field}"));
    let text =
        |field: &str, value: &Option<String>| touched(field).then(|| value.clone().unwrap_or_default());
    // A managed environment is never updated without a word on its resources.
    let mut sent = sdk::ComputeResourceUpdate::builder().maxv_cpus(want.maxv_cpus).build();
    sent.minv_cpus = touched("minvCpus").then_some(want.minv_cpus);
    // Batch refuses a minimum above what it desires just now: that number goes up with it, and is otherwise never sent; on EKS
    // not at all (https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResourceUpdate.html).
    sent.desiredv_cpus = sent
        .minv_cpus
        .filter(|_| !on_eks)
        .filter(|min| before.and_then(|resources| resources.desiredv_cpus).is_some_and(|now| now < *min));
    sent.r#type = touched("type").then(|| want.r#type.as_str().into());
    sent.subnets = touched("subnets").then(|| want.subnets.clone());
    sent.security_group_ids = touched("securityGroupIds").then(|| want.security_group_ids.clone());
    if let Some(strategy) = &want.allocation_strategy {
        sent.allocation_strategy = touched("allocationStrategy").then(|| strategy.as_str().into());
    }
    sent.instance_types = touched("instanceTypes").then(|| want.instance_types.clone());
    // An empty text takes a value away.
    sent.image_id = text("imageId", &want.image_id);
    sent.ec2_key_pair = text("ec2KeyPair", &want.ec2_key_pair);
    sent.instance_role = text("instanceRole", &want.instance_role);
    sent.placement_group = text("placementGroup", &want.placement_group);
    sent.tags = touched("tags").then(|| want.tags.clone().into_iter().collect::<HashMap<_, _>>());
    sent.bid_percentage = touched("bidPercentage").then(|| want.bid_percentage.unwrap_or(100));
    sent.launch_template = touched("launchTemplate").then(|| launch_template(before, want));
    sent.ec2_configuration =
        touched("ec2Configuration").then(|| want.ec2_configuration.iter().map(Part::sdk).collect());
    sent.scaling_policy =
        touched("scalingPolicy").then(|| want.scaling_policy.clone().unwrap_or_default().sdk());
    sent.managed_instances_provider = touched("managedInstancesProvider").then(|| provider(want)).flatten();
    sent.capacity_tags =
        touched("capacityTags").then(|| want.capacity_tags.clone().into_iter().collect::<HashMap<_, _>>());
    let replaces_instances = effect::CONDITIONAL.iter().any(|field| touched(field));
    if replaces_instances && want.has_instances() && want.update_to_latest_image_version {
        sent.update_to_latest_image_version = Some(true);
    }
    sent
}

/// The wanted template; an empty id or name takes away the one that was given by it.
fn launch_template(
    before: Option<&ComputeResources>,
    want: &ComputeResources,
) -> sdk::LaunchTemplateSpecification {
    if let Some(template) = &want.launch_template {
        return template.sdk();
    }
    let by_name = before
        .and_then(|resources| resources.launch_template.as_ref())
        .is_some_and(|template| template.launch_template_id.is_none());
    let none = sdk::LaunchTemplateSpecification::builder();
    match by_name {
        true => none.launch_template_name("").build(),
        false => none.launch_template_id("").build(),
    }
}

fn provider(want: &ComputeResources) -> Option<sdk::UpdateManagedInstancesProviderConfiguration> {
    let provider = want.managed_instances_provider.as_ref()?;
    let sent = sdk::UpdateManagedInstancesProviderConfiguration::builder()
        .set_propagate_tags(provider.propagate_tags.clone())
        .set_infrastructure_role_arn(provider.infrastructure_role_arn.clone())
        .set_instance_launch_template(provider.instance_launch_template.as_ref().map(instances))
        .set_infrastructure_optimization(provider.infrastructure_optimization.write());
    Some(sent.build())
}

fn instances(template: &InstanceLaunchTemplate) -> sdk::InstanceLaunchTemplateUpdate {
    sdk::InstanceLaunchTemplateUpdate::builder()
        .set_ec2_instance_profile_arn(template.ec2_instance_profile_arn.clone())
        .set_network_configuration(template.network_configuration.write())
        .set_instance_requirements(template.instance_requirements.write())
        .set_storage_configuration(template.storage_configuration.write())
        .set_monitoring(template.monitoring.clone())
        .set_capacity_reservations(template.capacity_reservations.write())
        .instance_metadata_tags_propagation(template.instance_metadata_tags_propagation)
        .set_local_storage_configuration(template.local_storage_configuration.write())
        .build()
}

/// Disable, then delete; nothing while Batch is at work on it.
pub(super) async fn delete(cx: &Cx<'_, ComputeEnvironment>, live: &Live<ComputeEnvironment>) -> Result<()> {
    let Outputs { arn, .. } = &live.outputs;
    if live.outputs.is_busy() {
        return Ok(());
    }
    if live.spec.state == sdk::CeState::Enabled.as_str() {
        batch::refuse_while_listed(cx.client, arn).await?;
        let call = cx.client.update_compute_environment().compute_environment(arn);
        let call = call.state(sdk::CeState::Disabled);
        call.send().await.map_err(failed)?;
        return Ok(());
    }
    let call = cx.client.delete_compute_environment().compute_environment(arn);
    call.send().await.map_err(failed)?;
    Ok(())
}
