//! What a job needs to be placed.

use crate::kinds::batch::job_definition::Spec;
use crate::kinds::batch::types::container::ResourceRequirement;
use crate::kinds::batch::types::container_properties::ContainerProperties;
use crate::kinds::batch::types::ecs::EcsProperties;
use crate::value::instance_type::Architecture;

/// Where jobs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// On instances of Batch's, or of the user's.
    Ec2,
    /// On Fargate.
    Fargate,
    /// On instances that ECS manages.
    ManagedInstances,
    /// On a cluster of Kubernetes.
    Eks,
}

/// What each node of a job needs. What is not known is not there: a reference, a figure that is said elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Needs {
    /// Any of them.
    pub platforms: Vec<Platform>,
    /// vCPUs.
    pub vcpus: Option<f64>,
    /// MiB.
    pub memory: Option<f64>,
    /// GPUs.
    pub gpus: Option<f64>,
    /// How many nodes a job of several has.
    pub nodes: Option<f64>,
    /// The type of its instances, which a job of several nodes may name.
    pub instance_type: Option<String>,
    /// What its image is built for.
    pub architecture: Option<Architecture>,
    /// Whether it runs on Windows.
    pub is_windows: bool,
    /// Where its figures stand in the spec.
    pub at: String,
}

/// What a job needs: for each group of nodes that has the same containers, one entry.
pub fn of(spec: &Spec) -> Vec<Needs> {
    let platforms = platforms(spec);
    let one = |at: &str| Needs {
        platforms: platforms.clone(),
        vcpus: None,
        memory: None,
        gpus: None,
        nodes: None,
        instance_type: None,
        architecture: None,
        is_windows: false,
        at: at.to_owned(),
    };
    let mut found = Vec::new();
    if let Some(container) = &spec.container_properties {
        found.push(of_container(container, one("containerProperties")));
    }
    if let Some(ecs) = &spec.ecs_properties {
        found.push(of_task(ecs, one("ecsProperties")));
    }
    if spec.eks_properties.is_some() {
        found.push(one("eksProperties"));
    }
    let nodes = spec.node_properties.as_ref();
    for (index, range) in nodes.map(|it| &it.node_range_properties).into_iter().flatten().enumerate() {
        let at = format!("nodeProperties.nodeRangeProperties[{index}]");
        let mut needs = match (&range.container, &range.ecs_properties) {
            (Some(container), _) => of_container(container, one(&format!("{at}.container"))),
            (None, Some(ecs)) => of_task(ecs, one(&format!("{at}.ecsProperties"))),
            (None, None) => one(&at),
        };
        needs.nodes = nodes.map(|it| f64::from(it.num_nodes));
        needs.instance_type = range.instance_types.first().filter(|it| !it.contains("${")).cloned();
        found.push(needs);
    }
    found
}

fn platforms(spec: &Spec) -> Vec<Platform> {
    let nodes = spec.node_properties.iter().flat_map(|it| &it.node_range_properties);
    if spec.eks_properties.is_some() || nodes.into_iter().any(|it| it.eks_properties.is_some()) {
        return vec![Platform::Eks];
    }
    let said = spec.platform_capabilities.iter().map(|said| match said.as_str() {
        "FARGATE" => Platform::Fargate,
        "MANAGED_INSTANCES" => Platform::ManagedInstances,
        _ => Platform::Ec2,
    });
    let said: Vec<Platform> = said.collect();
    if said.is_empty() { vec![Platform::Ec2] } else { said }
}

fn of_container(container: &ContainerProperties, needs: Needs) -> Needs {
    let older = |said: Option<i32>| said.filter(|said| *said > 0).map(f64::from);
    let required = &container.resource_requirements;
    let system = container.runtime_platform.as_ref().map(|it| it.operating_system_family.as_str());
    Needs {
        vcpus: figure(required, "VCPU").or(older(container.vcpus)),
        memory: figure(required, "MEMORY").or(older(container.memory)),
        gpus: figure(required, "GPU"),
        is_windows: system.is_some_and(|system| system.starts_with("WINDOWS")),
        ..needs
    }
}

/// The containers of a task run on one instance.
fn of_task(ecs: &EcsProperties, needs: Needs) -> Needs {
    let containers: Vec<_> = ecs.task_properties.iter().flat_map(|task| &task.containers).collect();
    let sum = |kind: &str| -> Option<f64> {
        let each = containers.iter().filter_map(|it| figure(&it.resource_requirements, kind));
        let sum: f64 = each.sum();
        (sum > 0.0).then_some(sum)
    };
    Needs { vcpus: sum("VCPU"), memory: sum("MEMORY"), gpus: sum("GPU"), ..needs }
}

fn figure(requirements: &[ResourceRequirement], kind: &str) -> Option<f64> {
    requirements.iter().find(|it| it.r#type == kind)?.value.parse().ok().filter(|it: &f64| it.is_finite())
}
