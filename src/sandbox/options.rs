//! What a sandbox is started with, and what it tells while it starts.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::moto::Moto;
use super::{Error, install};

/// What a sandbox answers as, and how quick it is.
#[derive(Debug, Clone)]
pub struct Options {
    /// Twelve digits.
    pub account: String,
    /// The region of its endpoint; other regions of the partition answer too.
    pub region: String,
    /// Which moto it passes calls on to.
    pub moto: MotoSource,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// How long Batch's compute environments and queues take from one state to the next.
    pub transition: Duration,
    /// How long a Batch job stays in each state before it runs.
    pub job_step: Duration,
    /// The program whose [`keeper`](super::keeper) ends every process of a job; without, those end that stay in its group.
    pub keeper: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            moto: MotoSource::Own,
            port: 0,
            transition: Duration::from_millis(300),
            job_step: Duration::from_millis(50),
            keeper: None,
        }
    }
}

impl Options {
    /// With this program, which must be batchwright itself, as the keeper of jobs.
    #[must_use]
    pub fn kept(self) -> Self {
        // Also where its file has been replaced since.
        let itself = if cfg!(target_os = "linux") {
            Some("/proc/self/exe".into())
        } else {
            std::env::current_exe().ok()
        };
        Self { keeper: itself, ..self }
    }

    /// For a test: an account that no other sandbox of this process has, on the process's one moto, without delays.
    #[must_use]
    pub fn isolated() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let account = 100_000_000_000 + NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            account: account.to_string(),
            moto: MotoSource::Shared,
            transition: Duration::ZERO,
            job_step: Duration::ZERO,
            ..Self::default()
        }
    }
}

/// Which moto a sandbox passes calls on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MotoSource {
    /// A child of its own, gone with the sandbox.
    Own,
    /// The one child of this process, started by whoever asks first: what tests use.
    Shared,
}

impl MotoSource {
    pub(super) async fn open(self, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Arc<Moto>, Error> {
        match self {
            Self::Shared => Moto::shared(progress).await,
            Self::Own => {
                let venv = install::ensure(progress).await?;
                progress(Progress::Starting);
                Ok(Arc::new(Moto::start(&venv).await?))
            }
        }
    }
}

/// What a starting sandbox is about to do, for a line of progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another process is installing; this one waits for it.
    Waiting,
    /// A Python environment is made in the cache folder.
    MakingEnvironment,
    /// Packages are fetched: so many of so many.
    Fetching {
        /// How many so far.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// The fetched packages are unpacked.
    Unpacking,
    /// The moto child is started.
    Starting,
    /// The sandbox listens.
    Ready {
        /// `http://127.0.0.1:PORT`.
        endpoint: String,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for another process that installs the sandbox"),
            Self::MakingEnvironment => {
                f.write_str("installing the sandbox, once, about a minute: making a Python environment")
            }
            Self::Fetching { done, of } => {
                write!(f, "installing the sandbox: fetching packages, {done} of {of}")
            }
            Self::Unpacking => f.write_str("installing the sandbox: unpacking the packages"),
            Self::Starting => f.write_str("starting the sandbox"),
            Self::Ready { endpoint } => write!(f, "the sandbox listens on {endpoint}"),
        }
    }
}
