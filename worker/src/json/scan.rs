//! The walk over the bytes of one object.
//!
//! What nearly every text has is decided in a few compares; anything else is left to functions that are called for it.

use super::chunk::{CHUNK, Chunk};
use super::{MAX_DEPTH, Object, Wrong};

/// What is wrong with a text.
#[derive(Debug, Clone, Copy)]
enum What {
    NoObject,
    NoKey,
    NoColon,
    NoComma { object: bool },
    NoValue,
    NoDigit,
    NoEscape,
    NoHexadecimal,
    Unclosed,
    Control,
    TooDeep,
    NotUtf8,
    More,
}

impl What {
    fn says(self) -> &'static str {
        match self {
            What::NoObject => "it is not an object",
            What::NoKey => "a key is missing",
            What::NoColon => "a colon is missing",
            What::NoComma { object: true } => "a comma or a closing brace is missing",
            What::NoComma { object: false } => "a comma or a closing bracket is missing",
            What::NoValue => "a value is missing",
            What::NoDigit => "a digit is missing",
            What::NoEscape => "there is no such escape",
            What::NoHexadecimal => "\\u is not followed by four hexadecimal digits",
            What::Unclosed => "the string that begins here is never closed",
            What::Control => "a control character stands in a string",
            What::TooDeep => "it is nested too deeply",
            What::NotUtf8 => "it is not UTF-8",
            What::More => "there is something after the object",
        }
    }
}

/// An error that leaves a result as small as two registers: the rest of it stands in the walk.
#[derive(Debug, Clone, Copy)]
struct Failed;

type Result<T> = std::result::Result<T, Failed>;

/// A text on its way to being read. If `LINE`, a line feed ends it, else it is white space.
struct Walk<'a, const LINE: bool> {
    text: &'a [u8],
    wrong: Option<(usize, What)>,
}

/// Reads one object; returns the place of the line feed behind it if `LINE`, else the text's length.
pub(super) fn object<const LINE: bool>(
    text: &[u8],
    keys: &[&str],
    found: &mut Object,
) -> std::result::Result<usize, Wrong> {
    let mut walk = Walk::<LINE> { text, wrong: None };
    walk.object(keys, found).map_err(|Failed| match walk.wrong {
        Some((at, what)) => Wrong { at, what: what.says() },
        None => Wrong { at: 0, what: What::NoObject.says() },
    })
}

