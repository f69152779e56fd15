//! What may be asked of a submission, and what listings answer.

use serde_json::{Value, json};

use crate::batch::Settings;
use crate::batch::tests::{Bench, changed, definition, ec2, queue_on};

#[tokio::test]
async fn parameters_are_put_into_the_command() {
    let bench = Bench::with_shell(Settings::default()).await;
    let jd = changed(
        definition("jd", &["echo $0 $1", "Ref::file", "Ref::mode"]),
        json!({
            "parameters": { "mode": "fast", "file": "none" },
        }),
    );
    bench.ok("RegisterJobDefinition", jd).await;
    let id = bench.submit_defined(json!({ "parameters": { "file": "a b.csv" } })).await;
    let job = bench.until(&id, "SUCCEEDED").await;
    assert_eq!(bench.lines("/aws/batch/job", &job), ["a b.csv fast"]);
    bench.ok("RegisterJobDefinition", definition("open", &["Ref::nothing"])).await;
    let request = json!({ "jobName": "job", "jobQueue": "q", "jobDefinition": "open" });
    assert_eq!(
        bench.call("SubmitJob", request).await.unwrap_err(),
        "ClientException: Unable to substitute value. No parameter found for reference nothing"
    );
}

#[tokio::test]
async fn a_multi_node_job_runs_its_main_node() {
    let bench = Bench::with_shell(Settings::default()).await;
    bench.ok("CreateComputeEnvironment", ec2("ec2")).await;
    bench.ok("CreateJobQueue", queue_on("onec2", &["ec2"])).await;
    let node = |nodes: &str, script: &str| {
        let container = definition("x", &[script])["containerProperties"].clone();
        json!({ "targetNodes": nodes, "container": changed(container, json!({ "executionRoleArn": null })) })
    };
    let ranges = json!([node("0:1", "exit 7"), node("2:", "exit 8")]);
    let nodes = json!({ "numNodes": 4, "mainNode": 3, "nodeRangeProperties": ranges });
    bench
        .ok(
            "RegisterJobDefinition",
            json!({ "jobDefinitionName": "jd", "type": "multinode", "nodeProperties": nodes }),
        )
        .await;
    let id = bench.submit_defined(json!({ "jobQueue": "onec2" })).await;
    let job = bench.until(&id, "FAILED").await;
    assert_eq!(job["attempts"][0]["container"]["exitCode"], 8);
    // "Specifying a multi-node parallel job ID with this parameter lists all nodes" (API_ListJobs, multiNodeJobId).
    let listed = bench.ok("ListJobs", json!({ "multiNodeJobId": id, "jobStatus": "FAILED" })).await;
    let listed = listed["jobSummaryList"].as_array().unwrap();
    let ids: Vec<&str> = listed.iter().map(|one| one["jobId"].as_str().unwrap()).collect();
    assert_eq!(ids, (0..4).map(|index| format!("{id}#{index}")).collect::<Vec<_>>());
    let last = json!({ "isMainNode": true, "numNodes": 4, "nodeIndex": 3 });
    assert_eq!(listed[3]["nodeProperties"], last);
    let running = bench.ok("ListJobs", json!({ "multiNodeJobId": id })).await;
    assert_eq!(running["jobSummaryList"], json!([]));
}

#[tokio::test]
async fn overrides_reach_tasks_and_pods() {
    let bench = Bench::with_shell(Settings::default()).await;
    let requirements = json!([{ "type": "VCPU", "value": "1" }, { "type": "MEMORY", "value": "2048" }]);
    let task = json!({
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "containers": [
            { "name": "side", "image": "worker:1", "essential": false },
            { "name": "main", "image": "worker:1", "command": ["exit 1"], "resourceRequirements": requirements },
        ],
    });
    bench
        .ok(
            "RegisterJobDefinition",
            json!({
                "jobDefinitionName": "jd", "type": "container", "platformCapabilities": ["FARGATE"],
                "ecsProperties": { "taskProperties": [task] },
            }),
        )
        .await;
    let containers = json!([{ "name": "main", "command": ["exit $CODE"], "environment": [{ "name": "CODE", "value": "9" }] }]);
    let id = bench
        .submit_defined(
            json!({ "ecsPropertiesOverride": { "taskProperties": [{ "containers": containers }] } }),
        )
        .await;
    let job = bench.until(&id, "FAILED").await;
    assert_eq!(job["ecsProperties"]["taskProperties"][0]["containers"][1]["exitCode"], 9);
}

