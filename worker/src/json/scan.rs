//! The walk over the bytes of one object.

use super::{MAX_DEPTH, Object, Wrong};

type Result<T> = std::result::Result<T, Wrong>;

/// A bit in every byte of a word: to look at eight bytes at once.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

pub(super) fn object(text: &[u8], keys: &[&str], found: &mut Object) -> Result<()> {
    found.values.clear();
    found.values.resize(keys.len(), None);
    found.empty = true;
    let mut at = space(text, 0);
    if text.get(at) != Some(&b'{') {
        return wrong(at, "it is not an object");
    }
    at = space(text, at + 1);
    if text.get(at) == Some(&b'}') {
        found.end = at;
        return ended(text, at + 1);
    }
    found.empty = false;
    loop {
        let name = at;
        at = key(text, at)?;
        let wanted = wanted(text, name, at, keys);
        let start = colon(text, at)?;
        at = value(text, start)?;
        if let Some(slot) = wanted.and_then(|index| found.values.get_mut(index)) {
            *slot = Some(start..at);
        }
        at = space(text, at);
        match text.get(at) {
            Some(b',') => at = space(text, at + 1),
            Some(b'}') => {
                found.end = at;
                return ended(text, at + 1);
            }
            _ => return wrong(at, "a comma or a closing brace is missing"),
        }
    }
}

fn ended(text: &[u8], at: usize) -> Result<()> {
    let at = space(text, at);
    if at == text.len() { Ok(()) } else { wrong(at, "there is something after the object") }
}

#[cold]
fn wrong<T>(at: usize, what: &'static str) -> Result<T> {
    Err(Wrong { at, what })
}

/// Which of `keys` the string from `start` to before `end` is.
#[inline]
fn wanted(text: &[u8], start: usize, end: usize, keys: &[&str]) -> Option<usize> {
    let name = text.get(start + 1..end - 1)?;
    for (index, key) in keys.iter().enumerate() {
        if key.as_bytes() == name {
            return Some(index);
        }
    }
    // Escaped, a name can be spelt in many ways; else it was not one of them.
    memchr::memchr(b'\\', name)?;
    let name = super::text(text.get(start..end)?)?;
    keys.iter().position(|key| key.as_bytes() == &*name)
}

#[inline]
fn space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = text.get(at) {
        at += 1;
    }
    at
}

#[inline]
fn key(text: &[u8], at: usize) -> Result<usize> {
    if text.get(at) == Some(&b'"') { string(text, at) } else { wrong(at, "a key is missing") }
}

/// The place after the colon that must come now.
#[inline]
fn colon(text: &[u8], at: usize) -> Result<usize> {
    let at = space(text, at);
    if text.get(at) == Some(&b':') { Ok(space(text, at + 1)) } else { wrong(at, "a colon is missing") }
}

/// The place after the value that begins at `at`.
#[inline]
fn value(text: &[u8], at: usize) -> Result<usize> {
    match text.get(at) {
        Some(b'{' | b'[') => nested(text, at),
        _ => scalar(text, at),
    }
}

#[inline]
fn scalar(text: &[u8], at: usize) -> Result<usize> {
    match text.get(at) {
        Some(b'"') => string(text, at),
        Some(b'-' | b'0'..=b'9') => number(text, at),
        Some(b't') => literal(text, at, b"true"),
        Some(b'f') => literal(text, at, b"false"),
        Some(b'n') => literal(text, at, b"null"),
        _ => wrong(at, "a value is missing"),
    }
}

/// An object or array, with all that is in it. A bit for each level says which of the two it is.
fn nested(text: &[u8], start: usize) -> Result<usize> {
    let mut levels: u64 = 0;
    let mut depth = 0;
    let mut at = start;
    loop {
        // A value begins here.
        match text.get(at) {
            Some(open @ (b'{' | b'[')) => {
                // The line's own object is a level, too.
                if depth + 1 >= MAX_DEPTH {
                    return wrong(at, "it is nested too deeply");
                }
                let object = *open == b'{';
                levels = levels << 1 | u64::from(object);
                depth += 1;
                at = space(text, at + 1);
                let close = if object { b'}' } else { b']' };
                if text.get(at) != Some(&close) {
                    if object {
                        at = colon(text, key(text, at)?)?;
                    }
                    continue;
                }
            }
            _ => at = space(text, scalar(text, at)?),
        }
        // A value has ended here, or a level has no more of them.
        loop {
            let object = levels & 1 == 1;
            match (text.get(at), object) {
                (Some(b','), true) => {
                    at = space(text, at + 1);
                    at = colon(text, key(text, at)?)?;
                    break;
                }
                (Some(b','), false) => {
                    at = space(text, at + 1);
                    break;
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    at += 1;
                    levels >>= 1;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(at);
                    }
                    at = space(text, at);
                }
                (_, true) => return wrong(at, "a comma or a closing brace is missing"),
                (_, false) => return wrong(at, "a comma or a closing bracket is missing"),
            }
        }
    }
}

/// The place after the string that begins with the quote at `start`.
#[inline]
fn string(text: &[u8], start: usize) -> Result<usize> {
    let mut at = start + 1;
    loop {
        at = plain(text, at);
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape(text, at)?,
            Some(_) => return wrong(at, "a control character stands in a string"),
            None => return wrong(start, "the string that begins here is never closed"),
        }
    }
}

/// The first place from `at` where a quote, a backslash or a control character stands, or the end.
#[inline]
fn plain(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = text.get(at..at + 8).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()) {
        let word = u64::from_le_bytes(word);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        // The lowest bit that is set is exact: a borrow can only touch the bytes above the first find.
        let found = (quote.wrapping_sub(ONES) & !quote
            | backslash.wrapping_sub(ONES) & !backslash
            | word.wrapping_sub(ONES * 0x20) & !word)
            & HIGHS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = text.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            break;
        }
        at += 1;
    }
    at
}

/// The place after the escape that begins with the backslash at `at`.
fn escape(text: &[u8], at: usize) -> Result<usize> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match text.get(at + 2..at + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
            _ => wrong(at, "\\u is not followed by four hexadecimal digits"),
        },
        _ => wrong(at, "there is no such escape"),
    }
}

#[inline]
fn number(text: &[u8], start: usize) -> Result<usize> {
    let mut at = start + usize::from(text.get(start) == Some(&b'-'));
    at = match text.get(at) {
        Some(b'0') => at + 1,
        _ => digits(text, at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = digits(text, at)?;
    }
    Ok(at)
}

#[inline]
fn digits(text: &[u8], start: usize) -> Result<usize> {
    let mut at = start;
    while let Some(b'0'..=b'9') = text.get(at) {
        at += 1;
    }
    if at == start { wrong(at, "a digit is missing") } else { Ok(at) }
}

#[inline]
fn literal(text: &[u8], at: usize, word: &[u8]) -> Result<usize> {
    match text.get(at..at + word.len()) {
        Some(found) if found == word => Ok(at + word.len()),
        _ => wrong(at, "a value is missing"),
    }
}
