//! Files that jobs share: what mounts a file system comes after its mount targets, and goes before them.

use std::fs;

use crate::world::{World, load, planned};
use batchwright::manifest::Options;
use batchwright::plan::{Guard, Objector, Plan, Verb};
use batchwright::resource::{Desired, OnDelete, ResourceId};

/// Jobs on Fargate that mount a file system by an access point.
const STACK: &str = include_str!("files/stack.yaml");

pub fn desired(account: &str) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("test")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/main")).unwrap();
    let environment = format!(
        "project: acme/files\naccount: \"{account}\"\nregion: us-east-1\nnamePrefix: test-\nstacks: [main]\n"
    );
    fs::write(folder.path().join("test/environment.yaml"), environment).unwrap();
    fs::write(folder.path().join("stacks/main/all.yaml"), STACK).unwrap();
    load(folder.path(), "test", &Options::default())
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

/// Whether one step runs after another, be it by way of others.
fn is_after(plan: &Plan, (late, verb): (&str, Verb), early: (&str, Verb)) -> bool {
    let step = plan.steps.iter().find(|step| step.resource == id(late) && step.verb == verb).unwrap();
    step.after.iter().any(|before| {
        let before = &plan.steps[*before];
        let (of, verb) = (before.resource.to_string(), before.verb);
        (of.as_str(), verb) == early || is_after(plan, (&of, verb), early)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_mount_what_stands_and_let_go_of_it_first() {
    let desired = desired("700000000021");
    let world = World::of(&desired).await;
    let plan = world.apply(&desired, &Guard::default()).await;
    let (system, point) = ("efs/FileSystem/scratch", "efs/AccessPoint/results");
    assert!(is_after(&plan, ("batch/JobDefinition/work", Verb::Register), (system, Verb::Create)));
    assert!(is_after(&plan, ("batch/JobDefinition/work", Verb::Register), (point, Verb::Create)));
    assert!(is_after(&plan, (system, Verb::Create), ("ec2/Subnet/a", Verb::Create)));

    // A step of it ends when its mount targets stand, and a plan changes nothing then.
    let observed = world.observe(&desired).await;
    let live = observed.resources[&id(system)].current.as_ref().unwrap();
    let states: Vec<&str> = live.outputs["mountTargets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["available", "available"]);
    assert!(planned(&desired, &observed, &Guard::default()).is_empty());

    // It holds files, and is not deleted without a word.
    let mut silent = desired.clone();
    silent.resources.get_mut(&id(system)).unwrap().on_delete = OnDelete::Refuse;
    world.apply(&silent, &Guard::default()).await;
    let nothing = Desired { resources: Default::default(), ..desired.clone() };
    let destroy = Guard { destroy: true, ..Guard::default() };
    let (refused, _) = world.plan(&nothing, &destroy).await;
    let said: Vec<_> = refused.objections.iter().filter(|it| it.objector == Objector::Data).collect();
    assert!(said.len() == 1 && said[0].message.contains("files, some of which EFS may not"), "{said:?}");

    world.apply(&desired, &Guard::default()).await;
    let plan = world.apply(&nothing, &destroy).await;
    assert!(is_after(&plan, (system, Verb::Delete), (point, Verb::Delete)));
    assert!(is_after(&plan, ("ec2/Subnet/a", Verb::Delete), (system, Verb::Delete)));
    let efs = aws_sdk_efs::Client::new(&world.sandbox.sdk_config());
    assert!(efs.describe_file_systems().send().await.unwrap().file_systems().is_empty());
    assert!(efs.describe_access_points().send().await.unwrap().access_points().is_empty());
}
