//! What Batch refuses of a job definition, known before it is asked (aws-semantics §2.3, §14).

use std::collections::BTreeSet;

use super::Spec;
use super::normal::{legacy, normalise};
use super::secrets::looks_like;
use crate::kind::Invalid;
use crate::kinds::batch::types::container::ResourceRequirement;
use crate::kinds::batch::types::container_properties::ContainerProperties;
use crate::kinds::batch::types::ecs::EcsProperties;
use crate::kinds::batch::types::eks::EksProperties;
use crate::kinds::batch::types::job_settings::NodeProperties;

mod on_fargate;
mod settings;

/// What Batch takes of one definition, in bytes of JSON.
const MOST_BYTES: usize = 24 * 1024;

/// Collects complaints; paths are those of the manifest.
#[derive(Default)]
struct Complaints(Vec<Invalid>);

impl Complaints {
    fn say(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Invalid::new(path, message));
    }
}

pub(super) fn validate(spec: &Spec) -> Vec<Invalid> {
    let mut found = Complaints::default();
    blocks(spec, &mut found);
    settings::validate(spec, &mut found);
    if let Some(container) = &spec.container_properties {
        single("containerProperties", container, &mut found);
    }
    if let Some(properties) = &spec.ecs_properties {
        ecs("ecsProperties", properties, &mut found);
    }
    if let Some(properties) = &spec.eks_properties {
        eks("eksProperties", properties, &mut found);
    }
    if let Some(nodes) = &spec.node_properties {
        node_containers(nodes, &mut found);
    }
    match spec.platform_capabilities.iter().any(|platform| platform == "FARGATE") {
        true => on_fargate::validate(spec, &mut found),
        false => off_fargate(spec, &mut found),
    }
    size(spec, &mut found);
    found.0
}

fn blocks(spec: &Spec, found: &mut Complaints) {
    let blocks = [
        ("containerProperties", spec.container_properties.is_some()),
        ("ecsProperties", spec.ecs_properties.is_some()),
        ("eksProperties", spec.eks_properties.is_some()),
        ("nodeProperties", spec.node_properties.is_some()),
    ];
    let said: Vec<&str> = blocks.iter().filter(|(_, said)| *said).map(|(name, _)| *name).collect();
    match (spec.r#type.as_str(), said.as_slice()) {
        ("multinode", ["nodeProperties"]) => {}
        ("multinode", _) => {
            found.say("nodeProperties", "type multinode needs nodeProperties, and nothing beside it")
        }
        (_, ["nodeProperties"]) => found.say("type", "nodeProperties need type multinode"),
        (_, [_]) => {}
        (_, []) => found
            .say("containerProperties", "say what runs: containerProperties, ecsProperties or eksProperties"),
        (_, [_, others @ ..]) => {
            found.say(others.join(", "), format!("exactly one is taken of {}", said.join(", ")))
        }
    }
    let has = |platform: &str| spec.platform_capabilities.iter().any(|one| one == platform);
    if spec.eks_properties.is_some() {
        if !spec.platform_capabilities.is_empty() {
            found.say("platformCapabilities", "are not for jobs on EKS: remove them");
        }
        if spec.propagate_tags {
            found.say("propagateTags", "is not for jobs on EKS: remove it");
        }
    }
    if has("MANAGED_INSTANCES") && spec.ecs_properties.is_none() {
        found.say("platformCapabilities", "MANAGED_INSTANCES needs ecsProperties");
    }
}

fn size(spec: &Spec, found: &mut Complaints) {
    let mut spec = spec.clone();
    normalise(&mut spec);
    let bytes = serde_json::to_string(&spec).map_or(0, |text| text.len());
    if bytes > MOST_BYTES {
        found.say("", format!("the definition has {bytes} bytes, and Batch takes {MOST_BYTES}: move data into S3 or parameters"));
    }
}

