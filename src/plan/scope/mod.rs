//! 1. What is planned, and what needs what.

pub mod only;
pub mod order;
pub mod references;
pub mod uses;
