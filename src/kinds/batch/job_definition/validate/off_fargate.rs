//! Fields that only Fargate knows, and those that only managed instances know.

use super::{Complaints, Platform};
use crate::kinds::batch::job_definition::Spec;
use crate::kinds::batch::types::container_properties::ContainerProperties;
use crate::kinds::batch::types::ecs::{EcsProperties, LATEST};

pub(super) fn validate(spec: &Spec, platform: Platform, found: &mut Complaints) {
    if let Some(container) = &spec.container_properties {
        single("containerProperties", container, found);
    }
    if let Some(properties) = &spec.ecs_properties {
        tasks("ecsProperties", properties, platform, found);
    }
    let ranges = spec.node_properties.iter().flat_map(|nodes| &nodes.node_range_properties);
    for (index, range) in ranges.enumerate() {
        let path = format!("nodeProperties.nodeRangeProperties[{index}]");
        if let Some(container) = &range.container {
            single(&format!("{path}.container"), container, found);
        }
        if let Some(properties) = &range.ecs_properties {
            tasks(&format!("{path}.ecsProperties"), properties, Platform::Ec2, found);
        }
    }
}

const ONLY: &str = "is for FARGATE only: remove it, or set platformCapabilities to [FARGATE]";

fn single(path: &str, container: &ContainerProperties, found: &mut Complaints) {
    for (field, said) in [
        ("networkConfiguration", container.network_configuration.is_some()),
        ("fargatePlatformConfiguration", container.fargate_platform_configuration.is_some()),
        ("ephemeralStorage", container.ephemeral_storage.is_some()),
        ("runtimePlatform", container.runtime_platform.is_some()),
    ] {
        if said {
            found.say(format!("{path}.{field}"), ONLY);
        }
    }
}

fn tasks(path: &str, properties: &EcsProperties, platform: Platform, found: &mut Complaints) {
    for (index, task) in properties.task_properties.iter().enumerate() {
        let path = format!("{path}.taskProperties[{index}]");
        let managed = platform == Platform::ManagedInstances;
        for (field, said) in [
            ("networkConfiguration", task.network_configuration.is_some()),
            ("ephemeralStorage", task.ephemeral_storage.is_some()),
            ("platformVersion", task.platform_version != LATEST),
            ("runtimePlatform", task.runtime_platform.is_some() && !managed),
        ] {
            if said {
                found.say(format!("{path}.{field}"), ONLY);
            }
        }
        if task.network_mode.is_some() && !managed {
            let only = "is for MANAGED_INSTANCES only: remove it";
            found.say(format!("{path}.networkMode"), only);
        }
    }
}
