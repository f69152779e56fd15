//! What can go wrong with a place.

use std::borrow::Cow;
use std::fmt;

/// A failure to open, read or write a place; its text is one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{verb} {place}: {detail}")]
pub struct Error {
    verb: &'static str,
    place: String,
    cause: Cause,
    detail: String,
}

/// Why it went wrong, as far as it matters for what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The name is wrong, nothing is there, or it may not be used: the same again would fail again.
    Refused,
    /// The object was changed while it was read: the same again may succeed.
    Changed,
    /// The place is out of reach, too busy or full: the same again may succeed.
    Trouble,
}

impl Error {
    /// An error at `place` while trying to `verb` it.
    pub fn new(
        verb: &'static str,
        place: impl fmt::Display,
        cause: Cause,
        detail: impl fmt::Display,
    ) -> Error {
        let place = in_one_line(&place.to_string()).into_owned();
        Error { verb, place, cause, detail: one_line(&detail.to_string()) }
    }

    /// An error of the operating system.
    pub fn io(verb: &'static str, place: impl fmt::Display, error: &std::io::Error) -> Error {
        use std::io::ErrorKind as Kind;
        let (cause, detail) = match error.kind() {
            Kind::NotFound => (Cause::Refused, "no such file or folder".to_owned()),
            Kind::PermissionDenied => (Cause::Refused, "permission denied".to_owned()),
            Kind::IsADirectory => (Cause::Refused, "it is a folder".to_owned()),
            Kind::NotADirectory => (Cause::Refused, "a part of the path is not a folder".to_owned()),
            Kind::ReadOnlyFilesystem => (Cause::Refused, "the file system is read-only".to_owned()),
            _ => (Cause::Trouble, error.to_string()),
        };
        Error::new(verb, place, cause, detail)
    }

    /// Why it went wrong.
    pub fn cause(&self) -> Cause {
        self.cause
    }
}

/// A name as it stands, but with line breaks and the like written as escapes.
pub(super) fn in_one_line(name: &str) -> Cow<'_, str> {
    if !name.contains(char::is_control) {
        return Cow::Borrowed(name);
    }
    let escaped = name.chars().flat_map(|char| match char.is_control() {
        true => char.escape_default().collect::<Vec<_>>(),
        false => vec![char],
    });
    Cow::Owned(escaped.collect())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
