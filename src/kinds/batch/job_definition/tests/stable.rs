//! No perpetual diff: whatever is declared, what AWS reports of it does not differ.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// An object with any of these fields.
fn object(required: Value, optional: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let fields: Vec<_> = optional
        .into_iter()
        .map(|(name, values)| proptest::option::of(values).prop_map(move |value| (name, value)))
        .collect();
    fields
        .prop_map(move |fields| {
            let mut object = required.clone();
            for (name, value) in fields {
                if let Some(value) = value {
                    object[name] = value;
                }
            }
            object
        })
        .boxed()
}

fn any_of(values: Value) -> BoxedStrategy<Value> {
    let Value::Array(values) = values else { panic!("an array is expected") };
    select(values).boxed()
}

fn variables() -> BoxedStrategy<Value> {
    any_of(json!([
        [],
        [{"name": "A", "value": "1"}],
        [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
        [{"name": "A", "value": ""}, {"name": "C", "value": "3"}],
    ]))
}

fn linux() -> BoxedStrategy<Value> {
    object(
        json!({}),
        vec![
            ("initProcessEnabled", any_of(json!([true, false]))),
            ("sharedMemorySize", any_of(json!([64]))),
            (
                "devices",
                any_of(json!([
                    [],
                    [{"hostPath": "/dev/b", "permissions": ["WRITE", "READ"]}, {"hostPath": "/dev/a"}],
                    [{"hostPath": "/dev/a", "containerPath": "/dev/a", "permissions": ["MKNOD", "READ", "WRITE"]}],
                ])),
            ),
            (
                "tmpfs",
                any_of(json!([[{"containerPath": "/tmp", "size": 64, "mountOptions": ["ro", "noexec"]}]])),
            ),
        ],
    )
}

fn logs() -> BoxedStrategy<Value> {
    object(
        json!({"logDriver": "awslogs"}),
        vec![
            ("options", any_of(json!([{}, {"awslogs-group": "jobs"}]))),
            (
                "secretOptions",
                any_of(json!([[], [{"name": "t", "valueFrom": "p"}, {"name": "s", "valueFrom": "q"}]])),
            ),
        ],
    )
}

fn requirements() -> BoxedStrategy<Value> {
    any_of(json!([
        [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
        [{"type": "MEMORY", "value": "512"}, {"type": "VCPU", "value": "0.25"}],
        [{"type": "GPU", "value": "1"}, {"type": "VCPU", "value": "4"}, {"type": "MEMORY", "value": "8192"}],
    ]))
}

fn volumes() -> BoxedStrategy<Value> {
    any_of(json!([
        [],
        [{"name": "b", "host": {}}, {"name": "a", "host": {"sourcePath": "/a"}}],
        [{"name": "efs", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "authorizationConfig": {"iam": "DISABLED"}}}],
        [{"name": "efs", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/data", "transitEncryption": "ENABLED",
            "transitEncryptionPort": 2049, "authorizationConfig": {"iam": "ENABLED", "accessPointId": "fsap-1"}}}],
    ]))
}

fn flags() -> BoxedStrategy<Value> {
    any_of(json!([true, false]))
}

fn shared() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    vec![
        ("command", any_of(json!([[], ["echo", "Ref::a"]]))),
        ("environment", variables()),
        ("linuxParameters", linux()),
        ("logConfiguration", logs()),
        (
            "mountPoints",
            any_of(
                json!([[], [{"containerPath": "/b", "sourceVolume": "b"}, {"containerPath": "/a", "readOnly": false}]]),
            ),
        ),
        ("privileged", flags()),
        ("readonlyRootFilesystem", flags()),
        ("resourceRequirements", requirements()),
        ("secrets", any_of(json!([[], [{"name": "T", "valueFrom": "p"}, {"name": "S", "valueFrom": "q"}]]))),
        (
            "ulimits",
            any_of(
                json!([[], [{"name": "nproc", "hardLimit": 2, "softLimit": 1}, {"name": "core", "hardLimit": 2, "softLimit": 1}]]),
            ),
        ),
        ("user", any_of(json!(["nobody"]))),
    ]
}

