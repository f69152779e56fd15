//! A call that waits at the gate until a test lets it go: what happens in the midst of a call, without any sleep.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Which calls are held, and how far each has come.
#[derive(Debug, Default)]
pub struct Gate(Mutex<Vec<Arc<Hold>>>);

#[derive(Debug)]
struct Hold {
    service: String,
    action: String,
    arrived: watch::Sender<bool>,
    open: watch::Sender<bool>,
}

/// The next call of an operation, held before it does anything. Dropping it lets the call go.
#[derive(Debug)]
pub struct Held(Arc<Hold>);

impl Gate {
    /// Holds the next call of an operation.
    pub fn hold(&self, service: &str, action: &str) -> Held {
        let hold = Arc::new(Hold {
            service: service.to_owned(),
            action: action.to_owned(),
            arrived: watch::Sender::new(false),
            open: watch::Sender::new(false),
        });
        self.lock().push(Arc::clone(&hold));
        Held(hold)
    }

    /// Passes at once what nobody holds.
    pub async fn pass(&self, service: &str, action: &str) {
        let held = {
            let mut holds = self.lock();
            let at = holds.iter().position(|hold| hold.service == service && hold.action == action);
            at.map(|at| holds.remove(at))
        };
        if let Some(hold) = held {
            hold.arrived.send_replace(true);
            // The sender lives as long as `hold`, so waiting cannot fail.
            let _ = hold.open.subscribe().wait_for(|open| *open).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Hold>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Returns when the call has come.
    pub async fn arrived(&self) {
        let _ = self.0.arrived.subscribe().wait_for(|arrived| *arrived).await;
    }

    /// Lets it go on.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.open.send_replace(true);
    }
}
