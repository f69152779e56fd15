use aws_sdk_batch::types as sdk;
use serde_json::{Value, json};

use super::*;
use crate::diff::{FieldChange, walk};
use crate::kind::{AnyKind, Effect, Erased, Refs};
use crate::resource::Document;

mod stable;

const KIND: Erased<JobDefinition> = Erased::new();

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn normal(spec: Value) -> Document {
    KIND.normal(&spec, &place()).unwrap()
}

fn changes(live: &Document, want: &Document) -> Vec<FieldChange> {
    walk(live, want, &KIND.facts().rules, &[])
}

fn on_fargate() -> Value {
    json!({
        "type": "container",
        "platformCapabilities": ["FARGATE"],
        "containerProperties": {
            "image": "worker@sha256:aa",
            "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
        },
    })
}

fn on_ec2() -> Value {
    let mut spec = on_fargate();
    spec.as_object_mut().unwrap().remove("platformCapabilities");
    spec
}

fn with(mut spec: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    spec.pointer_mut(parent).unwrap()[key] = value;
    spec
}

fn reported(revision: i32) -> sdk::JobDefinition {
    let requirement = |kind: &str, value: &str| {
        sdk::ResourceRequirement::builder().r#type(kind.into()).value(value).build()
    };
    let container = sdk::ContainerProperties::builder()
        .image("worker@sha256:aa")
        .set_command(Some(vec!["summarize".to_owned(), "Ref::file".to_owned()]))
        .job_role_arn("arn:aws:iam::111122223333:role/job")
        .execution_role_arn("arn:aws:iam::111122223333:role/execution")
        .set_volumes(Some(vec![]))
        .set_mount_points(Some(vec![]))
        .set_ulimits(Some(vec![]))
        .set_secrets(Some(vec![]))
        .environment(sdk::KeyValuePair::builder().name("B").value("2").build())
        .environment(sdk::KeyValuePair::builder().name("A").value("1").build())
        .resource_requirements(requirement("VCPU", "1.0"))
        .resource_requirements(requirement("MEMORY", "2048"))
        .network_configuration(
            sdk::NetworkConfiguration::builder().assign_public_ip(sdk::AssignPublicIp::Disabled).build(),
        )
        .fargate_platform_configuration(
            sdk::FargatePlatformConfiguration::builder().platform_version("LATEST").build(),
        )
        .log_configuration(
            sdk::LogConfiguration::builder()
                .log_driver(sdk::LogDriver::Awslogs)
                .options("awslogs-group", "/batch/payments")
                .set_secret_options(Some(vec![]))
                .build(),
        );
    sdk::JobDefinition::builder()
        .job_definition_name("payments")
        .job_definition_arn(format!(
            "arn:aws:batch:eu-west-1:111122223333:job-definition/payments:{revision}"
        ))
        .revision(revision)
        .status("ACTIVE")
        .r#type("container")
        .container_properties(container.build())
        .platform_capabilities(sdk::PlatformCapability::Fargate)
        .propagate_tags(false)
        .parameters("file", "payments.csv")
        .retry_strategy(sdk::RetryStrategy::builder().attempts(2).set_evaluate_on_exit(Some(vec![])).build())
        .timeout(sdk::JobTimeout::builder().attempt_duration_seconds(3600).build())
        .container_orchestration_type(sdk::OrchestrationType::Ecs)
        .tags("team", "data")
        .build()
}

