//! One JSON object, checked byte by byte and left as it is: what is asked for is where its fields stand.
//!
//! The grammar is RFC 8259's. Nothing is decoded or copied; numbers and strings keep the form they have. What is taken is UTF-8. At most [`MAX_DEPTH`] levels stand in each other. Of a key that is there twice the last one counts, as in
//! Python and JavaScript.

mod chunk;
mod scan;
mod text;

use std::ops::Range;

pub use text::text;

/// How many objects and arrays may stand in each other.
pub const MAX_DEPTH: usize = 64;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Wrong {
    /// The byte, counted from 0.
    pub at: usize,
    /// What is wrong, in words.
    pub what: &'static str,
}

/// Where the parts of an object stand in its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// The values of the keys that were asked for, in that order.
    pub values: Vec<Option<Range<usize>>>,
    /// The closing brace.
    pub end: usize,
    /// Whether it has no field at all.
    pub empty: bool,
}

impl Object {
    /// Reads `text`, which must be one object, perhaps with white space around it; `keys` are the names to find.
    ///
    /// An object that is used again needs no new memory.
    #[inline]
    pub fn read(&mut self, text: &[u8], keys: &[&str]) -> Result<(), Wrong> {
        scan::object::<false>(text, keys, self).map(|_| ())
    }

    /// Reads the first line of `text` in the same way; returns where it ends: the place of its line feed, or the text's length.
    ///
    /// To look beyond the line makes it faster than [`Object::read`].
    #[inline]
    pub fn read_line(&mut self, text: &[u8], keys: &[&str]) -> Result<usize, Wrong> {
        scan::object::<true>(text, keys, self)
    }

    /// The text of the value of key number `index`.
    #[inline]
    pub fn value<'a>(&self, text: &'a [u8], index: usize) -> Option<&'a [u8]> {
        text.get(self.values.get(index)?.clone()?)
    }
}

#[cfg(test)]
mod tests;
