//! Other people's clients on the sandbox: boto3 through Batch's whole life, Terraform's provider through a stack, and odd requests.
//!
//! boto3 is the one that moto brings along, so that there is nothing more to install. Terraform and its provider are used where they
//! are; where they are not, the test says so.

#![allow(clippy::print_stderr, reason = "says what it left out")]

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use batchwright::sandbox::{Options, Sandbox, install, keeper};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

async fn sandbox() -> Sandbox {
    Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/clients")
}

/// A program that knows no AWS but the sandbox.
fn command(sandbox: &Sandbox, program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs(sandbox.environment());
    command.envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")]);
    command
}

/// Runs a script with moto's Python.
async fn python(sandbox: &Sandbox, script: &str, arguments: &[String]) -> Output {
    let home = install::ensure(&mut |_| ()).await.unwrap();
    let mut command = command(sandbox, &install::python(&home));
    command.arg("-I").arg(folder().join(script)).args(arguments).output().await.unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn boto3_goes_through_the_whole_life_of_batch() {
    let sandbox = sandbox().await;
    sandbox.batch().map_image("shell", PathBuf::from("/bin/sh"), vec!["-c".to_owned()]);
    let ended = python(&sandbox, "batch.py", &[]).await;
    assert!(ended.status.success(), "{}", text(&ended));
}

#[tokio::test]
async fn a_key_knows_roles_by_their_ids() {
    let ended = python(&sandbox().await, "keys.py", &[]).await;
    assert!(ended.status.success(), "{}", text(&ended));
}

#[tokio::test]
async fn a_body_is_stored_as_it_is_and_only_if_it_is_what_was_signed() {
    let ended = python(&sandbox().await, "bodies.py", &[]).await;
    assert!(ended.status.success(), "{}", text(&ended));
}

/// What the kinds and services ask AWS, as `<service>.<call>`: whatever is called there. What is no call of the service is left out by
/// whoever asks.
fn calls_of_kinds() -> Vec<String> {
    let call = regex::Regex::new(r"\.([a-z][a-z0-9_]+)\(").unwrap();
    let mut calls = std::collections::BTreeSet::new();
    for service in ["ec2", "ecr", "efs", "iam", "logs", "s3"] {
        let mut files: Vec<PathBuf> = ["src/kinds", "src/services"]
            .map(|of| Path::new(env!("CARGO_MANIFEST_DIR")).join(of).join(service))
            .into();
        files.push(files[1].with_extension("rs"));
        while let Some(file) = files.pop() {
            if file.is_dir() {
                files.extend(std::fs::read_dir(&file).unwrap().map(|entry| entry.unwrap().path()));
            } else if file.extension().is_some_and(|of| of == "rs") && file.exists() {
                let source = std::fs::read_to_string(&file).unwrap();
                calls.extend(call.captures_iter(&source).map(|found| format!("{service}.{}", &found[1])));
            }
        }
    }
    calls.into_iter().collect()
}

/// Seeds that found something: 1 to 4 (a rule without ports, networks out of pools, tokens, documents of S3).
/// `BATCHWRIGHT_ODD=COUNT` asks more.
#[tokio::test]
async fn nothing_that_is_asked_makes_the_sandbox_stumble() {
    let count = std::env::var("BATCHWRIGHT_ODD").unwrap_or_else(|_| "600".to_owned());
    let calls = calls_of_kinds();
    for seed in ["1", "5"] {
        let sandbox = sandbox().await;
        let arguments = [&[seed.to_owned(), count.clone()], calls.as_slice()].concat();
        let ended = python(&sandbox, "odd_requests.py", &arguments).await;
        assert!(ended.status.success() && ended.stdout.is_empty(), "seed {seed}:\n{}", text(&ended));
    }
}

/// `batchwright sandbox` is killed without a word while a job runs: nothing of either is left.
#[tokio::test]
async fn nothing_of_a_job_outlives_a_sandbox_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_batchwright"));
    let mut running = program.arg("sandbox").stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut exports = Vec::new();
    while !exports.iter().any(|(name, _)| name == "BATCHWRIGHT_SANDBOX_TOKEN") {
        let line = lines.next_line().await.unwrap().unwrap();
        let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        exports.push((name.to_owned(), value.to_owned()));
    }
    let home = install::ensure(&mut |_| ()).await.unwrap();
    let mut script = Command::new(install::python(&home));
    script.arg("-I").arg(self::folder().join("left_behind.py")).arg(folder.path().join("pids"));
    script.envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")]);
    let ended = script.envs(exports).output().await.unwrap();
    assert!(ended.status.success(), "{}", text(&ended));
    running.kill().await.unwrap();
    let said = std::fs::read_to_string(folder.path().join("pids")).unwrap();
    let pids: Vec<i32> = said.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 2);
    // In a session of its own it is out of reach where there is no keeper of all.
    let ended_with_it = if keeper::KEEPS_ALL { &pids[..] } else { &pids[1..] };
    let there =
        |pid: &i32| rustix::process::test_kill_process(rustix::process::Pid::from_raw(*pid).unwrap()).is_ok();
    let all_gone = async {
        while ended_with_it.iter().any(there) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), all_gone).await.expect("they are gone");
}

