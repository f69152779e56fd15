//! A part of a text that begins and ends anywhere: each row belongs to the part in which its first byte stands.
//!
//! A part alone can't tell whether it begins in a quoted field, in which line breaks are text. So a part of a CSV is read both
//! ways, and each [`Outcome`] says how it ends: whoever has all outcomes follows them from the beginning of the text, where
//! nothing is quoted, and takes the one that is true of each part. The wrong one mostly ends soon: there is no quote for a
//! megabyte, or the rows have the wrong length.

use serde::{Deserialize, Serialize};

use super::csv::Rows;
use super::jsonl::Reader;
use super::{BLOCK, Error, OnBlock, Totals};
use crate::bad_rows::{BadRows, Skipped};
use crate::csv::{Blocks, MAX_ROW, Malformed, Scanner, ends_in_quotes};
use crate::lines::BYTE_ORDER_MARK;
use crate::payments::{Columns, Summary};
use crate::place::Input;

/// What became of a part that was read in one way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was read to its end.
    Read {
        /// The summary of its good rows.
        summary: Box<Summary>,
        /// Its bad rows.
        skipped: Skipped,
        /// Whether it ends within a quoted field.
        ends_quoted: bool,
    },
    /// If this is the true way, the data is bad.
    Failed {
        /// Where, and what is wrong.
        what: String,
    },
}

/// How a part begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With a row.
    Row,
    /// In a row, but not in a quoted field. The byte before the part is read too: it tells whether a field begins.
    Outside,
    /// In a quoted field.
    Quoted,
}

/// Which part of the input is meant.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// How it begins.
    pub start: Start,
    /// How many bytes of the input it has, with the byte before it at [`Start::Outside`]; more may follow.
    pub length: u64,
    /// Whether the text ends with it.
    pub last: bool,
}

/// How far a border between two parts must move, given the byte `before` it and those from it on: where a quote or a line break
/// of two bytes would be cut, it goes on. `None` if `after` does not say.
pub fn border(mut before: u8, after: &[u8]) -> Option<usize> {
    for (moved, &byte) in after.iter().enumerate() {
        let cuts = before == b'"' || byte == b'"' || (before == b'\r' && byte == b'\n');
        if !cuts {
            return Some(moved);
        }
        before = byte;
    }
    None
}

/// Sums up the rows of a CSV that begin in `part`; returns whether it ends in a quoted field.
///
/// `input` goes on behind the part, so that its last row can be read to its end.
pub fn csv_piece(
    input: &mut dyn Input,
    part: Part,
    (object, columns, policy): (&str, &Columns, BadRows),
    totals: &mut Totals,
    on_block: OnBlock<'_>,
) -> Result<bool, Error> {
    let before: &[u8] = if part.start == Start::Quoted { b"\"" } else { b"" };
    let mut blocks = Blocks::part(input, BLOCK, before, part.length);
    let mut scanner = Scanner::default();
    let mut begun = part.start == Start::Row;
    let mut used = 0;
    loop {
        if !blocks.advance(used)? {
            return Err(scanner.too_long(blocks.block()).into());
        }
        used = 0;
        let ended = blocks.ended();
        let last = ended && part.last;
        if !begun && let Some(length) = scanner.skip_row(blocks.block(), last)? {
            (begun, used) = (true, length);
        }
        if begun {
            let rest = blocks.block().get(used..).unwrap_or_default();
            let mut rows = Rows { object, columns, policy, totals };
            used += scanner.rows(rest, last, columns.count, &mut rows)?;
        }
        totals.go_on(on_block)?;
        if ended {
            break;
        }
    }
    let rest = blocks.block().get(used..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(false);
    }
    let quoted = ends_in_quotes(rest);
    if begun {
        blocks.go_on();
        loop {
            if !blocks.advance(used)? {
                return Err(scanner.too_long(blocks.block()).into());
            }
            used = 0;
            let mut rows = Rows { object, columns, policy, totals };
            if scanner.next_row(blocks.block(), 0, blocks.ended(), columns.count, &mut rows)?.is_some() {
                break;
            }
        }
    }
    Ok(quoted)
}

/// Sums up the JSON lines that begin in `part`.
pub fn lines_piece(
    input: &mut dyn Input,
    part: Part,
    (object, policy): (&str, BadRows),
    totals: &mut Totals,
    on_block: OnBlock<'_>,
) -> Result<(), Error> {
    let mut blocks = Blocks::part(input, BLOCK, b"", part.length);
    let mut reader = Reader::default();
    let mut begun = part.start == Start::Row;
    let mut used = 0;
    // Whether the beginning of the text is still to come.
    let mut first = begun;
    // First the lines that end in the part, then the one that only begins in it.
    let mut behind = false;
    loop {
        if !blocks.advance(used)? {
            let what = format!("the line is longer than {MAX_ROW} bytes");
            return Err(Malformed { line: reader.line + 1, column: 1, field: None, what }.into());
        }
        let block = blocks.block();
        used = 0;
        if !begun && let Some(at) = memchr::memchr(b'\n', block) {
            (begun, used) = (true, at + 1);
        }
        if begun {
            let rest = block.get(used..).unwrap_or_default();
            let end = match (behind, memchr::memchr(b'\n', rest), memchr::memrchr(b'\n', rest)) {
                (true, Some(first), _) => first + 1,
                // The text's last line may have no line break.
                _ if blocks.ended() && (behind || part.last) => rest.len(),
                (false, _, Some(last)) => last + 1,
                _ => 0,
            };
            let mut lines = rest.get(..end).unwrap_or_default();
            if first && end > 0 {
                first = false;
                lines = lines.strip_prefix(BYTE_ORDER_MARK).unwrap_or(lines);
            }
            reader.block(lines, object, policy, totals)?;
            used += end;
            if behind && end > 0 {
                return Ok(());
            }
        }
        totals.go_on(on_block)?;
        if blocks.ended() {
            if behind || part.last || !begun || used == blocks.block().len() {
                return Ok(());
            }
            behind = true;
            blocks.go_on();
        }
    }
}
