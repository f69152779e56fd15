//! CSV as a stream: blocks of bytes in, rows of fields out, in constant memory.
//!
//! The dialect is RFC 4180 as the common readers take it: fields end at `,`, rows at a line feed, a carriage return or
//! both; a field that begins with `"` is quoted, and in it `""` is one quote and line breaks are text; blank lines are
//! skipped; a byte order mark at the beginning is dropped. Two things that others let pass are errors here: a row that
//! has not as many fields as the header, and a quote that is still open at the end.

mod blocks;
mod row;
mod scan;

pub use blocks::{Blocks, MAX_ROW};
pub use row::Row;
pub use scan::{Header, MAX_COLUMNS, Scanner, Sink, ends_in_quotes};

/// What is wrong at one place of a CSV text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}{}: {what}", .field.as_ref().map(|name| format!(" ({name})")).unwrap_or_default())]
pub struct Malformed {
    /// The line, counted from 1; the header is on line 1. Line breaks in quoted fields count.
    pub line: u64,
    /// The byte in that line at which the field begins, counted from 1.
    pub column: u64,
    /// The header's name for the field, where it is one field that is wrong.
    pub field: Option<String>,
    /// What is wrong, in words.
    pub what: String,
}

/// Where a text stands: the line, and the byte in it, both counted from 1, right after `before`, which begins at the
/// start of line `line`.
fn position(line: u64, before: &[u8]) -> (u64, u64) {
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
    (line + line_breaks(before), (before.len() - start) as u64 + 1)
}

/// How many line breaks `text` has; a carriage return with its line feed is one.
fn line_breaks(text: &[u8]) -> u64 {
    memchr::memchr2_iter(b'\n', b'\r', text)
        .filter(|&at| text.get(at) == Some(&b'\n') || text.get(at + 1) != Some(&b'\n'))
        .count() as u64
}

#[cfg(test)]
mod tests;
