//! Who called what, in which order, and how long the longest chain of calls was.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// One call, as the sandbox saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The service's signing name: `batch`, `iam`, `s3`.
    pub service: String,
    /// The operation: `CreateRole`, `GetBucketVersioning`.
    pub action: String,
    /// Whether the operation can change something.
    pub write: bool,
    /// When it came in, on a clock that ticks at each start and end of a call.
    pub start: u64,
    /// When it was answered, on the same clock; none while it is in flight.
    pub end: Option<u64>,
    /// The HTTP status of the answer; none if there was no answer.
    pub status: Option<u16>,
    /// What was done to it on purpose.
    pub fault: Option<String>,
}

/// The calls of a stretch of time, in the order they came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Every call.
    pub calls: Vec<Call>,
}

impl Stats {
    /// How many calls there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.calls.len()
    }

    /// How many of them could change nothing.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.calls.iter().filter(|call| !call.write).count()
    }

    /// How many of them could change something.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.calls.iter().filter(|call| call.write).count()
    }

    /// Calls per `service:Action`.
    #[must_use]
    pub fn per_action(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.calls {
            *counts.entry(format!("{}:{}", call.service, call.action)).or_default() += 1;
        }
        counts
    }

    /// How often one operation was called.
    #[must_use]
    pub fn of(&self, service: &str, action: &str) -> usize {
        self.calls.iter().filter(|call| call.service == service && call.action == action).count()
    }

    /// The most calls of which no two overlapped: the critical path in round trips, as it ran.
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut spans: Vec<(u64, u64)> =
            self.calls.iter().map(|call| (call.end.unwrap_or(u64::MAX), call.start)).collect();
        spans.sort_unstable();
        // Taking the call that ends first, again and again, gives the longest chain.
        let (mut depth, mut free_from) = (0, 0);
        for (end, start) in spans {
            if start >= free_from {
                depth += 1;
                free_from = end;
            }
        }
        depth
    }

    /// The most calls in flight at one time.
    #[must_use]
    pub fn max_parallel(&self) -> usize {
        let mut edges: Vec<(u64, bool)> = self.calls.iter().map(|call| (call.start, true)).collect();
        edges.extend(self.calls.iter().filter_map(|call| call.end).map(|end| (end, false)));
        edges.sort_unstable();
        let (mut now, mut most) = (0_usize, 0);
        for (_, starts) in edges {
            now = if starts { now + 1 } else { now.saturating_sub(1) };
            most = most.max(now);
        }
        most
    }
}

/// Notes calls down as they come and go.
#[derive(Debug, Default)]
pub struct Recorder {
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    calls: Vec<Call>,
    clock: u64,
    epoch: u64,
}

impl Log {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

/// A call in flight. Dropping it ends the call, answered or not.
#[derive(Debug)]
pub struct Ticket<'a> {
    recorder: &'a Recorder,
    index: usize,
    epoch: u64,
    status: Option<u16>,
}

impl Recorder {
    /// Notes that a call came in.
    pub fn begin(&self, service: &str, action: &str, write: bool) -> Ticket<'_> {
        let mut log = self.lock();
        let start = log.tick();
        log.calls.push(Call {
            service: service.to_owned(),
            action: action.to_owned(),
            write,
            start,
            end: None,
            status: None,
            fault: None,
        });
        Ticket { recorder: self, index: log.calls.len() - 1, epoch: log.epoch, status: None }
    }

    /// The calls so far.
    pub fn stats(&self) -> Stats {
        Stats { calls: self.lock().calls.clone() }
    }

    /// Forgets them.
    pub fn reset(&self) {
        let mut log = self.lock();
        log.calls.clear();
        log.epoch += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    /// Notes how it was answered.
    pub fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Notes what was done to it on purpose.
    #[cfg(feature = "faults")]
    pub fn broken(&self, fault: &str) {
        let mut log = self.recorder.lock();
        if log.epoch == self.epoch
            && let Some(call) = log.calls.get_mut(self.index)
        {
            call.fault = Some(fault.to_owned());
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut log = self.recorder.lock();
        let end = log.tick();
        if log.epoch == self.epoch
            && let Some(call) = log.calls.get_mut(self.index)
        {
            call.end = Some(end);
            call.status = self.status;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_the_longest_chain_of_calls_that_did_not_overlap() {
        let recorder = Recorder::default();
        let first = recorder.begin("s3", "ListBuckets", false);
        let beside = recorder.begin("iam", "ListRoles", false);
        drop(first);
        let second = recorder.begin("s3", "GetBucketVersioning", false);
        drop(second);
        drop(beside);
        let stats = recorder.stats();
        assert_eq!((stats.count(), stats.depth(), stats.max_parallel()), (3, 2, 2));
    }

    #[test]
    fn a_call_that_ends_after_a_reset_is_not_counted() {
        let recorder = Recorder::default();
        let ticket = recorder.begin("s3", "ListBuckets", false);
        recorder.reset();
        let _next = recorder.begin("iam", "CreateRole", true);
        drop(ticket);
        let stats = recorder.stats();
        assert_eq!(stats.per_action(), BTreeMap::from([("iam:CreateRole".to_owned(), 1)]));
        assert_eq!(stats.calls[0].end, None);
    }
}
