//! Jobs as real processes: `sh -c` stands in for every image that begins with `worker`.

mod asked;
mod order;

use std::time::Duration;

use serde_json::{Value, json};

use super::retry::Ending;
use crate::batch::tests::{Bench, changed, definition, queue_on};
use crate::batch::{Settings, lock};

impl Bench {
    async fn with_shell(settings: Settings) -> Self {
        let bench = Self::with(settings);
        bench.batch.map_image("worker", "/bin/sh".into(), vec!["-c".into()]);
        bench.with_fargate("ce", "q").await;
        bench
    }

    /// Submits a job that runs this script.
    async fn submit(&self, script: &str, change: Value) -> String {
        self.ok("RegisterJobDefinition", definition("jd", &[script])).await;
        self.submit_defined(change).await
    }

    async fn submit_defined(&self, change: Value) -> String {
        let request = json!({ "jobName": "job", "jobQueue": "q", "jobDefinition": "jd" });
        let answer = self.ok("SubmitJob", changed(request, change)).await;
        answer["jobId"].as_str().unwrap().to_owned()
    }

    async fn job(&self, id: &str) -> Value {
        self.ok("DescribeJobs", json!({ "jobs": [id] })).await["jobs"][0].clone()
    }

    /// Lets the scheduler and the processes work until the job is in this status.
    async fn until(&self, id: &str, status: &str) -> Value {
        let wait = async {
            loop {
                let job = self.job(id).await;
                if job["status"] == status {
                    return job;
                }
                tokio::task::yield_now().await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(30), wait).await {
            Ok(job) => job,
            Err(_) => panic!("job never got {status}: {:#}", self.job(id).await),
        }
    }

    /// What a running job has written. RUNNING says that its process was started, not that it has come to its first line.
    async fn first_output(&self, id: &str) -> String {
        let wait = async {
            loop {
                let job = self.job(id).await;
                if job["container"]["logStreamName"].is_string() {
                    let written = self.lines("/aws/batch/job", &job).concat();
                    if !written.is_empty() {
                        return written;
                    }
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap()
    }

    fn lines(&self, group: &str, job: &Value) -> Vec<String> {
        let stream = job["container"]["logStreamName"].as_str().unwrap().to_owned();
        lock(&self.fake.streams).get(&(group.to_owned(), stream)).cloned().unwrap_or_default()
    }
}

#[tokio::test]
async fn a_job_runs_and_its_output_is_logged() {
    let bench = Bench::with_shell(Settings::default()).await;
    let script = "echo one; echo two >&2; echo $AWS_BATCH_JQ_NAME $AWS_BATCH_CE_NAME $AWS_BATCH_JOB_ATTEMPT $COLOUR $SIZE";
    bench.ok("RegisterJobDefinition", changed(definition("jd", &[script]), json!({
        "containerProperties": { "environment": [
            { "name": "COLOUR", "value": "red" }, { "name": "SIZE", "value": "small" }, { "name": "NONE", "value": "" },
        ] },
    }))).await;
    let id = bench
        .submit_defined(json!({
            "containerOverrides": { "environment": [{ "name": "SIZE", "value": "large" }] },
        }))
        .await;
    let job = bench.until(&id, "SUCCEEDED").await;
    let mut lines = bench.lines("/aws/batch/job", &job);
    lines.sort();
    assert_eq!(lines, ["one", "q ce 1 red large", "two"]);
    assert_eq!(job["container"]["exitCode"], 0);
    assert_eq!(job["statusReason"], "Essential container in task exited");
    assert_eq!(job["attempts"].as_array().unwrap().len(), 1);
    let cluster = bench.environment("ce").await["ecsClusterArn"].as_str().unwrap().to_owned();
    let task = job["container"]["taskArn"].as_str().unwrap();
    assert!(task.starts_with(&format!("{}/", cluster.replace(":cluster/", ":task/"))), "{task}");
    assert!(job["container"]["logStreamName"].as_str().unwrap().starts_with("jd/default/"));
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>: 1,048,576 bytes, 26 of them for each event.
#[tokio::test]
async fn a_line_without_an_end_is_cut_where_the_largest_event_ends() {
    let bench = Bench::with_shell(Settings::default()).await;
    let id = bench.submit("echo a; head -c 2500000 /dev/zero | tr '\\0' x", json!({})).await;
    let job = bench.until(&id, "SUCCEEDED").await;
    let lengths: Vec<usize> = bench.lines("/aws/batch/job", &job).iter().map(String::len).collect();
    assert_eq!(lengths, [1, 1_048_550, 1_048_550, 402_900]);
}

#[tokio::test]
async fn no_more_than_so_many_jobs_run_at_once_and_the_others_wait() {
    let bench = Bench::with_shell(Settings { processes: 2, ..Settings::default() }).await;
    let gate = tempfile::tempdir().unwrap();
    let script = format!("until [ -e {}/open ]; do sleep 0.02; done", gate.path().display());
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(bench.submit(&script, json!({})).await);
    }
    for id in &ids[..2] {
        bench.until(id, "RUNNING").await;
    }
    let third = bench.until(&ids[2], "RUNNABLE").await;
    assert_eq!(third["statusReason"], Value::Null);
    std::fs::write(gate.path().join("open"), "").unwrap();
    for id in &ids {
        bench.until(id, "SUCCEEDED").await;
    }
}

#[tokio::test]
async fn an_image_without_a_program_cannot_be_pulled() {
    let bench = Bench::with_shell(Settings::default()).await;
    let jd = changed(definition("jd", &["x"]), json!({ "containerProperties": { "image": "other:1" } }));
    bench.ok("RegisterJobDefinition", jd).await;
    let id = bench.submit_defined(json!({})).await;
    let job = bench.until(&id, "FAILED").await;
    assert_eq!(
        job["statusReason"],
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref other:1: \
         other:1: not found"
    );
    assert_eq!(job["container"]["reason"], job["statusReason"]);
    assert_eq!(job["startedAt"], Value::Null);
}

#[tokio::test]
async fn a_missing_log_group_stops_the_job() {
    let bench = Bench::with_shell(Settings::default()).await;
    let jd = changed(
        definition("jd", &["echo hi"]),
        json!({ "containerProperties": { "logConfiguration": {
        "logDriver": "awslogs",
        "options": { "awslogs-group": "/mine", "awslogs-stream-prefix": "pre" },
    } } }),
    );
    bench.ok("RegisterJobDefinition", jd).await;
    let id = bench.submit_defined(json!({})).await;
    let reason = bench.until(&id, "FAILED").await["statusReason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("ResourceInitializationError: failed to validate logger args"), "{reason}");
    lock(&bench.fake.log_groups).push("/mine".into());
    let id = bench.submit_defined(json!({})).await;
    let job = bench.until(&id, "SUCCEEDED").await;
    assert!(job["container"]["logStreamName"].as_str().unwrap().starts_with("pre/default/"));
    assert_eq!(bench.lines("/mine", &job), ["hi"]);
}

#[tokio::test]
async fn a_failed_job_is_tried_again() {
    let bench = Bench::with_shell(Settings::default()).await;
    let id = bench.submit("exit $AWS_BATCH_JOB_ATTEMPT", json!({ "retryStrategy": { "attempts": 3 } })).await;
    let job = bench.until(&id, "FAILED").await;
    let codes: Vec<&Value> =
        job["attempts"].as_array().unwrap().iter().map(|one| &one["container"]["exitCode"]).collect();
    assert_eq!(codes, [1, 2, 3]);
    let rules = json!([{ "onExitCode": "2", "action": "EXIT" }, { "onExitCode": "*", "action": "RETRY" }]);
    let id =
        bench.submit_defined(json!({ "retryStrategy": { "attempts": 5, "evaluateOnExit": rules } })).await;
    assert_eq!(bench.until(&id, "FAILED").await["attempts"].as_array().unwrap().len(), 2);
}

#[test]
fn rules_decide_about_retries() {
    let ending = |code: Option<i32>, reason: &str| Ending {
        exit_code: code,
        reason: Some(reason.into()),
        status_reason: "Host EC2 (instance i-1) terminated.".into(),
        retryable: true,
    };
    for (rules, code, reason, retried) in [
        (json!([]), Some(1), "", true),
        (json!([{ "onStatusReason": "Host EC2*", "action": "exit" }]), Some(1), "", false),
        (json!([{ "onExitCode": "13*", "action": "exit" }]), Some(137), "", false),
        (json!([{ "onExitCode": "13*", "action": "exit" }]), Some(1), "", true),
        (json!([{ "onExitCode": "1", "onReason": "Out*", "action": "exit" }]), Some(1), "OutOfMemory", false),
        (json!([{ "onExitCode": "1", "onReason": "Out*", "action": "exit" }]), Some(1), "Other", true),
        (
            json!([{ "onReason": "CannotPull*", "action": "RETRY" }, { "onReason": "*", "action": "EXIT" }]),
            None,
            "x",
            false,
        ),
    ] {
        let rules = rules.as_array().unwrap();
        assert_eq!(ending(code, reason).calls_for_retry(rules), retried, "{rules:?} {code:?} {reason}");
    }
}

#[tokio::test]
async fn a_timeout_kills_the_whole_group_and_is_never_retried() {
    let bench = Bench::with_shell(Settings::default()).await;
    let id = bench
        .submit(
            "sleep 1000 & sleep 1000",
            json!({
                "timeout": { "attemptDurationSeconds": 60 }, "retryStrategy": { "attempts": 3 },
            }),
        )
        .await;
    bench.until(&id, "RUNNING").await;
    bench.advance(60);
    let job = bench.until(&id, "FAILED").await;
    assert_eq!(job["statusReason"], "Job attempt duration exceeded timeout");
    assert_eq!(job["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(job["container"]["exitCode"], 143);
}

#[tokio::test]
async fn terminating_ends_a_running_job() {
    let bench = Bench::with_shell(Settings::default()).await;
    let id = bench.submit("echo $$; exec sleep 1000", json!({ "retryStrategy": { "attempts": 3 } })).await;
    bench.until(&id, "RUNNING").await;
    bench.ok("CancelJob", json!({ "jobId": id, "reason": "too late for that" })).await;
    assert_eq!(bench.job(&id).await["status"], "RUNNING");
    let pid = bench.first_output(&id).await;
    bench.ok("TerminateJob", json!({ "jobId": id, "reason": "enough" })).await;
    let job = bench.until(&id, "FAILED").await;
    assert_eq!((&job["statusReason"], &job["isTerminated"]), (&json!("enough"), &json!(true)));
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "process {pid} is left behind");
}

#[tokio::test]
async fn nothing_is_left_behind_after_shutdown() {
    let bench = Bench::with_shell(Settings::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let script =
        format!("trap '' TERM; sleep 1000 & echo $! $$ > {0}.new; mv {0}.new {0}; wait", file.display());
    bench.submit(&script, json!({})).await;
    while !file.exists() {
        tokio::task::yield_now().await;
    }
    bench.batch.shutdown().await;
    let gone = async |pid: &str| loop {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A killed orphan may wait for its new parent to take notice.
        if stat.is_empty() || stat.contains(") Z ") {
            return;
        }
        tokio::task::yield_now().await;
    };
    for pid in std::fs::read_to_string(&file).unwrap().split_whitespace() {
        let gone = tokio::time::timeout(Duration::from_secs(10), gone(pid)).await;
        assert!(gone.is_ok(), "process {pid} is left behind");
    }
}

#[tokio::test]
async fn losing_its_instance_is_a_reason_to_retry() {
    let bench = Bench::with_shell(Settings::default()).await;
    let policy = json!({ "computeEnvironment": "ec2", "updatePolicy": { "terminateJobsOnUpdate": true } });
    bench.ok("CreateComputeEnvironment", crate::batch::tests::ec2("ec2")).await;
    bench.ok("UpdateComputeEnvironment", policy).await;
    bench.ok("CreateJobQueue", queue_on("onec2", &["ec2"])).await;
    let script = "test $AWS_BATCH_JOB_ATTEMPT = 2 || exec sleep 1000";
    let change =
        json!({ "platformCapabilities": ["EC2"], "containerProperties": { "executionRoleArn": null } });
    bench.ok("RegisterJobDefinition", changed(definition("jd", &[script]), change)).await;
    let rules =
        json!([{ "onStatusReason": "Host EC2*", "action": "RETRY" }, { "onReason": "*", "action": "EXIT" }]);
    let id = bench
        .submit_defined(
            json!({ "jobQueue": "onec2", "retryStrategy": { "attempts": 3, "evaluateOnExit": rules } }),
        )
        .await;
    bench.until(&id, "RUNNING").await;
    // More room does not interrupt anything, other instances do.
    let update = async |change: Value| {
        bench
            .ok(
                "UpdateComputeEnvironment",
                json!({ "computeEnvironment": "ec2", "computeResources": change }),
            )
            .await;
    };
    update(json!({ "maxvCpus": 32 })).await;
    assert_eq!(bench.job(&id).await["status"], "RUNNING");
    update(json!({ "instanceTypes": ["c5.large"] })).await;
    let job = bench.until(&id, "SUCCEEDED").await;
    let reason = job["attempts"][0]["statusReason"].as_str().unwrap();
    assert!(reason.starts_with("Host EC2 (instance "), "{reason}");
}

#[tokio::test]
async fn a_restored_job_starts_anew() {
    let bench = Bench::with_shell(Settings::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("flag");
    let id = bench.submit(&format!("test -e {} || exec sleep 1000", flag.display()), json!({})).await;
    bench.until(&id, "RUNNING").await;
    let snapshot = bench.batch.snapshot();
    std::fs::write(&flag, "").unwrap();
    bench.batch.restore(snapshot).unwrap();
    bench.until(&id, "SUCCEEDED").await;
}
