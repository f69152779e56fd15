//! The program itself, as people, workflows and other clients use it.
//!
//! One program for all of them: each more would be linked for itself, and leave a core idle while it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests: what fails here fails them"
)]

mod cli;
mod clients;
mod deaf;
mod demo;
mod expect;
mod forge;
mod github;
mod guards;
mod stacks;
mod surroundings;
mod workflows;
#[path = "../world/mod.rs"]
mod world;
