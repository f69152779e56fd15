//! What goes wrong on purpose: at random but repeatable, at a named call, or for good at the k-th write.
//!
//! Chance is drawn from the seed, the operation and how often that operation was called, not from the order in which
//! different operations arrive: the same seed breaks the same calls whatever runs beside them, and a retry draws anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::lag::{Lag, Memory};

/// One way in which a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// Refused as too frequent, in the service's own form; nothing was done.
    Throttle,
    /// HTTP 500 in the service's own form; nothing was done.
    Internal,
    /// The connection is cut before anything was done.
    Reset,
    /// The work is done and then the connection is cut: the caller can't know.
    LostReply,
    /// Refused for want of permission.
    Deny,
    /// Refused because a quota of the account is reached.
    Limit,
    /// Refused by a service control policy of the organization, whatever the account allows.
    DenyByOrganization,
}

/// How often each fault strikes, from 0 to 1. At most one strikes a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Rates {
    /// Of [`Fault::Throttle`].
    pub throttle: f64,
    /// Of [`Fault::Internal`].
    pub internal: f64,
    /// Of [`Fault::Reset`].
    pub reset: f64,
    /// Of [`Fault::LostReply`].
    pub lost_reply: f64,
}

/// A fault at one named call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exact {
    /// The service's signing name.
    pub service: String,
    /// The operation.
    pub action: String,
    /// Which of its calls, from 1; 0 means every one.
    pub nth: u64,
    /// What happens to it.
    pub fault: Fault,
}

/// A fault at every call of an operation in one region, as an organization that keeps to some regions has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Regional {
    /// The region that the call is signed for.
    pub region: String,
    /// The service's signing name.
    pub service: String,
    /// The operation.
    pub action: String,
    /// What happens to it.
    pub fault: Fault,
}

/// Cuts every connection from one call on, as if the caller had died there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stop {
    /// Which call, from 1: of all that can change something, or of one operation.
    pub nth: u64,
    /// The operation whose calls count; none: every call that can change something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Operation>,
    /// On which side of its work.
    pub when: StopWhen,
}

/// An operation of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operation {
    /// The service's signing name.
    pub service: String,
    /// The operation.
    pub action: String,
}

/// On which side of a call's work it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StopWhen {
    /// The call does nothing.
    Before,
    /// The call does its work and nobody hears of it.
    After,
}

/// All that goes wrong. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Faults {
    /// Where chance starts.
    pub seed: u64,
    /// Chance for every call.
    pub rates: Rates,
    /// Named calls; these go before chance.
    pub exact: Vec<Exact>,
    /// Calls in one region; these go before the named ones.
    pub regional: Vec<Regional>,
    /// What is shown late.
    pub lag: Lag,
    /// Each call takes up to so many milliseconds longer, by chance: what runs side by side goes in another order.
    pub jitter_milliseconds: f64,
    /// The end of everything.
    pub stop: Option<Stop>,
}

/// What the faults make of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing goes wrong.
    Pass,
    /// This goes wrong.
    Break(Fault),
    /// The stop: the work is done or not, and the line is dead from here on.
    Stop(StopWhen),
    /// The line is dead already.
    Dead,
}

/// The faults that hold now, with what they have seen so far.
#[derive(Debug, Default)]
pub struct Judge {
    state: Mutex<Seen>,
    stopped: Notify,
    /// What was written, and is not shown yet.
    pub lag: Memory,
}

#[derive(Debug, Default)]
struct Seen {
    faults: Faults,
    counts: BTreeMap<(String, String), u64>,
    delayed: u64,
    writes: u64,
    dead: bool,
}

impl Judge {
    /// Replaces the faults and starts counting anew.
    pub fn set(&self, faults: Faults) {
        self.lag.set(faults.lag);
        *self.lock() = Seen { faults, ..Seen::default() };
    }

    /// The fault of an operation in a region.
    pub fn in_region(&self, service: &str, action: &str, region: Option<&str>) -> Option<Fault> {
        let seen = self.lock();
        let regional = seen.faults.regional.iter().find(|one| {
            one.service == service && one.action == action && Some(one.region.as_str()) == region
        });
        regional.map(|one| one.fault)
    }

    /// Keeps the faults and starts counting anew.
    pub fn rewind(&self) {
        let mut seen = self.lock();
        *seen = Seen { faults: std::mem::take(&mut seen.faults), ..Seen::default() };
    }

    /// Resolves once a [`Stop`] has struck.
    pub async fn stopped(&self) {
        loop {
            let struck = self.stopped.notified();
            if self.lock().dead {
                return;
            }
            struck.await;
        }
    }

    /// How much longer the next call takes.
    pub fn delay(&self, service: &str, action: &str) -> Duration {
        let mut seen = self.lock();
        seen.delayed += 1;
        let share = chance(seen.faults.seed, service, action, seen.delayed);
        Duration::from_secs_f64((share * seen.faults.jitter_milliseconds / 1000.0).clamp(0.0, 60.0))
    }

