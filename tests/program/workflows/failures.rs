//! What fails before anything is applied, and where people read of it.

use std::fs;

use serde_json::{Value, json};

use super::runner::Event;
use super::{Scene, commit, went_well, went_wrong, write};
use crate::forge::{BOT, REPOSITORY};

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_manifests_are_told_on_the_pull_request() {
    let scene = Scene::set("633333333336").await;
    let number = scene.forge.world().open("alice", true, "A mistake");
    let mut runner = scene.runner();
    let path = scene.repository.path().join("manifests/stacks/main/main.yaml");
    let text = fs::read_to_string(&path).unwrap().replace("retentionInDays", "retentionInDay");
    fs::write(&path, text).unwrap();
    let ran = runner.run("plan.yml", &scene.push(number, 1, REPOSITORY)).await;
    went_wrong(&ran, "plan");
    went_wrong(&ran, "gate");
    assert!(ran["plan"].log.contains("::error title=batchwright,file=manifests/stacks/main/main.yaml,line="));
    let comment = scene.comment(number);
    assert!(comment.contains("plan failed: prod") && comment.contains("retentionInDay"), "{comment}");
    scene.keep_logs(30);
    let ran = runner.run("plan.yml", &scene.push(number, 2, REPOSITORY)).await;
    went_well(&ran, "gate");
    // Whole in the log, too.
    assert!(ran["plan"].log.contains("+ create logs/LogGroup/jobs as prod-jobs"), "{}", ran["plan"].log);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_never_began_opens_an_issue() {
    let scene = Scene::set("633333333337").await;
    let number = scene.forge.world().open("alice", true, "First");
    let mut runner = scene.runner();
    went_well(&runner.run("plan.yml", &scene.push(number, 1, REPOSITORY)).await, "plan");
    let merge = scene.merge(number, 1, 10);
    write(scene.repository.path(), ".ci/run", "#!/bin/sh\nexit 1\n");
    let ran = runner.run("deploy.yml", &merge).await;
    assert_eq!(ran["deploy"].log, "skipped");
    went_well(&ran, "report");
    assert!(scene.comment(number).contains("❌ **Nothing was applied to prod"), "{}", scene.comment(number));
    assert_eq!(scene.issue("Deployment failed: prod").unwrap()["state"], "open");

    // It builds and passes again: the issue is closed, and nobody reports twice.
    scene.keep_logs(7);
    let ran = runner.run("deploy.yml", &merge).await;
    went_well(&ran, "deploy");
    assert_eq!(ran["report"].log, "skipped");
    assert_eq!(scene.issue("Deployment failed: prod").unwrap()["state"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_build_opens_one_issue() {
    let scene = Scene::set("633333333338").await;
    let mut runner = scene.runner();
    write(scene.repository.path(), "does-not-build", "");
    // So many words that whoever stops reading at the first ones is not there for the last.
    for number in 0..20 {
        let mut world = scene.forge.world();
        let other = world.open("alice", false, &format!("Something else {number}"));
        let issue = world.issues.get_mut(&other).unwrap();
        issue["body"] = "long ".repeat(12_000).into();
        issue["labels"] = json!([{"name": "deployment"}]);
    }
    let push = scene.event("push", json!({"ref": "refs/heads/prod"}), commit(20));
    for _ in 0..2 {
        let ran = runner.run("deploy.yml", &push).await;
        went_wrong(&ran, "program");
        went_well(&ran, "report");
    }
    let world = scene.forge.world();
    let ours: Vec<&Value> = world.issues.values().filter(|issue| issue["user"]["login"] == BOT).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert_eq!(ours[0]["title"], "Deployment failed: prod");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_prod_is_rolled_out() {
    let scene = Scene::set("633333333339").await;
    let by_hand = scene.event("workflow_dispatch", json!({"ref": "refs/heads/other"}), commit(20));
    let ran = scene.runner().run("deploy.yml", &by_hand).await;
    assert!(ran.values().all(|job| job.log == "skipped"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_without_a_plan_shows_the_plan_that_nobody_reviewed() {
    let scene = Scene::set("633333333340").await;
    let number = scene.forge.world().open("alice", true, "First");
    let mut runner = scene.runner();
    let merge = scene.merge(number, 1, 10);
    went_wrong(&runner.run("deploy.yml", &merge).await, "deploy");
    let comment = scene.comment(number);
    assert!(
        comment.contains("⛔ **Nothing was applied to prod: nobody has reviewed the plan.**"),
        "{comment}"
    );
    assert!(
        comment.contains("has no plan's comment") && comment.contains("+ retentionInDays: 7"),
        "{comment}"
    );
    let expect = comment.split("-f expect=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let by_hand = Event { name: "workflow_dispatch", inputs: json!({ "expect": expect }), ..merge };
    went_well(&runner.run("deploy.yml", &by_hand).await, "deploy");
    assert_eq!(scene.retention().await, Some(7));
}
