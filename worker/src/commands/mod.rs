//! One file per command, and what commands share.

pub mod check;
pub mod consume;
pub mod ends;
mod error;
pub mod hello;
pub mod merge;
mod record;
pub mod stop;
pub mod summarize;
pub mod transform;

pub use error::Error;
