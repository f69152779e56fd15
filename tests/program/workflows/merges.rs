//! Several merges: runs that GitHub drops, runs that a later commit overtakes, and comments that somebody else edited.

use batchwright::plan::review::Expected;

use super::runner::{Event, Runner};
use super::{Scene, commit, manifests, went_well, went_wrong, write};
use crate::forge::{BOT, REPOSITORY};

/// Another log group, in a file of its own.
fn more(scene: &Scene) {
    let group = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: more}\nspec: {retentionInDays: 3}\n";
    write(scene.repository.path(), "manifests/stacks/main/more.yaml", group);
}

/// A first pull request, planned, merged as commit 10 and rolled out.
async fn begun(scene: &Scene, runner: &mut Runner<'_>) {
    let number = scene.forge.world().open("alice", true, "First");
    went_well(&runner.run("plan.yml", &scene.push(number, 1, REPOSITORY)).await, "plan");
    went_well(&runner.run("deploy.yml", &scene.merge(number, 1, 10)).await, "deploy");
}

/// Two pull requests, each planned without the other, and merged one after the other as commits 11 and 12.
async fn two_merged(scene: &Scene, runner: &mut Runner<'_>) -> [(u64, Event); 2] {
    let first = scene.forge.world().open("alice", true, "Keep logs");
    scene.keep_logs(30);
    went_well(&runner.run("plan.yml", &scene.push(first, 2, REPOSITORY)).await, "plan");
    let second = scene.forge.world().open("bob", true, "More logs");
    scene.keep_logs(7);
    more(scene);
    went_well(&runner.run("plan.yml", &scene.push(second, 3, REPOSITORY)).await, "plan");
    assert!(!scene.comment(second).contains("retentionInDays: 7"), "{}", scene.comment(second));
    scene.keep_logs(30);
    [(first, scene.merge(first, 2, 11)), (second, scene.merge(second, 3, 12))]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_dropped_is_covered_by_the_next() {
    let scene = Scene::set("633333333341").await;
    let mut runner = scene.runner();
    begun(&scene, &mut runner).await;
    // GitHub drops the run of the first merge: that of the second rolls out both, and says so on both.
    let [(first, _), (second, merge)] = two_merged(&scene, &mut runner).await;
    let ran = runner.run("deploy.yml", &merge).await;
    went_well(&ran, "deploy");
    assert!(
        ran["deploy"].log.contains(&format!("with what was reviewed on #{first}")),
        "{}",
        ran["deploy"].log
    );
    assert_eq!(scene.retention().await, Some(30));
    for number in [first, second] {
        assert!(scene.comment(number).contains("✅ **Applied to prod: "), "{}", scene.comment(number));
    }

    // What was rolled out is no review any more: somebody takes it back behind git, and nobody has seen that.
    scene.somebody_sets_retention(7).await;
    let third = scene.forge.world().open("alice", true, "Nothing to see");
    scene.keep_logs(7);
    went_well(&runner.run("plan.yml", &scene.push(third, 4, REPOSITORY)).await, "plan");
    scene.keep_logs(30);
    let ran = runner.run("deploy.yml", &scene.merge(third, 4, 13)).await;
    went_wrong(&ran, "deploy");
    assert!(ran["deploy"].log.contains("difference"), "{}", ran["deploy"].log);
    assert_eq!(scene.retention().await, Some(7), "nothing was applied");
    assert!(scene.comment(first).contains("✅ **Applied to prod: "), "its own rollout stands");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_later_commit_overtakes_leaves_the_work_to_it() {
    let scene = Scene::set("633333333342").await;
    let mut runner = scene.runner();
    begun(&scene, &mut runner).await;
    let [(first, overtaken), (second, head)] = two_merged(&scene, &mut runner).await;
    let waiting = scene.forge.world().begin_run("deploy.yml", &commit(12));
    let ran = runner.run("deploy.yml", &overtaken).await;
    went_wrong(&ran, "deploy");
    assert!(
        ran["deploy"].log.contains("its own run is on its way")
            && ran["deploy"].log.contains("== exit Some(4)")
    );
    assert_eq!(scene.retention().await, Some(7), "nothing was applied");
    let comment = scene.comment(first);
    assert!(
        comment.contains("⏭️ **Nothing was applied to prod by this run: there is a later commit.**"),
        "{comment}"
    );
    assert!(Expected::in_comment(&comment).is_some(), "what was reviewed stays: {comment}");
    assert_eq!(scene.issue("Deployment failed"), None, "nobody needs to do anything");

    // If nothing waits, somebody does.
    scene.forge.world().end_run(waiting, "cancelled");
    went_wrong(&runner.run("deploy.yml", &overtaken).await, "deploy");
    let issue = scene.issue("Deployment failed: prod").unwrap();
    let body = issue["body"].as_str().unwrap();
    assert!(body.contains("gh workflow run deploy.yml --ref prod"), "{body}");

    went_well(&runner.run("deploy.yml", &head).await, "deploy");
    assert_eq!(scene.retention().await, Some(30));
    for number in [first, second] {
        assert!(scene.comment(number).contains("✅ **Applied to prod: "), "{}", scene.comment(number));
    }
    assert_eq!(scene.issue("Deployment failed: prod").unwrap()["state"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_that_somebody_edited_is_no_review() {
    let scene = Scene::set("633333333343").await;
    let mut runner = scene.runner();
    begun(&scene, &mut runner).await;
    let number = scene.forge.world().open("alice", true, "Keep logs");
    scene.keep_logs(30);
    went_well(&runner.run("plan.yml", &scene.push(number, 2, REPOSITORY)).await, "plan");
    {
        let mut world = scene.forge.world();
        let id = world.ids(BOT, number)[0];
        let body = world.said(BOT, number)[0].clone();
        world.edit("mallory", id, &body.replace("No changes", "Nothing to see"));
    }
    let merge = scene.merge(number, 2, 11);
    // The tests fail, and the program writes the result into that comment: it is the bot's last edit now.
    write(scene.repository.path(), ".ci/run", "#!/bin/sh\nexit 1\n");
    went_well(&runner.run("deploy.yml", &merge).await, "report");
    assert_eq!(Expected::in_comment(&scene.comment(number)), None, "{}", scene.comment(number));
    write(scene.repository.path(), ".ci/run", "#!/bin/sh\nexit 0\n");
    went_wrong(&runner.run("deploy.yml", &merge).await, "deploy");
    assert_eq!(scene.retention().await, Some(7), "nothing was applied");

    // A new push is planned anew; edited right before the merge, it is refused by whom it names.
    let again = scene.forge.world().open("alice", true, "Keep logs, again");
    went_well(&runner.run("plan.yml", &scene.push(again, 3, REPOSITORY)).await, "plan");
    {
        let mut world = scene.forge.world();
        let id = world.ids(BOT, again)[0];
        let body = world.said(BOT, again)[0].clone();
        world.edit("mallory", id, &body);
    }
    let ran = runner.run("deploy.yml", &scene.merge(again, 3, 12)).await;
    went_wrong(&ran, "deploy");
    assert!(ran["deploy"].log.contains("mallory edited the plan's comment"), "{}", ran["deploy"].log);
    assert_eq!(scene.retention().await, Some(7), "nothing was applied");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_outside_git_is_told_apart() {
    let scene = Scene::set("633333333344").await;
    let mut runner = scene.runner();
    begun(&scene, &mut runner).await;
    let base = tempfile::tempdir().unwrap();
    manifests(base.path(), scene.account, 7);
    runner.base = Some(base.path());
    let number = scene.forge.world().open("alice", true, "More logs");
    more(&scene);
    went_well(&runner.run("plan.yml", &scene.push(number, 2, REPOSITORY)).await, "plan");
    assert!(!scene.comment(number).contains("outside git"), "{}", scene.comment(number));
    scene.somebody_sets_retention(14).await;
    went_well(&runner.run("plan.yml", &scene.push(number, 3, REPOSITORY)).await, "plan");
    let comment = scene.comment(number);
    let (_, outside) =
        comment.split_once("<summary>Changed outside git: 1 object</summary>").expect("it is told");
    let outside = outside.split("</details>").next().unwrap();
    assert!(outside.contains("retentionInDays: live has 14, git says 7"), "{outside}");
    assert!(!outside.contains("logs/LogGroup/more"), "the pull request's own: {outside}");
    assert!(comment.contains("create <code>logs/LogGroup/more</code>"), "{comment}");

    // Manifests that were wrong before stop no plan.
    write(base.path(), "manifests/stacks/main/more.yaml", "kind: nothing");
    let ran = runner.run("plan.yml", &scene.push(number, 4, REPOSITORY)).await;
    went_well(&ran, "plan");
    assert!(ran["plan"].log.contains("nothing is said of changes outside git"), "{}", ran["plan"].log);
}
