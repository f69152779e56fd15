//! Names in AWS: what bears one is never taken for what is to be made under it, and another name is never passed over (D14).

use crate::world::changes;
use crate::world::stage::{Stage, environment, queue, role};
use batchwright::plan::{Action, Guard, Plan, Verb};

/// A role with more metadata than its name.
fn named(name: &str, metadata: &str) -> String {
    role(name).replace(&format!("name: {name}"), &format!("name: {name}, {metadata}"))
}

fn definition(metadata: &str) -> String {
    format!(
        "apiVersion: batchwright/v1\nkind: batch/JobDefinition\nmetadata: {{name: job{metadata}}}\nspec:\n  type: container\n  containerProperties:\n    image: public.ecr.aws/docker/library/busybox:latest\n    resourceRequirements: [{{type: VCPU, value: \"1\"}}, {{type: MEMORY, value: \"512\"}}]\n"
    )
}

fn refused(plan: &Plan) -> Vec<String> {
    plan.objections.iter().map(|objection| format!("{}: {}", objection.id, objection.message)).collect()
}

async fn planned(stage: &Stage, manifests: &[String]) -> Plan {
    let everything = ["batch/ComputeEnvironment/work", "batch/JobQueue/jobs"];
    let allow_delete = everything.map(|id| id.parse().unwrap()).into();
    stage.world.plan(&stage.desired(manifests), &Guard { allow_delete, ..Guard::default() }).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_another_resource_of_ours_bears_is_not_free() {
    let stage = Stage::new().await;
    let before = [
        named("a", "physicalName: one"),
        named("b", "physicalName: two"),
        environment("work", "", "type: EC2"),
        queue("jobs", "", &["work"]),
    ];
    stage.world.apply(&stage.desired(&before), &Guard::default()).await;

    let swapped = [named("a", "physicalName: two"), named("b", "physicalName: one")];
    insta::assert_snapshot!(refused(&planned(&stage, &[&swapped[..], &before[2..]].concat()).await).join("\n"), @r"
    iam/Role/a: two is the name of iam/Role/b still: apply its other name first, then this one's (by way of a third where two change names)
    iam/Role/b: one is the name of iam/Role/a still: apply its other name first, then this one's (by way of a third where two change names)
    ");
    // Renamed in the manifests only, and nobody says so.
    let renamed = [
        environment("other", ", physicalName: t-work", "type: EC2"),
        queue("rest", ", physicalName: t-jobs", &["other"]),
    ];
    insta::assert_snapshot!(refused(&planned(&stage, &[&before[..2], &renamed[..]].concat()).await).join("\n"), @r"
    batch/ComputeEnvironment/other: t-work is batch/ComputeEnvironment/work: if they are the same, say `renamedFrom: work` here; else give this one another name
    batch/JobQueue/rest: t-jobs is batch/JobQueue/jobs: if they are the same, say `renamedFrom: jobs` here; else give this one another name
    ");
    let said = [
        environment("other", ", physicalName: t-work, renamedFrom: work", "type: EC2"),
        queue("rest", ", physicalName: t-jobs, renamedFrom: jobs", &["other"]),
    ];
    assert_eq!(refused(&planned(&stage, &[&before[..2], &said[..]].concat()).await), Vec::<String>::new());
}

const TRUSTED: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "batch.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_does_not_take_a_name_that_somebody_else_bears() {
    let stage = Stage::new().await;
    let before = [named("a", "physicalName: one")];
    stage.world.apply(&stage.desired(&before), &Guard::default()).await;
    let iam = aws_sdk_iam::Client::new(&stage.world.sandbox.sdk_config());
    for (name, owner) in [("two", None), ("three", Some("acme/other"))] {
        let make = iam.create_role().role_name(name).assume_role_policy_document(TRUSTED);
        let tag = |owner: &str| {
            aws_sdk_iam::types::Tag::builder().key("batchwright:owner").value(owner).build().unwrap()
        };
        make.set_tags(owner.map(|owner| vec![tag(owner)])).send().await.unwrap();
    }
    insta::assert_snapshot!(refused(&planned(&stage, &[named("a", "physicalName: two")]).await).join("\n"), @"iam/Role/a: two exists and has no owner: give it another name here, or remove what is there first");
    insta::assert_snapshot!(refused(&planned(&stage, &[named("a", "physicalName: three")]).await).join("\n"), @"iam/Role/a: three exists and belongs to acme/other: give it another name here, or let acme/other give it up first");
    let free = planned(&stage, &[named("a", "physicalName: four")]).await;
    assert_eq!((free.changes[0].action, refused(&free)), (Action::Replace, vec![]));
    assert_eq!(free.changes[0].reason.0, "the name is create-only; physicalName: one keeps it");
}

/// What was renamed keeps its name in AWS, unless another is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_said_is_not_passed_over() {
    let stage = Stage::new().await;
    stage.world.apply(&stage.desired(&[role("a"), definition("")]), &Guard::default()).await;
    let kept = planned(&stage, &[named("b", "renamedFrom: a"), definition("")]).await;
    assert_eq!(changes(&kept), ["Update iam/Role/b tags.batchwright:name"]);
    let said = planned(&stage, &[named("b", "renamedFrom: a, physicalName: t-c"), definition("")]).await;
    assert_eq!((said.changes[0].action, refused(&said)), (Action::Replace, vec![]));
    let family = planned(&stage, &[role("a"), definition(", physicalName: t-work")]).await;
    insta::assert_snapshot!(refused(&family).join("\n"), @"batch/JobDefinition/job: its revisions are registered as t-job, and a family can't be renamed: say `physicalName: t-job`, or declare t-work under another name beside it and take this one out once nothing uses it");
}

/// Back to a name that an older generation bears still: it is not taken for the one that is to be made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_name_that_is_still_borne_is_not_free() {
    let stage = Stage::new().await;
    stage.world.apply(&stage.desired(&[named("a", "physicalName: one")]), &Guard::default()).await;
    // A run that was cut off leaves the old one behind.
    let other = stage.desired(&[named("a", "physicalName: two")]);
    let (mut plan, observed) = stage.world.plan(&other, &Guard::default()).await;
    plan.steps.retain(|step| step.verb == Verb::Create);
    assert!(stage.world.execute(&plan, &observed).await.complete());

    let back = stage.desired(&[named("a", "physicalName: one")]);
    let plan = stage.world.apply(&back, &Guard::default()).await;
    assert_eq!(plan.changes[0].physical, "one-g3");
    let (rest, observed) = stage.world.plan(&back, &Guard::default()).await;
    assert!(rest.is_idle(), "{:?}", changes(&rest));
    let seen = &observed.resources[&"iam/Role/a".parse().unwrap()];
    assert_eq!(seen.iter().map(|one| one.physical.as_str()).collect::<Vec<_>>(), ["one-g3"]);
}

