//! EC2: networks and what guards them.

pub mod security_group;
pub mod subnet;
pub mod types;
pub mod vpc;
