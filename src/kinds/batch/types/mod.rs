//! Shapes inside Batch's specs.

pub mod compute_resources;
pub mod environment_settings;
pub mod queue_orders;
