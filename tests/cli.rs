//! The program as its users see it: help, exit codes, texts. No AWS; the slow story at the end runs on a sandbox.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"111111111111\"\nregion: eu-west-1\nnamePrefix: dev-\nstacks: [main]\n";
const LOGS: &str =
    "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata:\n  name: jobs\nspec:\n  retentionInDays: 7\n";

/// A folder with one environment, `dev`, of one stack with one file.
fn folder(manifest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "manifests/dev/environment.yaml", ENVIRONMENT);
    write(folder.path(), "manifests/stacks/main/main.yaml", manifest);
    folder
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The program in a folder, with none of the caller's AWS settings.
fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchwright"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for name in
        ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "GITHUB_ACTIONS", "GITHUB_SHA", "NO_COLOR"]
    {
        command.env_remove(name);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/dev/null");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn run(folder: &Path, args: &[&str]) -> Ran {
    ran(program(folder, args).output().unwrap())
}

/// Exit code, then both streams: what a snapshot holds.
fn whole(ran: &Ran) -> String {
    format!("exit {}\n-- out\n{}-- err\n{}", ran.code.unwrap_or(-1), ran.out, ran.err)
}

#[test]
fn help_publishes_every_exit_code() {
    let folder = folder(LOGS);
    let help = run(folder.path(), &["--help"]);
    assert_eq!(help.code, Some(0));
    for code in 0..=9 {
        assert!(help.out.contains(&format!("\n  {code}  ")), "{}", help.out);
    }
}

#[test]
fn a_usage_error_exits_with_1() {
    let folder = folder(LOGS);
    for args in [&["plan"][..], &["plain", "dev"], &["plan", "dev", "--out", "pdf=x"], &[]] {
        let ran = run(folder.path(), args);
        assert_eq!(ran.code, Some(1), "{args:?}: {}", ran.err);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{args:?}");
    }
}