    /// Whether a [`Stop`] has struck.
    pub fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// Decides about the next call of an operation.
    pub fn judge(&self, service: &str, action: &str, write: bool) -> Verdict {
        let mut seen = self.lock();
        if seen.dead {
            return Verdict::Dead;
        }
        let count = seen.counts.entry((service.to_owned(), action.to_owned())).or_default();
        *count += 1;
        let nth = *count;
        seen.writes += u64::from(write);
        if let Some(when) = seen.stops_at(service, action, nth, write) {
            seen.dead = true;
            if when == StopWhen::Before {
                self.stopped.notify_waiters();
            }
            return Verdict::Stop(when);
        }
        let named = seen.faults.exact.iter().find(|exact| {
            exact.service == service && exact.action == action && (exact.nth == 0 || exact.nth == nth)
        });
        let fault = match named {
            Some(exact) => Some(exact.fault),
            None => seen.faults.rates.draw(chance(seen.faults.seed, service, action, nth)),
        };
        fault.map_or(Verdict::Pass, Verdict::Break)
    }

    /// Tells whoever waits in [`Judge::stopped`]; for a stop after the work, once the work is done.
    pub fn announce_stop(&self) {
        self.stopped.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Whether the line dies at this call. `nth`: which call of its operation it is.
    fn stops_at(&self, service: &str, action: &str, nth: u64, write: bool) -> Option<StopWhen> {
        let stop = self.faults.stop.as_ref()?;
        let struck = match &stop.of {
            Some(of) => of.service == service && of.action == action && nth == stop.nth,
            None => write && self.writes == stop.nth,
        };
        struck.then_some(stop.when)
    }
}

impl Rates {
    fn draw(&self, mut chance: f64) -> Option<Fault> {
        let each = [
            (self.throttle, Fault::Throttle),
            (self.internal, Fault::Internal),
            (self.reset, Fault::Reset),
            (self.lost_reply, Fault::LostReply),
        ];
        each.into_iter().find_map(|(rate, fault)| {
            let struck = chance < rate;
            chance -= rate;
            struck.then_some(fault)
        })
    }
}

/// A number from 0 up to 1 that depends on nothing but its arguments.
fn chance(seed: u64, service: &str, action: &str, nth: u64) -> f64 {
    let mut state = seed ^ nth.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in service.bytes().chain([b':']).chain(action.bytes()) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // The finish of splitmix64, which spreads every bit of the state.
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    let top = u32::try_from(state >> 32).unwrap_or(u32::MAX);
    f64::from(top) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(seed: u64) -> Vec<bool> {
        let judge = Judge::default();
        judge.set(Faults { seed, rates: Rates { throttle: 0.2, ..Rates::default() }, ..Faults::default() });
        (0..1000).map(|_| judge.judge("iam", "CreateRole", true) != Verdict::Pass).collect()
    }

    #[test]
    fn the_same_seed_breaks_the_same_calls_at_about_the_rate() {
        let first = strikes(7);
        assert_eq!(first, strikes(7));
        assert_ne!(first, strikes(8));
        let struck = first.iter().filter(|struck| **struck).count();
        assert!((150..250).contains(&struck), "{struck} of 1000 at a rate of 0.2");
    }

    #[test]
    fn a_named_call_is_broken_and_no_other() {
        let judge = Judge::default();
        let exact =
            Exact { service: "s3".into(), action: "CreateBucket".into(), nth: 2, fault: Fault::LostReply };
        judge.set(Faults { exact: vec![exact], ..Faults::default() });
        let verdicts: Vec<Verdict> = (0..3).map(|_| judge.judge("s3", "CreateBucket", true)).collect();
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Break(Fault::LostReply), Verdict::Pass]);
        assert_eq!(judge.judge("s3", "DeleteBucket", true), Verdict::Pass);
    }

    #[test]
    fn a_stop_counts_writes_only_and_is_for_good() {
        let judge = Judge::default();
        let stop = Stop { nth: 2, of: None, when: StopWhen::Before };
        judge.set(Faults { stop: Some(stop), ..Faults::default() });
        assert_eq!(judge.judge("iam", "CreateRole", true), Verdict::Pass);
        assert_eq!(judge.judge("iam", "GetRole", false), Verdict::Pass);
        assert_eq!(judge.judge("iam", "TagRole", true), Verdict::Stop(StopWhen::Before));
        assert_eq!(judge.judge("iam", "GetRole", false), Verdict::Dead);
    }

    #[test]
    fn a_stop_at_an_operation_counts_its_calls_only() {
        let judge = Judge::default();
        let of = Operation { service: "iam".into(), action: "TagRole".into() };
        let stop = Stop { nth: 2, of: Some(of), when: StopWhen::After };
        judge.set(Faults { stop: Some(stop), ..Faults::default() });
        for action in ["TagRole", "CreateRole", "GetRole"] {
            assert_eq!(judge.judge("iam", action, action != "GetRole"), Verdict::Pass);
        }
        assert_eq!(judge.judge("iam", "TagRole", true), Verdict::Stop(StopWhen::After));
    }
}
