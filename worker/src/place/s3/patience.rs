//! How long a download may wait for its bytes.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for the network, in all, until [`LEAST`] bytes more have come.
const LIMIT: Duration = Duration::from_secs(120);

/// Fewer bytes than this in that time are no progress.
const LEAST: u64 = 64 << 10;

/// The time since some beginning.
pub(super) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Counts what a download gets for its waiting. What the reader takes to use the bytes does not count.
#[derive(Clone)]
pub(super) struct Patience {
    limit: Duration,
    clock: Clock,
    waited: Duration,
    gained: u64,
}

/// Too little came for too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stalled {
    limit: Duration,
    gained: u64,
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (gained, seconds) = (self.gained, self.limit.as_secs());
        write!(
            f,
            "the download has stalled: {gained} bytes came in {seconds} s, which must be {LEAST} at least"
        )
    }
}

impl Default for Patience {
    fn default() -> Patience {
        let begun = Instant::now();
        Patience::new(LIMIT, Arc::new(move || begun.elapsed()))
    }
}

impl Patience {
    pub(super) fn new(limit: Duration, clock: Clock) -> Patience {
        Patience { limit, clock, waited: Duration::ZERO, gained: 0 }
    }

    /// What `waiting` comes to, unless patience ends before.
    pub(super) async fn wait<T>(&mut self, waiting: impl Future<Output = T>) -> Result<T, Stalled> {
        let left = self.limit.saturating_sub(self.waited);
        let stalled = Stalled { limit: self.limit, gained: self.gained };
        if left.is_zero() {
            return Err(stalled);
        }
        let begun = (self.clock)();
        let result = tokio::time::timeout(left, waiting).await.map_err(|_| stalled);
        self.waited += (self.clock)().saturating_sub(begun);
        result
    }

    /// So many bytes came.
    pub(super) fn gained(&mut self, bytes: usize) {
        self.gained += bytes as u64;
        if self.gained >= LEAST {
            (self.gained, self.waited) = (0, Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Patience for two minutes on a clock of its own, in seconds.
    fn patience() -> (Patience, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&seconds);
        let clock = Arc::new(move || Duration::from_secs(shown.load(Ordering::Relaxed)));
        (Patience::new(LIMIT, clock), seconds)
    }

    /// How many pieces come before it is given up, at most 1,000, if each of so many bytes takes so many seconds.
    async fn pieces(bytes: usize, seconds: u64) -> usize {
        let (mut patience, now) = patience();
        for count in 0..1000 {
            let passed = async { now.fetch_add(seconds, Ordering::Relaxed) };
            if patience.wait(passed).await.is_err() {
                return count;
            }
            patience.gained(bytes);
        }
        1000
    }

    #[tokio::test]
    async fn what_comes_too_slowly_is_given_up_and_what_comes_slowly_is_not() {
        assert_eq!(pieces(1000, 6).await, 20, "a thousand bytes each six seconds");
        assert_eq!(pieces(1, 1).await, 120, "a byte a second");
        assert_eq!(pieces(1000, 1).await, 1000, "a thousand bytes a second");
        assert_eq!(pieces(LEAST as usize, 119).await, 1000, "just enough");
    }

    #[tokio::test]
    async fn what_never_comes_is_given_up() {
        let mut patience = Patience::new(Duration::from_millis(1), Patience::default().clock);
        patience.gained(7);
        let stalled = patience.wait(std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(stalled, Stalled { limit: Duration::from_millis(1), gained: 7 });
    }

    #[tokio::test]
    async fn time_that_the_reader_takes_does_not_count() {
        let (mut patience, now) = patience();
        for _ in 0..10 {
            now.fetch_add(1000, Ordering::Relaxed);
            assert_eq!(patience.wait(async { 1 }).await, Ok(1));
        }
    }
}
