//! AWS Batch.

pub mod compute_environment;
pub mod job_queue;
pub mod types;
