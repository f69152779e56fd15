//! 5. What speaks against a plan.

pub mod blocked;
pub mod collisions;
pub mod consent;
pub mod dependents;
pub mod final_state;
pub mod impact;
pub mod jobs;
pub mod literals;
pub mod unknown_fields;
