//! A workflow's comment and issue through their lives: the program itself, a sandbox, and a GitHub of this machine.
//!
//! What is said stands in `tests/program/github/*.md`; `BLESS=1 cargo test --test program github` writes it anew.

mod canary;
mod image;
mod requests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::forge::{BOT, Forge, REPOSITORY, TOKEN};
use batchwright::github::Marker;
use batchwright::sandbox::{Exact, Fault, Faults, Options, Sandbox};
use regex::Regex;

const ROLE: &str = "apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: job}
spec:
  description: What jobs run as
  assumeRolePolicyDocument:
    Version: \"2012-10-17\"
    Statement:
      - {Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: \"sts:AssumeRole\"}
---
";

fn logs(days: u32) -> String {
    format!(
        "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {{name: jobs}}\nspec: {{retentionInDays: {days}}}\n"
    )
}

/// A repository with one environment, the AWS that it lives in, and the GitHub that it is pushed to.
struct Scene {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    forge: Forge,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Scene {
    async fn set(account: &str) -> Self {
        let options =
            Options { account: account.to_owned(), region: "eu-west-1".to_owned(), ..Options::isolated() };
        let sandbox = Sandbox::start(options, &mut |_| ()).await.expect("the sandbox starts");
        let scene = Self { folder: tempfile::tempdir().unwrap(), sandbox, forge: Forge::start().await };
        let environment = format!(
            "project: {REPOSITORY}\naccount: \"{account}\"\nregion: eu-west-1\nnamePrefix: dev-\nstacks: [main]\n"
        );
        scene.write("manifests/dev/environment.yaml", &environment);
        scene.manifest(&format!("{ROLE}{}", logs(7)));
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn manifest(&self, text: &str) {
        self.write("manifests/stacks/main/main.yaml", text);
    }

    /// What stands in one of the runner's files; it is emptied, as for the next step.
    fn took(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        drop(fs::remove_file(self.path(name)));
        text
    }

    /// The event of a push to a pull request.
    fn event(&self, number: u64, head: &str) {
        let event =
            serde_json::json!({"number": number, "pull_request": {"number": number, "head": {"sha": head}}});
        self.write("event.json", &event.to_string());
    }

    async fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[]).await
    }

    /// With more variables.
    async fn run_with(&self, args: &[&str], more: &[(&str, &str)]) -> Ran {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_batchwright"));
        command.args(args).arg("--sandbox").current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("GITHUB_") || name.starts_with("AWS_"))
        {
            command.env_remove(name);
        }
        command
            .env("BATCHWRIGHT_SANDBOX", self.sandbox.invitation())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.env("GITHUB_API_URL", &self.forge.api).env("GITHUB_TOKEN", TOKEN);
        command.env("GITHUB_REPOSITORY", REPOSITORY).env("GITHUB_RUN_ID", "77");
        command.env("GITHUB_EVENT_PATH", self.path("event.json"));
        command.env("GITHUB_OUTPUT", self.path("output")).env("GITHUB_STEP_SUMMARY", self.path("summary"));
        let output = command.envs(more.iter().copied()).output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    async fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args).await;
        assert_eq!(ran.code, 0, "{args:?}\n{}{}", ran.out, ran.err);
        ran
    }

    /// The log group's retention, behind the program's back.
    async fn somebody_sets_retention(&self, days: i32) {
        let client = aws_sdk_cloudwatchlogs::Client::new(&self.sandbox.sdk_config());
        let call = client.put_retention_policy().log_group_name("dev-jobs").retention_in_days(days);
        call.send().await.unwrap();
    }
}

/// What differs from run to run: the time, and digests.
fn settled(text: &str) -> String {
    let text = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC").unwrap().replace_all(text, "TIME").into_owned();
    let text = Regex::new(r"bw1:[A-Za-z0-9_-]+").unwrap().replace_all(&text, "REVIEWED").into_owned();
    let text = Regex::new(r"\b[0-9a-f]{32}\b").unwrap().replace_all(&text, "FINGERPRINT").into_owned();
    let text = Regex::new(r"\b[0-9a-f]{16}\b").unwrap().replace_all(&text, "DIGEST").into_owned();
    Regex::new(r"commit=[0-9a-f]{40}").unwrap().replace_all(&text, "commit=COMMIT").into_owned()
}

#[track_caller]
fn golden(name: &str, text: &str) {
    crate::world::golden::golden(Path::new("tests/program/github").join(name), &settled(text));
}

