//! Time as the Batch service sees it: milliseconds since 1970 that follow tokio's clock, or stand still in tests.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::Instant;

/// The service's clock. States take time by comparing with it, so that a test moves time instead of waiting.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    Running { origin: Instant, epoch: u64 },
    Standing(watch::Sender<u64>),
}

impl Clock {
    /// A clock that follows the machine's, and tokio's when its time is paused.
    pub fn running() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
        Self(Source::Running { origin: Instant::now(), epoch })
    }

    /// A clock that moves only when it is told to.
    pub fn standing() -> Self {
        Self(Source::Standing(watch::Sender::new(1_750_000_000_000)))
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> u64 {
        match &self.0 {
            Source::Running { origin, epoch } => epoch + millis(origin.elapsed()),
            Source::Standing(at) => *at.borrow(),
        }
    }

    /// Moves a standing clock on; a running one goes by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Standing(at) = &self.0 {
            at.send_modify(|now| *now += millis(by));
        }
    }

    /// Returns once the clock shows at least `at`.
    pub async fn reach(&self, at: u64) {
        match &self.0 {
            Source::Running { .. } => {
                tokio::time::sleep(Duration::from_millis(at.saturating_sub(self.now()))).await;
            }
            Source::Standing(sender) => {
                let mut now = sender.subscribe();
                // The sender lives as long as `self`, so waiting cannot fail.
                let _ = now.wait_for(|now| *now >= at).await;
            }
        }
    }
}

/// A duration in whole milliseconds, the unit of every time in the Batch API.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
