//! The same by the program itself, on a sandbox: exit codes, texts, and that nothing was written.

use batchwright::sandbox::{Exact, Fault, Faults};
use serde_json::Value;

use crate::world::program::{Ran, Stand};

const ENVIRONMENT: &str = "project: acme/jobs\naccount: \"ACCOUNT\"\nregion: eu-west-1\nnamePrefix: dev-\nstacks: [main]\nimages:\n  worker: {repository: ecr/Repository/worker, tag: latest}\n";
const STACK: &str = "\
apiVersion: batchwright/v1
kind: ecr/Repository
metadata:
  name: worker
---
apiVersion: batchwright/v1
kind: logs/LogGroup
metadata:
  name: jobs
spec:
  retentionInDays: 7
---
apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata:
  name: job
spec:
  type: container
  containerProperties:
    image: ${image.worker}
    resourceRequirements: [{type: VCPU, value: \"1\"}, {type: MEMORY, value: \"512\"}]
";

async fn new() -> Stand {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(STACK);
    stand
}

/// The set that a plan's summary holds, and its fingerprint.
async fn reviewed(stand: &Stand, args: &[&str]) -> (String, String) {
    let plan = stand.run(&[&["plan", "dev", "--json"], args].concat()).await;
    assert_eq!((plan.code, plan.writes), (0, 0), "{}", plan.err);
    let summary: Value = serde_json::from_str(plan.out.lines().last().unwrap()).unwrap();
    let text = |key: &str| summary[key].as_str().unwrap().to_owned();
    (text("reviewed"), text("fingerprint"))
}

/// An apply that expects this; nothing of what it refuses is written.
async fn expect(stand: &Stand, reviewed: &str, args: &[&str]) -> Ran {
    let ran = stand.run(&[&["apply", "dev", "--yes", "--expect", reviewed], args].concat()).await;
    assert!(ran.code == 0 || ran.writes == 0, "exit {} after {} writes", ran.code, ran.writes);
    ran
}

fn image(digit: char) -> String {
    let digest = digit.to_string().repeat(64);
    format!("worker=111111111111.dkr.ecr.eu-west-1.amazonaws.com/dev-worker@sha256:{digest}")
}

/// From the first change to "Not what was reviewed" and the error.
fn refusal(ran: &Ran) -> String {
    let from = ran.out.find("Not what was reviewed").unwrap_or_else(|| panic!("{}{}", ran.out, ran.err));
    format!("exit {}, {} writes\n{}{}", ran.code, ran.writes, &ran.out[from..], ran.err)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_reviewed_is_applied() {
    let stand = new().await;
    let (rollout, _) = reviewed(&stand, &[]).await;

    // The registry first, though the image is not there; then the rest, with the image that was pushed meanwhile.
    let registry = expect(&stand, &rollout, &["--only", "ecr/Repository/worker"]).await;
    assert_eq!((registry.code, registry.writes > 0), (0, true), "{}{}", registry.out, registry.err);
    assert!(registry.err.contains("only a part of the environment is planned"), "{}", registry.err);
    let rest = expect(&stand, &rollout, &["--image", &image('a')]).await;
    assert_eq!(rest.code, 0, "{}{}", rest.out, rest.err);
    let again = expect(&stand, &rollout, &["--image", &image('a')]).await;
    assert_eq!((again.code, again.writes), (0, 0), "{}{}", again.out, again.err);

    // A merge that changes nothing but the image.
    let (nothing, _) = reviewed(&stand, &["--image", &image('a')]).await;
    let moved = expect(&stand, &nothing, &["--image", &image('b')]).await;
    assert_eq!((moved.code, moved.writes), (0, 1), "{}{}", moved.out, moved.err);

    // A change that nobody has seen.
    stand.write(
        "manifests/stacks/main/main.yaml",
        &STACK.replace("retentionInDays: 7", "retentionInDays: 14"),
    );
    let stale = expect(&stand, &nothing, &["--image", &image('c')]).await;
    insta::assert_snapshot!(refusal(&stale), @r#"
    exit 4, 0 writes
    Not what was reviewed:
      logs/LogGroup/jobs: this change was not reviewed
    error: stale: 1 difference from what was reviewed; nothing was changed
      = help: review the plan above; `--expect` with its fingerprint then applies it and nothing else
    "#);
    let (_, fingerprint) = reviewed(&stand, &["--image", &image('c')]).await;
    let other = expect(&stand, &fingerprint, &["--image", &image('d')]).await;
    insta::assert_snapshot!(refusal(&other), @r#"
    exit 4, 0 writes
    Not what was reviewed:
      its fingerprint is not the one that was reviewed
    error: stale: 1 difference from what was reviewed; nothing was changed
      = help: review the plan above; `--expect` with its fingerprint then applies it and nothing else
    "#);
    let whole = expect(&stand, &fingerprint, &["--image", &image('c')]).await;
    assert_eq!(whole.code, 0, "{}{}", whole.out, whole.err);

    // A review of another environment, and a text that is none.
    stand.write(
        "manifests/test/environment.yaml",
        &stand.read("manifests/dev/environment.yaml").replace("namePrefix: dev-", "namePrefix: test-"),
    );
    let elsewhere =
        stand.run(&["apply", "test", "--yes", "--expect", &rollout, "--image", &image('c')]).await;
    assert_eq!((elsewhere.code, elsewhere.writes), (4, 0), "{}{}", elsewhere.out, elsewhere.err);
    assert!(elsewhere.out.contains("is for another environment"), "{}", elsewhere.out);
    for wrong in ["latest", &rollout[..rollout.len() - 9]] {
        assert_eq!(expect(&stand, wrong, &[]).await.code, 1, "{wrong}");
    }
    let unknown = stand.run(&["plan", "dev", "--only", "logs/LogGroup/job"]).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("did you mean `logs/LogGroup/jobs`?"), "{}", unknown.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_in_a_file_is_made_again() {
    let stand = new().await;
    let image = image('a');
    let record = async || {
        let ran = stand.run(&["plan", "dev", "--image", &image, "--out", "json=plan.json"]).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        stand.read("plan.json")
    };
    let apply =
        async || stand.run(&["apply", "dev", "--yes", "--image", &image, "--plan", "plan.json"]).await;
    let recorded = record().await;

    // Values in the file mean nothing: what is applied comes from the manifests.
    stand.write("plan.json", &recorded.replace(r#""after":7"#, r#""after":3653"#));
    assert_ne!(stand.read("plan.json"), recorded);
    let applied = apply().await;
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    assert!(applied.out.contains("retentionInDays: 7"), "{}", applied.out);

    // All of it, and as it was: what is done already is missing.
    let done = apply().await;
    insta::assert_snapshot!(refusal(&done), @r#"
    exit 4, 0 writes
    Not what was reviewed:
      batch/JobDefinition/job: its change was reviewed, and would not be made any more
      ecr/Repository/worker: its change was reviewed, and would not be made any more
      logs/LogGroup/jobs: its change was reviewed, and would not be made any more
    error: stale: 3 differences from what was reviewed; nothing was changed
      = help: review the plan above; `--expect` with its fingerprint then applies it and nothing else
    "#);

    stand.write(
        "manifests/stacks/main/main.yaml",
        &STACK.replace("retentionInDays: 7", "retentionInDays: 14"),
    );
    let recorded = record().await;
    let digest = recorded.split(r#""digest":""#).nth(1).unwrap().split('"').next().unwrap();
    let tampered = [
        (recorded.replace(digest, &digest.chars().rev().collect::<String>()), 4),
        (recorded.replace(r#""schema":"1.0""#, r#""schema":"9.0""#), 1),
        (recorded.lines().take(2).collect::<Vec<_>>().join("\n"), 1),
        (recorded.replace("bw1:", "bw2:"), 1),
        ("no plan".to_owned(), 1),
        (recorded.clone(), 0),
    ];
    for (text, code) in tampered {
        stand.write("plan.json", &text);
        let ran = apply().await;
        assert_eq!((ran.code, ran.writes > 0), (code, code == 0), "{text}\n{}{}", ran.out, ran.err);
    }
    let both = stand.run(&["apply", "dev", "--plan", "plan.json", "--expect", "bw1:x"]).await;
    assert_eq!(both.code, 1);
}

/// What is left of one plan is another plan: who is held to the first has to plan again, and is told so.
#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_one_plan_is_planned_again() {
    let stand = new().await;
    let image = image('a');
    let (set, fingerprint) = reviewed(&stand, &["--image", &image]).await;
    stand.run(&["plan", "dev", "--image", &image, "--out", "json=plan.json"]).await;
    let empty = stand.sandbox.snapshot().await.unwrap();
    let fault = Exact { service: "logs".into(), action: "CreateLogGroup".into(), nth: 0, fault: Fault::Deny };
    let held = [("--plan", "plan.json"), ("--expect", fingerprint.as_str()), ("--expect", set.as_str())];
    for (at, (flag, value)) in held.into_iter().enumerate() {
        stand.sandbox.restore(&empty).await.unwrap();
        stand.sandbox.set_faults(Faults { exact: vec![fault.clone()], ..Faults::default() });
        let command = ["apply", "dev", "--yes", "--image", &image, flag, value];
        let partial = stand.run(&command).await;
        let last = partial.out.lines().last().unwrap();
        let one = at < 2;
        let next = if one { "Plan again to go on" } else { "Run it again to go on" };
        let expected =
            format!("Applied in part: 2 of 3 steps done, 1 failed. {next}: what is done stays done.");
        assert_eq!((partial.code, last), (8, expected.as_str()), "{}{}", partial.out, partial.err);
        stand.sandbox.set_faults(Faults::default());
        let again = stand.run(&command).await;
        assert_eq!(again.code, if one { 4 } else { 0 }, "{}{}", again.out, again.err);
    }
}
