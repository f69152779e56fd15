//! Simple Queue Service.

pub mod queue;
