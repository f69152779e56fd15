//! The processes of one attempt: started, told to end, and ended with whatever they left behind.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Pair;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::keeper;

/// The processes of an attempt. They are killed when it is dropped.
pub(super) struct Processes {
    child: Child,
    hold: Hold,
}

/// What they are held by.
enum Hold {
    /// A keeper of their own, which ends them all.
    Keeper(UnixStream),
    /// Their process group: who leaves it outlives the attempt.
    Group(Option<Pid>),
}

impl Processes {
    /// Starts a program under a keeper, if there is one. Returns when it runs.
    pub async fn start(
        keeper: Option<&Path>,
        program: &Path,
        with: impl FnOnce(&mut Command),
    ) -> std::io::Result<Self> {
        let Some(keeper) = keeper else {
            let mut command = Command::new(program);
            with(&mut command);
            let child = command.stdin(Stdio::null()).process_group(0).kill_on_drop(true).spawn()?;
            let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            return Ok(Self { child, hold: Hold::Group(leader) });
        };
        let (ours, theirs) = Pair::pair()?;
        ours.set_nonblocking(true)?;
        let mut socket = UnixStream::from_std(ours)?;
        let child = {
            let mut command = Command::new(keeper);
            command.arg(keeper::ARGUMENT).arg(program);
            with(&mut command);
            // It has a group of its own, so that no Ctrl-C of a terminal ends it before the job.
            command.stdin(Stdio::from(OwnedFd::from(theirs))).process_group(0).spawn()?
        };
        match socket.read_u8().await? {
            keeper::STARTED => Ok(Self { child, hold: Hold::Keeper(socket) }),
            _ => {
                let mut why = String::new();
                socket.read_to_string(&mut why).await?;
                Err(std::io::Error::other(why))
            }
        }
    }

    /// Where they write.
    pub fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Returns when the first of them has ended; under a keeper, all of them. Answers its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        let status = self.child.wait().await.ok()?;
        // A container that a signal ended has 128 + the signal's number as its exit code.
        status.code().or_else(|| status.signal().map(|signal| 128 + signal))
    }

    /// Asks them to end.
    pub fn terminate(&self) {
        match &self.hold {
            // An error means that it is over.
            Hold::Keeper(socket) => drop(socket.try_write(&[keeper::TERMINATE])),
            Hold::Group(leader) => send(*leader, Signal::TERM),
        }
    }

    /// Ends them.
    pub async fn kill(&mut self) -> Option<i32> {
        match &mut self.hold {
            Hold::Keeper(socket) => drop(tokio::io::AsyncWriteExt::shutdown(socket).await),
            Hold::Group(leader) => send(*leader, Signal::KILL),
        }
        self.ended().await
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        if let Hold::Group(leader) = self.hold {
            send(leader, Signal::KILL);
        }
    }
}

fn send(leader: Option<Pid>, signal: Signal) {
    if let Some(leader) = leader {
        // An error means that nobody is left in the group.
        let _ = kill_process_group(leader, signal);
    }
}
