//! Jobs that are not over keep what they act as and write to (D21).

use aws_sdk_batch::types::{
    ContainerProperties, JobDefinitionType, JobDependency, JobStatus, ResourceRequirement, ResourceType,
};
use batchwright::plan::{Guard, Objector};
use batchwright::resource::Desired;

use super::{EC2, group};
use crate::world::stage::{Stage, environment, queue, role};

/// A role that tasks may act as.
pub fn of_tasks(name: &str) -> String {
    role(name).replace("batch.amazonaws.com", "ecs-tasks.amazonaws.com")
}

fn definition(stage: &Stage, by: &str, to: &str) -> String {
    let gate = stage.folder().join("gate");
    let wait = format!("until [ -e {} ]; do sleep 0.02; done", gate.display());
    format!(
        "apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {{name: jd, lifecycle: {{keepRevisions: 2}}}}
spec:
  type: container
  containerProperties:
    image: worker:latest
    command: [\"{wait}\"]
    jobRoleArn: ${{iam/Role/{by}.arn}}
    resourceRequirements: [{{type: VCPU, value: \"1\"}}, {{type: MEMORY, value: \"512\"}}]
    logConfiguration: {{logDriver: awslogs, options: {{awslogs-group: \"${{logs/LogGroup/{to}.name}}\"}}}}
"
    )
}

async fn objections(stage: &Stage, desired: &Desired, guard: &Guard) -> Vec<String> {
    let (plan, _) = stage.world.plan(desired, guard).await;
    let jobs = plan.objections.iter().filter(|objection| objection.objector == Objector::Jobs);
    jobs.map(|objection| format!("{}: {}", objection.id, objection.message)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_does_not_go_from_a_job_that_runs() {
    let stage = Stage::new().await;
    let rest = [environment("work", "", EC2), queue("jobs", "", &["work"]), role("keeps")];
    let first = [vec![of_tasks("one"), group("old"), definition(&stage, "one", "old")], rest.to_vec()];
    stage.world.apply(&stage.desired(&first.concat()), &Guard::default()).await;
    let submit =
        |name: &str| stage.batch.submit_job().job_name(name).job_queue("t-jobs").job_definition("t-jd:1");
    let runs = submit("runs").send().await.unwrap().job_id.unwrap();
    let dependency = JobDependency::builder().job_id(&runs).build();
    let waits = submit("waits").depends_on(dependency).send().await.unwrap().job_id.unwrap();
    stage.until(&runs, &JobStatus::Running).await;

    let second = [vec![of_tasks("two"), group("new"), definition(&stage, "two", "new")], rest.to_vec()];
    let second = stage.desired(&second.concat());
    let allowing = |interrupt: &[&str]| Guard {
        allow_delete: ["logs/LogGroup/old".parse().unwrap()].into(),
        allow_interrupt: interrupt.iter().map(|id| id.parse().unwrap()).collect(),
        ..Guard::default()
    };
    let held = |id: &str, physical: &str| {
        format!(
            "{id}: {physical} is to go, while jobs that are not over need it: runs ({runs}), waits ({waits}) (of t-jd:1); wait for them, or allow it with --allow-interrupt={id}"
        )
    };
    let (role_held, group_held) = (held("iam/Role/one", "t-one"), held("logs/LogGroup/old", "t-old"));
    assert_eq!(objections(&stage, &second, &allowing(&[])).await, [role_held.clone(), group_held.clone()]);
    assert_eq!(objections(&stage, &second, &allowing(&["iam/Role/one"])).await, [group_held]);
    // So it is once the revision is gone.
    stage.batch.deregister_job_definition().job_definition("t-jd:1").send().await.unwrap();
    assert_eq!(objections(&stage, &second, &allowing(&["logs/LogGroup/old"])).await, [role_held]);

    // Of jobs that end with their queue, that tells.
    let destroy = Guard { destroy: true, ..Guard::default() };
    let nothing = Desired { resources: std::collections::BTreeMap::new(), ..second.clone() };
    let told = objections(&stage, &nothing, &destroy).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("batch/JobQueue/jobs: its jobs that are not over would end with it"),
        "{told:?}"
    );

    // Nobody asks about jobs for a role that no task acts as.
    stage.world.sandbox.reset_stats();
    let less = [vec![of_tasks("one"), group("old"), definition(&stage, "one", "old")], rest[..2].to_vec()];
    objections(&stage, &stage.desired(&less.concat()), &Guard::default()).await;
    assert_eq!(stage.world.sandbox.stats().of("batch", "ListJobs"), 0);

    stage.release();
    stage.until(&waits, &JobStatus::Succeeded).await;
    assert_eq!(objections(&stage, &second, &allowing(&[])).await, Vec::<String>::new());
    stage.world.apply(&second, &allowing(&[])).await;
}

/// Between plan and apply somebody submits: the role stays, and the next plan says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_submitted_meanwhile_keeps_its_role() {
    let stage = Stage::new().await;
    let rest = [environment("work", "", EC2), queue("jobs", "", &["work"]), role("keeps")];
    let first = [vec![of_tasks("one"), group("old"), definition(&stage, "one", "old")], rest.to_vec()];
    stage.world.apply(&stage.desired(&first.concat()), &Guard::default()).await;
    let second = [vec![of_tasks("two"), group("old"), definition(&stage, "two", "old")], rest.to_vec()];
    let second = stage.desired(&second.concat());
    let (plan, observed) = stage.world.plan(&second, &Guard::default()).await;
    assert_eq!(plan.objections, []);
    let submit = stage.batch.submit_job().job_name("late").job_queue("t-jobs").job_definition("t-jd:1");
    let late = submit.send().await.unwrap().job_id.unwrap();
    let report = stage.world.execute(&plan, &observed).await;
    let failed: Vec<String> = report.failures().map(|(_, failure)| failure.message.clone()).collect();
    assert_eq!(failed, [format!("by now jobs that are not over need it, late ({late}) among 1: plan again")]);
    let held = objections(&stage, &second, &Guard::default()).await;
    assert!(held.len() == 1 && held[0].contains(&late), "{held:?}");
    stage.until(&late, &JobStatus::Running).await;
    stage.release();
    stage.until(&late, &JobStatus::Succeeded).await;
    stage.world.apply(&second, &Guard::default()).await;
}

/// A definition that is not ours, of a family that has nothing to do with us, and an environment that runs no jobs itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_does_not_go_from_a_strangers_definition() {
    let stage = Stage::new().await;
    stage.world.apply(&stage.desired(&[of_tasks("one"), role("keeps")]), &Guard::default()).await;
    let need = |kind, value: &str| ResourceRequirement::builder().r#type(kind).value(value).build();
    let container = ContainerProperties::builder()
        .image("worker:latest")
        .job_role_arn(format!("arn:aws:iam::{}:role/t-one", stage.world.sandbox.account()))
        .resource_requirements(need(ResourceType::Vcpu, "1"))
        .resource_requirements(need(ResourceType::Memory, "512"));
    let register = stage.batch.register_job_definition().job_definition_name("theirs");
    let register = register.r#type(JobDefinitionType::Container).container_properties(container.build());
    register.send().await.unwrap();
    let without = stage.desired(&[role("keeps")]);
    assert_eq!(
        super::objections(&stage, &without, &["iam/Role/one"]).await,
        [
            "iam/Role/one: t-one is to go, while theirs:1, registered by somebody else, needs it: deregister that first, or keep this one"
        ]
    );
    stage.batch.deregister_job_definition().job_definition("theirs:1").send().await.unwrap();
    assert_eq!(super::objections(&stage, &without, &["iam/Role/one"]).await, Vec::<String>::new());
}
