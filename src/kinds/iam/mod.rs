//! IAM.

pub mod role;
mod types;