#[test]
fn validate_says_that_all_is_well() {
    let folder = folder(LOGS);
    insta::assert_snapshot!(whole(&run(folder.path(), &["validate", "dev"])), @r#"
    exit 0
    -- out
    dev: 1 resource is declared, and nothing is wrong with them.
    -- err
    "#);
}

#[test]
fn validate_shows_every_mistake_in_its_place() {
    let folder = folder(&LOGS.replace("retentionInDays: 7", "retentionDays: 7\n  logGroupClass: STANDART"));
    insta::assert_snapshot!(whole(&run(folder.path(), &["validate", "dev"])), @r#"
    exit 1
    -- out
    -- err
    error: unknown field `retentionDays`
     --> manifests/stacks/main/main.yaml:6:3
      |
    6 |   retentionDays: 7
      |   ^^^^^^^^^^^^^ expected one of: deletionProtectionEnabled, kmsKeyId, logGroupClass, retentionInDays, retentionPolicyName
      = help: did you mean `retentionInDays`?

    error: `logGroupClass` is the text `STANDART`
     --> manifests/stacks/main/main.yaml:7:18
      |
    7 |   logGroupClass: STANDART
      |                  ^^^^^^^^ expected one of: DELIVERY, INFREQUENT_ACCESS, STANDARD
      = help: did you mean `STANDARD`?

    error: 2 errors in the manifests; AWS was not called
    "#);
}

#[test]
fn validate_speaks_json() {
    let folder = folder(&LOGS.replace("retentionInDays", "retentionDays"));
    let ran = run(folder.path(), &["validate", "dev", "--json"]);
    let records: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ran.code, Some(1));
    assert_eq!(records[0]["type"], "version");
    assert_eq!(records[0]["schema"], "1.0");
    assert_eq!(records[1]["type"], "diagnostic");
    assert_eq!(records[1]["position"]["line"], 6);
}

#[test]
fn an_unknown_environment_names_those_that_are_there() {
    let folder = folder(LOGS);
    insta::assert_snapshot!(whole(&run(folder.path(), &["plan", "def"])), @r#"
    exit 1
    -- out
    -- err
    error: there is no environment `def`
     --> manifests
      = help: did you mean `dev`?
      = help: environments are: dev

    error: 1 error in the manifests; AWS was not called
    "#);
}

#[test]
fn without_credentials_it_exits_with_8() {
    let folder = folder(LOGS);
    let ran = run(folder.path(), &["plan", "dev"]);
    assert_eq!(ran.code, Some(8), "{}", ran.err);
    assert!(
        ran.err.contains("no AWS credentials were found") && ran.err.contains("aws sso login"),
        "{}",
        ran.err
    );
}

#[test]
fn an_endpoint_that_nobody_serves_is_named_with_what_to_do() {
    let folder = folder(LOGS);
    // Port 1 of the loopback interface: reserved, and nothing listens there.
    let mut command = program(folder.path(), &["plan", "dev", "--endpoint-url", "http://127.0.0.1:1"]);
    let ran = ran(command.env("AWS_MAX_ATTEMPTS", "1").output().unwrap());
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("sts:GetCallerIdentity") && ran.err.contains("--endpoint-url"), "{}", ran.err);
}

#[test]
fn colour_is_on_only_where_it_is_wanted() {
    let folder = folder(&LOGS.replace("retentionInDays", "retentionDays"));
    let coloured = |args: &[&str], set: &[(&str, &str)]| {
        let mut command = program(folder.path(), args);
        ran(command.envs(set.iter().copied()).output().unwrap()).err.contains('\u{1b}')
    };
    let plain = ["validate", "dev"];
    assert!(!coloured(&plain, &[]));
    assert!(coloured(&plain, &[("GITHUB_ACTIONS", "true")]));
    assert!(!coloured(&plain, &[("GITHUB_ACTIONS", "true"), ("NO_COLOR", "1")]));
    assert!(coloured(&["validate", "dev", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["validate", "dev", "--color", "never"], &[("GITHUB_ACTIONS", "true")]));
}

#[test]
fn explain_tells_of_a_field() {
    let folder = folder(LOGS);
    let field = run(folder.path(), &["explain", "batch/ComputeEnvironment.computeResources.maxvCpus"]);
    insta::assert_snapshot!(whole(&field), @r#"
    exit 0
    -- out
    batch/ComputeEnvironment.computeResources.maxvCpus integer
      The vCPUs that are never exceeded.
      absent     it is required
      a change   is made in place, unless the kind's own rules say otherwise
    -- err
    "#);
    insta::assert_snapshot!(whole(&run(folder.path(), &["explain", "logs/LogGroup"])), @r#"
    exit 0
    -- out
    logs/LogGroup: A CloudWatch log group: where jobs' output goes, and how long it is kept.
      known by   its name; a second one of that name can't be made
      owned      by tags in the call that makes it
      data       deleting one destroys data: see metadata.onDelete
      outputs    arn, name, storedBytes
      in AWS     AWS::Logs::LogGroup

    Fields:
      deletionProtectionEnabled  boolean. Whether AWS refuses to delete the group.
      kmsKeyId                   string. The KMS key that new events are encrypted with; absent: CloudWatch's own.
      logGroupClass              DELIVERY | INFREQUENT_ACCESS | STANDARD. `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`: what can be done with the events, and what they cost.
      retentionInDays            integer. How many days events are kept; absent: for ever.
      retentionPolicyName        string. The account-level policy that decides in place of `retentionInDays`: AWS says it, it is not declared.

    Example:
      apiVersion: batchwright/v1
      kind: logs/LogGroup
      metadata:
        name: jobs
        physicalName: /batch/payments
      spec:
        retentionInDays: 30
    -- err
    "#);
}

#[test]
fn explain_knows_what_was_meant() {
    let folder = folder(LOGS);
    insta::assert_snapshot!(whole(&run(folder.path(), &["explain", "batch/JobQeue"])), @r#"
    exit 1
    -- out
    -- err
    error: there is no kind `batch/JobQeue`
      = help: did you mean `batch/JobQueue`?
    "#);
    insta::assert_snapshot!(whole(&run(folder.path(), &["explain", "batch/JobQueue.prioritty"])), @r#"
    exit 1
    -- out
    -- err
    error: batch/JobQueue has no field `prioritty`
      = help: did you mean `priority`?
    "#);
}

#[test]
fn schema_is_json() {
    let folder = folder(LOGS);
    let ran = run(folder.path(), &["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(schema["$defs"]["Environment"].is_object());
}
