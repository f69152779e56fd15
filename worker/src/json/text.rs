//! What a JSON string says.

use std::borrow::Cow;

/// The characters of a JSON string, given with its quotes; `None` if it is no string, or says something that is no text (half
/// a surrogate pair).
#[inline]
pub fn text(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    let text: String = serde_json::from_slice(value).ok()?;
    Some(Cow::Owned(text.into_bytes()))
}
