//! A log line now and then while a long read goes on.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(10);
const EVERY_BYTES: u64 = 1_000_000_000;

/// Reports what has been read: one line each 10 s or each GB (10⁹ bytes), whichever comes first.
#[derive(Debug, Clone)]
pub struct Progress {
    started: Instant,
    total: Option<u64>,
    next_time: Duration,
    next_bytes: u64,
}

impl Progress {
    /// Starts the clock; `total` is the size of what is to be read, in bytes, if it is known.
    pub fn start(total: Option<u64>) -> Progress {
        Progress { started: Instant::now(), total, next_time: EVERY, next_bytes: EVERY_BYTES }
    }

    /// Says how much is to be read in all, unless that is known already.
    pub fn expect(&mut self, total: u64) {
        self.total = self.total.or(Some(total).filter(|total| *total > 0));
    }

    /// How many bytes are to be read in all, if it is known.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// To be called after each block; logs when a line is due.
    pub fn tick(&mut self, rows: u64, bytes: u64) {
        let seconds = self.started.elapsed();
        if !self.due(bytes, seconds) {
            return;
        }
        let share = self.total.filter(|total| *total > 0).map(|total| percent(bytes, total));
        tracing::info!(
            rows,
            bytes,
            mb_per_s = megabytes_per_second(bytes, seconds),
            percent = share,
            "progress"
        );
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        rounded(self.started.elapsed().as_secs_f64())
    }

    fn due(&mut self, bytes: u64, elapsed: Duration) -> bool {
        let due = bytes >= self.next_bytes || elapsed >= self.next_time;
        if due {
            self.next_bytes = bytes + EVERY_BYTES;
            self.next_time = elapsed + EVERY;
        }
        due
    }
}

fn percent(bytes: u64, total: u64) -> u64 {
    (u128::from(bytes) * 100 / u128::from(total)) as u64
}

fn megabytes_per_second(bytes: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 { rounded(bytes as f64 / 1e6 / seconds) } else { 0.0 }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_each_ten_seconds_or_each_gigabyte() {
        let mut progress = Progress::start(None);
        let mut due =
            |gigabytes: f64, seconds| progress.due((gigabytes * 1e9) as u64, Duration::from_secs(seconds));
        let lines: Vec<bool> = [(0.1, 9), (0.2, 10), (0.3, 19), (1.2, 19), (2.1, 20), (2.1, 28), (2.1, 29)]
            .map(|(b, s)| due(b, s))
            .into();
        assert_eq!(lines, [false, true, false, true, false, false, true]);
    }

    #[test]
    fn the_share_of_a_huge_file_does_not_overflow() {
        assert_eq!(percent(u64::MAX / 2, u64::MAX), 49);
    }
}
