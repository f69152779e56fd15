//! Sixteen bytes at once: every x86-64 and every 64-bit ARM can, whatever the program was built for.

use wide::u8x16;

/// How many bytes a chunk has.
pub(super) const CHUNK: usize = 16;

/// Some bytes of a text; bit n of what is said of them is about byte n.
#[derive(Clone, Copy)]
pub(super) struct Chunk(u8x16);

impl Chunk {
    /// The bytes from `at` on, if there are enough of them.
    #[inline]
    pub(super) fn of(text: &[u8], at: usize) -> Option<Chunk> {
        let bytes = text.get(at..at + CHUNK)?;
        Some(Chunk(u8x16::new(<[u8; CHUNK]>::try_from(bytes).ok()?)))
    }

    /// Which of them mean something in a string: quotes, backslashes and control characters.
    #[inline]
    pub(super) fn special(self) -> u32 {
        let quote = self.0.simd_eq(u8x16::splat(b'"'));
        let backslash = self.0.simd_eq(u8x16::splat(b'\\'));
        let control = self.0.min(u8x16::splat(0x1f)).simd_eq(self.0);
        (quote | backslash | control).to_bitmask()
    }

    /// Which of them are no ASCII.
    #[inline]
    pub(super) fn foreign(self) -> u32 {
        self.0.to_bitmask()
    }

    /// Which of them are digits.
    #[inline]
    pub(super) fn digits(self) -> u32 {
        let value = self.0 - u8x16::splat(b'0');
        value.min(u8x16::splat(9)).simd_eq(value).to_bitmask()
    }
}