fn single(path: &str, container: &ContainerProperties, found: &mut Complaints) {
    if container.image.len() > 255 && !container.image.contains("${") {
        found.say(format!("{path}.image"), "is longer than 255 characters");
    }
    let variables = container.environment.iter().map(|one| (one.name.as_str(), one.value.as_str()));
    environment(&format!("{path}.environment"), variables, found);
    let mut normal = container.clone();
    legacy(&mut normal);
    for (name, kind, contradicts) in
        [("vcpus", "VCPU", normal.vcpus.is_some()), ("memory", "MEMORY", normal.memory.is_some())]
    {
        if contradicts {
            found.say(
                format!("{path}.{name}"),
                format!("resourceRequirements say another {kind}: remove {name}"),
            );
        }
    }
    resources(path, &normal.resource_requirements, &["VCPU", "MEMORY"], found);
    let volumes: BTreeSet<&str> = container.volumes.iter().map(|volume| volume.name.as_str()).collect();
    for mount in &container.mount_points {
        mounted(path, mount.source_volume.as_deref(), &volumes, found);
    }
    let swap = container.linux_parameters.as_ref();
    if swap.is_some_and(|linux| linux.swappiness.is_some() && linux.max_swap.is_none()) {
        found.say(format!("{path}.linuxParameters.swappiness"), "needs maxSwap");
    }
}

fn ecs(path: &str, properties: &EcsProperties, found: &mut Complaints) {
    if properties.task_properties.len() != 1 {
        found.say(format!("{path}.taskProperties"), "is exactly one task");
    }
    for (index, task) in properties.task_properties.iter().enumerate() {
        let path = format!("{path}.taskProperties[{index}]");
        let names = task.containers.iter().map(|container| container.name.as_str()).collect();
        named(&path, names, found);
        if !task.containers.is_empty() && !task.containers.iter().any(|container| container.essential) {
            found.say(format!("{path}.containers"), "one of them has to be essential");
        }
        let volumes: BTreeSet<&str> = task.volumes.iter().map(|volume| volume.name.as_str()).collect();
        for (index, container) in task.containers.iter().enumerate() {
            let path = format!("{path}.containers[{index}]");
            let variables = container.environment.iter().map(|one| (one.name.as_str(), one.value.as_str()));
            environment(&format!("{path}.environment"), variables, found);
            resources(&path, &container.resource_requirements, &["MEMORY"], found);
            for mount in &container.mount_points {
                mounted(&path, mount.source_volume.as_deref(), &volumes, found);
            }
        }
    }
}

fn eks(path: &str, properties: &EksProperties, found: &mut Complaints) {
    let pod = &properties.pod_properties;
    let path = format!("{path}.podProperties");
    let names = pod.containers.iter().map(|container| container.name.as_str()).collect();
    named(&path, names, found);
    let volumes: BTreeSet<&str> = pod.volumes.iter().map(|volume| volume.name.as_str()).collect();
    for (list, containers) in [("containers", &pod.containers), ("initContainers", &pod.init_containers)] {
        for (index, container) in containers.iter().enumerate() {
            let path = format!("{path}.{list}[{index}]");
            let variables = container.env.iter().map(|one| (one.name.as_str(), one.value.as_str()));
            environment(&format!("{path}.env"), variables, found);
            for mount in &container.volume_mounts {
                mounted(&path, mount.name.as_deref(), &volumes, found);
            }
        }
    }
}

/// One to ten containers with names of their own.
fn named(path: &str, names: Vec<&str>, found: &mut Complaints) {
    let path = format!("{path}.containers");
    if !(1..=10).contains(&names.len()) {
        found.say(&path, format!("there are {}, and Batch takes 1 to 10", names.len()));
    }
    let distinct: BTreeSet<&&str> = names.iter().collect();
    if distinct.len() < names.len() {
        found.say(&path, "two have the same name: make names distinct");
    }
}

fn mounted(path: &str, source: Option<&str>, volumes: &BTreeSet<&str>, found: &mut Complaints) {
    if let Some(source) = source.filter(|source| !volumes.contains(source)) {
        found.say(
            format!("{path}.mountPoints"),
            format!("there is no volume {source}: declare it in volumes"),
        );
    }
}

