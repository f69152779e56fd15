//! The keeper of a job: nobody outlives the job, nor the sandbox, whatever they do.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use batchwright::sandbox::keeper;
use rustix::process::{Pid, Signal, test_kill_process};

/// A keeper with a shell, and the sandbox's end of its socket.
fn keep(script: &str) -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchwright"));
    command.args([keeper::ARGUMENT, "/bin/sh", "-c", script]);
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped());
    (command.spawn().unwrap(), ours)
}

/// The numbers that a script writes until it closes its output or says a dot.
fn pids(child: &mut Child) -> Vec<Pid> {
    let mut said = String::new();
    let mut byte = [0];
    let out = child.stdout.as_mut().unwrap();
    while out.read(&mut byte).unwrap() == 1 && byte[0] != b'.' {
        said.push(char::from(byte[0]));
    }
    said.split_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap()).collect()
}

fn is_there(pid: &Pid) -> bool {
    test_kill_process(*pid).is_ok()
}

/// Whoever is orphaned by the keeper's own death is reaped by somebody else, in their own time.
fn gone(pids: &[Pid]) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while pids.iter().any(is_there) && Instant::now() < until {
        std::thread::yield_now();
    }
    !pids.iter().any(is_there)
}

/// In a session of its own, and again below somebody who has ended.
const SCATTER: &str = "setsid sleep 1000 >/dev/null 2>&1 & echo $!; (setsid sh -c 'sleep 1000 & echo $!' & wait $!) 2>&1; echo .; ";

#[test]
fn whoever_leaves_a_job_ends_with_it() {
    if !keeper::KEEPS_ALL {
        return;
    }
    let (mut keeper, mut socket) = keep(&format!("{SCATTER} exit 7"));
    let left = pids(&mut keeper);
    assert_eq!(left.len(), 2);
    assert_eq!(keeper.wait().unwrap().code(), Some(7));
    assert!(!left.iter().any(is_there), "the keeper goes last");
    let mut said = Vec::new();
    socket.read_to_end(&mut said).unwrap();
    assert_eq!(said, [keeper::STARTED]);
}

#[test]
fn they_end_when_they_are_told_to_and_when_the_sandbox_is_gone() {
    let wait = format!("{SCATTER} exec sleep 1000");
    let (mut keeper, mut socket) = keep(&wait);
    let left = pids(&mut keeper);
    socket.write_all(&[keeper::TERMINATE]).unwrap();
    assert_eq!(keeper.wait().unwrap().code(), Some(128 + 15));
    assert!(!keeper::KEEPS_ALL || !left.iter().any(is_there));

    // As a socket of a process that was killed.
    let (mut keeper, socket) = keep(&format!("trap '' TERM; {SCATTER} sleep 1000"));
    let left = pids(&mut keeper);
    drop(socket);
    assert_eq!(keeper.wait().unwrap().code(), Some(128 + 9));
    assert!(!keeper::KEEPS_ALL || !left.iter().any(is_there));

    // Asked to end itself, it ends the others first.
    let (mut keeper, _socket) = keep(&wait);
    let left = pids(&mut keeper);
    rustix::process::kill_process(Pid::from_child(&keeper), Signal::TERM).unwrap();
    assert_eq!(keeper.wait().unwrap().code(), Some(128 + 9));
    assert!(!keeper::KEEPS_ALL || gone(&left));
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchwright"));
    command.args([keeper::ARGUMENT, "/nowhere/program"]).stdin(Stdio::from(OwnedFd::from(theirs)));
    assert_eq!(command.status().unwrap().code(), Some(127));
    drop(command);
    let mut said = String::new();
    (&ours).read_to_string(&mut said).unwrap();
    assert!(said.starts_with("-No such file or directory"), "{said}");
}