fn container() -> BoxedStrategy<Value> {
    let mut fields = shared();
    fields.extend([
        ("volumes", volumes()),
        (
            "networkConfiguration",
            any_of(json!([{}, {"assignPublicIp": "ENABLED"}, {"assignPublicIp": "DISABLED"}])),
        ),
        (
            "fargatePlatformConfiguration",
            any_of(json!([{}, {"platformVersion": "LATEST"}, {"platformVersion": "1.4.0"}])),
        ),
        (
            "runtimePlatform",
            any_of(json!([{}, {"cpuArchitecture": "ARM64"}, {"operatingSystemFamily": "LINUX"}])),
        ),
        ("ephemeralStorage", any_of(json!([{"sizeInGiB": 30}]))),
        ("enableExecuteCommand", flags()),
        ("jobRoleArn", any_of(json!(["arn:aws:iam::111122223333:role/job"]))),
        ("vcpus", any_of(json!([1, 2]))),
        ("memory", any_of(json!([512]))),
    ]);
    object(json!({"image": "worker@sha256:aa"}), fields)
}

fn ecs() -> BoxedStrategy<Value> {
    let mut fields = shared();
    fields.extend([
        ("essential", flags()),
        ("dependsOn", any_of(json!([[{"containerName": "z", "condition": "START"}, {"containerName": "y", "condition": "COMPLETE"}]]))),
        ("stopTimeout", any_of(json!([30]))),
    ]);
    let container = object(json!({"image": "worker", "name": "main"}), fields);
    let task = object(
        json!({}),
        vec![
            ("platformVersion", any_of(json!(["LATEST", "1.4.0"]))),
            ("networkConfiguration", any_of(json!([{}, {"assignPublicIp": "ENABLED"}]))),
            ("runtimePlatform", any_of(json!([{}, {"cpuArchitecture": "ARM64"}]))),
            ("volumes", volumes()),
            ("pidMode", any_of(json!(["task"]))),
        ],
    );
    (container, task)
        .prop_map(|(container, mut task)| {
            task["containers"] = json!([container, {"image": "side", "name": "helper", "essential": false}]);
            json!({"taskProperties": [task]})
        })
        .boxed()
}

fn eks() -> BoxedStrategy<Value> {
    let container = object(
        json!({"image": "worker"}),
        vec![
            ("name", any_of(json!(["Default", "main"]))),
            ("env", variables()),
            ("args", any_of(json!([[], ["a"]]))),
            (
                "resources",
                any_of(json!([{}, {"limits": {"memory": "1024Mi", "cpu": "1"}}, {"requests": {"cpu": "1"}}])),
            ),
            (
                "securityContext",
                any_of(json!([{}, {"privileged": false}, {"runAsUser": 0}, {"runAsNonRoot": true}])),
            ),
            (
                "volumeMounts",
                any_of(
                    json!([[{"name": "b", "mountPath": "/b"}, {"name": "a", "mountPath": "/a", "readOnly": true}]]),
                ),
            ),
        ],
    );
    let pod = object(
        json!({}),
        vec![
            ("hostNetwork", flags()),
            ("shareProcessNamespace", flags()),
            ("metadata", any_of(json!([{}, {"labels": {"a": "b"}}, {"namespace": "jobs"}]))),
            (
                "volumes",
                any_of(
                    json!([[{"name": "b", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}}, {"name": "a", "secret": {"secretName": "s"}}]]),
                ),
            ),
        ],
    );
    (container, pod)
        .prop_map(|(container, mut pod)| {
            pod["containers"] = json!([container]);
            json!({"podProperties": pod})
        })
        .boxed()
}

fn nodes() -> BoxedStrategy<Value> {
    container()
        .prop_map(|container| {
            json!({"numNodes": 2, "mainNode": 0, "nodeRangeProperties": [
                {"targetNodes": "1:", "container": container}, {"targetNodes": "0", "container": {"image": "main"}}]})
        })
        .boxed()
}