/// Between a plan and its step another run may give a name to something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_bears_a_name_by_now_is_not_taken_over() {
    let stage = Stage::new().await;
    let both = stage.desired(&[role("a"), role("b")]);
    let (create, nothing) = stage.world.plan(&both, &Guard::default()).await;
    // The other run declares them the other way round.
    let others = stage.desired(&[named("a", "physicalName: t-b"), named("b", "physicalName: t-a")]);
    stage.world.apply(&others, &Guard::default()).await;
    let report = stage.world.execute(&create, &nothing).await;
    let failures: Vec<&str> = report.failures().map(|(_, failure)| failure.message.as_str()).collect();
    assert_eq!(failures, ["t-a is iam/Role/b by now: plan again", "t-b is iam/Role/a by now: plan again"]);
}

/// Somebody else's newer revision hides no protection of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_revision_takes_no_protection_away() {
    let stage = Stage::new().await;
    let job = definition(", protect: true");
    stage.world.apply(&stage.desired(&[role("a"), job]), &Guard::default()).await;
    let foreign = serde_json::json!({"jobDefinitionName": "t-job", "type": "container", "containerProperties": {
        "image": "busybox", "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]}});
    stage.world.sandbox.batch().seed_job_definitions(&foreign, 1).unwrap();
    insta::assert_snapshot!(refused(&planned(&stage, &[role("a")]).await).join("\n"), @"batch/JobDefinition/job: it is protected by its tag batchwright:protect: first apply it with `protect: false`, then delete it");
}
