//! One row of a block.

use std::borrow::Cow;

use super::{Malformed, position};

/// A row: the fields are found, and are read only where somebody asks.
#[derive(Debug)]
pub struct Row<'a> {
    block: &'a [u8],
    /// Where each field begins, and one past the end of the last field's separator.
    marks: &'a [usize],
    /// Whether any field may be quoted.
    quoted: bool,
    /// The line on which the row begins.
    line: u64,
}

impl<'a> Row<'a> {
    /// The row of `block` whose fields lie between `marks`.
    #[inline]
    pub(super) fn new(block: &'a [u8], marks: &'a [usize], quoted: bool, line: u64) -> Row<'a> {
        Row { block, marks, quoted, line }
    }

    /// How many fields the row has.
    #[inline]
    pub fn len(&self) -> usize {
        self.marks.len().saturating_sub(1)
    }

    /// Whether the row has no field, which no row of a scanner has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of field `index`, counted from 0, without its quotes; empty if there is no such field.
    #[inline]
    pub fn field(&self, index: usize) -> Cow<'a, [u8]> {
        let raw = self.raw(index);
        if self.quoted { unquoted(raw) } else { Cow::Borrowed(raw) }
    }

    /// An error that stands at field `index`, which the header calls `name`.
    #[cold]
    pub fn malformed(&self, index: usize, name: &str, what: impl Into<String>) -> Malformed {
        self.error_at(index, Some(name.to_owned()), what.into())
    }

    /// The error of a row that has not `expected` fields.
    #[cold]
    pub(super) fn wrong_length(&self, expected: usize) -> Malformed {
        let found = self.len();
        let fields = if found == 1 { "field" } else { "fields" };
        let what = format!("the row has {found} {fields}, the header {expected}");
        self.error_at(expected.min(found.saturating_sub(1)), None, what)
    }

    /// The error of a header with more than `most` fields.
    #[cold]
    pub(super) fn too_many(&self, most: usize) -> Malformed {
        let what = format!("the header has {} columns; there can be {most}", self.len());
        self.error_at(most, None, what)
    }

    fn error_at(&self, index: usize, field: Option<String>, what: String) -> Malformed {
        let start = self.marks.first().copied().unwrap_or(0);
        let at = self.marks.get(index).copied().unwrap_or(start);
        let (line, column) = position(self.line, self.block.get(start..at).unwrap_or_default());
        Malformed { line, column, field, what }
    }

    #[inline]
    fn raw(&self, index: usize) -> &'a [u8] {
        match self.marks.get(index..index + 2) {
            Some(&[start, next]) => self.block.get(start..next - 1).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The text of a field that may be quoted. What follows the closing quote is taken as it stands.
fn unquoted(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = raw.strip_prefix(b"\"") else { return Cow::Borrowed(raw) };
    match memchr::memchr(b'"', inner) {
        Some(at) if at + 1 == inner.len() => Cow::Borrowed(inner.get(..at).unwrap_or_default()),
        _ => Cow::Owned(unescaped(inner)),
    }
}

fn unescaped(mut rest: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(rest.len());
    while let Some(at) = memchr::memchr(b'"', rest) {
        let (before, after) = rest.split_at(at);
        text.extend_from_slice(before);
        match after.strip_prefix(b"\"\"") {
            Some(next) => {
                text.push(b'"');
                rest = next;
            }
            None => {
                rest = after.get(1..).unwrap_or_default();
                break;
            }
        }
    }
    text.extend_from_slice(rest);
    text
}
