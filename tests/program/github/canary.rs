//! Values that nobody is to read (P28): they stand in a manifest wherever one might be put, and are looked for in everything that
//! is said, also when it goes wrong. A job definition's `command` is shown as it is, and holds none.

use batchwright::sandbox::{Exact, Fault, Faults};
use regex::Regex;

use super::{BOT, Ran, Scene, head, logs};

/// A job definition with a secret in each place where one is masked; `number` makes them others.
fn job(number: u32) -> String {
    format!(
        "---
apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {{name: job}}
spec:
  type: container
  platformCapabilities: [EC2]
  parameters: {{db_password: canary-a{number}, file: shown-{number}}}
  containerProperties:
    image: busybox
    command: [\"true\"]
    environment: [{{name: GREETING, value: canary-b{number}}}]
    logConfiguration:
      logDriver: splunk
      options: {{splunk-url: \"https://splunk.example.test\", splunk-token: canary-c{number}}}
    resourceRequirements:
      - {{type: VCPU, value: \"1\"}}
      - {{type: MEMORY, value: \"512\"}}
"
    )
}

/// Everything that was said: both streams, the runner's files, comments and issues.
fn said(scene: &Scene, ran: &Ran) -> String {
    let mut all = vec![ran.out.clone(), ran.err.clone(), scene.took("summary"), scene.took("output")];
    let world = scene.forge.world();
    all.extend(world.comments.values().map(|(_, comment)| comment["body"].to_string()));
    all.extend(world.issues.values().map(|issue| issue["body"].to_string()));
    all.join("\n")
}

#[track_caller]
fn quiet(scene: &Scene, ran: &Ran, code: i32, shown: &[&str]) -> String {
    let all = said(scene, ran);
    let told =
        Regex::new(r"canary-\w+|77317731|7731-07").unwrap().find(&all).map(|it| it.as_str().to_owned());
    assert_eq!((ran.code, told), (code, None), "{all}");
    for shown in shown {
        assert!(all.contains(shown), "{shown} of {all}");
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_secret_is_said_nowhere() {
    let scene = Scene::set("611111111114").await;
    let on_github = [
        ("GITHUB_ACTIONS", "true"),
        ("NO_COLOR", "1"),
        ("GITHUB_SHA", "0000000000000000000000000000000000000001"),
    ];
    let run = async |args: &[&str]| scene.run_with(args, &on_github).await;
    let number = scene.forge.world().open("alice", true, "Secrets");
    scene.event(number, &head(1));

    // A plan that makes it, the rollout, and one that changes each.
    scene.manifest(&(logs(7) + &job(1)));
    let names = ["GREETING", "db_password", "splunk-token"];
    quiet(&scene, &run(&["github", "comment", "dev"]).await, 0, &[&names[..], &["shown-1", "••••"]].concat());
    quiet(&scene, &run(&["apply", "dev", "--yes", "--json"]).await, 0, &["apply_summary"]);
    scene.manifest(&(logs(7) + &job(2)));
    quiet(&scene, &run(&["github", "comment", "dev"]).await, 0, &["shown-2", "•••• (changed)"]);
    quiet(&scene, &run(&["github", "drift-issue", "dev"]).await, 2, &["shown-1", "which is not shown here"]);
    quiet(&scene, &run(&["plan", "dev", "--verbose", "--log", "trace"]).await, 0, &["•••• (changed)"]);
    // What the SDK tells in detail is whole requests and answers.
    let log = "trace,aws_smithy_runtime=trace,aws_sdk_batch=trace,hyper=trace,hyper_util=trace";
    quiet(&scene, &run(&["plan", "dev", "--log", log]).await, 0, &["•••• (changed)"]);
    quiet(&scene, &run(&["plan", "dev", "--json"]).await, 0, &["beforeDigest"]);

    // An apply that fails, and what is said of it.
    let deny =
        Exact { service: "batch".into(), action: "RegisterJobDefinition".into(), nth: 0, fault: Fault::Deny };
    scene.sandbox.set_faults(Faults { exact: vec![deny], ..Faults::default() });
    let failed = run(&["apply", "dev", "--yes", "--json"]).await;
    scene.sandbox.set_faults(Faults::default());
    quiet(&scene, &failed, 8, &["apply_errored"]);
    scene.write("apply.jsonl", &failed.out);
    let result = ["github", "result", "dev", "--status", "failure", "--records", "apply.jsonl"];
    quiet(&scene, &run(&result).await, 0, &["Failed in dev", "batch/JobDefinition/job"]);

    // Manifests that are wrong in the very lines: also one whose value looks like what it is.
    let mistakes = [
        ("{name: GREETING, value: canary-b2}", "{name: GREETING, value: canary-b2, valve: 1}", "valve"),
        ("{name: GREETING, value: canary-b2}", "{name: GREETING, value: [canary-b2]}", "`value` is a list"),
        (
            "{name: GREETING, value: canary-b2}",
            "{name: API_TOKEN, value: canary-d2345678}",
            "API_TOKEN looks like",
        ),
        ("value: canary-b2}", "value: 7731773177317731}", "`value` is a number"),
        ("value: canary-b2}", "value: 77317731.5, valve: 7731-07-31}", "valve"),
        ("[{name: GREETING, value: canary-b2}]", "GREETING=canary-b2", "`environment` is a text"),
        ("splunk-token: canary-c2}", "splunk-token: canary-c2", "main.yaml:"),
    ];
    for (before, after, shown) in mistakes {
        let text = (logs(7) + &job(2)).replace(before, after);
        assert_ne!(text, logs(7) + &job(2));
        scene.manifest(&text);
        let ran = run(&["github", "comment", "dev"]).await;
        let all = quiet(&scene, &ran, 1, &[shown]);
        assert!(all.contains("plan failed: dev"), "{all}");
        quiet(&scene, &run(&["apply", "dev", "--yes"]).await, 1, &[shown]);
    }
    assert_eq!(scene.forge.world().said(BOT, number).len(), 1);
}
