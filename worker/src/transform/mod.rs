//! JSON lines in, the same lines with one more field out.
//!
//! A [`Calculation`] says what the field is. Each line is checked and otherwise left byte by byte as it is.

mod fields;
mod lines;
mod pipeline;

pub use fields::Fields;
pub use lines::{BadLine, Done, transform};
pub use pipeline::{Stopped, run};

use serde_json::Value;

/// What is computed of each line.
pub trait Calculation {
    /// The fields that are read.
    const READS: &[&str];
    /// The field that is added behind all others; if a line has it already, its value is replaced where it stands.
    const ADDS: &str;

    /// The value of the added field; the error completes "line 7: …", and the line is bad.
    fn calculate(fields: &Fields<'_>) -> Result<Value, String>;
}