fn specs() -> BoxedStrategy<Value> {
    let block = prop_oneof![
        3 => container().prop_map(|value| json!({"type": "container", "containerProperties": value})),
        1 => ecs().prop_map(|value| json!({"type": "container", "ecsProperties": value})),
        1 => eks().prop_map(|value| json!({"type": "container", "eksProperties": value})),
        1 => nodes().prop_map(|value| json!({"type": "multinode", "nodeProperties": value})),
    ];
    let settings = object(
        json!({}),
        vec![
            ("parameters", any_of(json!([{}, {"a": "b"}]))),
            ("platformCapabilities", any_of(json!([[], ["EC2"], ["FARGATE"], ["FARGATE", "EC2"]]))),
            ("propagateTags", flags()),
            ("timeout", any_of(json!([{}, {"attemptDurationSeconds": 60}]))),
            ("schedulingPriority", any_of(json!([0, 5]))),
            (
                "consumableResourceProperties",
                any_of(
                    json!([{}, {"consumableResourceList": [{"consumableResource": "licence", "quantity": 1}]}]),
                ),
            ),
            (
                "retryStrategy",
                any_of(
                    json!([{}, {"attempts": 1}, {"attempts": 3, "evaluateOnExit": [{"onExitCode": "1*", "action": "retry"}, {"onReason": "*", "action": "EXIT"}]}]),
                ),
            ),
        ],
    );
    (block, settings)
        .prop_map(|(mut spec, settings)| {
            for (name, value) in settings.as_object().unwrap() {
                spec[name] = value.clone();
            }
            spec
        })
        .boxed()
}

/// What AWS reports of what was sent: the same, with its defaults, empty lists for none, and orders of its own.
fn as_aws_reports(want: &Spec) -> sdk::JobDefinition {
    let mut reported = sdk::JobDefinition::builder()
        .job_definition_name("family")
        .r#type(&want.r#type)
        .set_container_properties(want.container_properties.write())
        .set_ecs_properties(want.ecs_properties.write())
        .set_eks_properties(want.eks_properties.write())
        .set_node_properties(want.node_properties.write())
        .set_parameters(Some(want.parameters.clone().into_iter().collect()))
        .set_platform_capabilities(want.platform_capabilities.write())
        .propagate_tags(want.propagate_tags)
        .set_retry_strategy(want.retry_strategy.write())
        .set_timeout(want.timeout.write())
        .set_scheduling_priority(want.scheduling_priority)
        .set_consumable_resource_properties(want.consumable_resource_properties.write())
        .build();
    let on_fargate = want.platform_capabilities.iter().any(|platform| platform == "FARGATE");
    if reported.eks_properties.is_none() {
        reported.platform_capabilities.get_or_insert(vec![sdk::PlatformCapability::Ec2]).reverse();
    }
    if let Some(retry) = &mut reported.retry_strategy {
        retry.evaluate_on_exit.get_or_insert_default();
        retry.attempts.get_or_insert(1);
    }
    reported.container_properties.iter_mut().for_each(|container| fill_container(container, on_fargate));
    for task in reported.ecs_properties.iter_mut().filter_map(|ecs| ecs.task_properties.as_mut()).flatten() {
        fill_task(task);
    }
    let ranges = reported.node_properties.iter_mut().filter_map(|nodes| nodes.node_range_properties.as_mut());
    for ranges in ranges {
        ranges.reverse();
        ranges
            .iter_mut()
            .filter_map(|range| range.container.as_mut())
            .for_each(|one| fill_container(one, false));
    }
    if let Some(pod) = reported.eks_properties.as_mut().and_then(|eks| eks.pod_properties.as_mut()) {
        pod.volumes.get_or_insert_default().reverse();
        pod.init_containers.get_or_insert_default();
        pod.image_pull_secrets.get_or_insert_default();
        pod.dns_policy.get_or_insert("ClusterFirst".to_owned());
        pod.share_process_namespace.get_or_insert(false);
        for container in pod.containers.iter_mut().flatten() {
            container.env.get_or_insert_default().reverse();
            container.command.get_or_insert_default();
            container.args.get_or_insert_default();
            container.image_pull_policy.get_or_insert("IfNotPresent".to_owned());
            container.resources.get_or_insert(sdk::EksContainerResourceRequirements::builder().build());
            container.volume_mounts.get_or_insert_default().reverse();
        }
    }
    reported
}

