//! One block of lines.

use super::{Calculation, Fields};
use crate::json::Object;

/// A line that can't be transformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Which line of the block, counted from 0.
    pub line: u64,
    /// The byte in the line, counted from 1.
    pub column: u64,
    /// What is wrong, in words.
    pub what: String,
}

/// What became of a block.
#[derive(Debug, Default)]
pub struct Done {
    /// The lines, transformed.
    pub text: Vec<u8>,
    /// How many lines the block had, blank and bad ones included.
    pub lines: u64,
    /// How many lines were transformed.
    pub rows: u64,
    /// How many were bad.
    pub bad: u64,
    /// The first of those.
    pub first_bad: Vec<BadLine>,
}

/// How many bad lines of a block are described.
const DESCRIBED: usize = 10;

/// Transforms `block` into `done`, which may hold memory of an earlier block.
pub fn transform<C: Calculation>(block: &[u8], object: &mut Object, done: &mut Done) {
    *done = Done { text: std::mem::take(&mut done.text), ..Done::default() };
    done.text.clear();
    let keys: Vec<&str> = C::READS.iter().copied().chain([C::ADDS]).collect();
    // One look at the whole block is much faster than one at each line.
    let all_utf8 = std::str::from_utf8(block).is_ok();
    let mut at = 0;
    while let Some(rest) = block.get(at..).filter(|rest| !rest.is_empty()) {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let line = rest.get(..end).unwrap_or_default();
        at += end;
        if !line.trim_ascii().is_empty() {
            let result =
                check_utf8(line, all_utf8).and_then(|()| one::<C>(line, &keys, object, &mut done.text));
            match result {
                Ok(()) => done.rows += 1,
                Err((column, what)) => {
                    done.bad += 1;
                    if done.first_bad.len() < DESCRIBED {
                        done.first_bad.push(BadLine { line: done.lines, column: column as u64 + 1, what });
                    }
                }
            }
        }
        done.lines += 1;
    }
}

type Bad = (usize, String);

fn check_utf8(line: &[u8], known: bool) -> Result<(), Bad> {
    if known {
        return Ok(());
    }
    std::str::from_utf8(line).map(|_| ()).map_err(|error| (error.valid_up_to(), "it is not UTF-8".to_owned()))
}

#[inline]
fn one<C: Calculation>(
    line: &[u8],
    keys: &[&str],
    object: &mut Object,
    out: &mut Vec<u8>,
) -> Result<(), Bad> {
    object.read(line, keys).map_err(|wrong| (wrong.at, wrong.what.to_owned()))?;
    let value = C::calculate(&Fields::new(line, keys, object)).map_err(|what| (0, what))?;
    let before = out.len();
    let added = object.values.last().cloned().flatten();
    let (head, tail) = match &added {
        Some(present) => (present.start, present.end),
        None => (object.end, object.end),
    };
    out.extend_from_slice(line.get(..head).unwrap_or_default());
    if added.is_none() {
        if !object.empty {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(C::ADDS.as_bytes());
        out.extend_from_slice(b"\":");
    }
    if let Err(error) = serde_json::to_writer(&mut *out, &value) {
        out.truncate(before);
        return Err((0, error.to_string()));
    }
    out.extend_from_slice(line.get(tail..).unwrap_or_default());
    Ok(())
}