fn node_containers(nodes: &NodeProperties, found: &mut Complaints) {
    for (index, range) in nodes.node_range_properties.iter().enumerate() {
        let path = format!("nodeProperties.nodeRangeProperties[{index}]");
        let said =
            [range.container.is_some(), range.ecs_properties.is_some(), range.eks_properties.is_some()];
        if said.iter().filter(|said| **said).count() != 1 {
            found.say(&path, "exactly one is taken of container, ecsProperties and eksProperties");
        }
        if let Some(container) = &range.container {
            single(&format!("{path}.container"), container, found);
        }
        if let Some(properties) = &range.ecs_properties {
            ecs(&format!("{path}.ecsProperties"), properties, found);
        }
        if let Some(properties) = &range.eks_properties {
            eks(&format!("{path}.eksProperties"), properties, found);
        }
        if range.instance_types.len() > 1 {
            found.say(format!("{path}.instanceTypes"), "one at most");
        }
    }
}

fn environment<'a>(path: &str, variables: impl Iterator<Item = (&'a str, &'a str)>, found: &mut Complaints) {
    let mut seen = BTreeSet::new();
    for (name, value) in variables {
        if name.starts_with("AWS_BATCH") {
            found.say(
                path,
                format!("{name}: names that begin with AWS_BATCH are Batch's own: choose another"),
            );
        }
        if !seen.insert(name) {
            found.say(path, format!("{name} is there twice: remove one"));
        }
        // The value itself is not repeated: messages are shown and logged.
        if let Some(what) = looks_like(name, value) {
            let place = path.replace(".environment", ".secrets");
            found.say(
                path,
                format!("{name} looks like {what}: keep it in Secrets Manager or a parameter, and name that in {place}"),
            );
        }
    }
}

/// Numbers, each kind once, and the kinds that a container cannot do without.
fn resources(path: &str, requirements: &[ResourceRequirement], needed: &[&str], found: &mut Complaints) {
    let path = format!("{path}.resourceRequirements");
    let mut seen = BTreeSet::new();
    for requirement in requirements {
        let (kind, value) = (requirement.r#type.as_str(), requirement.value.as_str());
        if !seen.insert(kind) {
            found.say(&path, format!("{kind} is there twice: remove one"));
        }
        if value.contains("${") {
            continue;
        }
        match (kind, value.parse::<f64>()) {
            (_, Err(_)) => found.say(&path, format!("{kind} {value:?} is not a number")),
            ("MEMORY", Ok(memory)) if memory < 4.0 => {
                found.say(&path, format!("MEMORY {value} is below 4 MiB: it is given in MiB"));
            }
            (_, Ok(number)) if number <= 0.0 => found.say(&path, format!("{kind} {value} is not above 0")),
            _ => {}
        }
    }
    for kind in needed.iter().filter(|kind| !seen.contains(**kind)) {
        found.say(&path, format!("{kind} is missing: add {{type: {kind}, value: \"…\"}}"));
    }
}

/// Fields that only Fargate knows.
fn off_fargate(spec: &Spec, found: &mut Complaints) {
    let only = "is for FARGATE only: remove it, or set platformCapabilities to [FARGATE]";
    if let Some(container) = &spec.container_properties {
        for (field, said) in [
            ("networkConfiguration", container.network_configuration.is_some()),
            ("fargatePlatformConfiguration", container.fargate_platform_configuration.is_some()),
            ("ephemeralStorage", container.ephemeral_storage.is_some()),
            ("runtimePlatform", container.runtime_platform.is_some()),
        ] {
            if said {
                found.say(format!("containerProperties.{field}"), only);
            }
        }
    }
    let tasks = spec.ecs_properties.iter().flat_map(|properties| &properties.task_properties);
    for (index, task) in tasks.enumerate() {
        let path = format!("ecsProperties.taskProperties[{index}]");
        if task.network_configuration.is_some() {
            found.say(format!("{path}.networkConfiguration"), only);
        }
        if task.ephemeral_storage.is_some() {
            found.say(format!("{path}.ephemeralStorage"), only);
        }
    }
}
