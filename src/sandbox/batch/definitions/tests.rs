//! Revisions, the form in which they come back, and what is refused.

use serde_json::{Value, json};

use crate::batch::tests::{Bench, changed, definition};

impl Bench {
    async fn definitions(&self, request: Value) -> Vec<Value> {
        self.ok("DescribeJobDefinitions", request).await["jobDefinitions"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn revisions_go_on_counting() {
    let bench = Bench::new();
    let register =
        async || bench.ok("RegisterJobDefinition", definition("jd", &["run"])).await["revision"].clone();
    assert_eq!((register().await, register().await), (json!(1), json!(2)));
    for revision in ["jd:1", "arn:aws:batch:us-east-1:123456789012:job-definition/jd:2"] {
        bench.ok("DeregisterJobDefinition", json!({ "jobDefinition": revision })).await;
    }
    assert_eq!(register().await, 3);
    let revisions = async |request: Value| {
        let found = bench.definitions(request).await;
        found.iter().map(|one| format!("{}{}", one["revision"], one["status"])).collect::<Vec<_>>()
    };
    assert_eq!(
        revisions(json!({ "jobDefinitionName": "jd" })).await,
        [r#"3"ACTIVE""#, r#"2"INACTIVE""#, r#"1"INACTIVE""#]
    );
    assert_eq!(revisions(json!({ "status": "ACTIVE" })).await, [r#"3"ACTIVE""#]);
    assert_eq!(revisions(json!({ "jobDefinitions": ["jd:1"] })).await, [r#"1"INACTIVE""#]);
    let arn = "arn:aws:batch:us-east-1:123456789012:job-definition/jd:2";
    assert_eq!(revisions(json!({ "jobDefinitions": [arn, "jd:9"] })).await, [r#"2"INACTIVE""#]);
}

#[tokio::test]
async fn a_definition_comes_back_as_aws_keeps_it() {
    let bench = Bench::new();
    let request = changed(
        definition("jd", &["run"]),
        json!({
            "containerProperties": {
                "command": null,
                "environment": [{ "name": "A", "value": "1" }, { "name": "B", "value": "" }, { "name": "C", "value": "3" }],
                "logConfiguration": { "logDriver": "awslogs" },
                "linuxParameters": { "initProcessEnabled": true },
            },
            "retryStrategy": { "attempts": 3, "evaluateOnExit": [{ "onExitCode": "1", "action": "RETRY" }] },
            "schedulingPriority": 5,
        }),
    );
    bench.ok("RegisterJobDefinition", request).await;
    insta::assert_json_snapshot!(bench.definitions(json!({})).await[0], @r#"
    {
      "containerOrchestrationType": "ECS",
      "containerProperties": {
        "command": [],
        "environment": [
          {
            "name": "C",
            "value": "3"
          },
          {
            "name": "A",
            "value": "1"
          }
        ],
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "fargatePlatformConfiguration": {
          "platformVersion": "LATEST"
        },
        "image": "worker:1",
        "linuxParameters": {
          "devices": [],
          "initProcessEnabled": true,
          "tmpfs": []
        },
        "logConfiguration": {
          "logDriver": "awslogs",
          "options": {},
          "secretOptions": []
        },
        "mountPoints": [],
        "resourceRequirements": [
          {
            "type": "VCPU",
            "value": "1"
          },
          {
            "type": "MEMORY",
            "value": "2048"
          }
        ],
        "secrets": [],
        "ulimits": [],
        "volumes": []
      },
      "jobDefinitionArn": "arn:aws:batch:us-east-1:123456789012:job-definition/jd:1",
      "jobDefinitionName": "jd",
      "parameters": {},
      "platformCapabilities": [
        "FARGATE"
      ],
      "retryStrategy": {
        "attempts": 3,
        "evaluateOnExit": [
          {
            "action": "retry",
            "onExitCode": "1"
          }
        ]
      },
      "revision": 1,
      "schedulingPriority": 5,
      "status": "ACTIVE",
      "tags": {},
      "type": "container"
    }
    "#);
}

#[tokio::test]
async fn every_kind_of_block_is_kept() {
    let bench = Bench::new();
    let container = definition("x", &["run"])["containerProperties"].clone();
    let container = changed(container, json!({ "executionRoleArn": null }));
    for (name, request) in [
        (
            "eksProperties",
            json!({ "type": "container", "eksProperties": { "podProperties": {
            "containers": [{ "image": "worker:1", "resources": { "limits": { "cpu": "1" } } }], "hostNetwork": false,
        } } }),
        ),
        (
            "nodeProperties",
            json!({ "type": "multinode", "nodeProperties": {
            "numNodes": 2, "mainNode": 0, "nodeRangeProperties": [{ "targetNodes": "0:", "container": container }],
        } }),
        ),
        (
            "ecsProperties",
            json!({ "type": "container", "ecsProperties": { "taskProperties": [{
            "containers": [{ "image": "worker:1", "name": "main" }], "ipcMode": "none",
        }] } }),
        ),
        (
            "consumableResourceProperties",
            json!({
                "type": "container", "containerProperties": container,
                "consumableResourceProperties": { "consumableResourceList": [{ "consumableResource": "r", "quantity": 1 }] },
            }),
        ),
    ] {
        bench.ok("RegisterJobDefinition", changed(request, json!({ "jobDefinitionName": name }))).await;
        let found = &bench.definitions(json!({ "jobDefinitionName": name })).await[0];
        assert!(found[name].is_object(), "{name}: {found}");
    }
    let task = &bench.definitions(json!({ "jobDefinitionName": "ecsProperties" })).await[0]["ecsProperties"];
    assert_eq!(task["taskProperties"][0]["ipcMode"], "none");
    assert_eq!(task["taskProperties"][0]["containers"][0]["essential"], true);
}

#[tokio::test]
async fn definitions_that_aws_refuses_are_refused() {
    let bench = Bench::new();
    let container = |change: Value| json!({ "containerProperties": change });
    let sized = |vcpu: &str, memory: &str| {
        container(json!({ "resourceRequirements": [
            { "type": "VCPU", "value": vcpu }, { "type": "MEMORY", "value": memory },
        ] }))
    };
    for (change, message) in [
        (json!({ "jobDefinitionName": "a b" }), "jobDefinitionName should match valid pattern"),
        (json!({ "type": "other" }), "type other is not valid. Valid values: [container, multinode]"),
        (
            json!({ "containerProperties": null }),
            "One of containerProperties, ecsProperties or eksProperties must be provided.",
        ),
        (json!({ "ecsProperties": {} }), "Cannot use both ECS containerProperties and ecsProperties"),
        (container(json!({ "image": null })), "image is required."),
        (container(json!({ "executionRoleArn": null })), "executionRoleArn is required for Fargate jobs."),
        (sized("2.00", "1024"), "Fargate resource requirements (2.00 vCPU, 1024 MiB) not valid."),
        (sized("0.25", "1536"), "Fargate resource requirements (0.25 vCPU, 1536 MiB) not valid."),
        (
            sized("many", "2048"),
            "Value many for type VCPU in resourceRequirement is not valid. Please provide a numeric value.",
        ),
        (container(json!({ "resourceRequirements": [] })), "vCPU is required."),
        (
            container(json!({ "privileged": true })),
            "Fargate requires that the ‘privileged’ setting be ‘false’ at the container level.",
        ),
        (
            container(json!({ "linuxParameters": { "sharedMemorySize": 64 } })),
            "linuxParameter.sharedMemorySize is not allowed for Fargate.",
        ),
        (
            container(json!({ "logConfiguration": { "logDriver": "syslog" } })),
            "Log driver for Fargate is not valid: syslog",
        ),
        (
            json!({ "platformCapabilities": ["EC2"], "containerProperties": { "networkConfiguration": {} } }),
            "networkConfiguration not applicable for EC2.",
        ),
        (
            json!({ "platformCapabilities": ["MOON"] }),
            "Capability MOON is not valid. Valid capabilities: [FARGATE, EC2, MANAGED_INSTANCES]",
        ),
        (
            container(json!({ "environment": [{ "name": "AWS_BATCH_X", "value": "1" }] })),
            "Environment variable names cannot start with AWS_BATCH: AWS_BATCH_X.",
        ),
        (json!({ "retryStrategy": { "attempts": 11 } }), "RetryAttempts must be between 1 and 10."),
        (json!({ "retryStrategy": {} }), "RetryAttempts must be provided with retry strategy."),
        (
            json!({ "timeout": { "attemptDurationSeconds": 59 } }),
            "AttemptDurationSeconds in Timeout must be at least 60 seconds.",
        ),
        (json!({ "type": "multinode", "containerProperties": null }), "Fargate does not support MNP jobs"),
        (
            json!({ "parameters": { "big": "x".repeat(25_000) } }),
            "Job definition size cannot be greater than 24 KiB.",
        ),
    ] {
        let request = changed(definition("jd", &["run"]), change);
        let error = bench.call("RegisterJobDefinition", request).await.unwrap_err();
        let error = error.replace("Error executing request, Exception : ", "");
        assert_eq!(error, format!("ClientException: {message}"));
    }
    for (vcpu, memory) in
        [("0.25", "512"), ("1", "2048"), ("1.0", "8192"), ("4", "30720"), ("16", "122880"), ("32", "249856")]
    {
        bench.ok("RegisterJobDefinition", changed(definition("ok", &["run"]), sized(vcpu, memory))).await;
    }
}
