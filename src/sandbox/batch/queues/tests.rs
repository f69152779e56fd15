//! What a queue shows and what it refuses.

use serde_json::{Value, json};

use crate::batch::tests::{Bench, changed, ec2, fargate, queue_on};

#[tokio::test]
async fn environments_are_shown_as_arns_in_their_order() {
    let bench = Bench::new();
    for name in ["a", "b"] {
        bench.ok("CreateComputeEnvironment", fargate(name)).await;
    }
    let order = json!([{ "order": 7, "computeEnvironment": "a" }, { "order": 3, "computeEnvironment": "b" }]);
    let request = changed(queue_on("q", &["a"]), json!({ "computeEnvironmentOrder": order }));
    bench.ok("CreateJobQueue", request).await;
    insta::assert_json_snapshot!(bench.queue("q").await, @r#"
    {
      "computeEnvironmentOrder": [
        {
          "computeEnvironment": "arn:aws:batch:us-east-1:123456789012:compute-environment/b",
          "order": 3
        },
        {
          "computeEnvironment": "arn:aws:batch:us-east-1:123456789012:compute-environment/a",
          "order": 7
        }
      ],
      "jobQueueArn": "arn:aws:batch:us-east-1:123456789012:job-queue/q",
      "jobQueueName": "q",
      "jobQueueType": "ECS_FARGATE",
      "jobStateTimeLimitActions": [],
      "priority": 1,
      "state": "ENABLED",
      "status": "VALID",
      "statusReason": "JobQueue Healthy",
      "tags": {}
    }
    "#);
}

#[tokio::test]
async fn requests_that_aws_refuses_are_refused() {
    let bench = Bench::new();
    for name in ["a", "b", "c", "d"] {
        bench.ok("CreateComputeEnvironment", fargate(name)).await;
    }
    bench.ok("CreateComputeEnvironment", ec2("ec2")).await;
    let lost = changed(fargate("lost"), json!({ "computeResources": { "subnets": ["subnet-9"] } }));
    bench.ok("CreateComputeEnvironment", lost).await;
    bench.ok("CreateSchedulingPolicy", json!({ "name": "p1" })).await;
    bench.ok("CreateJobQueue", queue_on("taken", &["a"])).await;
    let policy = |name: &str| format!("arn:aws:batch:us-east-1:123456789012:scheduling-policy/{name}");
    bench
        .ok(
            "CreateJobQueue",
            changed(queue_on("fair", &["a"]), json!({ "schedulingPolicyArn": policy("p1") })),
        )
        .await;
    let not_valid = "Compute Environments must be created and valid before attaching them to a job queue";
    let same_order =
        json!([{ "order": 1, "computeEnvironment": "a" }, { "order": 1, "computeEnvironment": "b" }]);
    let actions = |action: &str, time: u64| {
        let reason =
            if action == "UNKNOWN" { "UNKNOWN" } else { "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT" };
        let action = action.replace("UNKNOWN", "CANCEL");
        json!({ "jobStateTimeLimitActions": [
            { "reason": reason, "state": "RUNNABLE", "maxTimeSeconds": time, "action": action },
        ] })
    };
    let q = |order: &[&str]| queue_on("q", order);
    let create: Vec<(Value, &str)> = vec![
        (queue_on("taken", &["a"]), "Object already exists"),
        (queue_on("a b", &["a"]), "Job Queue name should match a valid pattern."),
        (q(&[]), "computeEnvironmentOrder is required."),
        (q(&["a", "b", "c", "d"]), "Only 3 environments are allowed in job queue request."),
        (q(&["a", "a"]), "Duplicate ComputeEnvironments within order list."),
        (
            changed(q(&["a"]), json!({ "computeEnvironmentOrder": same_order })),
            "Duplicate ComputeEnvironment order values.",
        ),
        (q(&["a", "ec2"]), "Fargate and EC2 compute environments can not be mixed."),
        (q(&["none"]), not_valid),
        (q(&["lost"]), not_valid),
        (changed(q(&["a"]), json!({ "priority": 1001 })), "Priority must be between 0 and 1000."),
        (changed(q(&["a"]), json!({ "priority": null })), "priority is required."),
        (changed(q(&["a"]), actions("TERMINATE", 600)), "Invalid job action. Valid job actions: [CANCEL]"),
        (
            changed(q(&["a"]), actions("UNKNOWN", 600)),
            "Invalid job reason. Valid job reasons: [CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY, \
             MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE, MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT]",
        ),
        (changed(q(&["a"]), actions("CANCEL", 10)), "maxTimeSeconds must be between 600 and 86400."),
    ];
    for (request, message) in create {
        let error = bench.call("CreateJobQueue", request).await.unwrap_err();
        let error = error.replace("Error executing request, Exception : ", "");
        assert_eq!(error, format!("ClientException: {message}"));
    }
    for (request, message) in [
        (json!({ "jobQueue": "none" }), "Job queue none does not exist"),
        (
            json!({ "jobQueue": "taken", "schedulingPolicyArn": policy("p1") }),
            "schedulingPolicyArn cannot be added to a job queue that was created without one.",
        ),
        (
            json!({ "jobQueue": "fair", "schedulingPolicyArn": "" }),
            "schedulingPolicyArn can be replaced but not removed.",
        ),
        (
            json!({ "jobQueue": "fair", "schedulingPolicyArn": policy("p2") }),
            "SchedulingPolicy arn:aws:batch:us-east-1:123456789012:scheduling-policy/p2 not found.",
        ),
        (
            json!({ "jobQueue": "taken", "computeEnvironmentOrder": [] }),
            "computeEnvironmentOrder is required.",
        ),
    ] {
        let error = bench.call("UpdateJobQueue", request).await.unwrap_err();
        let error = error.replace("Error executing request, Exception : ", "");
        assert_eq!(error, format!("ClientException: {message}"));
    }
    let arn = policy("p1");
    assert_eq!(
        bench.call("DeleteSchedulingPolicy", json!({ "arn": arn })).await.unwrap_err(),
        "ClientException: Cannot delete, found existing JobQueue relationship"
    );
}
