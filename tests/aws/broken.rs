//! Compute environments that AWS Batch calls INVALID, for whatever reason: told, tried again, and in nobody else's way.

use crate::world::changes;
use crate::world::stage::{Stage, environment, queue};
use aws_sdk_batch::types::{CeStatus, ComputeResourceUpdate};
use batchwright::plan::{Action, Guard};
use batchwright::render::{self, Paint};
use batchwright::resource::Desired;

fn log_group(name: &str) -> String {
    format!("apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {{name: {name}}}\nspec: {{}}\n")
}

/// An environment in a security group of its own, and other resources.
fn manifests(stage: &Stage, group: &str, others: &[&str]) -> Desired {
    let work = environment("work", "", "type: EC2").replace("GROUP", group);
    let others = others.iter().map(|name| log_group(name));
    stage.desired(&[work, queue("jobs", "", &["work"])].into_iter().chain(others).collect::<Vec<_>>())
}

async fn group(stage: &Stage, ec2: &aws_sdk_ec2::Client, name: &str) -> String {
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let vpc = subnets.subnets()[0].vpc_id().unwrap().to_owned();
    let made = ec2.create_security_group().group_name(name).description(name).vpc_id(vpc).send().await;
    assert!(made.is_ok(), "{made:?} in {}", stage.world.sandbox.account());
    made.unwrap().group_id.unwrap()
}

/// Somebody removes the group, and Batch finds out.
async fn lose(stage: &Stage, ec2: &aws_sdk_ec2::Client, group: &str) {
    ec2.delete_security_group().group_id(group).send().await.unwrap();
    let resources = ComputeResourceUpdate::builder().maxv_cpus(8).build();
    let update = stage.batch.update_compute_environment().compute_environment("t-work");
    update.compute_resources(resources).send().await.unwrap();
    assert_eq!(status(stage).await, CeStatus::Invalid);
}

async fn status(stage: &Stage) -> CeStatus {
    let all = stage.batch.describe_compute_environments().send().await.unwrap();
    all.compute_environments()[0].status().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_broken_is_in_nobody_elses_way() {
    let stage = Stage::new().await;
    let ec2 = aws_sdk_ec2::Client::new(&stage.world.sandbox.sdk_config());
    let lost = group(&stage, &ec2, "lost").await;
    stage.world.apply(&manifests(&stage, &lost, &[]), &Guard::default()).await;
    lose(&stage, &ec2, &lost).await;

    // As declared, and broken: it is told and tried; the log group is made all the same.
    let desired = manifests(&stage, &lost, &["jobs"]);
    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    assert_eq!(plan.objections, []);
    assert_eq!(changes(&plan), ["Update batch/ComputeEnvironment/work", "Create logs/LogGroup/jobs"]);
    stage.world.sandbox.reset_stats();
    let report = stage.world.execute(&plan, &observed).await;
    let told = render::report(&plan, &report, Paint::new(false)).replace(&lost, "sg-…");
    let told = told.replace(&format!("{}/", stage.folder().display()), "");
    insta::assert_snapshot!(told);
    assert_eq!(stage.world.sandbox.stats().of("batch", "UpdateComputeEnvironment"), 1, "it is tried once");
    assert_eq!(stage.world.sandbox.stats().of("logs", "CreateLogGroup"), 1);

    // Mended in the manifest, it is whole again; and nothing is left to do.
    let found = group(&stage, &ec2, "found").await;
    let mended = manifests(&stage, &found, &["jobs"]);
    let plan = stage.world.apply(&mended, &Guard::default()).await;
    assert!(plan.changes.iter().all(|change| change.action != Action::Create), "{:?}", changes(&plan));
    assert_eq!(status(&stage).await, CeStatus::Valid);
    assert!(stage.world.plan(&mended, &Guard::default()).await.0.is_idle());
}
