//! A resource under another logical name (`metadata.renamedFrom`): the same one in AWS, with all that guards it, and with
//! its old generations.

use std::collections::BTreeMap;

use crate::world::changes;
use crate::world::stage::{Stage, environment, queue};
use batchwright::plan::{Action, Guard, Objector, Plan, Verb};
use batchwright::resource::{Desired, Image, ResourceId};

const EC2: &str = "type: EC2";
const SPOT: &str = "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED";
const FROM_WORK: &str = ", renamedFrom: work";

fn ce(name: &str) -> ResourceId {
    ResourceId::new("batch/ComputeEnvironment", name)
}

fn manifests(stage: &Stage, name: &str, metadata: &str, resources: &str) -> Desired {
    stage.desired(&[environment(name, metadata, resources), queue("jobs", "", &[name])])
}

fn actions(plan: &Plan) -> BTreeMap<String, Action> {
    plan.changes.iter().map(|change| (change.id.to_string(), change.action)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_name_changes_nothing_but_tags() {
    let stage = Stage::new().await;
    stage.world.apply(&manifests(&stage, "work", "", EC2), &Guard::default()).await;
    let desired = manifests(&stage, "compute", FROM_WORK, EC2);
    let plan = stage.world.apply(&desired, &Guard::default()).await;
    assert_eq!(actions(&plan), BTreeMap::from([(ce("compute").to_string(), Action::Update)]));
    assert!(plan.steps.iter().all(|step| step.verb == Verb::Tag), "{:?}", plan.steps);
    let (again, observed) = stage.world.plan(&desired, &Guard::default()).await;
    assert_eq!(changes(&again), Vec::<String>::new());
    assert_eq!(observed.resources[&ce("compute")].current.as_ref().unwrap().physical, "t-work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_name_takes_no_protection_away() {
    let stage = Stage::new().await;
    stage.world.apply(&manifests(&stage, "work", ", protect: true", EC2), &Guard::default()).await;
    let (plan, _) = stage.world.plan(&manifests(&stage, "compute", FROM_WORK, SPOT), &Guard::default()).await;
    let protected: Vec<String> = plan
        .objections
        .iter()
        .filter(|objection| objection.objector == Objector::Protected)
        .map(|objection| objection.id.to_string())
        .collect();
    assert_eq!(protected, [ce("compute").to_string()]);
}

/// Renamed and replaced in one: wherever it is cut off, the next run finds both generations, and nothing is left behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_under_a_new_name_leaves_nothing_behind() {
    let stage = Stage::new().await;
    stage.world.apply(&manifests(&stage, "work", "", EC2), &Guard::default()).await;
    let kept = stage.world.sandbox.snapshot().await.unwrap();
    let desired = manifests(&stage, "compute", FROM_WORK, SPOT);
    let (whole, observed) = stage.world.plan(&desired, &Guard::default()).await;
    let verbs: Vec<Verb> = whole.steps.iter().map(|step| step.verb).collect();
    assert_eq!(verbs, [Verb::Create, Verb::Update, Verb::Update, Verb::Disable, Verb::Drain, Verb::Delete]);
    for count in 1..=whole.steps.len() {
        stage.world.sandbox.restore(&kept).await.unwrap();
        let mut prefix = whole.clone();
        prefix.steps.truncate(count);
        stage.world.execute(&prefix, &observed).await;
        stage.world.apply(&desired, &Guard::default()).await;
        let (left, observed) = stage.world.plan(&desired, &Guard::default()).await;
        assert!(left.is_idle(), "after {count} steps: {:?}", changes(&left));
        let seen = &observed.resources[&ce("compute")];
        assert_eq!(
            (seen.current.as_ref().unwrap().physical.as_str(), seen.others.len()),
            ("t-compute", 0),
            "after {count} steps"
        );
        let all = stage.batch.describe_compute_environments().send().await.unwrap();
        assert_eq!(all.compute_environments().len(), 1, "after {count} steps");
        let grounded = stage.world.sandbox.batch().queue_history().into_iter().all(|moment| {
            let usable =
                |(_, state, status): &(String, String, String)| state == "ENABLED" && status == "VALID";
            moment.environments.iter().any(usable)
        });
        assert!(grounded, "after {count} steps");
    }
}

/// Another name in AWS is the one that is asked for, and not one of its generations; the old one goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_physical_name_is_taken_as_it_is() {
    let stage = Stage::new().await;
    let named = |name: &str| {
        let metadata = if name.is_empty() { String::new() } else { format!(", physicalName: {name}") };
        stage.desired(&[environment("work", "", EC2), queue("jobs", &metadata, &["work"])])
    };
    let jobs = ResourceId::new("batch/JobQueue", "jobs");
    let guard = Guard { allow_delete: [jobs.clone()].into(), ..Guard::default() };
    stage.world.apply(&named(""), &guard).await;
    for name in ["wanted", "again", ""] {
        let desired = named(name);
        stage.world.apply(&desired, &guard).await;
        let (plan, observed) = stage.world.plan(&desired, &guard).await;
        assert!(plan.is_idle(), "{:?}", changes(&plan));
        let expected = if name.is_empty() { "t-jobs" } else { name };
        assert_eq!(observed.resources[&jobs].current.as_ref().unwrap().physical, expected);
        let queues = stage.batch.describe_job_queues().send().await.unwrap();
        assert_eq!(queues.job_queues().len(), 1, "the old one is gone");
    }
}

/// Its images are where it is in AWS, whatever else bears the name that it would have now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_of_a_renamed_repository_are_found() {
    let stage = Stage::new().await;
    let ecr = aws_sdk_ecr::Client::new(&stage.world.sandbox.sdk_config());
    let push = async |repository: &str, config: &str| {
        let manifest =
            format!(r#"{{"schemaVersion":2,"config":{{"digest":"sha256:{config}"}},"layers":[]}}"#);
        let push = ecr.put_image().repository_name(repository).image_tag("x").image_manifest(manifest);
        let push = push.image_manifest_media_type("application/vnd.docker.distribution.manifest.v2+json");
        let pushed = push.send().await.unwrap().image.unwrap().image_id.unwrap();
        let account = stage.world.sandbox.account();
        format!("{account}.dkr.ecr.us-east-1.amazonaws.com/{repository}@{}", pushed.image_digest().unwrap())
    };
    let declared = |name: &str, metadata: &str| {
        let manifest = format!(
            "apiVersion: batchwright/v1\nkind: ecr/Repository\nmetadata: {{name: {name}{metadata}}}\nspec: {{}}\n"
        );
        let mut desired = stage.desired(&[manifest]);
        let repository = ResourceId::new("ecr/Repository", name);
        let image = Image { repository, tag: "x".to_owned(), resolved: None };
        desired.images.insert("worker".to_owned(), image);
        desired
    };
    stage.world.apply(&declared("repo", ""), &Guard::default()).await;
    let image = push("t-repo", "1").await;
    let renamed = declared("arepo", ", renamedFrom: repo");
    let expected = BTreeMap::from([("worker".to_owned(), image)]);
    assert_eq!(stage.world.observe(&renamed).await.images, expected);

    ecr.create_repository().repository_name("t-arepo").send().await.unwrap();
    push("t-arepo", "2").await;
    assert_eq!(stage.world.observe(&renamed).await.images, expected);
    stage.world.apply(&renamed, &Guard::default()).await;
    assert_eq!(stage.world.observe(&renamed).await.images, expected);
}

/// Jobs go on being submitted: definition and queue are found under the names that they have in AWS.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_definition_and_queue_take_jobs() {
    let stage = Stage::new().await;
    let declared = |names: [&str; 2], from: [&str; 2]| {
        let definition = format!(
            "apiVersion: batchwright/v1\nkind: batch/JobDefinition\nmetadata: {{name: {}{}}}\nspec:\n  type: container\n  containerProperties:\n    image: worker\n    resourceRequirements: [{{type: VCPU, value: \"1\"}}, {{type: MEMORY, value: \"512\"}}]\n",
            names[0], from[0]
        );
        let environment = environment("work", "", EC2);
        stage.desired(&[environment, queue(names[1], from[1], &["work"]), definition])
    };
    stage.world.apply(&declared(["old", "jobs"], ["", ""]), &Guard::default()).await;
    let renamed = declared(["new", "line"], [", renamedFrom: old", ", renamedFrom: jobs"]);
    let found = async || {
        let target = batchwright::jobs::find(&renamed, &stage.world.cloud, "new", None).await.unwrap();
        let last = |arn: &str| arn.rsplit('/').next().unwrap().to_owned();
        (last(&target.definition), target.family.clone(), last(&target.queue))
    };
    let expected = ("t-old:1".to_owned(), "t-old".to_owned(), "t-jobs".to_owned());
    assert_eq!(found().await, expected);
    stage.world.apply(&renamed, &Guard::default()).await;
    assert_eq!(found().await, expected);
}
