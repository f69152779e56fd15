//! A job of several containers on ECS.

use std::collections::{BTreeMap, BTreeSet};

use super::{Complaints, Platform, containers, figures, volumes};
use crate::kinds::batch::types::ecs::{EcsProperties, EcsTask};

pub(super) fn validate(path: &str, properties: &EcsProperties, platform: Platform, found: &mut Complaints) {
    if properties.task_properties.len() != 1 {
        found.say(format!("{path}.taskProperties"), "is exactly one task");
    }
    for (index, task) in properties.task_properties.iter().enumerate() {
        let path = format!("{path}.taskProperties[{index}]");
        let names = task.containers.iter().map(|container| container.name.as_str()).collect::<Vec<_>>();
        named(&path, "containers", &names, found);
        if !task.containers.is_empty() && !task.containers.iter().any(|container| container.essential) {
            found.say(format!("{path}.containers"), "one of them has to be essential");
        }
        volumes::validate(&path, &task.volumes, task.task_role_arn.as_deref(), "taskRoleArn", found);
        for (index, container) in task.containers.iter().enumerate() {
            let path = format!("{path}.containers[{index}]");
            containers::shared(&path, &container.into(), &task.volumes, platform, found);
            if !container.resource_requirements.iter().any(|one| one.r#type == "MEMORY") {
                figures::missing(&path, "MEMORY", found);
            }
        }
        dependencies(&path, task, found);
    }
}

/// One to ten containers with names of their own.
pub(super) fn named(path: &str, list: &str, names: &[&str], found: &mut Complaints) {
    if !(1..=10).contains(&names.len()) {
        found.say(format!("{path}.{list}"), format!("there are {}, and Batch takes 1 to 10", names.len()));
    }
    let mut seen = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let place = format!("{path}.{list}[{index}].name");
        if name.is_empty() && names.len() > 1 {
            found.say(place, "name is missing: where there are several, each has one");
        } else if !seen.insert(name) {
            found.say(place, format!("{name} is there twice: make names distinct"));
        }
    }
}

/// Containers wait for others that there are, never in a circle, and never for the end of what the job ends with.
/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_TaskContainerDependency.html>
fn dependencies(path: &str, task: &EcsTask, found: &mut Complaints) {
    let essential: BTreeMap<&str, bool> =
        task.containers.iter().map(|container| (container.name.as_str(), container.essential)).collect();
    let mut waits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (index, container) in task.containers.iter().enumerate() {
        for (dependency, on) in container.depends_on.iter().enumerate() {
            let path = format!("{path}.containers[{index}].dependsOn[{dependency}]");
            let name = on.container_name.as_str();
            match essential.get(name) {
                None => found.say(format!("{path}.containerName"), format!("there is no container {name}")),
                Some(true) if matches!(on.condition.as_str(), "COMPLETE" | "SUCCESS") => found.say(
                    format!("{path}.condition"),
                    format!(
                        "{name} is essential, the job ends with it: say START, or set essential to false"
                    ),
                ),
                Some(_) => waits.entry(container.name.as_str()).or_default().push(name),
            }
        }
        if in_circle(&container.name, &waits) {
            found.say(
                format!("{path}.containers[{index}].dependsOn"),
                format!("{} waits for itself: remove one of the dependencies", container.name),
            );
        }
    }
}

/// Whether following the dependencies from `start` leads back to it.
fn in_circle(start: &str, waits: &BTreeMap<&str, Vec<&str>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = waits.get(start).into_iter().flatten().copied().collect();
    while let Some(name) = next.pop() {
        if name == start {
            return true;
        }
        if seen.insert(name) {
            next.extend(waits.get(name).into_iter().flatten());
        }
    }
    false
}
