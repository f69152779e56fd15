//! Behaviours on a sandbox: what a plan and an apply do to what is in AWS.
//!
//! One program for all of them: each more would be linked for itself, and leave a core idle while it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests: what fails here fails them"
)]

mod blue_green;
mod broken;
mod contract;
mod destroyed;
mod drift;
mod due;
mod files;
mod first_contact;
mod gone;
mod ignore;
mod job_impact;
mod lost_tags;
mod names;
mod needed;
mod payments;
mod permissions;
mod public_stacks;
mod renamed;
mod replaced;
mod revisions;
mod roles;
#[path = "../hard/stack.rs"]
mod stack;
mod switch_off;
mod tags;
mod templates;
mod worker;
#[path = "../world/mod.rs"]
mod world;
