//! How much memory the program takes of manifests that are made to take all of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{ENVIRONMENT, Folder};

/// What nothing may take. The program itself takes a part of it.
const MOST_KIB: u64 = 256 * 1024;

const GROUP: &str = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: a}\nspec: ";

/// A sound job definition of some 115 values.
const JOB: &str = "---
apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {name: NAME}
spec:
  type: container
  platformCapabilities: [FARGATE]
  parameters: {source_file: payments.csv, destination_file: results.json}
  retryStrategy: {attempts: 3, evaluateOnExit: [{onExitCode: '2', action: RETRY}, {onReason: '*', action: EXIT}]}
  timeout: {attemptDurationSeconds: 3600}
  containerProperties:
    image: 111111111111.dkr.ecr.eu-west-1.amazonaws.com/w:1
    command: [--source_bucket, a, --source_file, 'Ref::source_file', --destination_bucket, b, --destination_file, 'Ref::destination_file']
    jobRoleArn: arn:aws:iam::111111111111:role/job
    executionRoleArn: arn:aws:iam::111111111111:role/execution
    resourceRequirements: [{type: VCPU, value: '1'}, {type: MEMORY, value: '2048'}]
    networkConfiguration: {assignPublicIp: ENABLED}
    fargatePlatformConfiguration: {platformVersion: LATEST}
    runtimePlatform: {operatingSystemFamily: LINUX, cpuArchitecture: X86_64}
    readonlyRootFilesystem: true
    logConfiguration: {logDriver: awslogs, options: {awslogs-group: jobs, awslogs-region: eu-west-1, awslogs-stream-prefix: payments}}
";