#[test]
fn aws_is_reported_in_the_manifests_words() {
    let mut gone = reported(5);
    gone.status = Some("INACTIVE".to_owned());
    let snapshot = Snapshot { job_definitions: vec![gone, reported(6), reported(7)], ..Snapshot::default() };
    let live = JobDefinition::observe(&snapshot, &place());
    assert_eq!(live.iter().map(|live| live.revision).collect::<Vec<_>>(), [Some(6), Some(7)]);
    let live = live.into_iter().next_back().unwrap();
    let mut spec = live.spec;
    JobDefinition::normalise(&mut spec, &place());
    insta::assert_json_snapshot!(
        json!({"physical": live.physical, "spec": spec, "outputs": live.outputs, "tags": live.tags}),
        @r#"
        {
          "outputs": {
            "arn": "arn:aws:batch:eu-west-1:111122223333:job-definition/payments:7",
            "arnWithoutRevision": "arn:aws:batch:eu-west-1:111122223333:job-definition/payments",
            "revision": 7
          },
          "physical": "payments",
          "spec": {
            "containerProperties": {
              "command": [
                "summarize",
                "Ref::file"
              ],
              "enableExecuteCommand": false,
              "environment": [
                {
                  "name": "A",
                  "value": "1"
                },
                {
                  "name": "B",
                  "value": "2"
                }
              ],
              "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
              "image": "worker@sha256:aa",
              "jobRoleArn": "arn:aws:iam::111122223333:role/job",
              "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                  "awslogs-group": "/batch/payments"
                }
              },
              "privileged": false,
              "readonlyRootFilesystem": false,
              "resourceRequirements": [
                {
                  "type": "MEMORY",
                  "value": "2048"
                },
                {
                  "type": "VCPU",
                  "value": "1.0"
                }
              ]
            },
            "parameters": {
              "file": "payments.csv"
            },
            "platformCapabilities": [
              "FARGATE"
            ],
            "propagateTags": false,
            "retryStrategy": {
              "attempts": 2
            },
            "timeout": {
              "attemptDurationSeconds": 3600
            },
            "type": "container"
          },
          "tags": {
            "team": "data"
          }
        }
        "#
    );
}

