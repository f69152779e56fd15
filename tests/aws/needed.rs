//! What goes while something that stays stands on it: refused in the plan, with who needs it and the way out. And what
//! goes together, goes in order.

mod jobs;
mod network;
mod outside;
mod revisions;

use std::collections::BTreeSet;

use crate::world::stage::{Stage, environment, queue, role};
use aws_sdk_batch::types::{CeType, ComputeEnvironmentOrder, CrType};
use batchwright::plan::{Guard, Objector, Plan, Verb};
use batchwright::resource::{Desired, ResourceId};

const EC2: &str = "type: EC2";
const SPOT: &str = "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED";
const LITERAL: &str = "arn:aws:iam::ACCOUNT:role/t-service";
const REFERENCE: &str = "${iam/Role/service.arn}";

fn group(name: &str) -> String {
    format!(
        "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {{name: {name}, onDelete: empty}}\nspec: {{}}\n"
    )
}

/// An environment with this service role.
fn served(name: &str, metadata: &str, by: &str) -> String {
    environment(name, metadata, EC2).replace("spec:\n", &format!("spec:\n  serviceRole: \"{by}\"\n"))
}

async fn objections(stage: &Stage, desired: &Desired, allow: &[&str]) -> Vec<String> {
    let allow_delete = allow.iter().map(|id| id.parse().unwrap()).collect();
    let (plan, _) = stage.world.plan(desired, &Guard { allow_delete, ..Guard::default() }).await;
    let held = plan.objections.iter().filter(|objection| objection.objector == Objector::Held);
    held.map(|objection| format!("{}: {}", objection.id, objection.message)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_does_not_go_from_under_what_stays() {
    let stage = Stage::new().await;
    let jobs = queue("jobs", "", &["work"]);
    let declared = |metadata: &str, by: &str| [role("service"), served("work", metadata, by), jobs.clone()];
    stage.world.apply(&stage.desired(&declared("", REFERENCE)), &Guard::default()).await;

    // By its ARN, and by a field that is left alone.
    let literal = stage.desired(&[served("work", "", LITERAL), jobs.clone()]);
    assert_eq!(
        objections(&stage, &literal, &[]).await,
        [
            "iam/Role/service: t-service is to go, while batch/ComputeEnvironment/work needs it (serviceRole): let that field name another first, or keep this one"
        ]
    );
    let ignored = stage.desired(&[environment("work", ", ignore: [serviceRole]", EC2), jobs.clone()]);
    assert_eq!(objections(&stage, &ignored, &[]).await, objections(&stage, &literal, &[]).await);

    // By what stays in AWS although nobody declares it any more.
    stage.world.apply(&stage.desired(&declared(", onDelete: retain", REFERENCE)), &Guard::default()).await;
    let retained = stage.desired(&[role("other")]);
    let found = objections(&stage, &retained, &["batch/JobQueue/jobs"]).await;
    assert_eq!(
        found,
        [
            "iam/Role/service: t-service is to go, while batch/ComputeEnvironment/work (t-work), which stays in AWS by its onDelete, needs it (serviceRole): keep this one, or let it stay as well (onDelete: retain)"
        ]
    );
}

/// Somebody else's compute environment, of the same account, that Batch serves with `t-service`.
async fn theirs(stage: &Stage) {
    let resources = aws_sdk_batch::types::ComputeResource::builder().r#type(CrType::Fargate).maxv_cpus(4);
    let desired = stage.desired(&[environment("x", "", EC2)]);
    let spec = &desired.resources[&ResourceId::new("batch/ComputeEnvironment", "x")].spec["computeResources"];
    let resources = resources
        .subnets(spec["subnets"][0].as_str().unwrap())
        .security_group_ids(spec["securityGroupIds"][0].as_str().unwrap());
    let foreign = stage.batch.create_compute_environment().compute_environment_name("theirs");
    let arn = format!("arn:aws:iam::{}:role/t-service", stage.world.sandbox.account());
    let foreign = foreign.r#type(CeType::Managed).service_role(arn).compute_resources(resources.build());
    foreign.send().await.unwrap();
}

const THEIRS: &str = "iam/Role/service: t-service is to go, while the ComputeEnvironment theirs of nobody we know needs it (serviceRole): it has to let go of it first";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_does_not_go_from_under_another_owners_environment() {
    let stage = Stage::new().await;
    let own = environment("own", "", EC2);
    stage.world.apply(&stage.desired(&[role("service"), own.clone()]), &Guard::default()).await;
    theirs(&stage).await;
    assert_eq!(objections(&stage, &stage.desired(&[own]), &[]).await, [THEIRS]);
}

/// Roles may be declared apart from what they serve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_declares_nothing_of_batch_looks_who_needs_the_role_all_the_same() {
    let stage = Stage::new().await;
    stage.world.apply(&stage.desired(&[role("service"), role("keeps")]), &Guard::default()).await;
    theirs(&stage).await;
    assert_eq!(objections(&stage, &stage.desired(&[role("keeps")]), &[]).await, [THEIRS]);
}

/// What moves to another role first lets the old one go in the same apply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_goes_with_or_after_what_needed_it() {
    let stage = Stage::new().await;
    let all = [role("service"), role("keeps"), served("work", "", REFERENCE), queue("jobs", "", &["work"])];
    stage.world.apply(&stage.desired(&all), &Guard::default()).await;
    let gone = stage.desired(&[role("keeps")]);
    let allow = ["batch/ComputeEnvironment/work", "batch/JobQueue/jobs", "iam/Role/service"];
    assert_eq!(objections(&stage, &gone, &allow).await, Vec::<String>::new());
    let allow_delete: BTreeSet<ResourceId> = allow.iter().map(|id| id.parse().unwrap()).collect();
    stage.world.apply(&gone, &Guard { allow_delete, ..Guard::default() }).await;
}

