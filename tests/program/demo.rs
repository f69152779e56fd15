//! `batchwright demo` as people run it: to its end, and cut short.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process_group};

/// Starts the demo in a process group of its own.
fn demo() -> Child {
    Command::new(env!("CARGO_BIN_EXE_batchwright"))
        .arg("demo")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("BATCHWRIGHT_SANDBOX")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap()
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Returns when no process of the group is left; one that stays hangs the test.
fn wait_until_gone(group: Pid) {
    while test_kill_process_group(group).is_ok() {
        std::thread::yield_now();
    }
}

#[test]
fn the_main_job_from_beginning_to_end() {
    let child = demo();
    let group = pid(&child);
    let ended = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert!(ended.status.success(), "{}\n{out}\n{err}", ended.status);
    let headings: Vec<&str> = out.lines().filter(|line| line.starts_with("===")).collect();
    insta::assert_snapshot!(headings.join("\n"), @r"
    === 1. An AWS to try things on ===
    === 2. Plan and apply manifests/dev ===
    === 3. Plan again: nothing to do ===
    === 4. Run the job: the worker sums up a CSV of payments ===
    === 5. Changes behind the manifests' back, and the drift they make ===
    === 6. Apply heals it ===
    === 7. Destroy everything ===
    ");
    for told in [
        "No changes. 19 resources are as declared.",
        "\"total_purchase\": 30911.53",
        "priority: live has 50, git says 1",
        "Drift: 0 missing, 3 different, 0 not declared, 16 as declared.",
        "Applied: 0 added, 3 changed, 0 replaced, 0 deleted.",
        "AWS has nothing left that belongs to acme/payments-batch/dev.",
    ] {
        assert!(out.contains(told), "{told} is missing in:\n{out}");
    }
    wait_until_gone(group);
}

#[test]
fn a_signal_ends_it_and_leaves_nothing_behind() {
    let mut child = demo();
    let group = pid(&child);
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    // The output must be taken off, or the demo would wait for us.
    let out = child.stdout.take().unwrap();
    let reading = std::thread::spawn(move || BufReader::new(out).lines().count());
    let mut told = Vec::new();
    let began = err.by_ref().map(Result::unwrap).any(|line| {
        let begins = line.contains("creating      ec2/Subnet");
        told.push(line);
        begins
    });
    assert!(began, "it never began to apply: {told:#?}");
    kill_process(group, Signal::INT).unwrap();
    let rest: Vec<String> = err.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(6), "{rest:?}");
    assert_eq!(rest.last().unwrap(), "error: interrupted");
    assert!(reading.join().unwrap() > 0);
    wait_until_gone(group);
}
