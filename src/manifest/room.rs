//! How much manifests may come to once aliases are expanded and variables replaced: a short text may say it many times over.

use std::cell::Cell;

use super::error::Complaint;
use super::source::Span;

/// A number of values, and of bytes of text in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Values, lists and mappings among them.
    pub values: usize,
    /// Bytes of keys and texts.
    pub bytes: usize,
}

/// What all manifests of an environment may come to, keys counted: ten thousand resources as a stack has them, of 40 values each,
/// or four thousand job definitions of 120. More of them would take over 256 MB of memory.
pub const MOST: Size = Size { values: 500_000, bytes: 16 * 1024 * 1024 };

/// What variables may bring of that: a short text may name them thousands of times.
pub const MOST_BROUGHT: usize = 400_000;

/// What is left.
#[derive(Debug)]
pub struct Room {
    most: Size,
    taken: Cell<Size>,
    brought: Cell<usize>,
    is_full: Cell<bool>,
    has_told: Cell<bool>,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Room {
    /// Room for so much.
    pub fn of(most: Size) -> Self {
        let (taken, brought) = (Cell::default(), Cell::default());
        Self { most, taken, brought, is_full: Cell::default(), has_told: Cell::default() }
    }

    /// Takes room, if there is so much; once there is not, there is none any more.
    pub fn take(&self, size: Size) -> bool {
        let taken = self.taken.get();
        let taken = Size {
            values: taken.values.saturating_add(size.values),
            bytes: taken.bytes.saturating_add(size.bytes),
        };
        self.taken.set(taken);
        self.is_full
            .set(self.is_full.get() || taken.values > self.most.values || taken.bytes > self.most.bytes);
        !self.is_full.get()
    }

    /// Takes room for what a variable brings, if there is so much.
    pub fn bring(&self, size: Size) -> bool {
        self.brought.set(self.brought.get().saturating_add(size.values));
        self.is_full.set(self.is_full.get() || self.brought.get() > MOST_BROUGHT);
        self.take(size)
    }

    /// Whether more was asked for than there is.
    pub fn is_full(&self) -> bool {
        self.is_full.get()
    }

    /// What is said where the room ended; nothing, if it has been said. `once`: when it would be so much.
    pub fn ended(&self, span: Span, once: &str) -> Option<Complaint> {
        if self.has_told.replace(true) {
            return None;
        }
        let Size { values, bytes } = self.most;
        let message = if self.brought.get() > MOST_BROUGHT {
            format!("variables bring more than {MOST_BROUGHT} values")
        } else if self.taken.get().values > values {
            format!("there are more than {values} values {once}")
        } else {
            format!("there are more than {} MiB of text {once}", bytes / (1024 * 1024))
        };
        Some(Complaint::new(span, message))
    }
}
