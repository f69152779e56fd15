//! The program as its users see it: help, exit codes, texts. No AWS; the slow story at the end runs on a sandbox.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

mod ended;
mod guarded;
mod kept;
mod profile;

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
    dev: 1 resource is declared, and nothing is wrong with it.
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
      |                  ^^^^^^^^ expected one of: STANDARD, INFREQUENT_ACCESS, ESSENTIALS, DELIVERY
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
    // So does every other command, before it calls anybody; the text is on stderr all the same.
    let kinds = |ran: &Ran| -> Vec<String> {
        let records = ran.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        records.map(|record| record["type"].to_string()).collect()
    };
    for command in ["plan", "apply", "drift", "destroy", "status", "bootstrap"] {
        let other = run(folder.path(), &[command, "dev", "--json"]);
        assert_eq!((other.code, kinds(&other)), (Some(1), kinds(&ran)), "{command}");
        assert!(other.err.contains("unknown field `retentionDays`"), "{command}: {}", other.err);
    }
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
    let of_revision = run(folder.path(), &["explain", "batch/JobDefinition.containerProperties.image"]);
    let change = of_revision.out.lines().find(|line| line.contains("a change"));
    assert_eq!(
        change,
        Some("  a change   registers another revision, as every change of this kind does"),
        "{}",
        of_revision.out
    );
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
      kmsKeyId                   string. The ARN of the KMS key that new events are encrypted with; absent: CloudWatch's own.
      logGroupClass              STANDARD | INFREQUENT_ACCESS | ESSENTIALS | DELIVERY. `STANDARD`, `INFREQUENT_ACCESS`, `ESSENTIALS` or `DELIVERY`: what can be done with the events, and what they cost.
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

fn on_sandbox(endpoint: &str, folder: &Path, args: &[&str]) -> Ran {
    let mut command = program(folder, args);
    ran(command.arg("--sandbox").env("BATCHWRIGHT_SANDBOX", endpoint).output().unwrap())
}

/// The sandbox in another terminal.
struct Sandbox {
    child: Child,
    endpoint: String,
}

impl Sandbox {
    fn start(folder: &Path) -> Self {
        let mut child = program(folder, &["sandbox", "dev"]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let endpoint = lines
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("export BATCHWRIGHT_SANDBOX=").map(str::to_owned));
        Self { child, endpoint: endpoint.unwrap() }
    }

    /// As Ctrl-C does; answers how it ended.
    fn interrupt(&mut self) -> Option<i32> {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Sandbox {
    /// A test that failed leaves nothing behind either.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.interrupt();
        }
    }
}

