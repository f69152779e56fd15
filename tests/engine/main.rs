//! The engine and its kinds on documents, and the house itself: no program, and hardly a sandbox.
//!
//! One program for all of them: each more would be linked for itself, and leave a core idle while it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests: what fails here fails them"
)]

mod kinds;
mod laws;
mod manifests;
mod render;
mod scenarios;
mod strategies;
mod surroundings;
mod tidy;
#[path = "../world/mod.rs"]
mod world;
