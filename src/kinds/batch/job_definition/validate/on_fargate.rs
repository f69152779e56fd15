//! What Fargate does not know, and the sizes that it offers.

use super::Complaints;
use crate::kinds::batch::job_definition::{Spec, fargate};
use crate::kinds::batch::types::container::{LinuxParameters, ResourceRequirement, RuntimePlatform, Volume};
use crate::kinds::batch::types::container_properties::ContainerProperties;
use crate::kinds::batch::types::ecs::{EcsTask, TaskContainer};

/// The log drivers of Fargate; the last is for containers with FireLens.
const DRIVERS: &[&str] = &["awslogs", "splunk", "awsfirelens"];

pub(super) fn validate(spec: &Spec, found: &mut Complaints) {
    if spec.node_properties.is_some() {
        found.say("platformCapabilities", "multi-node jobs do not run on FARGATE: use EC2");
    }
    if let Some(container) = &spec.container_properties {
        single(container, found);
    }
    let tasks = spec.ecs_properties.iter().flat_map(|properties| &properties.task_properties);
    for (index, task) in tasks.enumerate() {
        let path = format!("ecsProperties.taskProperties[{index}]");
        ecs_task(&path, task, found);
        for (index, container) in task.containers.iter().enumerate() {
            in_task(&format!("{path}.containers[{index}]"), container, found);
        }
    }
}

fn single(container: &ContainerProperties, found: &mut Complaints) {
    let path = "containerProperties";
    role(path, container.execution_role_arn.as_deref(), found);
    for (field, said) in [
        ("privileged", container.privileged),
        ("ulimits", !container.ulimits.is_empty()),
        ("instanceType", container.instance_type.is_some()),
    ] {
        unknown(&format!("{path}.{field}"), said, found);
    }
    linux(path, container.linux_parameters.as_ref(), found);
    volumes(path, &container.volumes, found);
    driver(path, container.log_configuration.as_ref().map(|log| log.log_driver.as_str()), found);
    size(path, &container.resource_requirements, found);
    storage(path, container.ephemeral_storage.as_ref().map(|storage| storage.size_in_gib), found);
    windows(container, found);
}

fn ecs_task(path: &str, task: &EcsTask, found: &mut Complaints) {
    role(path, task.execution_role_arn.as_deref(), found);
    unknown(&format!("{path}.ipcMode"), task.ipc_mode.is_some(), found);
    unknown(&format!("{path}.networkMode"), task.network_mode.is_some(), found);
    unknown(&format!("{path}.pidMode"), task.pid_mode.as_deref() == Some("host"), found);
    volumes(path, &task.volumes, found);
    storage(path, task.ephemeral_storage.as_ref().map(|storage| storage.size_in_gib), found);
}

fn in_task(path: &str, container: &TaskContainer, found: &mut Complaints) {
    unknown(&format!("{path}.privileged"), container.privileged, found);
    unknown(&format!("{path}.ulimits"), !container.ulimits.is_empty(), found);
    linux(path, container.linux_parameters.as_ref(), found);
    driver(path, container.log_configuration.as_ref().map(|log| log.log_driver.as_str()), found);
    gpu(path, &container.resource_requirements, found);
    for (field, seconds) in
        [("startTimeout", container.start_timeout), ("stopTimeout", container.stop_timeout)]
    {
        if let Some(seconds) = seconds.filter(|seconds| !(2..=120).contains(seconds)) {
            found.say(format!("{path}.{field}"), format!("{seconds} is not between 2 and 120 seconds"));
        }
    }
}

fn unknown(path: &str, said: bool, found: &mut Complaints) {
    if said {
        found.say(path, "is not known to FARGATE: remove it, or set platformCapabilities to [EC2]");
    }
}

fn role(path: &str, role: Option<&str>, found: &mut Complaints) {
    if role.unwrap_or_default().is_empty() {
        let message =
            "FARGATE needs one, to fetch the image and write logs: such as ${iam/Role/execution.arn}";
        found.say(format!("{path}.executionRoleArn"), message);
    }
}

