//! A process of this program between the sandbox and a job: with it every process of the job ends, whatever either of them does.
//!
//! On Linux whoever loses its parent below it becomes its child (<https://man7.org/linux/man-pages/man2/prctl.2.html>, PR_SET_CHILD_SUBREAPER), also
//! after setsid; so it knows when nobody is left. It hears the sandbox over a socket, its standard input, which closes when the sandbox is gone,
//! even by SIGKILL. Elsewhere a job's process group is all that is ended.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, wait};
use tokio::signal::unix::{SignalKind, signal};

/// The first argument that asks the program to be one; a program with its arguments follows.
pub const ARGUMENT: &str = "keep-job-of-sandbox";
/// Said back when the program runs; otherwise why it does not follows [`FAILED`].
pub const STARTED: u8 = b'+';
/// Said back when the program could not be started, before the reason.
pub const FAILED: u8 = b'-';
/// Asks the job to end. The end of the socket ends it.
pub const TERMINATE: u8 = b'T';
/// How long it tries to end what can't be ended, such as a process of another user.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the processes that leave a job's group are ended with it on this system.
pub const KEEPS_ALL: bool = cfg!(target_os = "linux");

/// What to do if this process was started to keep a job; nothing if it is the program that people call.
#[must_use]
pub fn asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == ARGUMENT).then(|| ExitCode::from(keep(arguments).unwrap_or(125)))
}

/// Runs a program to its end, and everything that it started with it. Answers its exit code, or 128 and the signal's number.
fn keep(mut arguments: impl Iterator<Item = OsString>) -> std::io::Result<u8> {
    let mut sandbox = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before there is a child: a signal that comes early must not be lost.
    let signals = {
        let _inside = runtime.enter();
        Signals::listen()?
    };
    let mut command = Command::new(arguments.next().unwrap_or_default());
    let child = match command.args(arguments).stdin(Stdio::null()).process_group(0).spawn() {
        Ok(child) => child,
        Err(error) => {
            sandbox.write_all(&[FAILED])?;
            sandbox.write_all(error.to_string().as_bytes())?;
            return Ok(127);
        }
    };
    let leader = Pid::from_child(&child);
    // Nobody may be listening any more: then the first read says so.
    let _ = sandbox.write_all(&[STARTED]);
    sandbox.set_nonblocking(true)?;
    runtime.block_on(async {
        let code = until_it_ends(leader, sandbox, signals).await?;
        end_all(leader).await;
        Ok(code)
    })
}

/// What this process is told of by the system.
struct Signals {
    child: tokio::signal::unix::Signal,
    ends: [tokio::signal::unix::Signal; 3],
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let ends = [
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        ];
        Ok(Self { child: signal(SignalKind::child())?, ends })
    }
}

/// Returns when the leader has ended, by itself or because it was told to.
async fn until_it_ends(leader: Pid, sandbox: UnixStream, mut signals: Signals) -> std::io::Result<u8> {
    let sandbox = tokio::net::UnixStream::from_std(sandbox)?;
    let mut alone = false;
    loop {
        if let Some(code) = reap(leader) {
            return Ok(code);
        }
        let [one, two, three] = &mut signals.ends;
        tokio::select! {
            _ = signals.child.recv() => {}
            _ = one.recv() => kill(leader),
            _ = two.recv() => kill(leader),
            _ = three.recv() => kill(leader),
            ready = sandbox.readable(), if !alone => {
                let mut order = [0];
                match ready.and_then(|()| sandbox.try_read(&mut order)) {
                    Ok(1) if order[0] == TERMINATE => drop(kill_process_group(leader, Signal::TERM)),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    _ => {
                        alone = true;
                        kill(leader);
                    }
                }
            }
        }
    }
}

/// Takes note of everybody who has ended; answers the leader's code if it is among them.
fn reap(leader: Pid) -> Option<u8> {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == leader {
            let code =
                status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
            return Some(u8::try_from(code.unwrap_or(125)).unwrap_or(125));
        }
    }
    None
}

/// Has the leader end, which is the end of the others.
fn kill(leader: Pid) {
    // An error means that nobody is left in it.
    let _ = kill_process_group(leader, Signal::KILL);
}

/// Kills everybody below this process until nobody is left.
async fn end_all(leader: Pid) {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if !left || Instant::now() > until {
            return;
        }
        kill(leader);
        #[cfg(target_os = "linux")]
        for pid in descendants(rustix::process::getpid().as_raw_pid()) {
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Everybody below a process, as /proc knows them.
#[cfg(target_os = "linux")]
fn descendants(of: i32) -> Vec<i32> {
    let parents: Vec<(i32, i32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let mut stat = String::new();
            std::fs::File::open(entry.path().join("stat")).ok()?.read_to_string(&mut stat).ok()?;
            // The name, in parentheses, may hold anything; state and parent follow it.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut found = vec![of];
    let mut next = 0;
    while let Some(one) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, parent)| *parent == one).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}
