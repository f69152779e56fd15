//! A window on a stream that always begins at a row.

use crate::place::{Error, Input};

/// The longest row, in bytes: what bounds the memory, whatever the text.
pub const MAX_ROW: usize = 1 << 20;

/// Reads a stream block by block; what was not used of a block begins the next one.
pub struct Blocks<'a> {
    input: &'a mut dyn Input,
    buffer: Vec<u8>,
    filled: usize,
    ended: bool,
    bytes: u64,
    /// How many bytes may still be read before the stream seems to end.
    left: u64,
}

impl<'a> Blocks<'a> {
    /// Reads `input` in blocks of `size` bytes (at least 1); a longer row makes them longer, up to [`MAX_ROW`].
    pub fn new(input: &'a mut dyn Input, size: usize) -> Blocks<'a> {
        Blocks::part(input, size, &[], u64::MAX)
    }

    /// Reads `before`, then the first `length` bytes of `input`; the stream seems to end there until [`Blocks::go_on`].
    pub fn part(input: &'a mut dyn Input, size: usize, before: &[u8], length: u64) -> Blocks<'a> {
        let mut buffer = before.to_vec();
        buffer.resize(size.max(before.len() + 1), 0);
        Blocks { input, buffer, filled: before.len(), ended: false, bytes: 0, left: length }
    }

    /// Reads on where the stream seemed to end.
    pub fn go_on(&mut self) {
        self.left = u64::MAX;
        self.ended = false;
    }

    /// How many bytes have been read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the stream ends with the present block.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The present block.
    pub fn block(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Drops the first `used` bytes and fills the block up again. False if it is full of one row that is too long.
    ///
    /// Only whole blocks are handed on, however small the pieces in which the stream comes, so that the beginning of a
    /// long row is not searched again for each piece.
    pub fn advance(&mut self, used: usize) -> Result<bool, Error> {
        self.buffer.copy_within(used.min(self.filled)..self.filled, 0);
        self.filled -= used.min(self.filled);
        if self.filled == self.buffer.len() {
            if self.filled >= MAX_ROW {
                return Ok(false);
            }
            self.buffer.resize((self.filled * 2).min(MAX_ROW), 0);
        }
        while !self.ended {
            let Some(free @ [_, ..]) = self.buffer.get_mut(self.filled..) else { break };
            let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(free.len());
            let count = match free.get_mut(..most) {
                Some(free @ [_, ..]) => self.input.read(free)?,
                _ => 0,
            };
            self.left -= count as u64;
            self.ended = count == 0;
            self.filled += count;
            self.bytes += count as u64;
        }
        Ok(true)
    }
}

impl std::fmt::Debug for Blocks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks")
            .field("filled", &self.filled)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