#[test]
fn the_example_needs_nothing_that_aws_fills_in() {
    let mut live = project(&reported(7));
    normal::normalise(&mut live);
    let live = serde_json::to_value(live).unwrap();
    let want = normal(json!({
        "type": "container",
        "platformCapabilities": ["FARGATE"],
        "containerProperties": {
            "image": "worker@sha256:aa",
            "command": ["summarize", "Ref::file"],
            "jobRoleArn": "arn:aws:iam::111122223333:role/job",
            "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "EMPTY", "value": ""}],
            "resourceRequirements": [{"type": "MEMORY", "value": "2048"}, {"type": "VCPU", "value": "1"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/batch/payments"}},
        },
        "parameters": {"file": "payments.csv"},
        "retryStrategy": {"attempts": 2},
        "timeout": {"attemptDurationSeconds": 3600},
    }));
    assert_eq!(changes(&live, &want), vec![]);
    let other = with(want, "/containerProperties/image", json!("worker@sha256:bb"));
    let found = changes(&live, &other);
    assert_eq!(found.len(), 1);
    assert_eq!(KIND.effect(&live, &other, &found, &Refs).0, Effect::NewRevision);
}

/// Two spellings of one definition, and one that differs, for each rule of the normal form.
#[test]
fn spelling_means_nothing_and_values_do() {
    let container =
        |field: &str, value: Value| with(on_ec2(), &format!("/containerProperties/{field}"), value);
    let top = |field: &str, value: Value| with(on_ec2(), &format!("/{field}"), value);
    let requirements =
        |vcpus: &str| json!([{"type": "VCPU", "value": vcpus}, {"type": "MEMORY", "value": "2048"}]);
    let legacy = |memory: i32| {
        let mut spec = container("vcpus", json!(1));
        let container = spec["containerProperties"].as_object_mut().unwrap();
        container.insert("memory".to_owned(), json!(memory));
        container.remove("resourceRequirements");
        spec
    };
    let retry =
        |action: &str| json!({"attempts": 2, "evaluateOnExit": [{"onExitCode": "1", "action": action}]});
    let device =
        |permissions: Value| json!({"devices": [{"hostPath": "/dev/fuse", "permissions": permissions}]});
    for (same, like, other) in [
        (
            on_ec2(),
            top("platformCapabilities", json!(["EC2"])),
            top("platformCapabilities", json!(["FARGATE"])),
        ),
        (on_ec2(), legacy(2048), legacy(4096)),
        (
            on_ec2(),
            container("resourceRequirements", requirements("1.0")),
            container("resourceRequirements", requirements("2")),
        ),
        (
            on_ec2(),
            container("environment", json!([{"name": "A", "value": ""}])),
            container("environment", json!([{"name": "A", "value": "1"}])),
        ),
        (
            on_ec2(),
            container("networkConfiguration", json!({})),
            container("networkConfiguration", json!({"assignPublicIp": "ENABLED"})),
        ),
        (
            on_ec2(),
            container("runtimePlatform", json!({"operatingSystemFamily": "LINUX"})),
            container("runtimePlatform", json!({"cpuArchitecture": "ARM64"})),
        ),
        (
            on_ec2(),
            container("fargatePlatformConfiguration", json!({"platformVersion": "LATEST"})),
            container("fargatePlatformConfiguration", json!({"platformVersion": "1.3.0"})),
        ),
        (on_ec2(), container("privileged", json!(false)), container("privileged", json!(true))),
        (
            on_ec2(),
            container("linuxParameters", json!({})),
            container("linuxParameters", json!({"initProcessEnabled": true})),
        ),
        (
            on_ec2(),
            top("retryStrategy", json!({"attempts": 1})),
            top("retryStrategy", json!({"attempts": 2})),
        ),
        (on_ec2(), top("timeout", json!({})), top("timeout", json!({"attemptDurationSeconds": 60}))),
        (on_ec2(), top("parameters", json!({})), top("parameters", json!({"a": "b"}))),
        (on_ec2(), top("propagateTags", json!(false)), top("propagateTags", json!(true))),
        (
            top("retryStrategy", retry("retry")),
            top("retryStrategy", retry("RETRY")),
            top("retryStrategy", retry("exit")),
        ),
        (
            container("linuxParameters", device(json!(["READ", "WRITE", "MKNOD"]))),
            container("linuxParameters", device(json!([]))),
            container("linuxParameters", device(json!(["READ"]))),
        ),
    ] {
        let (same, like, other) = (normal(same), normal(like), normal(other));
        assert_eq!(changes(&same, &like), vec![]);
        assert_eq!(changes(&like, &same), vec![]);
        assert!(!changes(&same, &other).is_empty(), "{other}");
        assert!(!changes(&other, &same).is_empty(), "{other}");
    }
}

#[test]
fn values_of_variables_are_sensitive() {
    let variables = |value: Value| normal(with(on_ec2(), "/containerProperties/environment", value));
    let one = |value: &str| variables(json!([{"name": "A", "value": value}, {"name": "B", "value": "x"}]));
    for (live, want) in
        [(one("1"), one("2")), (one("1"), variables(json!([]))), (variables(json!([])), one("1"))]
    {
        let found = changes(&live, &want);
        assert!(!found.is_empty() && found.iter().all(|change| change.sensitive), "{found:?}");
    }
}

fn complaints(spec: &Value) -> Vec<String> {
    let spec = serde_json::from_value(spec.clone()).unwrap();
    validate::validate(&spec).into_iter().map(|invalid| invalid.path).collect()
}

#[test]
fn what_batch_takes_is_not_complained_of() {
    assert_eq!(complaints(&on_fargate()), Vec::<String>::new());
    assert_eq!(complaints(&on_ec2()), Vec::<String>::new());
    let text = JobDefinition::EXAMPLE;
    let example: Value = serde_yaml::from_str(text).unwrap();
    assert_eq!(complaints(&example["spec"]), Vec::<String>::new());
}

#[test]
fn what_fargate_refuses_is_known_before() {
    let path = |field: &str| format!("/containerProperties/{field}");
    let size = |vcpus: &str, memory: &str| json!([{"type": "VCPU", "value": vcpus}, {"type": "MEMORY", "value": memory}]);
    for (field, value, at) in [
        ("privileged", json!(true), "privileged"),
        ("ulimits", json!([{"name": "nofile", "hardLimit": 1, "softLimit": 1}]), "ulimits"),
        ("linuxParameters", json!({"sharedMemorySize": 64}), "linuxParameters.sharedMemorySize"),
        ("linuxParameters", json!({"maxSwap": 64}), "linuxParameters.maxSwap"),
        ("volumes", json!([{"name": "a", "host": {"sourcePath": "/a"}}]), "volumes"),
        ("logConfiguration", json!({"logDriver": "journald"}), "logConfiguration.logDriver"),
        ("executionRoleArn", json!(""), "executionRoleArn"),
        ("instanceType", json!("m6i.large"), "instanceType"),
        ("ephemeralStorage", json!({"sizeInGiB": 20}), "ephemeralStorage.sizeInGiB"),
        ("resourceRequirements", size("1", "1024"), "resourceRequirements"),
        ("resourceRequirements", size("3", "8192"), "resourceRequirements"),
    ] {
        let spec = with(on_fargate(), &path(field), value);
        assert_eq!(complaints(&spec), [format!("containerProperties.{at}")], "{spec}");
    }
    let spec = with(on_fargate(), &path("resourceRequirements"), size("1", "9000"));
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let messages: Vec<String> =
        validate::validate(&spec).into_iter().map(|invalid| invalid.message).collect();
    insta::assert_json_snapshot!(messages, @r#"
    [
      "with 1 vCPU, FARGATE offers 2048 to 8192 MiB in steps, not 9000; the smallest that fits is 2 vCPU with 9216 MiB"
    ]
    "#);
}

#[test]
fn what_batch_refuses_is_known_before() {
    let top = |field: &str, value: Value| with(on_ec2(), &format!("/{field}"), value);
    let container =
        |field: &str, value: Value| with(on_ec2(), &format!("/containerProperties/{field}"), value);
    let exits = |entries: Value| json!({"attempts": 2, "evaluateOnExit": entries});
    for (spec, at) in [
        (json!({"type": "container"}), "containerProperties"),
        (top("type", json!("multinode")), "nodeProperties"),
        (top("eksProperties", json!({"podProperties": {"containers": [{"image": "a"}]}})), "eksProperties"),
        (top("retryStrategy", json!({"attempts": 11})), "retryStrategy.attempts"),
        (top("retryStrategy", json!({"evaluateOnExit": [{"action": "EXIT"}]})), "retryStrategy.attempts"),
        (top("retryStrategy", exits(json!([{"action": "STOP"}]))), "retryStrategy.evaluateOnExit[0].action"),
        (
            top("retryStrategy", exits(json!([{"action": "EXIT", "onExitCode": "1x"}]))),
            "retryStrategy.evaluateOnExit[0].onExitCode",
        ),
        (
            top("retryStrategy", exits(json!([{"action": "EXIT", "onReason": "a*b"}]))),
            "retryStrategy.evaluateOnExit[0].onReason",
        ),
        (top("timeout", json!({"attemptDurationSeconds": 59})), "timeout.attemptDurationSeconds"),
        (top("schedulingPriority", json!(10000)), "schedulingPriority"),
        (top("platformCapabilities", json!(["MANAGED_INSTANCES"])), "platformCapabilities"),
        (
            container("environment", json!([{"name": "AWS_BATCH_X", "value": "1"}])),
            "containerProperties.environment",
        ),
        (
            container("environment", json!([{"name": "A", "value": "AKIAIOSFODNN7EXAMPLE"}])),
            "containerProperties.environment",
        ),
        (
            container("environment", json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])),
            "containerProperties.environment",
        ),
        (
            container("mountPoints", json!([{"sourceVolume": "data", "containerPath": "/data"}])),
            "containerProperties.mountPoints",
        ),
        (container("memory", json!(512)), "containerProperties.memory"),
        (
            container("resourceRequirements", json!([{"type": "MEMORY", "value": "512"}])),
            "containerProperties.resourceRequirements",
        ),
        (
            container("networkConfiguration", json!({"assignPublicIp": "ENABLED"})),
            "containerProperties.networkConfiguration",
        ),
        (top("parameters", json!({"data": "x".repeat(24 * 1024)})), ""),
    ] {
        assert_eq!(complaints(&spec), [at], "{spec}");
    }
}

#[test]
fn nodes_are_all_in_a_range() {
    let nodes = |ranges: &[&str], main: i32| {
        let range =
            |target: &&str| json!({"targetNodes": target, "container": on_ec2()["containerProperties"]});
        let ranges: Vec<Value> = ranges.iter().map(range).collect();
        complaints(&json!({"type": "multinode", "nodeProperties": {
            "numNodes": 4, "mainNode": main, "nodeRangeProperties": ranges}}))
    };
    assert_eq!(nodes(&["0:1", "2:"], 0), Vec::<String>::new());
    assert_eq!(nodes(&[":"], 3), Vec::<String>::new());
    assert_eq!(nodes(&["0:1", "3"], 0), ["nodeProperties.nodeRangeProperties"]);
    assert_eq!(nodes(&[":"], 4), ["nodeProperties.mainNode"]);
    assert_eq!(
        nodes(&["0:4"], 0),
        ["nodeProperties.nodeRangeProperties[0].targetNodes", "nodeProperties.nodeRangeProperties"]
    );
}

#[test]
fn the_value_of_a_secret_is_not_repeated() {
    let key = "AKIAIOSFODNN7EXAMPLE";
    let spec = with(on_ec2(), "/containerProperties/environment", json!([{"name": "A", "value": key}]));
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let message = validate::validate(&spec).remove(0).message;
    assert!(message.contains("containerProperties.secrets") && !message.contains(key), "{message}");
}