/// The peak of `validate` in KiB, and what it ended with.
#[cfg(target_os = "linux")]
fn peak(root: &Path) -> (u64, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_batchwright"))
        .args(["validate", "dev", "--manifests"])
        .arg(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // It only grows, so that the last look before the end tells the peak.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let now = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = now.and_then(|it| it.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(now.unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            return (peak, ended.code());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_manifest_takes_all_memory() {
    let text = |bytes: usize| "x".repeat(bytes);
    let times = |what: &str, times: usize| vec![what; times].join(", ");
    let with = |variables: &str, spec: &str| {
        let environment = format!("{ENVIRONMENT}variables:\n  {variables}\n");
        Folder::new(&environment, format!("{GROUP}{spec}\n").as_bytes())
    };
    let alone = |manifest: String| Folder::new(ENVIRONMENT, manifest.as_bytes());
    let deep = (0..60).fold(format!("\"{}\"", text(900_000)), |inner, n| format!("&b{n} [{inner}]"));
    let long_key = text(300_000);
    let policy = format!(
        "apiVersion: batchwright/v1\nkind: iam/Policy\nmetadata: {{name: a}}\nspec: {{policyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Action: '*', Resource: '*', Condition: {{StringEquals: {{\"{long_key}\": [{}]}}}}}}]}}}}\n",
        times("a", 40_000)
    );
    let numbers: String = (0..40_000).map(|n| format!("p{n}: {n}, ")).collect();
    let wrong = format!(
        "apiVersion: batchwright/v1\nkind: batch/JobDefinition\nmetadata: {{name: a}}\nspec: {{type: container, parameters: {{{numbers}}}}}\n"
    );
    let groups: Vec<String> = (0..10_000)
        .map(|n| format!("---\n{}{{retentionInDays: 7}}\n", GROUP.replace("name: a", &format!("name: g{n}"))))
        .collect();
    let stacks: Vec<String> = (0..40_000).map(|n| format!("s{n}")).collect();
    let cases = [
        ("nothing", alone(format!("{GROUP}{{}}\n"))),
        ("10,000 resources", {
            let folder = alone(format!("{GROUP}{{}}\n"));
            for (n, some) in groups.chunks(2_000).enumerate() {
                let path = folder.0.path().join(format!("stacks/main/b{n}.yaml"));
                fs::write(path, some.concat()).unwrap();
            }
            folder
        }),
        ("aliases of 50 kB", alone(format!("a: &a \"{}\"\nb: [{}]\n", text(50_000), times("*a", 10_000)))),
        ("aliases of 500 kB", alone(format!("a: &a \"{}\"\nb: [{}]\n", text(500_000), times("*a", 40_000)))),
        (
            "merges",
            alone(format!("a: &a {{\"{}\": 1}}\nb: {{<<: [{}]}}\n", text(500_000), times("*a", 40_000))),
        ),
        ("anchors around each other", alone(format!("a: {deep}\n"))),
        (
            "a text variable in one text",
            with(
                &format!("big: \"{}\"", text(50_000)),
                &format!("{{kmsKeyId: \"{}\"}}", "${var.big}".repeat(10_000)),
            ),
        ),
        (
            "a text variable in many",
            with(
                &format!("big: \"{}\"", text(500_000)),
                &format!("{{x: [{}]}}", times("\"${var.big}\"", 40_000)),
            ),
        ),
        (
            "a text variable in keys",
            with(
                &format!("big: \"{}\"", text(500_000)),
                &format!(
                    "{{{}}}",
                    (0..20_000).map(|n| format!("\"{n}${{var.big}}\": 1, ")).collect::<String>()
                ),
            ),
        ),
        (
            "a list variable",
            with(
                &format!("big: [{}]", times("a", 40_000)),
                &format!("{{x: [{}]}}", times("\"${var.big}\"", 200)),
            ),
        ),
        ("one key again and again", alone(format!("{{{}}}\n", times("a: 1", 49_000)))),
        (
            "stacks that are not there",
            Folder::new(&ENVIRONMENT.replace("[main]", &format!("[{}]", stacks.join(", "))), b"a: 1\n"),
        ),
        ("a long key above many", alone(policy.clone())),
        ("a long key above many that are wrong", alone(policy.replace("StringEquals", "NumericEquals"))),
        ("wrong values", alone(wrong)),
        ("unclosed references", alone(format!("{GROUP}{{kmsKeyId: \"{}\"}}\n", "${a} ".repeat(100_000)))),
        ("files of short values", {
            let folder = alone(format!("{GROUP}{{}}\n"));
            let file = format!("[{}]\n", times("1", 49_000));
            (0..60).for_each(|n| {
                fs::write(folder.0.path().join(format!("stacks/main/b{n}.yaml")), &file).unwrap()
            });
            folder
        }),
        ("files of small resources", {
            let folder = alone(format!("{GROUP}{{}}\n"));
            for file in 0..24 {
                let group =
                    |n| GROUP.replace("name: a", &format!("name: g{file}-{n}")).replace("spec: ", "---\n");
                let path = folder.0.path().join(format!("stacks/main/b{file}.yaml"));
                fs::write(path, (0..5_400).map(group).collect::<String>()).unwrap();
            }
            folder
        }),
        ("job definitions, as many as may be", {
            let folder = alone(format!("{GROUP}{{}}\n"));
            for file in 0..16 {
                let jobs = (0..250).map(|n| JOB.replace("NAME", &format!("j{file}-{n}"))).collect::<String>();
                fs::write(folder.0.path().join(format!("stacks/main/b{file}.yaml")), jobs).unwrap();
            }
            folder
        }),
        ("files of nothing", {
            let folder = alone(format!("{GROUP}{{}}\n"));
            let file = "\n".repeat(1024 * 1024);
            (0..16).for_each(|n| {
                fs::write(folder.0.path().join(format!("stacks/main/b{n}.yaml")), &file).unwrap()
            });
            folder
        }),
    ];
    let mut over = Vec::new();
    for (what, folder) in &cases {
        let (kib, code) = peak(folder.0.path());
        println!("{what}: {} MiB, exit {code:?}", kib / 1024);
        let sound = ["nothing", "10,000 resources", "job definitions, as many as may be", "files of nothing"];
        let is_sound = sound.contains(what);
        assert_eq!(code, Some(i32::from(!is_sound)), "{what}");
        assert!(kib > 1000, "{what}: the peak was not seen");
        if kib > MOST_KIB {
            over.push(format!("{what}: {} MiB", kib / 1024));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}
