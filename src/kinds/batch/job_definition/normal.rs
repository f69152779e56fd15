//! The one form of a job definition: what AWS fills in, empties, reorders or calls by an older name means the same.

use super::Spec;
use crate::kinds::batch::types::container::{
    EfsVolume, LinuxParameters, MountPoint, ResourceRequirement, Secret, Variable, Volume,
};
use crate::kinds::batch::types::container_properties::ContainerProperties;
use crate::kinds::batch::types::ecs::{EcsProperties, EcsTask};
use crate::kinds::batch::types::eks::{EksContainer, EksProperties};
use crate::kinds::batch::types::job_settings::NodeRange;
use crate::kinds::mirror::prune;

pub(super) fn normalise(spec: &mut Spec) {
    if spec.platform_capabilities == ["EC2"] {
        spec.platform_capabilities.clear();
    }
    spec.platform_capabilities.sort();
    if let Some(retry) = &mut spec.retry_strategy {
        for entry in &mut retry.evaluate_on_exit {
            entry.action = entry.action.to_ascii_uppercase();
        }
        // Once is what happens without a word.
        if retry.evaluate_on_exit.is_empty() && retry.attempts == Some(1) {
            retry.attempts = None;
        }
    }
    prune(&mut spec.retry_strategy);
    prune(&mut spec.timeout);
    prune(&mut spec.consumable_resource_properties);
    spec.container_properties.iter_mut().for_each(container);
    spec.ecs_properties.iter_mut().for_each(ecs);
    spec.eks_properties.iter_mut().for_each(eks);
    for range in spec.node_properties.iter_mut().flat_map(|nodes| &mut nodes.node_range_properties) {
        node(range);
    }
}

fn node(range: &mut NodeRange) {
    range.container.iter_mut().for_each(container);
    range.ecs_properties.iter_mut().for_each(ecs);
    range.eks_properties.iter_mut().for_each(eks);
    prune(&mut range.consumable_resource_properties);
}

fn container(container: &mut ContainerProperties) {
    legacy(container);
    environment(&mut container.environment);
    mounts(&mut container.mount_points);
    secrets(&mut container.secrets);
    requirements(&mut container.resource_requirements);
    container.ulimits.sort_by(|a, b| a.name.cmp(&b.name));
    linux(&mut container.linux_parameters);
    if let Some(log) = &mut container.log_configuration {
        secrets(&mut log.secret_options);
    }
    volumes(&mut container.volumes);
    prune(&mut container.network_configuration);
    prune(&mut container.fargate_platform_configuration);
    prune(&mut container.runtime_platform);
}

/// `vcpus` and `memory` are the older words for two of the requirements; Batch reports nought for none. One that contradicts
/// a requirement stays: validation speaks of it.
pub(super) fn legacy(container: &mut ContainerProperties) {
    let requirements = &mut container.resource_requirements;
    for (kind, older) in [("VCPU", &mut container.vcpus), ("MEMORY", &mut container.memory)] {
        let Some(value) = older.filter(|value| *value != 0) else {
            *older = None;
            continue;
        };
        match requirements.iter().find(|requirement| requirement.r#type == kind) {
            Some(said) if said.value.parse::<f64>().is_ok_and(|said| said != f64::from(value)) => continue,
            Some(_) => {}
            None => {
                requirements.push(ResourceRequirement { r#type: kind.to_owned(), value: value.to_string() })
            }
        }
        *older = None;
    }
}

/// Batch keeps neither the order nor variables without a value.
fn environment(variables: &mut Vec<Variable>) {
    variables.retain(|variable| !variable.value.is_empty());
    variables.sort_by(|a, b| a.name.cmp(&b.name));
}

fn secrets(secrets: &mut [Secret]) {
    secrets.sort_by(|a, b| a.name.cmp(&b.name));
}

fn mounts(mounts: &mut [MountPoint]) {
    mounts.sort_by(|a, b| a.container_path.cmp(&b.container_path));
}

fn requirements(requirements: &mut [ResourceRequirement]) {
    requirements.sort_by(|a, b| a.r#type.cmp(&b.r#type));
}

fn linux(parameters: &mut Option<LinuxParameters>) {
    if let Some(parameters) = parameters {
        for device in &mut parameters.devices {
            device.permissions.sort();
            // All three is what a device has without a word; the same path is where it appears.
            if device.permissions == ["MKNOD", "READ", "WRITE"] {
                device.permissions.clear();
            }
            if device.container_path.as_ref() == Some(&device.host_path) {
                device.container_path = None;
            }
        }
    }
    prune(parameters);
}

fn volumes(volumes: &mut [Volume]) {
    for volume in volumes.iter_mut() {
        prune(&mut volume.host);
        volume.efs_volume_configuration.iter_mut().for_each(efs);
        if let Some(s3) = &mut volume.s3files_volume_configuration
            && s3.root_directory.is_empty()
        {
            s3.root_directory = "/".to_owned();
        }
    }
    volumes.sort_by(|a, b| a.name.cmp(&b.name));
}

fn efs(volume: &mut EfsVolume) {
    if volume.root_directory.is_empty() {
        volume.root_directory = "/".to_owned();
    }
    volume.transit_encryption_port = volume.transit_encryption_port.filter(|port| *port != 0);
    prune(&mut volume.authorization_config);
}

fn ecs(properties: &mut EcsProperties) {
    properties.task_properties.iter_mut().for_each(task);
}

fn task(task: &mut EcsTask) {
    for container in &mut task.containers {
        environment(&mut container.environment);
        mounts(&mut container.mount_points);
        secrets(&mut container.secrets);
        requirements(&mut container.resource_requirements);
        container.ulimits.sort_by(|a, b| a.name.cmp(&b.name));
        container.depends_on.sort_by(|a, b| a.container_name.cmp(&b.container_name));
        linux(&mut container.linux_parameters);
        if let Some(log) = &mut container.log_configuration {
            secrets(&mut log.secret_options);
        }
    }
    task.containers.sort_by(|a, b| a.name.cmp(&b.name));
    volumes(&mut task.volumes);
    prune(&mut task.network_configuration);
    prune(&mut task.runtime_platform);
}

fn eks(properties: &mut EksProperties) {
    let pod = &mut properties.pod_properties;
    // Containers that run first run in order; the others all at once.
    pod.containers.iter_mut().chain(&mut pod.init_containers).for_each(eks_container);
    pod.containers.sort_by(|a, b| a.name.cmp(&b.name));
    pod.volumes.sort_by(|a, b| a.name.cmp(&b.name));
    pod.image_pull_secrets.sort_by(|a, b| a.name.cmp(&b.name));
    prune(&mut pod.metadata);
}

fn eks_container(container: &mut EksContainer) {
    container.env.retain(|variable| !variable.value.is_empty());
    container.env.sort_by(|a, b| a.name.cmp(&b.name));
    container.volume_mounts.sort_by(|a, b| a.mount_path.cmp(&b.mount_path));
    prune(&mut container.resources);
    prune(&mut container.security_context);
}