impl<const LINE: bool> Walk<'_, LINE> {
    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    #[cold]
    fn wrong<T>(&mut self, at: usize, what: What) -> Result<T> {
        self.wrong = Some((at, what));
        Err(Failed)
    }

    fn object(&mut self, keys: &[&str], found: &mut Object) -> Result<usize> {
        found.values.clear();
        found.values.resize(keys.len(), None);
        found.empty = true;
        let mut at = self.space(0);
        if self.byte(at) != Some(b'{') {
            return self.wrong(at, What::NoObject);
        }
        at = self.space(at + 1);
        if self.byte(at) == Some(b'}') {
            found.end = at;
            return self.ended(at + 1);
        }
        found.empty = false;
        loop {
            let (name, (end, escaped)) = (at, self.key(at)?);
            let wanted = self.wanted(name, end, escaped, keys);
            let start = self.colon(end)?;
            at = self.value(start)?;
            if let Some(slot) = wanted.and_then(|index| found.values.get_mut(index)) {
                *slot = Some(start..at);
            }
            at = self.space(at);
            match self.byte(at) {
                Some(b',') => at = self.space(at + 1),
                Some(b'}') => {
                    found.end = at;
                    return self.ended(at + 1);
                }
                _ => return self.wrong(at, What::NoComma { object: true }),
            }
        }
    }

    fn ended(&mut self, at: usize) -> Result<usize> {
        let at = self.space(at);
        match self.byte(at) {
            None => Ok(at),
            Some(b'\n') if LINE => Ok(at),
            Some(_) => self.wrong(at, What::More),
        }
    }

    /// Which of `keys` the string from `start` to before `end` is.
    #[inline]
    fn wanted(&self, start: usize, end: usize, escaped: bool, keys: &[&str]) -> Option<usize> {
        if escaped {
            return self.unescaped(start, end, keys);
        }
        let name = self.text.get(start + 1..end - 1)?;
        keys.iter().position(|key| key.as_bytes() == name)
    }

    /// The same for a name that can be spelt in many ways.
    #[cold]
    fn unescaped(&self, start: usize, end: usize, keys: &[&str]) -> Option<usize> {
        let name = super::text(self.text.get(start..end)?)?;
        keys.iter().position(|key| key.as_bytes() == &*name)
    }

    /// The first place from `at` that is no white space.
    #[inline(always)]
    fn space(&self, at: usize) -> usize {
        match self.byte(at) {
            Some(byte) if byte <= b' ' => self.more_space(at),
            _ => at,
        }
    }

    fn more_space(&self, mut at: usize) -> usize {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.byte(at) {
            if LINE && byte == b'\n' {
                break;
            }
            at += 1;
        }
        at
    }

    /// The end of the key that begins at `at`, and whether an escape stands in it.
    #[inline(always)]
    fn key(&mut self, at: usize) -> Result<(usize, bool)> {
        if self.byte(at) != Some(b'"') {
            return self.wrong(at, What::NoKey);
        }
        match self.short_string(at) {
            Some(end) => Ok((end, false)),
            None => {
                let end = self.any_string(at)?;
                let name = self.text.get(at..end).unwrap_or_default();
                Ok((end, memchr::memchr(b'\\', name).is_some()))
            }
        }
    }

    /// The place after a key whose name does not matter, and its colon.
    #[inline(always)]
    fn passed(&mut self, at: usize) -> Result<usize> {
        if self.byte(at) != Some(b'"') {
            return self.wrong(at, What::NoKey);
        }
        let end = self.string(at)?;
        self.colon(end)
    }

    /// The place after the colon that must come now.
    #[inline(always)]
    fn colon(&mut self, at: usize) -> Result<usize> {
        let at = self.space(at);
        if self.byte(at) == Some(b':') { Ok(self.space(at + 1)) } else { self.wrong(at, What::NoColon) }
    }

    /// The place after the value that begins at `at`.
    #[inline(always)]
    fn value(&mut self, at: usize) -> Result<usize> {
        match self.byte(at) {
            Some(b'{' | b'[') => self.nested(at),
            _ => self.scalar(at),
        }
    }

    #[inline(always)]
    fn scalar(&mut self, at: usize) -> Result<usize> {
        let byte = self.byte(at);
        if byte == Some(b'"') {
            return self.string(at);
        }
        if matches!(byte, Some(b'-' | b'0'..=b'9')) {
            return self.number(at);
        }
        self.literal(at)
    }

    /// An object or array, with all that is in it. A bit for each level says which of the two it is.
    fn nested(&mut self, start: usize) -> Result<usize> {
        let mut levels: u64 = 0;
        let mut depth = 0;
        let mut at = start;
        loop {
            // A value begins here.
            match self.byte(at) {
                Some(open @ (b'{' | b'[')) => {
                    // The line's own object is a level, too.
                    if depth + 1 >= MAX_DEPTH {
                        return self.wrong(at, What::TooDeep);
                    }
                    let object = open == b'{';
                    levels = levels << 1 | u64::from(object);
                    depth += 1;
                    at = self.space(at + 1);
                    let close = if object { b'}' } else { b']' };
                    if self.byte(at) != Some(close) {
                        if object {
                            at = self.passed(at)?;
                        }
                        continue;
                    }
                }
                _ => {
                    let end = self.scalar(at)?;
                    at = self.space(end);
                }
            }
            // A value has ended here, or a level has no more of them.
            loop {
                let object = levels & 1 == 1;
                match self.byte(at) {
                    Some(b',') => {
                        at = self.space(at + 1);
                        if object {
                            at = self.passed(at)?;
                        }
                        break;
                    }
                    Some(close) if close == if object { b'}' } else { b']' } => {
                        at += 1;
                        levels >>= 1;
                        depth -= 1;
                        if depth == 0 {
                            return Ok(at);
                        }
                        at = self.space(at);
                    }
                    _ => return self.wrong(at, What::NoComma { object }),
                }
            }
        }
    }

    /// The place after the string that begins with the quote at `at`.
    #[inline(always)]
    fn string(&mut self, at: usize) -> Result<usize> {
        match self.short_string(at) {
            Some(end) => Ok(end),
            None => self.any_string(at),
        }
    }

    /// The place after the string that begins with the quote at `start`, if that is seen at a glance: it is short, and plain ASCII.
    #[inline(always)]
    fn short_string(&self, start: usize) -> Option<usize> {
        let chunk = Chunk::of(self.text, start + 1)?;
        let special = chunk.special();
        let end = start + 1 + special.trailing_zeros() as usize;
        let plain = chunk.foreign() & below(special) == 0;
        (special != 0 && plain && self.byte(end) == Some(b'"')).then_some(end + 1)
    }

    /// The place after any string.
    fn any_string(&mut self, start: usize) -> Result<usize> {
        let mut at = start + 1;
        let mut foreign = 0;
        loop {
            at = self.special(at, &mut foreign);
            match self.byte(at) {
                Some(b'"') => break,
                Some(b'\\') => at = self.escape(at)?,
                Some(b'\n') | None => return self.wrong(start, What::Unclosed),
                Some(_) => return self.wrong(at, What::Control),
            }
        }
        // Outside of strings the grammar lets nothing but ASCII through.
        if foreign != 0
            && let Err(error) = std::str::from_utf8(self.text.get(start..at).unwrap_or_default())
        {
            return self.wrong(start + error.valid_up_to(), What::NotUtf8);
        }
        Ok(at + 1)
    }

    /// The first place from `at` where a quote, a backslash or a control character stands, or the end; `foreign` is not 0 if there
    /// is something before it that is no ASCII.
    #[inline]
    fn special(&self, mut at: usize, foreign: &mut u32) -> usize {
        while let Some(chunk) = Chunk::of(self.text, at) {
            let special = chunk.special();
            *foreign |= chunk.foreign() & below(special);
            if special != 0 {
                return at + special.trailing_zeros() as usize;
            }
            at += CHUNK;
        }
        while let Some(byte) = self.byte(at) {
            if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
                break;
            }
            *foreign |= u32::from(byte & 0x80);
            at += 1;
        }
        at
    }

    /// The place after the escape that begins with the backslash at `at`.
    fn escape(&mut self, at: usize) -> Result<usize> {
        match self.byte(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match self.text.get(at + 2..at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
                _ => self.wrong(at, What::NoHexadecimal),
            },
            _ => self.wrong(at, What::NoEscape),
        }
    }

    /// The place after the number that begins at `start`.
    #[inline]
    fn number(&mut self, start: usize) -> Result<usize> {
        let at = start + usize::from(self.byte(start) == Some(b'-'));
        match Chunk::of(self.text, at).and_then(|chunk| self.short_number(at, chunk.digits())) {
            Some(end) => Ok(end),
            None => self.any_number(at),
        }
    }

    /// The place after a number that has no exponent and ends within the chunk that begins with it.
    #[inline]
    fn short_number(&self, at: usize, digits: u32) -> Option<usize> {
        let whole = digits.trailing_ones() as usize;
        let mut end = at + whole;
        if whole == 0 || (whole > 1 && self.byte(at) == Some(b'0')) {
            return None;
        }
        if self.byte(end) == Some(b'.') {
            let fraction = (digits >> (whole + 1)).trailing_ones() as usize;
            if fraction == 0 {
                return None;
            }
            end += 1 + fraction;
        }
        // What ends with the chunk may go on behind it.
        (end < at + CHUNK && !matches!(self.byte(end), Some(b'e' | b'E'))).then_some(end)
    }

    fn any_number(&mut self, start: usize) -> Result<usize> {
        let mut at = match self.byte(start) {
            Some(b'0') => start + 1,
            _ => self.digits(start)?,
        };
        if self.byte(at) == Some(b'.') {
            at = self.digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.byte(at) {
            at += 1 + usize::from(matches!(self.byte(at + 1), Some(b'+' | b'-')));
            at = self.digits(at)?;
        }
        Ok(at)
    }

    fn digits(&mut self, start: usize) -> Result<usize> {
        let mut at = start;
        while let Some(b'0'..=b'9') = self.byte(at) {
            at += 1;
        }
        if at == start { self.wrong(at, What::NoDigit) } else { Ok(at) }
    }

    fn literal(&mut self, at: usize) -> Result<usize> {
        let rest = self.text.get(at..).unwrap_or_default();
        let words = [&b"null"[..], b"true", b"false"];
        match words.iter().find(|word| rest.starts_with(word)) {
            Some(word) => Ok(at + word.len()),
            None => self.wrong(at, What::NoValue),
        }
    }
}

/// All bits below the lowest of `bits`; all, if there is none.
#[inline(always)]
fn below(bits: u32) -> u32 {
    bits.wrapping_sub(1) & !bits
}
