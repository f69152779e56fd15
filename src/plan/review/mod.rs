//! Exactly what was reviewed: what somebody has seen of a plan, and whether another plan is that (D19).

mod expected;
mod fingerprint;
mod set;

pub use expected::{Expected, Recorded};
pub use set::{Difference, Error, Mismatch, Reviewed, Verdict, hidden};
