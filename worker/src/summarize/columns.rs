//! The four columns that formats with named values have.

use crate::csv::Malformed;
use crate::number::Number;
use crate::payments::{INSTALMENTS, ORDER_ID, PAYMENT_TYPE, VALUE};

/// Their names, in the order in which they are looked for.
pub(super) const NAMES: [&str; 4] = [VALUE, INSTALMENTS, PAYMENT_TYPE, ORDER_ID];

/// The error of a row: the line (or row) and the byte in it, the column's name, and what is wrong.
pub(super) fn bad(line: u64, column: u64, name: &str, what: impl Into<String>) -> Malformed {
    Malformed { line, column, field: Some(name.to_owned()), what: what.into() }
}

/// A finite double, or what is wrong with it.
pub(super) fn finite(value: f64) -> Result<Number, String> {
    if value.is_finite() { Ok(Number::Double(value)) } else { Err(format!("{value} is not a number")) }
}

/// The beginning of a value, for an error.
pub(super) fn shown(value: &[u8]) -> String {
    String::from_utf8_lossy(value).chars().take(40).collect()
}
