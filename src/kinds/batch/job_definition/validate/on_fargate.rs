//! What Fargate does not know, and the sizes that it offers.

use super::{Complaints, figures};
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
    let version = container.fargate_platform_configuration.as_ref().map(|it| it.platform_version.as_str());
    volumes(path, &container.volumes, version.unwrap_or_default(), found);
    driver(path, container.log_configuration.as_ref().map(|log| log.log_driver.as_str()), found);
    size(path, &container.resource_requirements, found);
    if windows(path, container.runtime_platform.as_ref(), found) {
        let fields = [
            ("linuxParameters", container.linux_parameters.is_some()),
            ("user", container.user.is_some()),
            ("readonlyRootFilesystem", container.readonly_root_filesystem),
            ("volumes", has_efs(&container.volumes)),
        ];
        not_for_windows(path, &fields, found);
    }
}

fn ecs_task(path: &str, task: &EcsTask, found: &mut Complaints) {
    role(path, task.execution_role_arn.as_deref(), found);
    unknown(&format!("{path}.ipcMode"), task.ipc_mode.is_some(), found);
    unknown(&format!("{path}.networkMode"), task.network_mode.is_some(), found);
    unknown(&format!("{path}.pidMode"), task.pid_mode.as_deref() == Some("host"), found);
    volumes(path, &task.volumes, &task.platform_version, found);
    sum(path, task, found);
    if windows(path, task.runtime_platform.as_ref(), found) {
        not_for_windows(path, &[("volumes", has_efs(&task.volumes))], found);
        for (index, container) in task.containers.iter().enumerate() {
            let fields = [
                ("linuxParameters", container.linux_parameters.is_some()),
                ("user", container.user.is_some()),
                ("readonlyRootFilesystem", container.readonly_root_filesystem),
            ];
            not_for_windows(&format!("{path}.containers[{index}]"), &fields, found);
        }
    }
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

/// `version` is that of the platform: before 1.4.0 it has no EFS.
fn volumes(path: &str, volumes: &[Volume], version: &str, found: &mut Complaints) {
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}.volumes[{index}]");
        if volume.host.as_ref().is_some_and(|host| host.source_path.is_some()) {
            let message =
                format!("{}: FARGATE has no folders of a host: use EFS, or ephemeralStorage", volume.name);
            found.say(format!("{path}.host"), message);
        }
        if volume.efs_volume_configuration.is_some() && is_before_1_4(version) {
            let message = format!("platform version {version} has no EFS: say 1.4.0, or LATEST");
            found.say(format!("{path}.efsVolumeConfiguration"), message);
        }
    }
}

fn is_before_1_4(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < (1, 4))
}

fn driver(path: &str, driver: Option<&str>, found: &mut Complaints) {
    if let Some(driver) = driver.filter(|driver| !DRIVERS.contains(driver)) {
        let message = format!("{driver} is not known to FARGATE: use awslogs or splunk");
        found.say(format!("{path}.logConfiguration.logDriver"), message);
    }
}

fn gpu(path: &str, requirements: &[ResourceRequirement], found: &mut Complaints) {
    for (index, _) in requirements.iter().enumerate().filter(|(_, it)| it.r#type == "GPU") {
        found.say(format!("{path}.resourceRequirements[{index}].type"), "FARGATE has no GPUs: use EC2");
    }
}

/// How much of something is wanted; nothing, if that cannot be told or is complained of elsewhere.
fn wanted(requirements: &[ResourceRequirement], kind: &str) -> Option<f64> {
    figures::decimal(&requirements.iter().find(|requirement| requirement.r#type == kind)?.value)
}

/// Fargate offers certain pairs of vCPUs and memory only.
fn size(path: &str, requirements: &[ResourceRequirement], found: &mut Complaints) {
    gpu(path, requirements, found);
    let (Some(vcpus), Some(memory)) = (wanted(requirements, "VCPU"), wanted(requirements, "MEMORY")) else {
        return;
    };
    if let Some(message) = not_offered(vcpus, memory) {
        found.say(format!("{path}.resourceRequirements"), message);
    }
}

/// A task has the size of all its containers together.
fn sum(path: &str, task: &EcsTask, found: &mut Complaints) {
    let (mut vcpus, mut memory) = (0.0, 0.0);
    for container in &task.containers {
        for requirement in &container.resource_requirements {
            let Some(number) = figures::decimal(&requirement.value) else { return };
            match requirement.r#type.as_str() {
                "VCPU" => vcpus += number,
                "MEMORY" => memory += number,
                _ => {}
            }
        }
    }
    if let Some(message) = not_offered(vcpus, memory) {
        found.say(format!("{path}.containers"), format!("all containers together: {message}"));
    }
}

/// What Fargate offers instead.
fn not_offered(vcpus: f64, memory: f64) -> Option<String> {
    let offered = fargate::memory_for(vcpus);
    if offered.iter().any(|size| f64::from(*size) == memory) {
        return None;
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
    Some(format!("{what}{hint}"))
}

/// Whether a container runs Windows; it does on X86_64 only.
fn windows(path: &str, platform: Option<&RuntimePlatform>, found: &mut Complaints) -> bool {
    let on_windows = |platform: &&RuntimePlatform| platform.operating_system_family.starts_with("WINDOWS");
    let Some(platform) = platform.filter(on_windows) else { return false };
    if platform.cpu_architecture != "X86_64" {
        found.say(format!("{path}.runtimePlatform.cpuArchitecture"), "Windows runs on X86_64 only");
    }
    true
}

fn not_for_windows(path: &str, fields: &[(&str, bool)], found: &mut Complaints) {
    for (field, _) in fields.iter().filter(|(_, said)| *said) {
        found.say(format!("{path}.{field}"), "is not known to Windows containers: remove it");
    }
}

fn has_efs(volumes: &[Volume]) -> bool {
    volumes.iter().any(|volume| volume.efs_volume_configuration.is_some())
}
