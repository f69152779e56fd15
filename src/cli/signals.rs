//! Ctrl-C and SIGTERM.
//!
//! The program's first thread, which does nothing else, receives them and puts them into one line; whoever listens takes them out of
//! it. So it is known of each whether it was heard.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use super::{Error, Result};
use crate::execute::Shutdown;

static LINE: LazyLock<watch::Sender<Line>> = LazyLock::new(|| watch::Sender::new(Line::default()));

/// Runs a command. While it does not listen for itself, a signal ends it: it has only read, or asked.
pub async fn ending<T>(command: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        ended = command => ended,
        () = nobody_listens() => Err(Error::Interrupted),
    }
}

/// Waits until a signal waits, and nobody is there to take it.
async fn nobody_listens() {
    let mut line = LINE.subscribe();
    // What this answers would lock the line.
    drop(line.wait_for(|line| line.ears == 0 && !line.waiting.is_empty()).await);
}

/// So long after a signal, a command that has not taken it does not hear: it computes, or is stuck in a write.
const GRACE: Duration = Duration::from_secs(1);

/// Waits for what a command ends with, and passes signals on to it meanwhile; nothing, if it does not hear them.
pub async fn unless_deaf<T>(signals: Signals, ended: oneshot::Receiver<T>) -> Option<Result<T>> {
    tokio::select! {
        biased;
        ended = ended => Some(ended.map_err(|_| Error::plain("the command fell over"))),
        () = pass_on(signals) => None,
    }
}

/// Passes signals on, until one that must be heard is not.
async fn pass_on(mut signals: Signals) {
    let (mut last, mut due) = (Last::default(), VecDeque::new());
    loop {
        let next = due.front().copied();
        let is_due = async move {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            kind = signals.next() => {
                let now = tokio::time::Instant::now();
                if !last.is_echoed(kind, now.into_std()) {
                    LINE.send_modify(|line| line.waiting.push_back(now.into_std()));
                    due.push_back(now + GRACE);
                }
            }
            () = is_due => {
                due.pop_front();
                if LINE.borrow().is_unheard(Instant::now()) {
                    return;
                }
            }
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn once() {
    let _ = Ear::open(false).next().await;
}

/// Passes signals on for as long as it is polled: the first says to stop, another one to leave. The first may wait until this is
/// polled again, because something is half done; another one may not.
pub async fn heed(stop: &watch::Sender<Shutdown>, told: impl Fn(Shutdown)) -> Infallible {
    let mut ear = Ear::open(true);
    loop {
        let shutdown = ear.next().await;
        stop.send_replace(shutdown);
        told(shutdown);
    }
}

/// The signals that nobody took yet, and who is there to take them.
#[derive(Debug, Default)]
struct Line {
    /// When each came.
    waiting: VecDeque<Instant>,
    /// How many listen.
    ears: usize,
    /// What a run that heeds signals was told so far, while there is one.
    heeded: Option<Shutdown>,
}

impl Line {
    /// Takes a signal.
    fn take(&mut self) -> Option<Shutdown> {
        self.waiting.pop_front()?;
        let shutdown = match self.heeded {
            None | Some(Shutdown::Running) => Shutdown::Graceful,
            Some(Shutdown::Graceful | Shutdown::Immediate) => Shutdown::Immediate,
        };
        if let Some(heeded) = &mut self.heeded {
            *heeded = shutdown;
        }
        Some(shutdown)
    }

    /// Whether a signal waits for too long. The first to a run that heeds them may.
    fn is_unheard(&self, now: Instant) -> bool {
        let patient = usize::from(self.heeded == Some(Shutdown::Running));
        self.waiting.get(patient).is_some_and(|at| now.duration_since(*at) >= GRACE)
    }
}

/// Somebody who takes signals, while it is there.
struct Ear {
    line: watch::Receiver<Line>,
    heeds: bool,
}

impl Ear {
    fn open(heeds: bool) -> Self {
        LINE.send_modify(|line| {
            line.ears += 1;
            if heeds {
                line.heeded = Some(Shutdown::Running);
            }
        });
        Self { line: LINE.subscribe(), heeds }
    }

    async fn next(&mut self) -> Shutdown {
        loop {
            let mut taken = None;
            LINE.send_if_modified(|line| {
                taken = line.take();
                false
            });
            if let Some(shutdown) = taken {
                return shutdown;
            }
            drop(self.line.wait_for(|line| !line.waiting.is_empty()).await);
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        LINE.send_modify(|line| {
            line.ears -= 1;
            if self.heeds {
                line.heeded = None;
            }
        });
    }
}

/// Within so long the same signal is the same word: a terminal sends Ctrl-C to a whole group of processes, and whoever
/// started this one may pass it on as well.
const ECHO: Duration = Duration::from_secs(1);

/// The last signal that was a word of its own, and when it came.
#[derive(Debug, Default)]
struct Last(Option<(SignalKind, Instant)>);

impl Last {
    /// Whether a signal is its echo; else it is the last one from now on.
    fn is_echoed(&mut self, kind: SignalKind, now: Instant) -> bool {
        let is_echo = self.0.is_some_and(|(last, at)| last == kind && now.duration_since(at) < ECHO);
        if !is_echo {
            self.0 = Some((kind, now));
        }
        is_echo
    }
}

/// Signals as the system sends them. Once they are received, they no longer end the process by themselves.
pub struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Within a runtime.
    pub fn new() -> Self {
        let interrupt = signal(SignalKind::interrupt());
        let terminate = signal(SignalKind::terminate());
        Self(interrupt.ok().zip(terminate.ok()))
    }

    async fn next(&mut self) -> SignalKind {
        match &mut self.0 {
            Some((interrupt, terminate)) => tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
            },
            // Where no handler can be set, the signal ends the process as it always does.
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[test]
    fn an_echo_is_not_a_second_word_and_another_signal_is() {
        let begin = Instant::now();
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        for (kind, after, expected) in [
            (interrupt, SOON, true),
            (terminate, SOON, false),
            (interrupt, ECHO, false),
            (terminate, Duration::from_millis(7500), false),
        ] {
            let mut last = Last::default();
            assert!(!last.is_echoed(interrupt, begin));
            assert_eq!(last.is_echoed(kind, begin + after), expected, "{kind:?} after {after:?}");
        }
    }

    #[test]
    fn a_signal_that_nobody_takes_is_unheard_and_a_run_may_leave_only_the_first_one_lying() {
        let begin = Instant::now();
        let late = begin + SOON + GRACE;
        for (heeded, count, expected) in [
            (None, 0, false),
            (None, 1, true),
            (Some(Shutdown::Running), 1, false),
            (Some(Shutdown::Running), 2, true),
            (Some(Shutdown::Graceful), 1, true),
        ] {
            let waiting = [begin, begin + SOON].into_iter().take(count).collect();
            let line = Line { waiting, ears: 1, heeded };
            assert_eq!(line.is_unheard(late), expected, "{heeded:?} {count}");
            assert!(!line.is_unheard(begin + SOON), "{heeded:?} {count}");
        }
    }

    #[test]
    fn a_run_is_told_to_finish_and_then_to_leave() {
        let waiting = [Instant::now(); 3].into();
        let mut line = Line { waiting, ears: 1, heeded: Some(Shutdown::Running) };
        assert_eq!([line.take(), line.take()], [Some(Shutdown::Graceful), Some(Shutdown::Immediate)]);
        line.heeded = None;
        assert_eq!([line.take(), line.take()], [Some(Shutdown::Graceful), None]);
    }
}
