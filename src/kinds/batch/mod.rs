//! AWS Batch.

pub mod compute_environment;
pub mod consumable_resource;
pub mod fit;
pub mod job_definition;
pub mod job_queue;
pub mod scheduling_policy;
pub mod service_environment;
pub mod types;

#[cfg(test)]
mod tests;
