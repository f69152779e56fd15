use aws_sdk_batch::types as sdk;
use serde_json::{Value, json};

use super::*;
use crate::diff::{FieldChange, walk};
use crate::kind::{AnyKind, Effect, Erased};
use crate::resource::Document;

mod refusals;
mod stable;

static KIND: Erased<JobDefinition> = Erased::new();

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
    assert_eq!(KIND.effect(&live, &other, &found).0, Effect::NewRevision);
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