fn waits(plan: &Plan, later: (&str, Verb), earlier: (&str, Verb)) -> bool {
    let at = |(physical, verb): (&str, Verb)| {
        plan.steps.iter().find(|step| step.physical == physical && step.verb == verb).unwrap()
    };
    let (mut before, goal) = (vec![at(later).id], at(earlier).id);
    let mut next = 0;
    while let Some(id) = before.get(next).copied() {
        before.extend(plan.steps[id].after.iter().filter(|id| !before.contains(id)).collect::<Vec<_>>());
        next += 1;
    }
    before.contains(&goal)
}

/// The old generation of an environment goes after the queue that is deleted beside it, however long that takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replacement_retires_waits_for_what_is_deleted_beside_it() {
    let stage = Stage::new().await;
    let before = [environment("work", "", EC2), queue("stays", "", &["work"]), queue("goes", "", &["work"])];
    stage.world.apply(&stage.desired(&before), &Guard::default()).await;
    let after = [environment("work", "", SPOT), queue("stays", "", &["work"])];
    let goes: ResourceId = "batch/JobQueue/goes".parse().unwrap();
    let guard = Guard { allow_delete: BTreeSet::from([goes]), ..Guard::default() };
    let desired = stage.desired(&after);
    let (plan, _) = stage.world.plan(&desired, &guard).await;
    assert_eq!(plan.objections, []);
    assert!(waits(&plan, ("t-work", Verb::Disable), ("t-goes", Verb::Delete)), "{:#?}", plan.steps);
    assert!(waits(&plan, ("t-work", Verb::Delete), ("t-goes", Verb::Delete)));

    // Nor does what an old generation stands on go before it.
    let mut settings = stage.world.sandbox.batch().settings();
    settings.relationship_lag = 5;
    stage.world.sandbox.batch().set_settings(settings);
    stage.world.apply(&desired, &guard).await;
}

/// A queue of a stranger is unconcerned by all that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_queue_still_speaks_for_itself() {
    let stage = Stage::new().await;
    stage
        .world
        .apply(&stage.desired(&[environment("work", "", EC2), role("keeps")]), &Guard::default())
        .await;
    let order = ComputeEnvironmentOrder::builder().order(1).compute_environment("t-work").build();
    let theirs = stage.batch.create_job_queue().job_queue_name("theirs").priority(1);
    theirs.compute_environment_order(order).send().await.unwrap();
    let allow = ["batch/ComputeEnvironment/work"];
    let found = objections(&stage, &stage.desired(&[role("keeps")]), &allow).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("no queue may be left without a compute environment"), "{found:?}");
}

/// A queue takes one architecture for life: a successor on Graviton can't take its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_of_another_architecture_is_refused() {
    let stage = Stage::new().await;
    let jobs = queue("jobs", "", &["work"]);
    stage.world.apply(&stage.desired(&[environment("work", "", EC2), jobs.clone()]), &Guard::default()).await;
    let graviton = environment("work", "", SPOT).replace("[m5]", "[m6g]");
    assert_eq!(
        objections(&stage, &stage.desired(&[graviton, jobs]), &[]).await,
        [
            "batch/ComputeEnvironment/work: its successor runs jobs on EC2 (arm64) instead of EC2, and a queue takes one of them for life: batch/JobQueue/jobs can't follow; declare a new compute environment and a new queue beside them"
        ]
    );
}
