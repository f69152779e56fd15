//! The workflows themselves: their steps, run in order as a runner would, against the sandbox and a GitHub of this machine.

mod expression;
mod failures;
mod merges;
mod runner;
mod smoke;
mod trust;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::forge::{BOT, Forge, REPOSITORY};
use batchwright::sandbox::{Exact, Fault, Faults, Options, Sandbox};
use runner::{Event, Ran, Runner};
use serde_json::{Value, json};

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A small stack with an image in it: the registry as it is rolled out for real, a log group, a job definition.
fn manifests(root: &Path, account: &str, days: u32) {
    let environment = format!(
        "project: {REPOSITORY}\naccount: \"{account}\"\nregion: eu-west-1\nnamePrefix: prod-\nstacks: [main]\nvariables: {{onDelete: refuse}}\nimages:\n  worker: {{repository: ecr/Repository/worker, tag: latest}}\n"
    );
    write(root, "manifests/prod/environment.yaml", &environment);
    let stack = format!(
        "apiVersion: batchwright/v1
kind: logs/LogGroup
metadata: {{name: jobs}}
spec: {{retentionInDays: {days}}}
---
apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {{name: payments}}
spec:
  type: container
  platformCapabilities: [EC2]
  containerProperties:
    image: ${{image.worker}}
    command: [\"true\"]
    resourceRequirements:
      - {{type: VCPU, value: \"1\"}}
      - {{type: MEMORY, value: \"512\"}}
"
    );
    write(root, "manifests/stacks/main/main.yaml", &stack);
    // Whose tags may not move but for `latest`.
    write(
        root,
        "manifests/stacks/main/registry.yaml",
        include_str!("../../manifests/stacks/payments/registry.yaml"),
    );
    write(root, "worker/Dockerfile", "FROM scratch\n");
    write(root, ".ci/run", "#!/bin/sh\nexit 0\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(root.join(".ci/run"), mode).unwrap();
}

/// A repository on GitHub, and the AWS that it deploys to.
struct Scene {
    account: &'static str,
    repository: tempfile::TempDir,
    forge: Forge,
    sandbox: Sandbox,
}

fn commit(number: u64) -> String {
    format!("{number:040x}")
}

impl Scene {
    async fn set(account: &'static str) -> Self {
        let options = Options { account: account.into(), region: "eu-west-1".into(), ..Options::isolated() };
        let sandbox = Sandbox::start(options, &mut |_| ()).await.expect("the sandbox starts");
        let scene =
            Self { account, repository: tempfile::tempdir().unwrap(), forge: Forge::start().await, sandbox };
        scene.keep_logs(7);
        scene
    }

    fn keep_logs(&self, days: u32) {
        manifests(self.repository.path(), self.account, days);
    }

    fn runner(&self) -> Runner<'_> {
        Runner::new(&self.forge, &self.sandbox, self.repository.path())
    }

    fn event(&self, name: &'static str, payload: Value, sha: String) -> Event {
        let role = |name: &str| format!("arn:aws:iam::{}:role/prod-github-{name}", self.account);
        let vars = json!({
            "AWS_REGION": "eu-west-1", "PLAN_ROLE": role("plan"), "APPLY_ROLE": role("apply"), "PUSH_ROLE": role("push"),
            "PLAN_FORKS": "true",
        });
        if payload["ref"] == "refs/heads/prod" {
            self.forge.world().commit(&sha);
        }
        Event { name, payload, sha, inputs: json!({}), vars }
    }

    /// A push to a pull request of somebody's repository.
    fn push(&self, number: u64, head: u64, from: &str) -> Event {
        let head = json!({"sha": commit(head), "repo": {"full_name": from}});
        let pull = json!({"number": number, "head": head, "base": {"ref": "prod", "sha": commit(0xba5e)}});
        self.event("pull_request", json!({"number": number, "pull_request": pull}), commit(0xeeee))
    }

    /// The merge of a pull request into prod.
    fn merge(&self, number: u64, head: u64, merge: u64) -> Event {
        let pull = json!({
            "number": number, "merge_commit_sha": commit(merge), "merged_at": "2026-01-01", "state": "closed",
            "head": {"sha": commit(head)}, "base": {"ref": "prod"},
        });
        self.forge.world().merged.insert(commit(merge), vec![pull]);
        self.event("push", json!({"ref": "refs/heads/prod"}), commit(merge))
    }

    async fn retention(&self) -> Option<i32> {
        let client = aws_sdk_cloudwatchlogs::Client::new(&self.sandbox.sdk_config());
        let answer = client.describe_log_groups().log_group_name_prefix("prod-jobs").send().await.unwrap();
        answer.log_groups().first().and_then(|group| group.retention_in_days())
    }

    async fn somebody_sets_retention(&self, days: i32) {
        let client = aws_sdk_cloudwatchlogs::Client::new(&self.sandbox.sdk_config());
        client
            .put_retention_policy()
            .log_group_name("prod-jobs")
            .retention_in_days(days)
            .send()
            .await
            .unwrap();
    }

    /// The images of the job definition's active revisions, oldest first.
    async fn images(&self) -> Vec<String> {
        let client = aws_sdk_batch::Client::new(&self.sandbox.sdk_config());
        let answer =
            client.describe_job_definitions().job_definition_name("prod-payments").status("ACTIVE").send();
        let mut found: Vec<(i32, String)> = answer
            .await
            .unwrap()
            .job_definitions()
            .iter()
            .map(|it| {
                (it.revision().unwrap(), it.container_properties().unwrap().image().unwrap().to_owned())
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, image)| image).collect()
    }

    /// The digest that a tag of the worker's image points to.
    async fn tagged(&self, tag: &str) -> Option<String> {
        let client = aws_sdk_ecr::Client::new(&self.sandbox.sdk_config());
        let id = aws_sdk_ecr::types::ImageIdentifier::builder().image_tag(tag).build();
        let call = client.batch_get_image().repository_name("prod-batch-payment-processing").image_ids(id);
        let answer = call.send().await.unwrap();
        answer.images().first().and_then(|image| image.image_id()?.image_digest()).map(str::to_owned)
    }

    /// Our issue about something, open or closed.
    fn issue(&self, title: &str) -> Option<Value> {
        let world = self.forge.world();
        let ours = |issue: &&Value| {
            issue["user"]["login"] == BOT && issue["title"].as_str().unwrap().starts_with(title)
        };
        world.issues.values().find(ours).cloned()
    }

    fn comment(&self, number: u64) -> String {
        let said = self.forge.world().said(BOT, number);
        assert_eq!(said.len(), 1, "one comment");
        said[0].clone()
    }
}

#[track_caller]
fn went_well(ran: &BTreeMap<String, Ran>, job: &str) {
    assert!(ran[job].succeeded, "{job}:\n{}", ran[job].log);
}

#[track_caller]
fn went_wrong(ran: &BTreeMap<String, Ran>, job: &str) {
    assert!(!ran[job].succeeded && ran[job].log != "skipped", "{job}:\n{}", ran[job].log);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_opened_pushed_to_merged_and_rolled_out() {
    let scene = Scene::set("633333333331").await;
    let number = scene.forge.world().open("alice", true, "Keep logs");
    let mut runner = scene.runner();

    let ran = runner.run("plan.yml", &scene.push(number, 1, REPOSITORY)).await;
    went_well(&ran, "plan");
    assert!(
        ran["plan"].log.contains("== as arn:aws:iam::633333333331:role/prod-github-plan"),
        "{}",
        ran["plan"].log
    );
    assert!(ran["plan"].summary.contains("## batchwright plan: prod"));
    assert!(scene.comment(number).contains("+ retentionInDays: 7"), "{}", scene.comment(number));
    scene.keep_logs(30);
    went_well(&runner.run("plan.yml", &scene.push(number, 2, REPOSITORY)).await, "plan");
    assert!(scene.comment(number).contains("+ retentionInDays: 30"));
    assert_eq!(scene.forge.world().labels(number), ["batchwright/prod/add-or-update"]);
    assert_eq!(scene.retention().await, None, "nothing was applied");

    // Merged: the registry, the image, and what was reviewed.
    let merge = scene.merge(number, 2, 10);
    let ran = runner.run("deploy.yml", &merge).await;
    went_well(&ran, "deploy");
    assert_eq!(scene.retention().await, Some(30));
    let images = scene.images().await;
    assert_eq!(images.len(), 1, "{images:?}");
    assert!(
        images[0].starts_with(
            "633333333331.dkr.ecr.eu-west-1.amazonaws.com/prod-batch-payment-processing@sha256:"
        ),
        "{images:?}"
    );
    let comment = scene.comment(number);
    assert!(
        comment.contains("✅ **Applied to prod: ") && comment.contains("## batchwright plan: prod"),
        "{comment}"
    );
    assert!(ran["deploy"].summary.contains("✅ **Applied to prod: "));
    assert_eq!(scene.issue("Deployment failed"), None);

    assert!(
        images[0].ends_with(&scene.tagged("latest").await.unwrap()),
        "the tag that plans ask for follows"
    );

    // The same commit again: its tag is taken, and what was pushed is what is rolled out.
    let ran = runner.run("deploy.yml", &merge).await;
    went_well(&ran, "deploy");
    assert_eq!((scene.images().await, runner.builds), (images.clone(), 1), "{}", ran["deploy"].log);
    let comment = scene.comment(number);
    assert_eq!(comment.matches("<sub>Commit ").count(), 1, "the result is replaced, not repeated: {comment}");

    // Only the image is new: the plan of the next pull request shows none of it, and its rollout is as reviewed.
    let next = scene.forge.world().open("alice", true, "Worker only");
    went_well(&runner.run("plan.yml", &scene.push(next, 3, REPOSITORY)).await, "plan");
    assert!(scene.comment(next).contains("✅ **No changes."), "{}", scene.comment(next));
    went_well(&runner.run("deploy.yml", &scene.merge(next, 3, 11)).await, "deploy");
    let newest = scene.images().await.pop().unwrap();
    assert!(!images.contains(&newest), "{newest}");
    assert_eq!(runner.builds, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_reviewed_is_not_applied() {
    let scene = Scene::set("633333333332").await;
    let number = scene.forge.world().open("alice", true, "First");
    let mut runner = scene.runner();
    went_well(&runner.run("plan.yml", &scene.push(number, 1, REPOSITORY)).await, "plan");
    went_well(&runner.run("deploy.yml", &scene.merge(number, 1, 10)).await, "deploy");

    // Nobody's pull request.
    scene.keep_logs(60);
    let direct = scene.event("push", json!({"ref": "refs/heads/prod"}), commit(20));
    let ran = runner.run("deploy.yml", &direct).await;
    went_wrong(&ran, "deploy");
    assert!(ran["deploy"].log.contains("no pull request was merged as this commit"), "{}", ran["deploy"].log);
    assert_eq!(scene.retention().await, Some(7));
    assert_eq!(scene.issue("Deployment failed: prod").unwrap()["state"], "open");

    // Reviewed, and then somebody changes AWS: the plan is stale.
    let next = scene.forge.world().open("alice", true, "Second");
    went_well(&runner.run("plan.yml", &scene.push(next, 2, REPOSITORY)).await, "plan");
    scene.somebody_sets_retention(14).await;
    let merge = scene.merge(next, 2, 21);
    let ran = runner.run("deploy.yml", &merge).await;
    went_wrong(&ran, "deploy");
    assert_eq!(scene.retention().await, Some(14), "nothing was applied");
    let comment = scene.comment(next);
    assert!(
        comment.contains("⛔ **Nothing was applied to prod: 1 changes are not what was reviewed.**"),
        "{comment}"
    );
    assert!(comment.contains("! retentionInDays: 14 → 60"), "the plan as it would be now: {comment}");
    assert!(!comment.contains("<!-- batchwright reviewed="), "which nobody has reviewed: {comment}");

    // Run again, it is no better; by hand, with what that comment says, it is applied.
    went_wrong(&runner.run("deploy.yml", &merge).await, "deploy");
    assert_eq!(scene.retention().await, Some(14));
    let expect = comment.split("-f expect=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let by_hand = Event { name: "workflow_dispatch", inputs: json!({ "expect": expect }), ..merge };
    went_well(&runner.run("deploy.yml", &by_hand).await, "deploy");
    assert_eq!(scene.retention().await, Some(60));
    assert_eq!(scene.issue("Deployment failed: prod").unwrap()["state"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_fails_says_how_far_it_came() {
    let scene = Scene::set("633333333333").await;
    let number = scene.forge.world().open("alice", true, "First");
    let mut runner = scene.runner();
    went_well(&runner.run("plan.yml", &scene.push(number, 1, REPOSITORY)).await, "plan");
    let deny =
        Exact { service: "batch".into(), action: "RegisterJobDefinition".into(), nth: 0, fault: Fault::Deny };
    scene.sandbox.set_faults(Faults { exact: vec![deny], ..Faults::default() });
    let merge = scene.merge(number, 1, 10);
    went_wrong(&runner.run("deploy.yml", &merge).await, "deploy");
    scene.sandbox.set_faults(Faults::default());
    let comment = scene.comment(number);
    assert!(comment.contains("❌ **Failed in prod: 1 of 2 steps done.**"), "{comment}");
    assert!(comment.contains("- `batch/JobDefinition/payments` "), "{comment}");
    let issue = scene.issue("Deployment failed: prod").unwrap();
    assert!(issue["body"].as_str().unwrap().contains("1 of 2 steps done"), "{issue}");
    let pushed = scene.tagged(&commit(10)).await;
    assert!(
        pushed.is_some() && scene.tagged("latest").await.is_none(),
        "nothing takes it for what is rolled out"
    );

    // The next run goes on from there.
    went_well(&runner.run("deploy.yml", &merge).await, "deploy");
    assert_eq!((scene.images().await.len(), runner.builds), (1, 1));
    assert_eq!(scene.tagged("latest").await, pushed);
    assert_eq!(scene.issue("Deployment failed: prod").unwrap()["state"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_comes_and_goes() {
    let scene = Scene::set("633333333334").await;
    let number = scene.forge.world().open("alice", true, "First");
    let mut runner = scene.runner();
    went_well(&runner.run("plan.yml", &scene.push(number, 1, REPOSITORY)).await, "plan");
    went_well(&runner.run("deploy.yml", &scene.merge(number, 1, 10)).await, "deploy");

    let night = scene.event("schedule", json!({"schedule": "17 3 * * *"}), commit(30));
    went_well(&runner.run("drift.yml", &night).await, "drift");
    assert_eq!(scene.issue("Drift"), None);
    scene.somebody_sets_retention(400).await;
    went_well(&runner.run("drift.yml", &night).await, "drift");
    let issue = scene.issue("Drift: prod (1 object)").unwrap();
    assert!(issue["body"].as_str().unwrap().contains("| `retentionInDays` | `400` | `7` |"), "{issue}");
    scene.somebody_sets_retention(7).await;
    went_well(&runner.run("drift.yml", &night).await, "drift");
    assert_eq!(scene.issue("Drift").unwrap()["state"], "closed");

    // What can't be read is no drift, and no peace either: the run fails, and the issue says why.
    let deny =
        Exact { service: "logs".into(), action: "DescribeLogGroups".into(), nth: 0, fault: Fault::Deny };
    scene.sandbox.set_faults(Faults { exact: vec![deny], ..Faults::default() });
    went_wrong(&runner.run("drift.yml", &night).await, "drift");
    scene.sandbox.set_faults(Faults::default());
    assert_eq!(scene.issue("Drift: prod (could not be read)").unwrap()["state"], "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_is_planned_by_this_branchs_program_as_data() {
    let scene = Scene::set("633333333335").await;
    let number = scene.forge.world().open("mallory", true, "From a fork");
    let fork = tempfile::tempdir().unwrap();
    manifests(fork.path(), scene.account, 90);
    let mut runner = scene.runner();
    runner.fork = Some(fork.path());

    // On the pull request itself: no credentials, and nothing that writes.
    let ran = runner.run("plan.yml", &scene.push(number, 5, "mallory/jobs")).await;
    assert_eq!(ran["plan"].log, "skipped");
    went_well(&ran, "number");
    assert_eq!(scene.forge.world().said(BOT, number), Vec::<String>::new());

    let then = |head: u64| {
        let run = json!({
            "id": 1, "event": "pull_request", "head_sha": commit(head), "head_repository": {"full_name": "mallory/jobs"},
        });
        scene.event("workflow_run", json!({ "workflow_run": run }), commit(0xaaaa))
    };
    let pull = json!({"number": number, "head": {"sha": commit(5)}});
    scene.forge.world().pulls.insert(number, pull);
    // A number that belongs to another commit writes nowhere.
    let ran = runner.run("plan-fork.yml", &then(6)).await;
    went_wrong(&ran, "plan");
    assert!(ran["plan"].log.contains("is not the last commit of"), "{}", ran["plan"].log);
    assert_eq!(scene.forge.world().said(BOT, number), Vec::<String>::new());
    let ran = runner.run("plan-fork.yml", &then(5)).await;
    went_well(&ran, "plan");
    assert!(scene.comment(number).contains("+ retentionInDays: 90"), "{}", scene.comment(number));
}
