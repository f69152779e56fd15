//! One file per command.

pub mod summarize;
