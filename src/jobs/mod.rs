//! Jobs: submitted to what an environment's manifests declare, followed to their end, and their outcome in one line.
//!
//! [`target`] finds which revision and which queue of AWS are meant, [`submit()`] submits once and only once,
//! [`follow()`] reads status and log until the job is over.

use std::time::Duration;

use crate::resource::ResourceId;
use crate::services;

mod follow;
mod outcome;
mod submit;
mod tail;
mod target;
#[cfg(test)]
mod tests;

pub use follow::{Event, follow};
pub use outcome::{Attempt, Outcome};
pub use submit::{Request, Submitted, submit};
pub use target::{Target, find};

/// Why a job was not submitted, or can't be followed; the text completes "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS did not answer, or refused.
    #[error(transparent)]
    Call(Box<services::Error>),
    /// The manifests don't declare it.
    #[error("find the {what} `{name}`: the environment declares no such {what}{hint}")]
    Undeclared {
        /// `job definition` or `job queue`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What was probably meant, and what there is.
        hint: String,
    },
    /// Nobody said which queue.
    #[error("choose a job queue: {0}")]
    WhichQueue(String),
    /// It is declared, but AWS has none that is ours.
    #[error("find {id} in AWS: it is declared, but not applied yet; run `batchwright apply {environment}`")]
    NotApplied {
        /// Which.
        id: ResourceId,
        /// The environment's name.
        environment: String,
    },
    /// It would wait as RUNNABLE for ever.
    #[error("submit {definition} to {queue}: the job {gap}, or name another queue with --queue")]
    FitsNothing {
        /// What the job is made from.
        definition: ResourceId,
        /// Where it was to wait.
        queue: ResourceId,
        /// What does not fit, and the smallest change.
        gap: String,
    },
    /// AWS knows no such job.
    #[error("find the job {0}: AWS knows no job of this id (it forgets them about a week after their end)")]
    NoSuchJob(String),
    /// Nobody knows whether the job was submitted.
    #[error(
        "submit the job {name}: no call was answered, and it is not in the queue; the last error was: failed to {last}"
    )]
    NotSubmitted {
        /// The job's unique name.
        name: String,
        /// What the last call met.
        last: Box<services::Error>,
    },
}

impl From<services::Error> for Error {
    fn from(error: services::Error) -> Self {
        Self::Call(Box::new(error))
    }
}

/// The result of an operation on jobs.
pub type Result<T> = std::result::Result<T, Error>;

/// How patiently AWS is asked again.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long after news the next look follows; each look without news waits half as long again.
    pub first: Duration,
    /// The longest wait between two looks.
    pub slowest: Duration,
    /// How long after a job's end its last lines are waited for: CloudWatch Logs shows them late.
    pub linger: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(300),
            slowest: Duration::from_secs(5),
            linger: Duration::from_secs(1),
        }
    }
}

impl Pace {
    /// The wait before the next look, after one that waited `last` and brought news or not.
    fn next(&self, last: Duration, news: bool) -> Duration {
        if news { self.first } else { (last + last / 2).max(self.first).min(self.slowest) }
    }
}
