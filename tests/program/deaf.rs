//! A command that hears no signal, because it computes or is stuck in a write, ends on one all the same.

#![cfg(target_os = "linux")]

use std::fs;
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