#[allow(deprecated, reason = "AWS reports the older words as well")]
fn fill_container(container: &mut sdk::ContainerProperties, on_fargate: bool) {
    container.command.get_or_insert_default();
    container.volumes.get_or_insert_default().reverse();
    container.environment.get_or_insert_default().reverse();
    container.mount_points.get_or_insert_default().reverse();
    container.ulimits.get_or_insert_default().reverse();
    container.secrets.get_or_insert_default().reverse();
    for requirement in container.resource_requirements.get_or_insert_default() {
        if requirement.value() == Some("1") {
            requirement.value = Some("1.0".to_owned());
        }
    }
    container.resource_requirements.get_or_insert_default().reverse();
    container.privileged.get_or_insert(false);
    container.readonly_root_filesystem.get_or_insert(false);
    container.enable_execute_command.get_or_insert(false);
    container.linux_parameters.iter_mut().for_each(fill_linux);
    container.log_configuration.iter_mut().for_each(fill_logs);
    if on_fargate {
        container.network_configuration.get_or_insert(
            sdk::NetworkConfiguration::builder().assign_public_ip(sdk::AssignPublicIp::Disabled).build(),
        );
        container
            .fargate_platform_configuration
            .get_or_insert(sdk::FargatePlatformConfiguration::builder().platform_version("LATEST").build());
        let platform =
            sdk::RuntimePlatform::builder().operating_system_family("LINUX").cpu_architecture("X86_64");
        container.runtime_platform.get_or_insert(platform.build());
    } else {
        container.vcpus.get_or_insert(0);
        container.memory.get_or_insert(0);
    }
}

fn fill_linux(linux: &mut sdk::LinuxParameters) {
    linux.tmpfs.get_or_insert_default();
    for device in linux.devices.get_or_insert_default() {
        device.permissions.get_or_insert_default().reverse();
    }
}

fn fill_logs(logs: &mut sdk::LogConfiguration) {
    logs.options.get_or_insert_default();
    logs.secret_options.get_or_insert_default().reverse();
}

fn fill_task(task: &mut sdk::EcsTaskProperties) {
    task.platform_version.get_or_insert("LATEST".to_owned());
    task.volumes.get_or_insert_default().reverse();
    for container in task.containers.get_or_insert_default() {
        container.command.get_or_insert_default();
        container.depends_on.get_or_insert_default().reverse();
        container.environment.get_or_insert_default().reverse();
        container.mount_points.get_or_insert_default().reverse();
        container.secrets.get_or_insert_default().reverse();
        container.ulimits.get_or_insert_default().reverse();
        container.resource_requirements.get_or_insert_default().reverse();
        container.privileged.get_or_insert(false);
        container.readonly_root_filesystem.get_or_insert(false);
        container.linux_parameters.iter_mut().for_each(fill_linux);
        container.log_configuration.iter_mut().for_each(fill_logs);
    }
    task.containers.get_or_insert_default().reverse();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_declared_is_what_aws_reports(spec in specs()) {
        let want = normal(spec);
        let sent: Spec = serde_json::from_value(want.clone()).unwrap();
        let mut live = project(&as_aws_reports(&sent));
        JobDefinition::normalise(&mut live, &place());
        let live = serde_json::to_value(live).unwrap();
        prop_assert_eq!(changes(&live, &want), vec![]);
        // The normal form is stable, and reading it back loses nothing.
        prop_assert_eq!(normal(want.clone()), want);
    }
}
