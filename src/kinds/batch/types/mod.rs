//! Shapes inside Batch's specs.

pub mod compute_resources;
pub mod container;
pub mod container_properties;
pub mod ecs;
pub mod eks;
pub mod environment_settings;
pub mod job_settings;
pub mod name;
pub mod queue_orders;
