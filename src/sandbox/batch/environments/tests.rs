//! Creating, updating and losing compute environments.

use serde_json::{Value, json};

use crate::batch::tests::{Bench, changed, ec2, fargate};
use crate::batch::world::Template;
use crate::batch::{Settings, lock};

const TRUST: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":["batch.amazonaws.com"]},"Action":"sts:AssumeRole"}]}"#;

#[tokio::test]
async fn the_server_fills_in_what_was_not_said() {
    let bench = Bench::new();
    let change = json!({ "computeResources": {
        "allocationStrategy": null, "minvCpus": null, "launchTemplate": { "launchTemplateId": "lt-1" },
    } });
    bench.ok("CreateComputeEnvironment", changed(ec2("ce"), change)).await;
    let mut shown = bench.environment("ce").await;
    let uuid = shown["uuid"].as_str().unwrap().to_owned();
    shown = serde_json::from_str(&shown.to_string().replace(&uuid, "UUID")).unwrap();
    insta::assert_json_snapshot!(shown, @r#"
    {
      "computeEnvironmentArn": "arn:aws:batch:us-east-1:123456789012:compute-environment/ce",
      "computeEnvironmentName": "ce",
      "computeResources": {
        "allocationStrategy": "BEST_FIT",
        "desiredvCpus": 0,
        "ec2Configuration": [
          {
            "batchImageStatus": "LATEST",
            "imageType": "ECS_AL2023"
          }
        ],
        "instanceRole": "arn:aws:iam::123456789012:instance-profile/instances",
        "instanceTypes": [
          "m5.large"
        ],
        "launchTemplate": {
          "launchTemplateId": "lt-1",
          "version": "$Default"
        },
        "maxvCpus": 16,
        "minvCpus": 0,
        "securityGroupIds": [
          "sg-1"
        ],
        "subnets": [
          "subnet-1"
        ],
        "tags": {},
        "type": "EC2"
      },
      "containerOrchestrationType": "ECS",
      "ecsClusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/AWSBatch-ce-UUID",
      "serviceRole": "arn:aws:iam::123456789012:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch",
      "state": "ENABLED",
      "status": "VALID",
      "statusReason": "ComputeEnvironment Healthy",
      "tags": {},
      "type": "MANAGED",
      "updatePolicy": {
        "jobExecutionTimeoutMinutes": 30,
        "terminateJobsOnUpdate": false
      },
      "uuid": "UUID"
    }
    "#);
}

#[tokio::test]
async fn fargate_has_no_update_policy_and_no_instances() {
    let bench = Bench::new();
    bench.ok("CreateComputeEnvironment", fargate("ce")).await;
    let shown = bench.environment("ce").await;
    assert_eq!(shown["computeResources"], fargate("ce")["computeResources"]);
    assert_eq!(shown["updatePolicy"], Value::Null);
}

#[tokio::test]
async fn creations_that_aws_refuses_are_refused() {
    let bench = Bench::new();
    bench.ok("CreateComputeEnvironment", fargate("taken")).await;
    let resources = |change: Value| json!({ "computeResources": change });
    let cases = [
        (fargate("taken"), json!({}), "Object already exists"),
        (fargate("a b"), json!({}), "computeEnvironmentName should match valid pattern"),
        (fargate(&"x".repeat(129)), json!({}), "computeEnvironmentName should match valid pattern"),
        (
            fargate("x"),
            json!({ "state": "DISABLED" }),
            "Compute Environment must be created in ENABLED state.",
        ),
        (
            fargate("x"),
            json!({ "updatePolicy": { "terminateJobsOnUpdate": true } }),
            "updatePolicy is not applicable when creating a Compute Environment",
        ),
        (
            fargate("x"),
            json!({ "computeResources": null }),
            "computeResources must be provided for a MANAGED compute environment",
        ),
        (
            fargate("x"),
            json!({ "type": "OTHER" }),
            "type OTHER is not valid. Valid values: [MANAGED, UNMANAGED]",
        ),
        (
            fargate("x"),
            json!({ "unmanagedvCpus": 3 }),
            "unmanagedvCpus is not applicable for managed Compute Environments",
        ),
        (
            fargate("x"),
            resources(json!({ "instanceTypes": ["m5"] })),
            "instanceTypes is not applicable for Fargate.",
        ),
        (fargate("x"), resources(json!({ "minvCpus": 0 })), "minvCpus is not applicable for Fargate."),
        (fargate("x"), resources(json!({ "tags": { "a": "b" } })), "tags is not applicable for Fargate."),
        (fargate("x"), resources(json!({ "maxvCpus": null })), "Resource maxvCpus is required."),
        (
            fargate("x"),
            resources(json!({ "securityGroupIds": [] })),
            "Resource securityGroupIds is required.",
        ),
        (
            fargate("x"),
            resources(json!({ "securityGroupIds": ["1", "2", "3", "4", "5", "6"] })),
            "Fargate supports a maximum of 5 security groups.",
        ),
        (ec2("x"), resources(json!({ "instanceRole": null })), "Instance role is required."),
        (
            ec2("x"),
            resources(json!({ "minvCpus": 17 })),
            "maxvCpus should be greater than or equal to minvCpus.",
        ),
        (
            ec2("x"),
            resources(json!({ "desiredvCpus": 17 })),
            "desiredvCpus should be between minvCpus and maxvCpus.",
        ),
        (
            ec2("x"),
            resources(json!({ "type": "SPOT", "allocationStrategy": "BEST_FIT" })),
            "compute resource spotIamFleetRole is required.",
        ),
        (
            ec2("x"),
            resources(json!({ "launchTemplate": { "launchTemplateId": "a", "launchTemplateName": "b" } })),
            "One of LaunchTemplateId and LaunchTemplateName or LaunchTemplate.overrides should be provided",
        ),
        (
            json!({ "computeEnvironmentName": "x", "type": "UNMANAGED" }),
            json!({}),
            "ServiceRole is required.",
        ),
    ];
    for (request, change, message) in cases {
        let error = bench.call("CreateComputeEnvironment", changed(request, change)).await.unwrap_err();
        let error = error.replace("Error executing request, Exception : ", "");
        assert_eq!(error, format!("ClientException: {message}"));
    }
}

#[tokio::test]
async fn updates_merge_and_empty_values_unset() {
    let bench = Bench::new();
    let extra =
        json!({ "computeResources": { "ec2KeyPair": "key", "imageId": "ami-1", "tags": { "a": "b" } } });
    bench.ok("CreateComputeEnvironment", changed(ec2("ce"), extra)).await;
    let before = bench.environment("ce").await;
    let update = async |change: Value| {
        bench.ok("UpdateComputeEnvironment", changed(json!({ "computeEnvironment": "ce" }), change)).await;
        bench.environment("ce").await
    };
    let after = update(json!({ "computeResources": { "maxvCpus": 32 } })).await;
    assert_eq!(after, changed(before, json!({ "computeResources": { "maxvCpus": 32 } })));
    // What a higher minimum asks for is started at once; it runs on when the minimum is lower again.
    for (least, running) in [(2, 2), (0, 2)] {
        let after = update(json!({ "computeResources": { "minvCpus": least } })).await;
        assert_eq!(after["computeResources"]["desiredvCpus"], json!(running));
    }
    let after = update(json!({
        "computeResources": { "ec2KeyPair": "", "imageId": "", "tags": {}, "instanceTypes": ["c5.large"] },
        "updatePolicy": { "jobExecutionTimeoutMinutes": 60 },
    }))
    .await;
    let resources = &after["computeResources"];
    assert_eq!((&resources["ec2KeyPair"], &resources["imageId"]), (&Value::Null, &Value::Null));
    assert_eq!((&resources["tags"], &resources["instanceTypes"]), (&json!({}), &json!(["c5.large"])));
    assert_eq!(
        after["updatePolicy"],
        json!({ "terminateJobsOnUpdate": false, "jobExecutionTimeoutMinutes": 60 })
    );
    // Fargate ignores empty lists.
    bench.ok("CreateComputeEnvironment", fargate("fg")).await;
    let empty = json!({ "computeEnvironment": "fg", "computeResources": { "subnets": [], "maxvCpus": 4 } });
    bench.ok("UpdateComputeEnvironment", empty).await;
    let resources = bench.environment("fg").await["computeResources"].clone();
    assert_eq!((&resources["subnets"], &resources["maxvCpus"]), (&json!(["subnet-1"]), &json!(4)));
}

#[tokio::test]
async fn updates_that_aws_refuses_are_refused() {
    let bench = Bench::new();
    lock(&bench.fake.trust).insert("custom".into(), TRUST.into());
    let best_fit = json!({ "computeResources": { "allocationStrategy": "BEST_FIT", "desiredvCpus": 4 } });
    bench.ok("CreateComputeEnvironment", changed(ec2("bestfit"), best_fit)).await;
    bench.ok("CreateComputeEnvironment", changed(ec2("custom"), json!({ "serviceRole": "custom" }))).await;
    bench.ok("CreateComputeEnvironment", ec2("ec2")).await;
    bench.ok("CreateComputeEnvironment", fargate("fg")).await;
    let cluster =
        json!({ "eksClusterArn": "arn:aws:eks:us-east-1:1:cluster/c", "kubernetesNamespace": "jobs" });
    let on_eks = json!({ "eksConfiguration": cluster, "computeResources": { "allocationStrategy": "BEST_FIT_PROGRESSIVE" } });
    bench.ok("CreateComputeEnvironment", changed(ec2("eks"), on_eks)).await;
    let types = json!({ "computeResources": { "instanceTypes": ["c5"] } });
    for (name, change, message) in [
        ("none", json!({ "state": "DISABLED" }), "Compute environment none does not exist"),
        (
            "bestfit",
            types.clone(),
            "Infrastructure update is not supported with allocation strategy BEST_FIT",
        ),
        (
            "custom",
            types.clone(),
            "Infrastructure update is only supported for compute environments that use the service-linked role",
        ),
        (
            "ec2",
            changed(types, json!({ "serviceRole": "" })),
            "serviceRole cannot be updated together with settings that need an infrastructure update",
        ),
        (
            "ec2",
            json!({ "serviceRole": "custom" }),
            "Compute Environment cannot be changed between service role and service-linked role",
        ),
        (
            "ec2",
            json!({ "computeResources": { "allocationStrategy": "BEST_FIT" } }),
            "Infrastructure update is not supported with allocation strategy BEST_FIT",
        ),
        (
            "bestfit",
            json!({ "computeResources": { "desiredvCpus": 2 } }),
            "Manually scaling down compute environment is not supported. Disconnecting job queues from compute \
             environment will cause it to scale-down to minvCpus.",
        ),
        (
            "fg",
            json!({ "computeResources": { "desiredvCpus": 2 } }),
            "desiredvCpus is not applicable for Fargate.",
        ),
        (
            "eks",
            json!({ "computeResources": { "minvCpus": 2, "desiredvCpus": 2 } }),
            "desiredvCpus must not be specified for EKS compute environments.",
        ),
        (
            "fg",
            json!({ "computeResources": { "type": "FARGATE_SPOT" } }),
            "type cannot be updated for Fargate compute environments.",
        ),
    ] {
        let request = changed(json!({ "computeEnvironment": name }), change);
        let error = bench.call("UpdateComputeEnvironment", request).await.unwrap_err();
        let error = error.replace("Error executing request, Exception : ", "");
        assert_eq!(error, format!("ClientException: {message}"), "{name}");
    }
    // What is scaling only is allowed also where instances can't be replaced.
    bench
        .ok(
            "UpdateComputeEnvironment",
            json!({ "computeEnvironment": "custom", "computeResources": { "maxvCpus": 99 } }),
        )
        .await;
}

#[tokio::test]
async fn a_missing_role_makes_it_invalid_until_it_is_repaired() {
    let bench =
        Bench::with(Settings { role_propagation: std::time::Duration::from_secs(60), ..Settings::default() });
    let arn = "arn:aws:iam::123456789012:role/service/custom";
    let request = changed(fargate("ce"), json!({ "serviceRole": arn }));
    bench.ok("CreateComputeEnvironment", request).await;
    let refused = async || {
        let shown = bench.environment("ce").await;
        assert_eq!(shown["status"], "INVALID");
        assert!(shown["statusReason"].as_str().unwrap().contains("Not authorized to perform sts:AssumeRole"));
    };
    refused().await;
    let retry = json!({ "computeEnvironment": "ce", "serviceRole": arn });
    lock(&bench.fake.trust).insert("custom".into(), TRUST.replace("batch.", "ec2."));
    bench.advance(60);
    bench.ok("UpdateComputeEnvironment", retry.clone()).await;
    refused().await;
    lock(&bench.fake.trust).insert("custom".into(), TRUST.into());
    bench.ok("UpdateComputeEnvironment", retry).await;
    assert_eq!(bench.environment("ce").await["status"], "VALID");
    // A role that is named for the first time needs its time, although it exists.
    lock(&bench.fake.trust).insert("fresh".into(), TRUST.into());
    bench.ok("UpdateComputeEnvironment", json!({ "computeEnvironment": "ce", "serviceRole": "fresh" })).await;
    refused().await;
    bench.advance(60);
    bench.ok("UpdateComputeEnvironment", json!({ "computeEnvironment": "ce", "serviceRole": "fresh" })).await;
    assert_eq!(bench.environment("ce").await["status"], "VALID");
    // Without its role it can't be deleted.
    bench.ok("UpdateComputeEnvironment", json!({ "computeEnvironment": "ce", "state": "DISABLED" })).await;
    lock(&bench.fake.trust).clear();
    bench.ok("DeleteComputeEnvironment", json!({ "computeEnvironment": "ce" })).await;
    refused().await;
}

#[tokio::test]
async fn a_missing_network_makes_it_invalid() {
    let bench = Bench::new();
    for (change, reason) in [
        (json!({ "subnets": ["subnet-9"] }), "CLIENT_ERROR - The subnet ID 'subnet-9' does not exist"),
        (json!({ "securityGroupIds": ["sg-9"] }), "CLIENT_ERROR - The security group 'sg-9' does not exist"),
    ] {
        let name = reason.split('\'').nth(1).unwrap();
        let request = changed(fargate(name), json!({ "computeResources": change }));
        bench.ok("CreateComputeEnvironment", request).await;
        let shown = bench.environment(name).await;
        assert_eq!((&shown["status"], &shown["statusReason"]), (&json!("INVALID"), &json!(reason)));
    }
}

/// The texts: src/sandbox/batch/environments/templates.rs.
#[tokio::test]
async fn an_environment_is_invalid_without_its_launch_template() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let bench = Bench::new();
    let data = |text: &str| Template::Found { user_data: Some(STANDARD.encode(text)) };
    let archive = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"B\"\n\n--B--\n";
    for (name, template, status, said) in [
        (
            "lt-gone",
            Template::None,
            "INVALID",
            "The specified launch template, with template ID lt-gone, does not exist.",
        ),
        ("lt-old", Template::NoVersion, "INVALID", "Could not find the specified version 3"),
        (
            "lt-script",
            data("#!/bin/sh\n"),
            "INVALID",
            "Launch Template UserData is not MIME multipart format",
        ),
        ("lt-archive", data(archive), "VALID", "Healthy"),
    ] {
        lock(&bench.fake.templates).insert(name.to_owned(), template);
        let change =
            json!({ "computeResources": { "launchTemplate": { "launchTemplateId": name, "version": "3" } } });
        bench.ok("CreateComputeEnvironment", changed(ec2(name), change)).await;
        let shown = bench.environment(name).await;
        assert_eq!(shown["status"], status, "{name}");
        assert!(shown["statusReason"].as_str().unwrap().contains(said), "{name}: {}", shown["statusReason"]);
    }
}
