//! What a job needs for as long as it runs: its roles, and the log groups that it writes to.

use std::collections::BTreeSet;

use aws_sdk_batch::types::{JobDetail, LogConfiguration};

/// The ARNs of its roles, and the names of its log groups.
pub(super) fn of(job: &JobDetail) -> BTreeSet<String> {
    let (mut roles, mut logs): (Vec<Option<&str>>, Vec<Option<&LogConfiguration>>) = (Vec::new(), Vec::new());
    if let Some(container) = job.container() {
        roles.extend([container.job_role_arn(), container.execution_role_arn()]);
        logs.push(container.log_configuration());
    }
    for task in job.ecs_properties().map(|ecs| ecs.task_properties()).unwrap_or_default() {
        roles.extend([task.task_role_arn(), task.execution_role_arn()]);
        logs.extend(task.containers().iter().map(|container| container.log_configuration()));
    }
    for node in job.node_properties().map(|nodes| nodes.node_range_properties()).unwrap_or_default() {
        if let Some(container) = node.container() {
            roles.extend([container.job_role_arn(), container.execution_role_arn()]);
            logs.push(container.log_configuration());
        }
        for task in node.ecs_properties().map(|ecs| ecs.task_properties()).unwrap_or_default() {
            roles.extend([task.task_role_arn(), task.execution_role_arn()]);
            logs.extend(task.containers().iter().map(|container| container.log_configuration()));
        }
    }
    let groups = logs.into_iter().flatten().filter_map(|log| log.options()?.get("awslogs-group"));
    let roles = roles.into_iter().flatten().filter(|role| !role.is_empty()).map(str::to_owned);
    roles.chain(groups.cloned()).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_batch::types::{
        ContainerDetail, ContainerProperties, EcsPropertiesDetail, EcsTaskDetails, LogDriver, NodeProperties,
        NodeRangeProperty, TaskContainerDetails,
    };

    use super::*;

    fn logs(group: &str) -> LogConfiguration {
        LogConfiguration::builder().log_driver(LogDriver::Awslogs).options("awslogs-group", group).build()
    }

    #[test]
    fn roles_and_log_groups_are_found_wherever_a_job_has_containers() {
        let container = ContainerDetail::builder().job_role_arn("job").execution_role_arn("pull");
        let task = TaskContainerDetails::builder().log_configuration(logs("/task")).build();
        let task = EcsTaskDetails::builder().task_role_arn("task").execution_role_arn("").containers(task);
        let node = ContainerProperties::builder().job_role_arn("node").log_configuration(logs("/node"));
        let node = NodeRangeProperty::builder().target_nodes("0:").container(node.build()).build();
        let nodes = NodeProperties::builder().num_nodes(1).main_node(0).node_range_properties(node).build();
        let job = JobDetail::builder()
            .container(container.log_configuration(logs("/job")).build())
            .ecs_properties(EcsPropertiesDetail::builder().task_properties(task.build()).build())
            .node_properties(nodes)
            .build();
        let found: Vec<String> = of(&job).into_iter().collect();
        assert_eq!(found, ["/job", "/node", "/task", "job", "node", "pull", "task"]);
    }
}
