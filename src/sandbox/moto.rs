//! The moto child: started, found ready, and never outliving us.
//!
//! It reads our end of its standard input to the end, so that it goes when this process goes, even by SIGKILL.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::keys::Secret;
use super::{Progress, install};

const SERVE: &str = include_str!("moto/serve.py");
const SNAPSHOTS: &str = include_str!("moto/snapshots.py");
/// The corrections: what several services have in common, then a file for each, then tags.
const FIXES: &[(&str, &str)] = &[
    ("documents", include_str!("fixes/documents.py")),
    ("limits", include_str!("fixes/limits.py")),
    ("ec2", include_str!("fixes/ec2.py")),
    ("ec2_flow_logs", include_str!("fixes/ec2_flow_logs.py")),
    ("ec2_gateways", include_str!("fixes/ec2_gateways.py")),
    ("ec2_groups", include_str!("fixes/ec2_groups.py")),
    ("ec2_networks", include_str!("fixes/ec2_networks.py")),
    ("ec2_placement", include_str!("fixes/ec2_placement.py")),
    ("ec2_templates", include_str!("fixes/ec2_templates.py")),
    ("ec2_vpcs", include_str!("fixes/ec2_vpcs.py")),
    ("ecr", include_str!("fixes/ecr.py")),
    ("efs", include_str!("fixes/efs.py")),
    ("efs_mounts", include_str!("fixes/efs_mounts.py")),
    ("efs_replication", include_str!("fixes/efs_replication.py")),
    ("iam", include_str!("fixes/iam.py")),
    ("iam_profiles", include_str!("fixes/iam_profiles.py")),
    ("kms", include_str!("fixes/kms.py")),
    ("logs", include_str!("fixes/logs.py")),
    ("s3", include_str!("fixes/s3.py")),
    ("s3_bodies", include_str!("fixes/s3_bodies.py")),
    ("s3_cors", include_str!("fixes/s3_cors.py")),
    ("s3_logging", include_str!("fixes/s3_logging.py")),
    ("sqs", include_str!("fixes/sqs.py")),
    ("tagging", include_str!("fixes/tagging.py")),
    ("tags", include_str!("fixes/tags.py")),
];
/// A machine with ten other things to do takes more than a minute.
const START_LIMIT: Duration = Duration::from_secs(180);
const LINES_KEPT: usize = 20;

/// Why the moto child did not come up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The interpreter in the cache folder could not be run.
    #[error("its Python could not be run: {0}")]
    Spawn(std::io::Error),
    /// It ended, or said nothing in time.
    #[error("it {what}{}", said(.output))]
    NotReady {
        /// What it did instead.
        what: &'static str,
        /// The last lines it wrote.
        output: Vec<String>,
    },
}

fn said(output: &[String]) -> String {
    output.iter().map(|line| format!("\n  {line}")).collect()
}

/// A running moto, shared by any number of sandboxes: it keeps accounts apart by a header they send.
#[derive(Debug)]
pub struct Moto {
    port: u16,
    secret: Secret,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Moto {
    /// The one moto of this process, started by whoever asks first.
    pub async fn shared(progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Arc<Self>, super::Error> {
        static SHARED: tokio::sync::OnceCell<Arc<Moto>> = tokio::sync::OnceCell::const_new();
        let start = async {
            let home = install::ensure(progress).await?;
            progress(Progress::Starting);
            Ok::<_, super::Error>(Arc::new(Self::start(&home).await?))
        };
        SHARED.get_or_try_init(|| start).await.cloned()
    }

    /// Starts a child from the environment at `home` and waits until it listens.
    pub async fn start(home: &Path) -> Result<Self, Error> {
        let python = install::python(home);
        tokio::task::spawn_blocking(move || Self::spawn(&python))
            .await
            .map_err(|_| Error::NotReady { what: "was cut short while starting", output: Vec::new() })?
    }

    /// The port of 127.0.0.1 it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The child's process id.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What every request to it must carry, as a header: anybody of this machine finds its port.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    fn spawn(python: &Path) -> Result<Self, Error> {
        let mut child = Command::new(python)
            // Isolated: no module of the current folder or of PYTHONPATH takes the place of one of Python's.
            .args(["-I", "-u", "-c", SERVE])
            .env_remove("MOTO_ACCOUNT_ID")
            // Some hundred images, for every account anew: no job of the sandbox starts from one.
            .env("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::Spawn)?;
        let stdin = child.stdin.take();
        let (errors, reading) = keep_last_lines(child.stderr.take());
        let ready = first_line(child.stdout.take());
        let mut moto = Self { port: 0, secret: Secret::random(), child, stdin };
        // Should it be dead already, that shows below, with its last words.
        let _ = moto.send_fixes();
        let not_ready = |what| Error::NotReady { what, output: lock(&errors).clone() };
        let line = match ready.recv_timeout(START_LIMIT) {
            Ok(line) => line,
            Err(mpsc::RecvTimeoutError::Timeout) => return Err(not_ready("said nothing for three minutes")),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let _ = moto.child.wait();
                // Its last words may still be on their way.
                let _ = reading.map(std::thread::JoinHandle::join);
                return Err(not_ready("ended at once"));
            }
        };
        moto.port = line.trim().parse().map_err(|_| not_ready("named no port"))?;
        Ok(moto)
    }

    fn send_fixes(&mut self) -> std::io::Result<()> {
        let sources =
            serde_json::json!({ "secret": self.secret.reveal(), "fixes": FIXES, "snapshots": SNAPSHOTS });
        let line = sources.to_string();
        match &mut self.stdin {
            Some(stdin) => stdin
                .write_all(line.as_bytes())
                .and_then(|()| stdin.write_all(b"\n"))
                .and_then(|()| stdin.flush()),
            None => Ok(()),
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(stdout: Option<std::process::ChildStdout>) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    if let Some(stdout) = stdout {
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            if let Some(line) = lines.next() {
                let _ = send.send(line);
            }
            drop(send);
            lines.for_each(|line| tracing::debug!(target: "moto", "{line}"));
        });
    }
    receive
}

type LastLines = Arc<Mutex<Vec<String>>>;

fn keep_last_lines(stderr: Option<ChildStderr>) -> (LastLines, Option<JoinHandle<()>>) {
    let kept = LastLines::default();
    let reading = stderr.map(|stderr| {
        let kept = Arc::clone(&kept);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                tracing::debug!(target: "moto", "{line}");
                let mut kept = lock(&kept);
                if kept.len() == LINES_KEPT {
                    kept.remove(0);
                }
                kept.push(line);
            }
        })
    });
    (kept, reading)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_ends_at_once_is_an_error_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python");
        let write = format!(
            "printf '#!/bin/sh\\necho no such module >&2\\nexit 1\\n' > {0}; chmod +x {0}",
            python.display()
        );
        assert!(Command::new("sh").args(["-c", &write]).status().unwrap().success());
        let message = Moto::spawn(&python).unwrap_err().to_string();
        assert!(message.ends_with("\n  no such module"), "{message}");
    }
}
