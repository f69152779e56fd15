//! One block of lines.

use super::{Calculation, Fields};
use crate::json::{Object, Wrong};

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
    let mut rest = block;
    while !rest.is_empty() {
        let (length, result) = one::<C>(rest, &keys, object, &mut done.text);
        match result {
            Ok(true) => done.rows += 1,
            Ok(false) => {}
            Err((column, what)) => {
                done.bad += 1;
                if done.first_bad.len() < DESCRIBED {
                    done.first_bad.push(BadLine { line: done.lines, column: column as u64 + 1, what });
                }
            }
        }
        rest = rest.get(length..).unwrap_or_default();
        done.lines += 1;
    }
}

type Bad = (usize, String);

/// Transforms the first line of `text`; returns its length and whether there was something on it.
#[inline]
fn one<C: Calculation>(
    text: &[u8],
    keys: &[&str],
    object: &mut Object,
    out: &mut Vec<u8>,
) -> (usize, Result<bool, Bad>) {
    match object.read_line(text, keys) {
        Ok(end) => {
            let length = text.len().min(end + 1);
            let line = text.get(..length).unwrap_or_default();
            (length, write::<C>(line, keys, object, out).map(|()| true))
        }
        Err(wrong) => unread(text, wrong),
    }
}

/// What a line is that was not read.
#[cold]
fn unread(text: &[u8], wrong: Wrong) -> (usize, Result<bool, Bad>) {
    let length = memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1);
    let line = text.get(..length).unwrap_or_default();
    let result = match std::str::from_utf8(line) {
        Err(error) => Err((error.valid_up_to(), "it is not UTF-8".to_owned())),
        Ok(line) if line.trim_ascii().is_empty() => Ok(false),
        Ok(_) => Err((wrong.at, wrong.what.to_owned())),
    };
    (length, result)
}

/// Writes a line with its new value.
#[inline]
fn write<C: Calculation>(line: &[u8], keys: &[&str], object: &Object, out: &mut Vec<u8>) -> Result<(), Bad> {
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
