//! What became of the messages of a queue so far, and what follows from that.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Error;
use crate::memory;
use crate::place::Cause;
use crate::queue::Message;

/// How long a message rests whose object could not be reached; twice as long each time it comes again.
const REST: Duration = Duration::from_secs(30);

/// No message rests longer.
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);

/// For how long no message is taken after trouble with an object; twice as long after each further one.
///
/// Each message that is taken during an outage comes closer to the dead-letter queue, for nothing.
const PAUSE: Duration = Duration::from_secs(1);

/// After so many doublings a pause is at its longest.
const DOUBLINGS: u32 = 6;

/// What became of all messages.
pub struct Record {
    counts: Mutex<Counts>,
    /// Whether it matters in the end which messages are still to do.
    until_empty: bool,
}

#[derive(Default)]
struct Counts {
    done: u64,
    failed: u64,
    rested: u64,
    given_back: u64,
    /// Messages that ended badly and did not come again: whether for a trouble that may pass.
    open: BTreeMap<String, bool>,
    /// How often in a row there was trouble.
    troubles: u32,
    paused_until: Option<Instant>,
}

impl Record {
    /// Nothing yet.
    pub fn new(until_empty: bool) -> Record {
        Record { counts: Mutex::default(), until_empty }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The message's outputs are complete.
    pub fn done(&self, message: &Message) {
        let mut counts = self.counts();
        counts.done += 1;
        counts.troubles = 0;
        counts.paused_until = None;
        counts.open.remove(&message.id);
    }

    /// A message went back before its end.
    pub fn given_back(&self) {
        self.counts().given_back += 1;
    }

    /// A message could not be done; returns for how long it rests.
    pub fn failed(&self, message: &Message, error: &Error) -> Duration {
        let mut counts = self.counts();
        let may_pass = error.may_pass();
        if self.until_empty {
            counts.open.insert(message.id.clone(), may_pass);
        }
        if matches!(error, Error::Place(error) if error.cause() == Cause::Trouble) {
            let pause = PAUSE * 2u32.pow(counts.troubles.min(DOUBLINGS));
            counts.troubles += 1;
            counts.paused_until = Some(Instant::now() + pause);
        } else {
            counts.troubles = 0;
        }
        if may_pass {
            counts.rested += 1;
            rest(message.received)
        } else {
            counts.failed += 1;
            Duration::ZERO
        }
    }

    /// For how long no message should be taken from now on.
    pub fn pause(&self) -> Duration {
        let until = self.counts().paused_until;
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// The last line of the log.
    pub fn say(&self) {
        let counts = self.counts();
        tracing::info!(
            done = counts.done,
            failed = counts.failed,
            rested = counts.rested,
            given_back = counts.given_back,
            peak_bytes = memory::peak(),
            "consumed"
        );
    }

    /// Fails if the queue was to be emptied and messages are still to do: they rest, or wait for the dead-letter queue.
    pub fn result(&self, queue: &str) -> Result<(), Error> {
        let counts = self.counts();
        let resting = counts.open.values().filter(|may_pass| **may_pass).count();
        let bad = counts.open.len() - resting;
        if counts.open.is_empty() {
            return Ok(());
        }
        let what = format!("empty {queue}: {resting} messages rest after trouble, {bad} can't be used");
        Err(Error::Service { what, may_pass: resting > 0 })
    }
}

/// How long a message rests that was handed out so many times.
fn rest(received: u32) -> Duration {
    REST.saturating_mul(2u32.saturating_pow(received.saturating_sub(1))).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_rests_longer_each_time() {
        let seconds = [0, 1, 2, 3, 5, 6, 7, 100].map(|received| rest(received).as_secs());
        assert_eq!(seconds, [30, 30, 60, 120, 480, 900, 900, 900]);
    }
}
