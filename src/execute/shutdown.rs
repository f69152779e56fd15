//! Told to stop: what goes on all the same, and what ends at once (P25).

use std::time::Duration;

use tokio::sync::watch;

use super::Failure;
use super::settle::Settle;

/// How far a run is told to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shutdown {
    /// Not at all.
    #[default]
    Running,
    /// It starts nothing new, and waits only for what it has asked AWS for.
    Graceful,
    /// It waits for nothing: calls that are under way get a moment to end.
    Immediate,
}

/// Tells the executor how far to stop.
pub type Stop = watch::Receiver<Shutdown>;

/// Why a step ends before it is done.
pub(super) enum EndedEarly {
    /// It failed.
    Failed(Failure),
    /// The run is stopped, and this is what it would have waited for.
    Stopped(String),
    /// What it waits for may take longer than an apply: a later one goes on.
    Later(String),
}

impl From<Failure> for EndedEarly {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Whose work a wait is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitFor {
    /// What this step has asked for, if it has asked for anything yet.
    OurRequest,
    /// Somebody else's: jobs, a queue that has to let go, a role that is not seen everywhere yet.
    Others,
}

/// Returns once the run is told to stop at least so far; never, if nobody is left to tell it.
pub(super) async fn until_told(stop: &Stop, least: Shutdown) {
    let mut stop = stop.clone();
    if stop.wait_for(|shutdown| *shutdown >= least).await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Settle<'_, '_> {
    /// Waits and says for what, unless the run is stopped: then only for what this step has asked AWS for.
    pub(super) async fn rest(&self, pause: Duration, wait_for: WaitFor, why: &str) -> Result<(), EndedEarly> {
        (self.waiting)(why.to_owned());
        let least = if wait_for == WaitFor::OurRequest && self.has_asked() {
            Shutdown::Immediate
        } else {
            Shutdown::Graceful
        };
        tokio::select! {
            biased;
            () = until_told(self.stop, least) => Err(EndedEarly::Stopped(why.to_owned())),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    /// Whether it may still ask AWS for something: not for the first time once the run is stopped.
    pub(super) fn may_ask(&self) -> Result<(), EndedEarly> {
        let least = if self.has_asked() { Shutdown::Immediate } else { Shutdown::Graceful };
        match *self.stop.borrow() >= least {
            true => Err(EndedEarly::Stopped("AWS was not asked for it yet".to_owned())),
            false => Ok(()),
        }
    }
}
