//! Jobs as real processes: `sh -c` stands in for every image that begins with `worker`.

use std::time::Duration;

use serde_json::{Value, json};

use super::retry::Ending;
use crate::sandbox::batch::tests::{Bench, changed, definition, queue_on};
use crate::sandbox::batch::{Settings, lock};

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
    bench.ok("TerminateJob", json!({ "jobId": id, "reason": "enough" })).await;
    let job = bench.until(&id, "FAILED").await;
    assert_eq!((&job["statusReason"], &job["isTerminated"]), (&json!("enough"), &json!(true)));
    let pid = bench.lines("/aws/batch/job", &job).concat();
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
    let filters = json!([{ "name": "JOB_NAME", "values": ["LOAD*"] }]);
    assert_eq!(names(json!({ "jobQueue": "q", "filters": filters })).await, ["load-a", "load-b"]);
    let filters = json!([{ "name": "JOB_DEFINITION", "values": ["jd:3"] }]);
    assert_eq!(names(json!({ "jobQueue": "q", "filters": filters })).await, ["other"]);
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

#[tokio::test]
async fn submissions_that_aws_refuses_are_refused() {
    let bench = Bench::with_shell(Settings::default()).await;
    bench.ok("RegisterJobDefinition", definition("jd", &["true"])).await;
    bench.ok("RegisterJobDefinition", definition("gone", &["true"])).await;
    bench.ok("DeregisterJobDefinition", json!({ "jobDefinition": "gone:1" })).await;
    bench.ok("CreateComputeEnvironment", crate::sandbox::batch::tests::ec2("ec2")).await;
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
