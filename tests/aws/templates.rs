//! Launch templates (P7): a change makes a version, the compute environment that refers to the newest follows in the same apply, by
//! the way that AWS has for it, and old versions go.

use std::fs;

use crate::world::{World, load, planned};
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
