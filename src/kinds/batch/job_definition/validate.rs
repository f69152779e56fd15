//! What Batch refuses of a job definition, known before it is asked (aws-semantics §2.3, §14).
//!
//! Lengths, ranges and choices of single fields stand on the fields themselves (`types/`); here is what several fields say
//! together, and what has a grammar of its own. Paths are those of the manifest.

use super::Spec;
use super::normal::normalise;
use super::secrets::looks_like;
use crate::kind::prelude::*;
use crate::kinds::batch::types::job_settings::NodeProperties;

mod containers;
mod figures;
mod off_fargate;
mod on_fargate;
mod pod;
mod settings;
mod task;
mod variables;
mod volumes;

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

/// Where jobs run, which decides what may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Platform {
    Ec2,
    Fargate,
    ManagedInstances,
}

impl Platform {
    fn of(spec: &Spec) -> Self {
        let has = |platform: &str| spec.platform_capabilities.iter().any(|one| one == platform);
        match () {
            () if has("FARGATE") => Self::Fargate,
            () if has("MANAGED_INSTANCES") => Self::ManagedInstances,
            () => Self::Ec2,
        }
    }
}

pub(super) fn validate(spec: &Spec) -> Vec<Invalid> {
    let mut found = Complaints::default();
    let platform = Platform::of(spec);
    blocks(spec, &mut found);
    settings::validate(spec, &mut found);
    if let Some(container) = &spec.container_properties {
        containers::single("containerProperties", container, platform, &mut found);
        if container.instance_type.is_some() && platform != Platform::Fargate {
            found.say("containerProperties.instanceType", "is for multi-node jobs only: remove it");
        }
    }
    if let Some(properties) = &spec.ecs_properties {
        task::validate("ecsProperties", properties, platform, &mut found);
    }
    if let Some(properties) = &spec.eks_properties {
        pod::validate("eksProperties", properties, &mut found);
    }
    if let Some(nodes) = &spec.node_properties {
        node_containers(nodes, &mut found);
    }
    match platform {
        Platform::Fargate => on_fargate::validate(spec, &mut found),
        Platform::Ec2 | Platform::ManagedInstances => off_fargate::validate(spec, platform, &mut found),
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
            for other in others {
                found.say(*other, format!("exactly one is taken of {}", said.join(", ")));
            }
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

fn node_containers(nodes: &NodeProperties, found: &mut Complaints) {
    let mut types = Vec::new();
    let mut namespaces = Vec::new();
    for (index, range) in nodes.node_range_properties.iter().enumerate() {
        let path = format!("nodeProperties.nodeRangeProperties[{index}]");
        let said =
            [range.container.is_some(), range.ecs_properties.is_some(), range.eks_properties.is_some()];
        if said.iter().filter(|said| **said).count() != 1 {
            found.say(&path, "exactly one is taken of container, ecsProperties and eksProperties");
        }
        if let Some(container) = &range.container {
            containers::single(&format!("{path}.container"), container, Platform::Ec2, found);
            types.extend(
                container.instance_type.iter().map(|it| (format!("{path}.container.instanceType"), it)),
            );
        }
        if let Some(properties) = &range.ecs_properties {
            task::validate(&format!("{path}.ecsProperties"), properties, Platform::Ec2, found);
        }
        if let Some(properties) = &range.eks_properties {
            pod::validate(&format!("{path}.eksProperties"), properties, found);
            let metadata = properties.pod_properties.metadata.as_ref();
            let namespace = metadata.and_then(|metadata| metadata.namespace.as_ref());
            let place = format!("{path}.eksProperties.podProperties.metadata.namespace");
            namespaces.extend(namespace.map(|it| (place, it)));
        }
        if range.instance_types.len() > 1 {
            found.say(format!("{path}.instanceTypes"), "one at most");
        }
        types.extend(range.instance_types.first().map(|it| (format!("{path}.instanceTypes"), it)));
    }
    same("all nodes have the same instance type", &types, found);
    same("all nodes have the same namespace", &namespaces, found);
}

/// What has to be alike wherever it is said.
fn same(rule: &str, values: &[(String, &String)], found: &mut Complaints) {
    let Some((_, first)) = values.first() else { return };
    for (path, other) in values.iter().filter(|(_, other)| other != first && !other.contains("${")) {
        found.say(path, format!("{rule}: {other} is not {first}"));
    }
}
