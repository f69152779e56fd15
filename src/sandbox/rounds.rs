//! Answers given round by round: how deep a chain of calls is, whatever the machine's pace.
//!
//! Of calls that take their own time, one that was late to start looks as if it had waited for one that was quick to
//! end. Here no call is answered before everything that was asked beside it is answered too, and nothing new has come in
//! for a while; so whatever comes after an answer was waiting for one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Holds answers back until their round is over. Off until a quiet time is set.
#[derive(Debug, Default)]
pub struct Rounds {
    quiet: AtomicU64,
    round: Mutex<Round>,
}

#[derive(Debug, Default)]
struct Round {
    number: u64,
    /// Calls that came in and have no answer yet.
    working: usize,
    last_came_in: Option<Instant>,
}

/// A call of a round. Dropping it takes it out of the round.
#[derive(Debug)]
pub struct Member<'a> {
    rounds: &'a Rounds,
    number: u64,
    working: bool,
}

impl Rounds {
    /// A round is over once nothing has come in for so long; zero answers each call at once.
    pub fn set(&self, quiet: Duration) {
        self.quiet.store(u64::try_from(quiet.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A call comes in; nothing, if answers are not held back.
    pub fn enter(&self) -> Option<Member<'_>> {
        if self.quiet.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut round = self.lock();
        round.working += 1;
        round.last_came_in = Some(Instant::now());
        Some(Member { rounds: self, number: round.number, working: true })
    }

    fn lock(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member<'_> {
    /// The answer is there: waits until its round is over.
    pub async fn answered(mut self) {
        self.leave();
        let quiet = Duration::from_micros(self.rounds.quiet.load(Ordering::Relaxed));
        loop {
            {
                let mut round = self.rounds.lock();
                if round.number > self.number {
                    return;
                }
                if round.working == 0 && round.last_came_in.is_none_or(|last| last.elapsed() >= quiet) {
                    round.number += 1;
                    return;
                }
            }
            tokio::time::sleep(quiet / 16).await;
        }
    }

    fn leave(&mut self) {
        if std::mem::take(&mut self.working) {
            let mut round = self.rounds.lock();
            round.working = round.working.saturating_sub(1);
        }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn nothing_is_answered_before_what_was_asked_beside_it() {
        let rounds = Rounds::default();
        assert!(rounds.enter().is_none());
        rounds.set(Duration::from_micros(100));
        let (quick, slow) = (rounds.enter().unwrap(), rounds.enter().unwrap());
        let mut quick = pin!(quick.answered());
        assert!(futures::poll!(&mut quick).is_pending());
        slow.answered().await;
        quick.await;
        assert_eq!(rounds.lock().number, 1, "both were of one round");
        rounds.enter().unwrap().answered().await;
        assert_eq!(rounds.lock().number, 2);
    }

    #[tokio::test]
    async fn a_call_that_is_cut_off_holds_nobody() {
        let rounds = Rounds::default();
        rounds.set(Duration::from_micros(100));
        let (cut, other) = (rounds.enter().unwrap(), rounds.enter().unwrap());
        let mut other = pin!(other.answered());
        assert!(futures::poll!(&mut other).is_pending());
        drop(cut);
        other.await;
    }
}
