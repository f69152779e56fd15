//! Roles and log groups that revisions name which outlast them: pinned ones, and those that somebody else registered.

use aws_sdk_batch::types::{ContainerProperties, JobDefinitionType, ResourceRequirement, ResourceType};
use batchwright::plan::Guard;

use super::jobs::of_tasks;
use super::{group, objections};
use crate::world::stage::{Stage, role};

/// A definition whose jobs act as one role and write to one log group.
fn definition(by: &str, to: &str) -> String {
    format!(
        "apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {{name: jd, lifecycle: {{keepRevisions: 2}}}}
spec:
  type: container
  containerProperties:
    image: public.ecr.aws/docker/library/busybox:latest
    jobRoleArn: ${{iam/Role/{by}.arn}}
    resourceRequirements: [{{type: VCPU, value: \"1\"}}, {{type: MEMORY, value: \"512\"}}]
    logConfiguration: {{logDriver: awslogs, options: {{awslogs-group: \"${{logs/LogGroup/{to}.name}}\"}}}}
"
    )
}

/// A role that may submit one revision of it.
fn caller(revision: u32) -> String {
    let resource = format!("arn:aws:batch:us-east-1:ACCOUNT:job-definition/t-jd:{revision}");
    role("caller")
        + &format!(
            "  policies:
    - policyName: submit
      policyDocument:
        Version: \"2012-10-17\"
        Statement: [{{Effect: Allow, Action: batch:SubmitJob, Resource: \"{resource}\"}}]
"
        )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_pinned_revision_needs_stays() {
    let stage = Stage::new().await;
    let first = [of_tasks("one"), group("old"), definition("one", "old"), caller(1)];
    stage.world.apply(&stage.desired(&first), &Guard::default()).await;
    // A definition moves on, and what its first revision names is taken out.
    let moved = |pin: u32| [of_tasks("two"), group("new"), definition("two", "new"), caller(pin)];
    let allow = ["logs/LogGroup/old"];
    insta::assert_snapshot!(objections(&stage, &stage.desired(&moved(1)), &allow).await.join("\n"), @r"
    iam/Role/one: t-one is to go, while revision 1 of batch/JobDefinition/jd, which iam/Role/caller names, needs it (containerProperties.jobRoleArn): let that name a newer one first, or keep this one
    logs/LogGroup/old: t-old is to go, while revision 1 of batch/JobDefinition/jd, which iam/Role/caller names, needs it (containerProperties.logConfiguration.options.awslogs-group): let that name a newer one first, or keep this one
    ");

    // Who lets go of it in the same plan hinders nothing; that the old revision stays is said.
    let desired = stage.desired(&moved(2));
    let guard =
        Guard { allow_delete: allow.iter().map(|id| id.parse().unwrap()).collect(), ..Guard::default() };
    let (plan, _) = stage.world.plan(&desired, &guard).await;
    assert_eq!(plan.objections, []);
    let doubts: Vec<String> = plan
        .warnings
        .iter()
        .map(|doubt| format!("{}: {}", doubt.id.as_ref().unwrap(), doubt.message))
        .collect();
    insta::assert_snapshot!(doubts.join("\n"), @r"
    batch/JobDefinition/jd: revision 1 stays ACTIVE and names t-one (containerProperties.jobRoleArn), which goes: jobs submitted by that number will lack it
    batch/JobDefinition/jd: revision 1 stays ACTIVE and names t-old (containerProperties.logConfiguration.options.awslogs-group), which goes: jobs submitted by that number will lack it
    iam/Role/two: it is like iam/Role/one, which this plan deletes: if that is only renamed, write `renamedFrom: one` under `metadata` here, and it stays as it is in AWS
    logs/LogGroup/new: it is like logs/LogGroup/old, which this plan deletes: if that is only renamed, write `renamedFrom: old` under `metadata` here, and it stays as it is in AWS
    ");
    stage.world.apply(&desired, &guard).await;
}

/// A family of ours goes, and what somebody else has registered into it stays: with what it needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_elses_revision_needs_stays() {
    let stage = Stage::new().await;
    let all = [of_tasks("one"), role("keeps"), group("old"), definition("one", "old")];
    stage.world.apply(&stage.desired(&all), &Guard::default()).await;
    let need = |kind, value: &str| ResourceRequirement::builder().r#type(kind).value(value).build();
    let container = ContainerProperties::builder()
        .image("busybox")
        .job_role_arn(format!("arn:aws:iam::{}:role/t-one", stage.world.sandbox.account()))
        .resource_requirements(need(ResourceType::Vcpu, "1"))
        .resource_requirements(need(ResourceType::Memory, "512"));
    for _ in 0..2 {
        let register = stage.batch.register_job_definition().job_definition_name("t-jd");
        let register = register.r#type(JobDefinitionType::Container);
        register.container_properties(container.clone().build()).send().await.unwrap();
    }
    let held = [
        "iam/Role/one: t-one is to go, while revisions 2, 3 of batch/JobDefinition/jd (t-jd), registered by somebody else, need it (containerProperties.jobRoleArn): deregister that first, or keep this one",
    ];
    let without = stage.desired(&[role("keeps")]);
    assert_eq!(objections(&stage, &without, &["logs/LogGroup/old"]).await, held);
    // So it is where the family stays, and moves on.
    let moved = stage.desired(&[of_tasks("two"), role("keeps"), group("old"), definition("two", "old")]);
    assert_eq!(objections(&stage, &moved, &[]).await, held);
}
