//! Ctrl-C and SIGTERM.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use super::{Error, Result};
use crate::execute::Halt;

/// Whether the command has begun to listen for itself: from then on it says what a signal ends.
static HEARD: AtomicBool = AtomicBool::new(false);

/// Runs a command. Until it listens for itself, a signal ends it: so far it has only read, or asked.
pub async fn ending<T>(command: impl Future<Output = Result<T>>) -> Result<T> {
    let mut command = std::pin::pin!(command);
    let mut signals = Signals::new();
    loop {
        tokio::select! {
            biased;
            ended = &mut command => return ended,
            _ = signals.next() => if !HEARD.load(Ordering::Relaxed) { return Err(Error::Interrupted) },
        }
    }
}

/// So long after a signal, a command that has not ended does not hear it: it computes, or is stuck in a write.
const GRACE: Duration = Duration::from_secs(1);

/// Waits for a command to end; one that should and does not hear that it is told to is given up.
pub async fn unless_deaf<T>(ended: oneshot::Receiver<Result<T>>) -> Result<T> {
    let is_deaf = async {
        let mut signals = Signals::new();
        loop {
            signals.next().await;
            tokio::time::sleep(GRACE).await;
            if !HEARD.load(Ordering::Relaxed) {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        ended = ended => ended.unwrap_or_else(|_| Err(Error::plain("the command fell over"))),
        () = is_deaf => Err(Error::Interrupted),
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn once() {
    let mut signals = Signals::of_command();
    signals.next().await;
}

/// Passes signals on for as long as it is polled: the first says to stop, another one to leave.
pub async fn heed(stop: &watch::Sender<Halt>, told: impl Fn(Halt)) -> Infallible {
    let (mut signals, mut heard) = (Signals::of_command(), Heard::default());
    loop {
        let kind = signals.next().await;
        if let Some(halt) = heard.asks(kind, Instant::now()) {
            told(halt);
            stop.send_replace(halt);
        }
    }
}

/// Within so long the same signal is the same word: a terminal sends Ctrl-C to a whole group of processes, and whoever
/// started this one may pass it on as well.
const ECHO: Duration = Duration::from_secs(1);

/// The first signal, and when it came.
#[derive(Debug, Default)]
struct Heard(Option<(SignalKind, Instant)>);

impl Heard {
    /// What a signal asks for; nothing new, if it is the echo of the first.
    fn asks(&mut self, kind: SignalKind, now: Instant) -> Option<Halt> {
        match self.0 {
            None => {
                self.0 = Some((kind, now));
                Some(Halt::Finish)
            }
            Some((first, at)) if first == kind && now.duration_since(at) < ECHO => None,
            Some(_) => Some(Halt::Leave),
        }
    }
}

struct Signals(Option<(Signal, Signal)>);

impl Signals {
    fn new() -> Self {
        let interrupt = signal(SignalKind::interrupt());
        let terminate = signal(SignalKind::terminate());
        Self(interrupt.ok().zip(terminate.ok()))
    }

    fn of_command() -> Self {
        HEARD.store(true, Ordering::Relaxed);
        Self::new()
    }

    async fn next(&mut self) -> SignalKind {
        match &mut self.0 {
            Some((interrupt, terminate)) => tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
            },
            // Where no handler can be set, the signal ends the process as it always does.
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_not_a_second_word_and_another_signal_is() {
        let (begin, soon) = (Instant::now(), Duration::from_millis(20));
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        for (kind, after, expected) in [
            (interrupt, soon, None),
            (terminate, soon, Some(Halt::Leave)),
            (interrupt, ECHO, Some(Halt::Leave)),
            (terminate, Duration::from_millis(7500), Some(Halt::Leave)),
        ] {
            let mut heard = Heard::default();
            assert_eq!(heard.asks(interrupt, begin), Some(Halt::Finish));
            assert_eq!(heard.asks(kind, begin + after), expected, "{kind:?} after {after:?}");
        }
    }
}