/// A folder in which Terraform's provider for AWS lies, as a mirror of the registry.
fn mirror() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let usual = [
        home.join(".terraform.d/plugins"),
        home.join(".local/share/terraform/plugins"),
        PathBuf::from("/usr/local/share/terraform/plugins"),
        PathBuf::from("/usr/share/terraform/plugins"),
    ];
    let opt = std::fs::read_dir("/opt").into_iter().flatten().flatten().map(|entry| entry.path());
    usual.into_iter().chain(opt).find(|folder| folder.join("registry.terraform.io/hashicorp/aws").is_dir())
}

/// With `BATCHWRIGHT_CLIENTS=all` a job queue as well, which takes two minutes more.
#[tokio::test]
async fn terraform_makes_a_stack_reads_it_again_and_destroys_it() {
    let sandbox = sandbox().await;
    let work = tempfile::tempdir().unwrap();
    std::fs::copy(folder().join("terraform/main.tf"), work.path().join("main.tf")).unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = command(&sandbox, Path::new("terraform"));
        command.current_dir(work.path()).args(arguments).env("TF_VAR_endpoint", sandbox.endpoint());
        let all = std::env::var("BATCHWRIGHT_CLIENTS").is_ok_and(|asked| asked == "all");
        command.env("TF_VAR_queues", if all { "1" } else { "0" });
        command.envs([("TF_IN_AUTOMATION", "1"), ("CHECKPOINT_DISABLE", "1")]);
        command.output().await
    };
    let from = mirror().map(|folder| format!("-plugin-dir={}", folder.display()));
    let init: Vec<&str> = ["init", "-no-color", "-input=false"].into_iter().chain(from.as_deref()).collect();
    match run(&init).await {
        Ok(ended) if ended.status.success() => {}
        Ok(ended) => {
            eprintln!("SKIPPED: Terraform's provider for AWS cannot be had here:\n{}", text(&ended));
            return;
        }
        Err(error) => {
            eprintln!("SKIPPED: terraform is not installed ({error})");
            return;
        }
    }
    for (arguments, wanted) in [
        (["apply", "-no-color", "-input=false", "-auto-approve"], "Apply complete!"),
        (["plan", "-no-color", "-input=false", "-detailed-exitcode"], "No changes."),
        (["destroy", "-no-color", "-input=false", "-auto-approve"], "Destroy complete!"),
    ] {
        let ended = run(&arguments).await.unwrap();
        let said = text(&ended);
        assert!(ended.status.success() && said.contains(wanted), "{arguments:?}: {}\n{said}", ended.status);
    }
}
