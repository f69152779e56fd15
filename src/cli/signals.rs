//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for Ctrl-C or SIGTERM.
pub async fn once() {
    let mut signals = Signals::new();
    signals.next().await;
}

/// Calls `first` at the first signal, and ends at the second.
pub async fn twice(first: impl Fn()) {
    let mut signals = Signals::new();
    signals.next().await;
    first();
    signals.next().await;
}

struct Signals(Option<(Signal, Signal)>);

impl Signals {
    fn new() -> Self {
        let interrupt = signal(SignalKind::interrupt());
        let terminate = signal(SignalKind::terminate());
        Self(interrupt.ok().zip(terminate.ok()))
    }

    async fn next(&mut self) {
        match &mut self.0 {
            Some((interrupt, terminate)) => {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            }
            // Where no handler can be set, the signal ends the process as it always does.
            None => std::future::pending().await,
        }
    }
}