fn head(push: usize) -> String {
    format!("{push:040x}")
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_pushes_make_one_comment() {
    let scene = Scene::set("611111111111").await;
    let number = {
        let mut world = scene.forge.world();
        let number = world.open("alice", true, "Keep logs longer");
        // More than a page of talk, and somebody who says what we would say.
        for line in 0..130 {
            world.say("alice", number, &format!("remark {line}"));
        }
        let ours = Marker { about: "plan", environment: "dev" }.line(&[("head", &head(0))]);
        world.say("mallory", number, &format!("{ours}\n## batchwright plan: dev\n\n✅ **No changes.**"));
        number
    };
    let days = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150];
    for (push, days) in days.into_iter().enumerate() {
        scene.manifest(&format!("{ROLE}{}", logs(days)));
        scene.event(number, &head(push));
        let ran = scene.ok(&["github", "comment", "dev"]).await;
        assert!(ran.out.contains("::notice title=logs/LogGroup/jobs in dev,file=manifests/stacks/main/main.yaml,line=11,col=1::"), "{}", ran.out);
        let said = scene.forge.world().said(BOT, number);
        assert_eq!(said.len(), 1, "after push {push}");
        assert!(said[0].contains(&format!("retentionInDays: {days}\n")), "{}", said[0]);
        assert!(said[0].contains(&head(push)));
    }
    golden("comment.md", &scene.forge.world().said(BOT, number)[0]);
    let writes = scene.forge.world().writes();
    let of = |method: &str| writes.iter().filter(|write| write.starts_with(method)).count();
    assert_eq!(
        (of("POST"), of("PATCH"), of("DELETE")),
        (2, 9, 0),
        "a comment, a label, nine edits: {writes:?}"
    );
    assert_eq!(scene.forge.world().labels(number), ["batchwright/dev/add-or-update"]);
    let outputs = scene.took("output");
    assert!(outputs.ends_with("add=2\nchange=0\nreplace=0\ndelete=0\nobjections=0\n"), "{outputs}");
    assert!(scene.took("summary").contains("## batchwright plan: dev"));

    // The same push again says the same but for the time; once it is applied, there is nothing to do.
    scene.ok(&["apply", "dev", "--yes"]).await;
    scene.ok(&["github", "comment", "dev"]).await;
    assert_eq!(scene.forge.world().labels(number), ["batchwright/dev/no-changes"]);
    golden("comment-without-changes.md", &scene.forge.world().said(BOT, number)[0]);

    // What goes is said before anything that is collapsed.
    scene.manifest(&logs(150));
    scene.ok(&["github", "comment", "dev"]).await;
    let said = scene.forge.world().said(BOT, number);
    assert_eq!(said.len(), 1);
    golden("comment-with-a-delete.md", &said[0]);
    assert_eq!(scene.forge.world().labels(number), ["batchwright/dev/destroy"]);
    assert_eq!(scene.forge.world().said("mallory", number).len(), 1, "other people's comments stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_fails_says_so_in_the_same_comment() {
    let scene = Scene::set("611111111112").await;
    let number = scene.forge.world().open("alice", true, "Mistakes");
    scene.event(number, &head(1));
    scene.manifest(&logs(7).replace("retentionInDays", "retentionInDay"));
    let ran = scene.run(&["github", "comment", "dev"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("::error title=batchwright,file=manifests/stacks/main/main.yaml,line=4,col="),
        "{}",
        ran.out
    );
    golden("comment-of-a-failure.md", &scene.forge.world().said(BOT, number)[0]);

    // AWS that can't be read is a failure too, never a plan of everything.
    scene.manifest(&logs(7));
    let deny =
        Exact { service: "logs".into(), action: "DescribeLogGroups".into(), nth: 0, fault: Fault::Deny };
    scene.sandbox.set_faults(Faults { exact: vec![deny], ..Faults::default() });
    let ran = scene.run(&["github", "comment", "dev"]).await;
    assert_eq!(ran.code, 8, "{}{}", ran.out, ran.err);
    scene.sandbox.set_faults(Faults::default());
    assert!(scene.forge.world().said(BOT, number)[0].contains("plan failed"));

    scene.ok(&["github", "comment", "dev"]).await;
    let said = scene.forge.world().said(BOT, number);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("1 to add"), "{}", said[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_found_stays_changes_goes_and_comes_back() {
    let scene = Scene::set("611111111113").await;
    scene.write("event.json", "{}");
    scene.ok(&["apply", "dev", "--yes"]).await;
    {
        // Somebody's issue that looks like ours.
        let mut world = scene.forge.world();
        let theirs = world.open("mallory", false, "Drift: dev (0 objects)");
        let issue = world.issues.get_mut(&theirs).unwrap();
        issue["labels"] = serde_json::json!([{"name": "drift"}]);
        issue["body"] = "<!-- batchwright drift environment=dev state=0 -->\nall is well".into();
    }
    let look = async |code: i32| {
        let ran = scene.run(&["github", "drift-issue", "dev"]).await;
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        (scene.forge.world().writes(), ran.err)
    };
    assert_eq!(look(0).await.0, Vec::<String>::new(), "nothing is wrong");
    assert_eq!(scene.took("output"), "drift=false\nissue=\n");

    scene.somebody_sets_retention(30).await;
    assert_eq!(look(2).await.0, ["POST /issues"], "opened");
    let ours = |scene: &Scene| {
        let world = scene.forge.world();
        let found: Vec<_> = world.issues.values().filter(|it| it["user"]["login"] == BOT).cloned().collect();
        assert_eq!(found.len(), 1, "one issue of ours");
        found[0].clone()
    };
    golden("drift.md", ours(&scene)["body"].as_str().unwrap());
    assert_eq!(ours(&scene)["title"], "Drift: dev (1 object)");
    let number = ours(&scene)["number"].as_u64().unwrap();
    assert_eq!(scene.took("output"), format!("drift=true\nissue={number}\n"));
    assert_eq!(look(2).await.0, Vec::<String>::new(), "the same");

    // First sightings outlive an edit: a line of the old text is dated back, and keeps its date.
    {
        let mut world = scene.forge.world();
        let issue = world.issues.get_mut(&number).unwrap();
        let dated = Regex::new(r"<!-- seen \d{4}-\d\d-\d\d \d\d:\d\d UTC ").unwrap();
        let old = issue["body"].as_str().unwrap().to_owned();
        issue["body"] = dated.replace_all(&old, "<!-- seen 2001-02-03 04:05 UTC ").into_owned().into();
    }
    scene.somebody_sets_retention(60).await;
    let comments = format!("POST /issues/{number}/comments");
    let edit = format!("PATCH /issues/{number}");
    assert_eq!(look(2).await.0, [edit.as_str(), comments.as_str()], "changed");
    assert!(
        ours(&scene)["body"].as_str().unwrap().contains("| 2001-02-03 04:05 UTC |"),
        "{}",
        ours(&scene)["body"]
    );
    golden("drift-changed.md", &scene.forge.world().said(BOT, number)[0]);

    // What can't be read is said, and is not "no drift".
    let deny =
        Exact { service: "logs".into(), action: "DescribeLogGroups".into(), nth: 0, fault: Fault::Deny };
    scene.sandbox.set_faults(Faults { exact: vec![deny], ..Faults::default() });
    drop(scene.took("output"));
    assert_eq!(look(8).await.0, [edit.as_str(), comments.as_str()], "unreadable");
    assert_eq!(scene.took("output"), format!("drift=unknown\nissue={number}\n"));
    let body = ours(&scene)["body"].as_str().unwrap().to_owned();
    assert!(body.contains("could not be read") && body.contains("retentionInDays"), "{body}");
    assert_eq!(look(8).await.0, Vec::<String>::new(), "still unreadable");
    scene.sandbox.set_faults(Faults::default());
    assert_eq!(look(2).await.0, [edit.as_str(), comments.as_str()], "readable again");
    assert!(!ours(&scene)["body"].as_str().unwrap().contains("could not be read"));
    assert!(ours(&scene)["body"].as_str().unwrap().contains("| 2001-02-03 04:05 UTC |"));

    scene.somebody_sets_retention(7).await;
    assert_eq!(look(0).await.0, [comments.as_str(), edit.as_str()], "clean");
    assert_eq!(
        (&ours(&scene)["state"], &ours(&scene)["state_reason"]),
        (&"closed".into(), &"completed".into())
    );
    assert_eq!(look(0).await.0, Vec::<String>::new(), "still clean");

    scene.somebody_sets_retention(60).await;
    assert_eq!(look(2).await.0, [edit.as_str(), comments.as_str()], "back");
    assert_eq!(ours(&scene)["state"], "open");
    assert!(!ours(&scene)["body"].as_str().unwrap().contains("2001-02-03"), "what comes back is new");

    // Closed as not planned: quiet, until it is something else.
    {
        let mut world = scene.forge.world();
        let issue = world.issues.get_mut(&number).unwrap();
        issue["state"] = "closed".into();
        issue["state_reason"] = "not_planned".into();
    }
    assert_eq!(look(2).await.0, Vec::<String>::new(), "muted");
    scene.somebody_sets_retention(90).await;
    assert_eq!(look(2).await.0, [edit.as_str(), comments.as_str()], "something else");
}
