//! What tests do to a sandbox: break its calls, hold them, cut the line, keep the account's state and put it back.
//!
//! Behind the feature `faults`, which tests alone turn on: the program that people run has none of it.

pub mod admin;
mod answer;
mod hold;
mod judge;
mod lag;
mod late;
mod snapshot;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::Response;
use http_body_util::BodyExt;
use tokio::sync::watch;

use hold::Gate;
use judge::{Judge, Verdict};

use crate::count::Ticket;
use crate::reply::Body;
use crate::request::Target;
use crate::rounds::Member;
use crate::server::{Cut, State, Work};
use crate::{Error, Sandbox};

pub use hold::Held;
pub use judge::{Exact, Fault, Faults, Operation, Rates, Regional, Stop, StopWhen};
pub use lag::Lag;
pub use snapshot::Snapshot;

impl Sandbox {
    /// Refuses every call that would change something, as a principal without the right would be refused.
    pub fn refuse_writes(&self, refuse: bool) {
        self.state.faults.set_refuse_writes(refuse);
    }

    /// Breaks calls from now on as told; `Faults::default()` breaks none.
    pub fn set_faults(&self, faults: Faults) {
        self.state.faults.judge.set(faults);
    }

    /// Waits until a [`Stop`] has cut the connection for good.
    pub async fn stopped(&self) {
        self.state.faults.judge.stopped().await;
    }

    /// Whether a [`Stop`] has cut the connection.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.state.faults.judge.is_dead()
    }

    /// Cuts every connection, and returns when nothing of what came over them is being worked on any more: whoever was
    /// connected is as good as dead.
    pub async fn hang_up(&self) {
        // Calls at work ask further services over connections of this same sandbox: they end first.
        self.state.faults.idle().await;
        let (done, cut) = tokio::sync::oneshot::channel();
        if self.hang_ups.send(done).await.is_ok() {
            let _ = cut.await;
        }
        self.state.faults.idle().await;
    }

    /// Holds the next call of an operation before it does anything, until the answer is released or dropped.
    #[must_use]
    pub fn hold(&self, service: &str, action: &str) -> Held {
        self.state.faults.gate.hold(service, action)
    }

    /// Makes every call take this much longer.
    pub fn set_latency(&self, latency: Duration) {
        self.state.faults.set_latency(latency);
    }

    /// Keeps the whole state of the account, Batch and every other service, for [`Sandbox::restore`].
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        snapshot::take(&self.state).await
    }

    /// Puts a snapshot back, as often as you like. Jobs of the present are killed.
    pub async fn restore(&self, snapshot: &Snapshot) -> Result<(), Error> {
        snapshot::restore(&self.state, snapshot).await
    }

    /// Forgets everything, as a new account would look.
    pub async fn reset(&self) -> Result<(), Error> {
        snapshot::reset(&self.state).await
    }
}

/// All that a test has set.
#[derive(Debug)]
pub struct Disturbance {
    pub judge: Judge,
    gate: Gate,
    flying: watch::Sender<usize>,
    refuse_writes: AtomicBool,
    latency: AtomicU64,
}

impl Default for Disturbance {
    fn default() -> Self {
        Self {
            judge: Judge::default(),
            gate: Gate::default(),
            flying: watch::Sender::new(0),
            refuse_writes: AtomicBool::new(false),
            latency: AtomicU64::new(0),
        }
    }
}

impl Disturbance {
    fn set_refuse_writes(&self, refuse: bool) {
        self.refuse_writes.store(refuse, Ordering::Relaxed);
    }

    fn set_latency(&self, latency: Duration) {
        self.latency.store(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns when no call is being worked on.
    async fn idle(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.flying.subscribe().wait_for(|flying| *flying == 0).await;
    }

    /// How much longer a call takes.
    fn delay(&self, target: &Target) -> Duration {
        Duration::from_micros(self.latency.load(Ordering::Relaxed))
            + self.judge.delay(&target.service, &target.action)
    }

    fn verdict(&self, target: &Target) -> Verdict {
        if target.write && self.refuse_writes.load(Ordering::Relaxed) {
            return Verdict::Break(Fault::Deny);
        }
        match self.judge.in_region(&target.service, &target.action, target.region.as_deref()) {
            Some(fault) => Verdict::Break(fault),
            None => self.judge.judge(&target.service, &target.action, target.write),
        }
    }
}

/// Counts a call for as long as it is worked on, whether its caller waits for it or not.
pub struct Flight(Arc<State>);

impl Flight {
    /// A call comes in.
    pub fn begin(state: &Arc<State>) -> Self {
        state.faults.flying.send_modify(|flying| *flying += 1);
        Self(Arc::clone(state))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.faults.flying.send_modify(|flying| *flying = flying.saturating_sub(1));
    }
}

/// Does a call's work, or what the test has set instead of it.
pub async fn disturbed(
    state: &State,
    work: Work,
    mut ticket: Ticket<'_>,
    round: Option<Member<'_>>,
) -> Result<Response<Body>, Cut> {
    let target = &work.target;
    let delay = state.faults.delay(target);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    state.faults.gate.pass(&target.service, &target.action).await;
    let verdict = state.faults.verdict(target);
    match verdict {
        Verdict::Break(fault) if fault != Fault::LostReply => {
            ticket.broken(&format!("{fault:?}"));
            let response = answer::of(fault, target).ok_or(Cut)?;
            ticket.answered(response.status().as_u16());
            return Ok(response);
        }
        Verdict::Stop(StopWhen::Before) | Verdict::Dead => {
            ticket.broken("Stop");
            return Err(Cut);
        }
        Verdict::Pass | Verdict::Break(_) | Verdict::Stop(StopWhen::After) => {}
    }
    let response = if state.faults.judge.lag.is_late() {
        late::done(state, work).await
    } else {
        Ok(work.done(state).await)
    };
    let response = response.map_err(|_| Cut)?;
    if let Some(round) = round {
        round.answered().await;
    }
    match verdict {
        Verdict::Pass => {
            ticket.answered(response.status().as_u16());
            Ok(response)
        }
        lost => {
            // The work must be over, its answer's last byte included, before the caller is cut off.
            let _ = response.into_body().collect().await;
            ticket.broken(if lost == Verdict::Break(Fault::LostReply) { "LostReply" } else { "Stop" });
            if matches!(lost, Verdict::Stop(_)) {
                state.faults.judge.announce_stop();
            }
            Err(Cut)
        }
    }
}
