//! Launch templates (P7): a change makes a version, the compute environment that refers to the newest follows in the same apply, by
//! the way that AWS has for it, and old versions go.

use std::collections::BTreeMap;
use std::fs;

use crate::world::{World, load, planned};
use aws_sdk_ec2::types::{RequestLaunchTemplateData, ResourceType};
use batchwright::kind::{Effect, Manner, Order};
use batchwright::manifest::Options;
use batchwright::plan::{Guard, Plan, Verb};
use batchwright::resource::{Desired, Observed, ResourceId};

/// The whole of a stack on EC2: network with a NAT gateway, instance profile, launch template, environment.
pub const STACK: &str = include_str!("templates/stack.yaml");

/// `volume`: in GiB; `strategy`: how instance types are chosen.
pub fn desired(account: &str, volume: u32, strategy: &str) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("test")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/main")).unwrap();
    let environment = format!(
        "project: acme/templates\naccount: \"{account}\"\nregion: us-east-1\nnamePrefix: test-\nstacks: [main]\n"
    );
    fs::write(folder.path().join("test/environment.yaml"), environment).unwrap();
    let stack = STACK.replace("<volume>", &volume.to_string()).replace("<strategy>", strategy);
    fs::write(folder.path().join("stacks/main/all.yaml"), stack).unwrap();
    load(folder.path(), "test", &Options::default())
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

/// The version that the environment is pinned to, and those that there are beside the default one.
fn versions(observed: &Observed) -> (String, Vec<u64>) {
    let environment = &observed.resources[&id("batch/ComputeEnvironment/work")];
    let spec = &environment.current.as_ref().unwrap().spec;
    let pinned = spec["computeResources"]["launchTemplate"]["version"].as_str().unwrap().to_owned();
    let template = &observed.resources[&id("ec2/LaunchTemplate/jobs")];
    let mut there: Vec<u64> = template.iter().filter_map(|live| live.revision).collect();
    there.sort_unstable();
    (pinned, there)
}

/// What becomes of the environment, and which of its fields changes.
fn effect(plan: &Plan) -> Effect {
    let change = plan.changes.iter().find(|it| it.id == id("batch/ComputeEnvironment/work")).unwrap();
    let paths: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["computeResources.launchTemplate.version"]);
    change.effect.clone().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_follows_its_template_and_old_versions_go() {
    let account = "700000000011";
    let world = World::of(&desired(account, 30, "BEST_FIT_PROGRESSIVE")).await;
    let mut seen = Vec::new();
    for volume in [30, 50, 70, 90] {
        let desired = desired(account, volume, "BEST_FIT_PROGRESSIVE");
        let before = world.observe(&desired).await;
        let guard =
            Guard { allow_interrupt: [id("batch/ComputeEnvironment/work")].into(), ..Guard::default() };
        let plan = world.apply_to(&desired, &before, &guard).await;
        if volume > 30 {
            assert_eq!(effect(&plan), Effect::Update(Manner::ReplacesInstances));
            let template = plan.changes.iter().find(|it| it.id.kind == "ec2/LaunchTemplate").unwrap();
            assert_eq!(template.effect, Some(Effect::NewRevision));
        }
        let observed = world.observe(&desired).await;
        let rest = planned(&desired, &observed, &Guard::default());
        assert!(rest.is_empty(), "{volume}: {:#?}", rest.changes);
        seen.push(versions(&observed));
    }
    // keepRevisions: 2. The first is the default version, which AWS keeps with the template.
    let expected = [("1", &[1][..]), ("2", &[2]), ("3", &[2, 3]), ("4", &[3, 4])];
    let expected = expected.map(|(pinned, there)| (pinned.to_owned(), there.to_vec()));
    assert_eq!(seen, expected);

    let last = desired(account, 90, "BEST_FIT_PROGRESSIVE");
    let nothing = Desired { resources: Default::default(), ..last.clone() };
    let plan = world.apply(&nothing, &Guard { destroy: true, ..Guard::default() }).await;
    let gone = plan.steps.iter().filter(|step| step.verb == Verb::Deregister).count();
    assert_eq!(gone, 2, "both versions that are not the default; with the newest went the template");
    let ec2 = aws_sdk_ec2::Client::new(&world.sandbox.sdk_config());
    assert!(ec2.describe_launch_templates().send().await.unwrap().launch_templates().is_empty());
    assert!(ec2.describe_addresses().send().await.unwrap().addresses().is_empty());
}

/// AWS updates no environment with BEST_FIT in place: another one takes its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_that_cannot_follow_in_place_is_replaced() {
    let account = "700000000012";
    let first = desired(account, 30, "BEST_FIT");
    let world = World::of(&first).await;
    world.apply(&first, &Guard::default()).await;
    let second = desired(account, 50, "BEST_FIT");
    let plan = world.apply(&second, &Guard::default()).await;
    assert_eq!(effect(&plan), Effect::Replace(Order::CreateFirst));
    let observed = world.observe(&second).await;
    assert_eq!(versions(&observed).0, "2");
    assert!(planned(&second, &observed, &Guard::default()).is_empty());
}

