//! What a job needs for as long as it runs: its roles, and the log groups that it writes to.

use std::collections::BTreeSet;

use aws_sdk_batch::types::{
    ContainerProperties, EcsTaskProperties, JobDefinition, JobDetail, LogConfiguration, NodeProperties,
};

/// The ARNs of its roles, and the names of its log groups.
pub(super) fn of(job: &JobDetail) -> BTreeSet<String> {
    let mut needs = Needs::default();
    if let Some(container) = job.container() {
        needs.roles([container.job_role_arn(), container.execution_role_arn()]);
        needs.logs(container.log_configuration());
    }
    for task in job.ecs_properties().map(|ecs| ecs.task_properties()).unwrap_or_default() {
        needs.roles([task.task_role_arn(), task.execution_role_arn()]);
        task.containers().iter().for_each(|container| needs.logs(container.log_configuration()));
    }
    needs.nodes(job.node_properties());
    needs.0
}

/// The same of the jobs that a definition describes.
pub(super) fn of_definition(definition: &JobDefinition) -> BTreeSet<String> {
    let mut needs = Needs::default();
    needs.container(definition.container_properties());
    let tasks = definition.ecs_properties().map(|ecs| ecs.task_properties()).unwrap_or_default();
    tasks.iter().for_each(|task| needs.task(task));
    needs.nodes(definition.node_properties());
    needs.0
}

#[derive(Default)]
struct Needs(BTreeSet<String>);

impl Needs {
    fn roles(&mut self, roles: [Option<&str>; 2]) {
        self.0.extend(roles.into_iter().flatten().filter(|role| !role.is_empty()).map(str::to_owned));
    }

    fn logs(&mut self, logs: Option<&LogConfiguration>) {
        let group = logs.and_then(|logs| logs.options()?.get("awslogs-group"));
        self.0.extend(group.cloned());
    }

    fn container(&mut self, container: Option<&ContainerProperties>) {
        if let Some(container) = container {
            self.roles([container.job_role_arn(), container.execution_role_arn()]);
            self.logs(container.log_configuration());
        }
    }

    fn task(&mut self, task: &EcsTaskProperties) {
        self.roles([task.task_role_arn(), task.execution_role_arn()]);
        task.containers().iter().for_each(|container| self.logs(container.log_configuration()));
    }

    fn nodes(&mut self, nodes: Option<&NodeProperties>) {
        for node in nodes.map(|nodes| nodes.node_range_properties()).unwrap_or_default() {
            self.container(node.container());
            let tasks = node.ecs_properties().map(|ecs| ecs.task_properties()).unwrap_or_default();
            tasks.iter().for_each(|task| self.task(task));
        }
    }
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
