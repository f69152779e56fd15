//! Batchwright: a GitOps reconciler for AWS Batch stacks.
//!
//! Read in this order: [`resource`] has the nouns; [`value`] and [`field`] say when two values mean the same and what a
//! change to a field does; [`kind`] is what a kind of resource is; [`kinds`] are the kinds; [`services`] read AWS;
//! [`diff`] compares two documents. [`manifest`] reads what is declared. [`sandbox`] is an AWS to try things on.

// What `#[spec]` writes names this crate, here as in the kinds that tests make up.
extern crate self as batchwright;

pub mod cli;
pub mod cloud;
pub mod diff;
pub mod execute;
pub mod field;
pub mod github;
pub mod jobs;
pub mod kind;
pub mod kinds;
pub mod manifest;
mod nearest;
pub mod outputs;
pub mod outside;
pub mod permissions;
pub mod plan;
pub mod render;
pub mod resource;
pub mod services;
pub mod value;

pub use batchwright_sandbox as sandbox;