/// Tags of a template are no part of a version: both change in one apply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_and_tags_change_in_one_apply() {
    let template = id("ec2/LaunchTemplate/jobs");
    let of = |volume: u32, team: &str| {
        let mut desired = desired("700000000013", volume, "BEST_FIT_PROGRESSIVE");
        desired.resources.retain(|id, _| *id == template);
        let declared = desired.resources.get_mut(&template).unwrap();
        declared.tags.insert("team".to_owned(), team.to_owned());
        // What it names is not there, and AWS does not look.
        desired
    };
    let first = of(30, "a");
    let world = World::of(&first).await;
    world.apply(&first, &Guard::default()).await;
    let second = of(50, "b");
    world.apply(&second, &Guard::default()).await;
    let observed = world.observe(&second).await;
    let rest = planned(&second, &observed, &Guard::default());
    assert!(rest.is_empty(), "{:#?}", rest.changes);
    let newest = observed.resources[&template].current.as_ref().unwrap();
    assert_eq!((newest.revision, newest.tags["team"].as_str()), (Some(2), "b"));
}

/// A template of that name that is somebody else's gets no version of ours, however the name came to be taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_of_somebody_elses_gets_no_version() {
    let template = id("ec2/LaunchTemplate/jobs");
    let mut desired = desired("700000000014", 30, "BEST_FIT_PROGRESSIVE");
    desired.resources.retain(|id, _| *id == template);
    let world = World::of(&desired).await;
    let before = world.observe(&desired).await;
    let plan = planned(&desired, &before, &Guard::default());
    // Between the plan and the apply somebody makes one.
    let ec2 = aws_sdk_ec2::Client::new(&world.sandbox.sdk_config());
    let data = RequestLaunchTemplateData::builder().key_name("theirs").build();
    let call = ec2.create_launch_template().launch_template_name("test-jobs").launch_template_data(data);
    call.send().await.unwrap();
    let report = world.execute(&plan, &before).await;
    assert!(!report.complete(), "{:?}", report.outcomes);
    let versions = ec2.describe_launch_template_versions().launch_template_name("test-jobs").send().await;
    assert_eq!(versions.unwrap().launch_template_versions().len(), 1);
}

/// What no name tells is found all the same: of kinds that this environment has nothing of, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_lookups_name_is_read() {
    const ENVIRONMENT: &str = r#"
project: acme/templates
account: "700000000015"
region: us-east-1
namePrefix: test-
stacks: [main]
existing:
  address: {kind: ec2/ElasticIp, tags: {use: nat}}
  template: {kind: ec2/LaunchTemplate, tags: {use: jobs}}
  same: {kind: ec2/LaunchTemplate, id: <id>}
"#;
    const STACK: &str = r#"
apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: jobs}
spec:
  description: ${existing.address.id} ${existing.template.latestVersion} ${existing.same.id}
  assumeRolePolicyDocument:
    Version: "2012-10-17"
    Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]
"#;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("test")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/main")).unwrap();
    fs::write(folder.path().join("stacks/main/all.yaml"), STACK).unwrap();
    let desired = |id: &str| {
        fs::write(folder.path().join("test/environment.yaml"), ENVIRONMENT.replace("<id>", id)).unwrap();
        load(folder.path(), "test", &Options::default())
    };
    let world = World::of(&desired("lt-0123456789abcdef0")).await;
    let ec2 = aws_sdk_ec2::Client::new(&world.sandbox.sdk_config());
    let tagged = |of: ResourceType, value: &str| {
        let tags = BTreeMap::from([("use".to_owned(), value.to_owned())]);
        batchwright::services::ec2::tag_on_create(of, &tags)
    };
    let address = ec2.allocate_address().tag_specifications(tagged(ResourceType::ElasticIp, "nat")).send();
    let address = address.await.unwrap().allocation_id.unwrap();
    let data = RequestLaunchTemplateData::builder().key_name("theirs").build();
    let call = ec2.create_launch_template().launch_template_name("theirs").launch_template_data(data);
    let made = call.tag_specifications(tagged(ResourceType::LaunchTemplate, "jobs")).send().await.unwrap();
    let template = made.launch_template.unwrap().launch_template_id.unwrap();

    let desired = desired(&template);
    world.apply(&desired, &Guard::default()).await;
    let observed = world.observe(&desired).await;
    let role = observed.resources[&id("iam/Role/jobs")].current.as_ref().unwrap();
    assert_eq!(role.spec["description"], format!("{address} 1 {template}"));
}
