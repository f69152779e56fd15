//! A command that hears no signal, because it computes or is stuck in a write, ends on one all the same.

#![cfg(target_os = "linux")]

use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Whether the process has a handler of its own for SIGTERM, and no longer dies of it.
fn handles_sigterm(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
    caught & (1 << (Signal::TERM.as_raw() - 1)) != 0
}

/// Nobody reads the schema, which is longer than a pipe holds.
#[test]
fn a_command_that_waits_for_no_signal_ends_on_one() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_batchwright"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !handles_sigterm(child.id()) {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(6));
}

/// An environment of one stack with as many mistakes as are told at once.
fn mistakes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "manifests/dev/environment.yaml",
        "project: acme/jobs\naccount: \"111111111111\"\nregion: eu-west-1\nstacks: [main]\n",
    );
    let mut text =
        "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: jobs}\nspec:\n".to_owned();
    for number in 10..40 {
        let _ = writeln!(text, "  bogus{number}: \"{}\"", "x".repeat(300));
    }
    write("manifests/stacks/main/main.yaml", &text);
    folder
}

/// One of them says it at its end, one in the midst of what it does, and one listens for signals meanwhile.
#[test]
fn a_command_that_is_stuck_in_what_it_says_ends_on_a_signal() {
    let folder = mistakes();
    // Each mistake is told with its file's path.
    let manifests = format!("{}manifests", "./".repeat(1950));
    for command in ["validate", "plan", "watch"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_batchwright"))
            .args([command, "dev", "--manifests", &manifests])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It has begun, and cannot end: nobody reads the rest.
        child.stderr.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(6), "{command}");
    }
}