#[tokio::test]
async fn jobs_are_listed_by_status_and_filter() {
    let bench = Bench::with_shell(Settings::default()).await;
    let mut ids = Vec::new();
    for name in ["load-a", "load-b", "other"] {
        ids.push(bench.submit("true", json!({ "jobName": name })).await);
    }
    for id in &ids {
        bench.until(id, "SUCCEEDED").await;
    }
    let names = async |request: Value| {
        let answer = bench.ok("ListJobs", request).await;
        let jobs = answer["jobSummaryList"].as_array().unwrap().iter();
        jobs.map(|one| one["jobName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({ "jobQueue": "q" })).await, Vec::<String>::new());
    assert_eq!(
        names(json!({ "jobQueue": "q", "jobStatus": "SUCCEEDED", "maxResults": 2 })).await,
        ["load-a", "load-b"]
    );
    // "The results are sorted by the createdAt field, with the most recent jobs being first" (API_ListJobs, filters).
    let filtered = async |name: &str, value: &str, more: Value| {
        let filters = json!([{ "name": name, "values": [value] }]);
        names(changed(json!({ "jobQueue": "q", "filters": filters }), more)).await
    };
    assert_eq!(filtered("JOB_NAME", "LOAD*", json!({})).await, ["load-b", "load-a"]);
    assert_eq!(filtered("JOB_NAME", "*", json!({})).await, ["other", "load-b", "load-a"]);
    assert_eq!(filtered("JOB_DEFINITION", "JD", json!({})).await, Vec::<String>::new());
    assert_eq!(filtered("JOB_DEFINITION", "jd", json!({})).await, ["other", "load-b", "load-a"]);
    let third = "arn:aws:batch:us-east-1:123456789012:job-definition/jd:3";
    assert_eq!(filtered("JOB_DEFINITION", third, json!({})).await, ["other"]);
    let failed = json!({ "jobStatus": "FAILED" });
    assert_eq!(filtered("JOB_NAME", "other", failed).await, ["other"], "a filter goes before the status");
    let name = json!({ "name": "JOB_NAME", "values": ["*"] });
    let two = json!({ "jobQueue": "q", "filters": [name, name] });
    bench.call("ListJobs", two).await.expect_err("only one filter can be used at a time");

    // Page by page in the same order.
    let filters = json!([{ "name": "JOB_NAME", "values": ["*"] }]);
    let first = bench.ok("ListJobs", json!({ "jobQueue": "q", "filters": filters, "maxResults": 2 })).await;
    let token = json!({ "maxResults": 2, "nextToken": first["nextToken"] });
    assert_eq!(filtered("JOB_NAME", "*", token).await, ["load-a"]);
}

/// "The SHARE_IDENTIFIER filter and the jobStatus field can be used together" (API_ListJobs, filters).
#[tokio::test]
async fn jobs_of_a_share_are_listed_with_and_without_a_status() {
    let bench = Bench::with_shell(Settings::default()).await;
    let policy = bench.ok("CreateSchedulingPolicy", json!({ "name": "fair", "fairsharePolicy": {} })).await;
    let queue = json!({ "schedulingPolicyArn": policy["arn"] });
    bench.ok("CreateJobQueue", changed(queue_on("shares", &["ce"]), queue)).await;
    let mut done = Vec::new();
    for (name, share, script) in [("a", "one", "true"), ("b", "two", "true"), ("c", "one", "exit 1")] {
        let more = json!({ "jobName": name, "jobQueue": "shares", "shareIdentifier": share });
        done.push(bench.submit(script, more).await);
    }
    for (id, status) in done.iter().zip(["SUCCEEDED", "SUCCEEDED", "FAILED"]) {
        bench.until(id, status).await;
    }
    let listed = async |more: Value| {
        let filters = json!([{ "name": "SHARE_IDENTIFIER", "values": ["one"] }]);
        let request = changed(json!({ "jobQueue": "shares", "filters": filters }), more);
        let answer = bench.ok("ListJobs", request).await;
        let jobs = answer["jobSummaryList"].as_array().unwrap().iter();
        jobs.map(|one| one["jobName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(json!({})).await, ["c", "a"]);
    assert_eq!(listed(json!({ "jobStatus": "FAILED" })).await, ["c"]);
}

/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_NetworkInterface.html>
#[tokio::test]
async fn a_job_on_fargate_has_a_network_interface() {
    let bench = Bench::with_shell(Settings::default()).await;
    let id = bench.submit("true", json!({})).await;
    let job = bench.until(&id, "SUCCEEDED").await;
    let own = &job["container"]["networkInterfaces"][0];
    assert!(own["privateIpv4Address"].is_string() && own["attachmentId"].is_string(), "{job}");
    assert_eq!(&job["attempts"][0]["container"]["networkInterfaces"][0], own);
}

#[tokio::test]
async fn submissions_that_aws_refuses_are_refused() {
    let bench = Bench::with_shell(Settings::default()).await;
    bench.ok("RegisterJobDefinition", definition("jd", &["true"])).await;
    bench.ok("RegisterJobDefinition", definition("gone", &["true"])).await;
    bench.ok("DeregisterJobDefinition", json!({ "jobDefinition": "gone:1" })).await;
    bench.ok("CreateComputeEnvironment", ec2("ec2")).await;
    bench.ok("CreateJobQueue", queue_on("onec2", &["ec2"])).await;
    bench.ok("CreateJobQueue", changed(queue_on("closed", &["ce"]), json!({ "state": "DISABLED" }))).await;
    let request = json!({ "jobName": "job", "jobQueue": "q", "jobDefinition": "jd" });
    for (change, message) in [
        (json!({ "jobQueue": "none" }), "Job queue none does not exist"),
        (json!({ "jobQueue": "closed" }), "Job queue closed is not in ENABLED state"),
        (
            json!({ "jobDefinition": "gone:1" }),
            "Job definition gone:1 does not exist or is not in ACTIVE status",
        ),
        (json!({ "jobDefinition": "gone" }), "Job definition gone does not exist or is not in ACTIVE status"),
        (
            json!({ "jobQueue": "onec2" }),
            "Job Queue is attached to Compute Environment that can not run Jobs with capability FARGATE.",
        ),
        (
            json!({ "jobName": "a b" }),
            "Error executing request, Exception : Job name should match valid pattern",
        ),
        (
            json!({ "arrayProperties": { "size": 1 } }),
            "Error executing request, Exception : Array size must be between 2 and 10000.",
        ),
        (
            json!({ "shareIdentifier": "a" }),
            "Job with shareIdentifier or schedulingPriority can onlybe submitted to job queue with fair share \
             scheduling policy.",
        ),
        (
            json!({ "timeout": { "attemptDurationSeconds": 5 } }),
            "Error executing request, Exception : AttemptDurationSeconds in Timeout must be at least 60 seconds.",
        ),
    ] {
        let error = bench.call("SubmitJob", changed(request.clone(), change)).await.unwrap_err();
        assert_eq!(error, format!("ClientException: {message}"));
    }
}
