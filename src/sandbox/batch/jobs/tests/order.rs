//! Who runs when: steps, arrays, dependencies, room.

use std::time::Duration;

use serde_json::json;

use crate::batch::Settings;
use crate::batch::tests::Bench;

#[tokio::test]
async fn every_status_takes_its_step() {
    let settings = Settings { job_step: Duration::from_secs(1), ..Settings::default() };
    let bench = Bench::with_shell(settings).await;
    let id = bench.submit("true", json!({})).await;
    for status in ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "SUCCEEDED"] {
        bench.until(&id, status).await;
        bench.advance(1);
    }
}

#[tokio::test]
async fn cancelling_ends_a_job_that_waits() {
    let bench = Bench::with_shell(Settings::default()).await;
    bench.ok("UpdateComputeEnvironment", json!({ "computeEnvironment": "ce", "state": "DISABLED" })).await;
    let id = bench.submit("true", json!({})).await;
    bench.until(&id, "RUNNABLE").await;
    let front = bench.ok("GetJobQueueSnapshot", json!({ "jobQueue": "q" })).await;
    assert!(front["frontOfQueue"]["jobs"][0]["jobArn"].as_str().unwrap().ends_with(&id));
    let answer = bench.ok("CancelJobs", json!({ "jobs": [id, "none"], "reason": "never mind" })).await;
    assert_eq!(answer["successful"], json!([id]));
    assert_eq!(answer["errors"][0]["message"], "Job none does not exist");
    let job = bench.job(&id).await;
    assert_eq!(
        (&job["status"], &job["statusReason"], &job["isCancelled"]),
        (&json!("FAILED"), &json!("never mind"), &json!(true))
    );
}

#[tokio::test]
async fn an_array_runs_its_children() {
    let bench = Bench::with_shell(Settings::default()).await;
    let script =
        "echo $AWS_BATCH_JOB_ARRAY_INDEX of $AWS_BATCH_JOB_ARRAY_SIZE; test $AWS_BATCH_JOB_ARRAY_INDEX != 1";
    let id = bench.submit(script, json!({ "arrayProperties": { "size": 3 } })).await;
    let parent = bench.until(&id, "FAILED").await;
    assert_eq!(parent["statusReason"], "Array Child Job failed");
    assert_eq!(parent["arrayProperties"]["size"], 3);
    let summary = &parent["arrayProperties"]["statusSummary"];
    assert_eq!(
        (&summary["SUCCEEDED"], &summary["FAILED"], &summary["RUNNING"]),
        (&json!(2), &json!(1), &json!(0))
    );
    let request = json!({ "arrayJobId": id, "jobStatus": "SUCCEEDED" });
    let children = bench.ok("ListJobs", request).await;
    let ids: Vec<&str> = children["jobSummaryList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["jobId"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [format!("{id}:0"), format!("{id}:2")]);
    let child = bench.job(&format!("{id}:2")).await;
    assert_eq!(child["arrayProperties"]["index"], 2);
    assert_eq!(bench.lines("/aws/batch/job", &child), ["2 of 3"]);
}

#[tokio::test]
async fn dependencies_are_waited_for() {
    let bench = Bench::with_shell(Settings::default()).await;
    let order = tempfile::NamedTempFile::new().unwrap();
    let script = format!("echo $AWS_BATCH_JOB_ID >> {}", order.path().display());
    let array = bench
        .submit(&script, json!({ "arrayProperties": { "size": 3 }, "dependsOn": [{ "type": "SEQUENTIAL" }] }))
        .await;
    let pairs = bench
        .submit_defined(json!({
            "arrayProperties": { "size": 3 }, "dependsOn": [{ "jobId": array, "type": "N_TO_N" }],
        }))
        .await;
    let last = bench.submit_defined(json!({ "dependsOn": [{ "jobId": pairs }] })).await;
    bench.until(&last, "SUCCEEDED").await;
    let ran = std::fs::read_to_string(order.path()).unwrap();
    let ran: Vec<&str> = ran.lines().collect();
    let at = |id: String| ran.iter().position(|one| *one == id).unwrap();
    for index in 0..3 {
        assert!(at(format!("{array}:{index}")) < at(format!("{pairs}:{index}")));
        assert!(index == 0 || at(format!("{array}:{}", index - 1)) < at(format!("{array}:{index}")));
    }
    assert_eq!(ran.last(), Some(&last.as_str()));

    let fails = bench.submit("exit 1", json!({})).await;
    let waits = bench.submit_defined(json!({ "dependsOn": [{ "jobId": fails }] })).await;
    assert_eq!(bench.until(&waits, "FAILED").await["statusReason"], "Dependent Job failed");
}

#[tokio::test]
async fn jobs_wait_for_room() {
    let bench = Bench::with_shell(Settings::default()).await;
    let small = json!({ "computeEnvironment": "ce", "computeResources": { "maxvCpus": 1 } });
    bench.ok("UpdateComputeEnvironment", small).await;
    let first = bench.submit("exec sleep 1000", json!({})).await;
    let second = bench.submit("true", json!({})).await;
    bench.until(&first, "RUNNING").await;
    bench.until(&second, "RUNNABLE").await;
    bench.ok("TerminateJob", json!({ "jobId": first, "reason": "make room" })).await;
    bench.until(&second, "SUCCEEDED").await;
}

#[tokio::test]
async fn a_stuck_job_says_why_and_is_cancelled_in_time() {
    let bench = Bench::with_shell(Settings::default()).await;
    let none = json!({ "computeEnvironment": "ce", "computeResources": { "maxvCpus": 0 } });
    bench.ok("UpdateComputeEnvironment", none).await;
    let stuck = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE";
    let actions =
        json!([{ "reason": stuck, "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "CANCEL" }]);
    bench.ok("UpdateJobQueue", json!({ "jobQueue": "q", "jobStateTimeLimitActions": actions })).await;
    let id = bench.submit("true", json!({})).await;
    bench.until(&id, "RUNNABLE").await;
    let told = async || loop {
        let job = bench.job(&id).await;
        if job["statusReason"].is_string() {
            return job["statusReason"].as_str().unwrap().to_owned();
        }
        tokio::task::yield_now().await;
    };
    let reason = tokio::time::timeout(Duration::from_secs(30), told()).await.unwrap();
    assert_eq!(
        reason,
        format!("{stuck} - CE(s) associated with the job queue cannot meet the CPU requirement of the job.")
    );
    bench.advance(600);
    let job = bench.until(&id, "FAILED").await;
    assert_eq!(job["statusReason"], format!("Canceled by JobStateTimeLimit action due to reason: {stuck}"));
}