#[test]
fn an_environment_from_its_first_plan_to_its_end() {
    let folder = folder(LOGS);
    let here = folder.path();
    let mut sandbox = Sandbox::start(here);
    let endpoint = sandbox.endpoint.clone();
    let run = |args: &[&str]| on_sandbox(&endpoint, here, args);
    let last = |ran: &Ran| ran.out.lines().last().unwrap_or_default().to_owned();

    let plan =
        run(&["plan", "dev", "--detailed-exitcode", "--out", "markdown=plan.md", "--out", "json=plan.json"]);
    assert_eq!(
        (plan.code, last(&plan).as_str()),
        (Some(2), "Plan: 1 to add, 0 to change, 0 to replace, 0 to delete.")
    );
    assert!(
        fs::read_to_string(here.join("plan.md"))
            .unwrap()
            .starts_with("<!-- batchwright environment=dev fingerprint=")
    );
    let first = fs::read_to_string(here.join("plan.json")).unwrap();
    assert!(first.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{first}");

    ended::nothing_is_applied_that_nobody_saw_or_agreed_to(here, &endpoint);
    let unasked = run(&["apply", "dev"]);
    assert_eq!(unasked.code, Some(1));
    assert!(unasked.err.contains("add --yes"), "{}", unasked.err);

    // One command makes one plan, and one more if it had to ask for jobs or data; what is as it was is not planned again.
    let plans = |ran: &Ran| ran.err.matches("a plan is made").count();
    let counted = |args: &[&str]| run(&[args, &["--log", "batchwright::plan=debug"]].concat());
    let applied = counted(&["apply", "dev", "--yes"]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    assert_eq!(plans(&applied), 1, "{}", applied.err);
    assert_eq!(last(&applied), "Applied: 1 added, 0 changed, 0 replaced, 0 deleted.");
    assert!(applied.err.contains("created       logs/LogGroup/jobs (dev-jobs)"), "{}", applied.err);

    let again = counted(&["plan", "dev", "--detailed-exitcode"]);
    assert_eq!(plans(&again), 1, "{}", again.err);
    assert_eq!((again.code, last(&again).as_str()), (Some(0), "No changes. 1 resource is as declared."));
    let calm = run(&["drift", "dev"]);
    assert_eq!((calm.code, last(&calm).as_str()), (Some(0), "No drift. 1 resource is as declared."));

    let status = run(&["status", "dev"]);
    assert!(status.out.starts_with("logs/LogGroup/jobs  dev-jobs  ready\n"), "{}", status.out);
    assert!(run(&["status", "dev", "--json"]).out.contains(r#""readiness":{"is":"ready"}"#));

    write(here, "manifests/stacks/main/main.yaml", &LOGS.replace('7', "14"));
    let drift = run(&["drift", "dev"]);
    assert_eq!(drift.code, Some(2));
    assert!(drift.out.contains("retentionInDays: live has 7, git says 14"), "{}", drift.out);

    let records = run(&["plan", "dev", "--json"]);
    let records: Vec<serde_json::Value> =
        records.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = records.last().unwrap();
    assert_eq!(records[1]["type"], "planned_change");
    assert_eq!(summary["type"], "change_summary");
    // How deep it ran is by the clock; `tests/aws/payments.rs` counts rounds.
    let (calls, depth) = (summary["calls"].as_u64().unwrap(), summary["depth"].as_u64().unwrap());
    assert!(calls > 1 && (1..=calls).contains(&depth), "{summary}");

    // Another log group takes its place: deleting data needs a word of its own, and then the plan is good.
    write(here, "manifests/stacks/main/main.yaml", &LOGS.replace("name: jobs", "name: other"));
    let refused = run(&["apply", "dev", "--yes"]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.out.contains("--allow-delete=logs/LogGroup/jobs"), "{}", refused.out);
    let allowed = counted(&["apply", "dev", "--yes", "--allow-delete", "logs/LogGroup/jobs"]);
    assert_eq!(allowed.code, Some(0), "{}{}", allowed.out, allowed.err);
    assert_eq!(plans(&allowed), 2, "asked whether there is data: {}", allowed.err);

    write(here, "manifests/dev/environment.yaml", &ENVIRONMENT.replace("111111111111", "222222222222"));
    let elsewhere = run(&["plan", "dev"]);
    assert_eq!(elsewhere.code, Some(3));
    assert!(
        elsewhere.err.contains("111111111111") && elsewhere.err.contains("222222222222"),
        "{}",
        elsewhere.err
    );
    write(here, "manifests/dev/environment.yaml", ENVIRONMENT);

    let wrong = run(&["destroy", "dev", "--confirm=prod"]);
    assert_eq!(wrong.code, Some(1));
    let gone = counted(&["destroy", "dev", "--confirm=dev"]);
    assert_eq!(gone.code, Some(0), "{}{}", gone.out, gone.err);
    assert_eq!(plans(&gone), 2, "asked whether there is data: {}", gone.err);
    assert_eq!(last(&gone), "Applied: 0 added, 0 changed, 0 replaced, 1 deleted.");

    let port = endpoint.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    assert_eq!(sandbox.interrupt(), Some(0));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "something still listens");
}
