//! What a later apply does (D20): told as that, and neither counted as done, nor a change, nor drift.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: what fails here fails it"
)]

mod world;

use batchwright::plan::Guard;
use batchwright::render::{self, Paint};
use world::changes;
use world::stage::{Stage, environment, queue, role};

fn served(by: &str, resources: &str) -> String {
    let work = environment("work", ", lifecycle: {drainTimeout: 0s}", resources);
    work.replace("spec:\n", &format!("spec:\n  serviceRole: \"${{iam/Role/{by}.arn}}\"\n"))
}

/// A role that only the old generation needs goes after it: for as long as a job runs, both are due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_behind_a_drain_is_due_as_well() {
    let stage = Stage::new().await;
    let jobs = queue("jobs", "", &["work"]);
    let before = stage.desired(&[role("first"), served("first", "type: EC2"), jobs.clone()]);
    stage.world.apply(&before, &Guard::default()).await;
    let job = stage.running_job("t-jobs", "long").await;

    let spot = served("second", "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED");
    let after = stage.desired(&[role("second"), spot, jobs]);
    let (plan, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert_eq!(plan.objections, []);
    let report = stage.world.execute(&plan, &observed).await;
    assert!(report.complete(), "{report:#?}");
    let told = render::report(&plan, &report, Paint::new(false)).replace(&job, "0f3c");
    insta::assert_snapshot!(told, @r"
    Due: 1 job still runs (long 0f3c) on t-work: it is switched off, and an apply after its end deletes it
      after that: delete iam/Role/first (t-first)

    Applied: 1 added, 1 changed, 1 replaced, 0 deleted; 1 to be deleted by a later apply.
    ");

    let (rest, _) = stage.world.plan(&after, &Guard::default()).await;
    assert_eq!(changes(&rest), Vec::<String>::new());
    let due: Vec<String> = rest.due.iter().map(|due| format!("{} {}", due.id, due.physical)).collect();
    assert_eq!(due, ["batch/ComputeEnvironment/work t-work", "iam/Role/first t-first"]);
    assert!(!render::has_drifted(&rest));

    stage.release();
    stage.until(&job, &aws_sdk_batch::types::JobStatus::Succeeded).await;
    stage.world.apply(&after, &Guard::default()).await;
    let (nothing, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert!(nothing.is_idle() && nothing.due.is_empty(), "{:?}", nothing.due);
    assert!(!observed.resources.contains_key(&"iam/Role/first".parse().unwrap()));
}

/// What holds data is a change of its own whenever it goes, also where only what is due still names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_is_never_due_in_passing() {
    let stage = Stage::new().await;
    let logs = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: kept, onDelete: empty}\nspec: {}\n";
    let writes = role("first")
        + "  policies:\n    - policyName: write\n      policyDocument:\n        Version: \"2012-10-17\"\n        Statement: [{Effect: Allow, Action: logs:PutLogEvents, Resource: \"${logs/LogGroup/kept.arn}\"}]\n";
    let jobs = queue("jobs", "", &["work"]);
    let before = [logs.to_owned(), writes, served("first", "type: EC2"), jobs.clone()];
    stage.world.apply(&stage.desired(&before), &Guard::default()).await;
    stage.running_job("t-jobs", "long").await;
    let spot = served("second", "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED");
    let moved = [logs.to_owned(), role("second"), spot, jobs];
    stage.world.apply(&stage.desired(&moved), &Guard::default()).await;

    let (plan, _) = stage.world.plan(&stage.desired(&moved[1..]), &Guard::default()).await;
    assert_eq!(changes(&plan), ["Delete logs/LogGroup/kept"]);
    assert!(plan.due.iter().any(|due| due.physical == "t-first"), "its role is due: {:?}", plan.due);
    let refused: Vec<String> = plan.objections.iter().map(|objection| objection.id.to_string()).collect();
    assert_eq!(refused, ["logs/LogGroup/kept"], "{:?}", plan.objections);
    stage.release();
}
