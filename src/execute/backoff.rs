//! How long to wait: between looks, and after a refusal.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::Limits;

/// How long one step has been at it, and how long it waits next.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    started: Instant,
    first: Duration,
    longest: Duration,
    pause: Duration,
    refusals: u32,
    seed: String,
}

impl Backoff {
    /// Begins now. `seed`: tells the waits of this step from those of all others.
    pub fn new(limits: &Limits, seed: &str) -> Self {
        Self {
            started: Instant::now(),
            first: limits.poll,
            longest: limits.slowest_poll,
            pause: limits.poll,
            refusals: 0,
            seed: seed.to_owned(),
        }
    }

    /// The same pace, from now on.
    pub fn anew(&self) -> Self {
        Self { started: Instant::now(), pause: self.first, refusals: 0, ..self.clone() }
    }

    /// How often it was refused since a call last succeeded.
    pub fn refusals(&self) -> u32 {
        self.refusals
    }

    /// How long ago it began.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// A call has succeeded: the next look follows soon.
    pub fn begin_again(&mut self) {
        (self.pause, self.refusals) = (self.first, 0);
    }

    /// How long to wait before the next look: each time half as long again.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 3 / 2).min(self.longest);
        pause
    }

    /// How long to wait after a refusal: each time twice as long, a part of it by chance so that not all come back at
    /// once, and never shorter than AWS asks for.
    pub fn after_refusal(&mut self, asked: Option<Duration>) -> Duration {
        let doubled = self.first * 2_u32.pow(self.refusals.min(10) + 1);
        self.refusals += 1;
        let digest = Sha256::digest(format!("{}{}", self.seed, self.refusals).as_bytes());
        let share = 0.5 + f64::from(digest.first().copied().unwrap_or_default()) / 512.0;
        doubled.min(self.longest).mul_f64(share).max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_waited_out_longer_and_longer_by_chance_and_as_aws_asks() {
        let mut backoff = Backoff::new(&Limits::default(), "a");
        let waits: Vec<Duration> = (0..12).map(|_| backoff.after_refusal(None)).collect();
        for (nth, wait) in (0_u32..).zip(&waits) {
            let most =
                Duration::from_millis(500 * 2_u64.pow(nth.min(10))).min(Limits::default().slowest_poll);
            assert!(*wait >= most / 2 && *wait <= most, "{nth}: {wait:?} of {most:?}");
        }
        let mut other = Backoff::new(&Limits::default(), "b");
        assert_ne!(other.after_refusal(None), waits[0]);
        let asked = Duration::from_secs(40);
        assert_eq!(backoff.after_refusal(Some(asked)), asked);
        backoff.begin_again();
        assert_eq!(backoff.after_refusal(None), waits[0]);
    }
}
