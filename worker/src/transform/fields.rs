//! What a calculation reads of a line.

use std::borrow::Cow;

use crate::json::{self, Object};
use crate::number::nearest;

/// The fields of one line that a calculation asked for.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    line: &'a [u8],
    keys: &'a [&'a str],
    object: &'a Object,
}

impl<'a> Fields<'a> {
    /// The fields `keys` of `line`, which `object` was read from.
    #[inline]
    pub(super) fn new(line: &'a [u8], keys: &'a [&'a str], object: &'a Object) -> Fields<'a> {
        Fields { line, keys, object }
    }

    /// The text of a value as it stands; `None` if there is no such field.
    #[inline]
    pub fn raw(&self, key: &str) -> Option<&'a [u8]> {
        let index = self.keys.iter().position(|known| *known == key)?;
        self.object.value(self.line, index)
    }

    /// A number, or a string that holds one, as Python's `float` takes both.
    #[inline]
    pub fn number(&self, key: &str) -> Result<f64, String> {
        let Some(raw) = self.raw(key) else { return Err(format!("{key} is missing")) };
        let number = match raw.first() {
            Some(b'-' | b'0'..=b'9') => nearest(raw).ok(),
            Some(b'"') => json::text(raw).and_then(|text| nearest(&text).ok()),
            _ => None,
        };
        number.ok_or_else(|| not_a(key, "number", raw))
    }

    /// A string.
    pub fn text(&self, key: &str) -> Result<Cow<'a, str>, String> {
        let Some(raw) = self.raw(key) else { return Err(format!("{key} is missing")) };
        let text = match json::text(raw) {
            Some(Cow::Borrowed(text)) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
            Some(Cow::Owned(text)) => String::from_utf8(text).ok().map(Cow::Owned),
            None => None,
        };
        text.ok_or_else(|| not_a(key, "string", raw))
    }
}

#[cold]
fn not_a(key: &str, what: &str, raw: &[u8]) -> String {
    let shown: String = String::from_utf8_lossy(raw).chars().take(40).collect();
    format!("{key} is not a {what}: {shown}")
}
