//! What Batch refuses is known before it is asked; at its place in a manifest, and with the rules of single fields:
//! tests/engine/kinds/refusals.rs.

use serde_json::{Value, json};

use super::*;

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
        ("vcpus", json!(1), "vcpus"),
        ("volumes", json!([{"name": "a", "host": {"sourcePath": "/a"}}]), "volumes[0].host"),
        ("logConfiguration", json!({"logDriver": "journald"}), "logConfiguration.logDriver"),
        ("executionRoleArn", json!(""), "executionRoleArn"),
        ("instanceType", json!("m6i.large"), "instanceType"),
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
        (top("retryStrategy", json!({"evaluateOnExit": [{"action": "EXIT"}]})), "retryStrategy.attempts"),
        (top("retryStrategy", exits(json!([{"action": "STOP"}]))), "retryStrategy.evaluateOnExit[0].action"),
        (top("platformCapabilities", json!(["MANAGED_INSTANCES"])), "platformCapabilities"),
        (
            container("environment", json!([{"name": "AWS_BATCH_X", "value": "1"}])),
            "containerProperties.environment[0].name",
        ),
        (
            container("environment", json!([{"name": "A", "value": "AKIAIOSFODNN7EXAMPLE"}])),
            "containerProperties.environment[0].value",
        ),
        (
            container("environment", json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])),
            "containerProperties.environment[1].name",
        ),
        (
            container("mountPoints", json!([{"sourceVolume": "data", "containerPath": "/data"}])),
            "containerProperties.mountPoints[0].sourceVolume",
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