fn linux(path: &str, parameters: Option<&LinuxParameters>, found: &mut Complaints) {
    let Some(parameters) = parameters else { return };
    for (field, said) in [
        ("devices", !parameters.devices.is_empty()),
        ("sharedMemorySize", parameters.shared_memory_size.is_some()),
        ("tmpfs", !parameters.tmpfs.is_empty()),
        ("maxSwap", parameters.max_swap.is_some()),
        ("swappiness", parameters.swappiness.is_some()),
    ] {
        unknown(&format!("{path}.linuxParameters.{field}"), said, found);
    }
}

fn volumes(path: &str, volumes: &[Volume], found: &mut Complaints) {
    let of_host = |volume: &&Volume| volume.host.as_ref().is_some_and(|host| host.source_path.is_some());
    for volume in volumes.iter().filter(of_host) {
        let message =
            format!("{}: FARGATE has no folders of a host: use EFS, or ephemeralStorage", volume.name);
        found.say(format!("{path}.volumes"), message);
    }
}

fn driver(path: &str, driver: Option<&str>, found: &mut Complaints) {
    if let Some(driver) = driver.filter(|driver| !DRIVERS.contains(driver)) {
        let message = format!("{driver} is not known to FARGATE: use awslogs or splunk");
        found.say(format!("{path}.logConfiguration.logDriver"), message);
    }
}

fn storage(path: &str, gib: Option<i32>, found: &mut Complaints) {
    if let Some(gib) = gib.filter(|gib| !(21..=200).contains(gib)) {
        found.say(
            format!("{path}.ephemeralStorage.sizeInGiB"),
            format!("{gib} is not between 21 and 200 GiB"),
        );
    }
}

fn gpu(path: &str, requirements: &[ResourceRequirement], found: &mut Complaints) {
    if requirements.iter().any(|requirement| requirement.r#type == "GPU") {
        found.say(format!("{path}.resourceRequirements"), "FARGATE has no GPUs: use EC2");
    }
}

/// Fargate offers certain pairs of vCPUs and memory only.
fn size(path: &str, requirements: &[ResourceRequirement], found: &mut Complaints) {
    gpu(path, requirements, found);
    let number = |kind: &str| {
        let value = requirements.iter().find(|requirement| requirement.r#type == kind)?.value.parse::<f64>();
        value.ok().filter(|number| *number > 0.0)
    };
    let (Some(vcpus), Some(memory)) = (number("VCPU"), number("MEMORY")) else { return };
    let offered = fargate::memory_for(vcpus);
    if offered.iter().any(|size| f64::from(*size) == memory) {
        return;
    }
    let what = match (offered.first(), offered.last()) {
        (Some(first), Some(last)) => {
            format!("with {vcpus} vCPU, FARGATE offers {first} to {last} MiB in steps, not {memory}")
        }
        _ => {
            let all: Vec<String> = fargate::vcpus().iter().map(ToString::to_string).collect();
            format!("FARGATE does not offer {vcpus} vCPU, but {}", all.join(", "))
        }
    };
    let hint = fargate::smallest(vcpus, memory)
        .map(|(vcpus, memory)| format!("; the smallest that fits is {vcpus} vCPU with {memory} MiB"))
        .unwrap_or_default();
    found.say(format!("{path}.resourceRequirements"), format!("{what}{hint}"));
}

fn windows(container: &ContainerProperties, found: &mut Complaints) {
    let on_windows = |platform: &&RuntimePlatform| platform.operating_system_family.starts_with("WINDOWS");
    let Some(platform) = container.runtime_platform.as_ref().filter(on_windows) else { return };
    if platform.cpu_architecture != "X86_64" {
        found.say("containerProperties.runtimePlatform.cpuArchitecture", "Windows runs on X86_64 only");
    }
    let efs = container.volumes.iter().any(|volume| volume.efs_volume_configuration.is_some());
    for (field, said) in [
        ("linuxParameters", container.linux_parameters.is_some()),
        ("user", container.user.is_some()),
        ("readonlyRootFilesystem", container.readonly_root_filesystem),
        ("volumes", efs),
    ] {
        if said {
            found
                .say(format!("containerProperties.{field}"), "is not known to Windows containers: remove it");
        }
    }
}
