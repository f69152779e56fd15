//! Kills, faults, interruptions and two runs at once.
//!
//! One program for all of them: each more would be linked for itself, and leave a core idle while it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests: what fails here fails them"
)]

mod crash;
mod ending;
mod faults;
mod interrupt;
mod inventory;
mod spoilt;
mod stack;
mod two_runs;
#[path = "../world/mod.rs"]
mod world;
