//! Cuts a stream into blocks of whole lines.

use crate::place::{Error, Input};

/// The longest line, in bytes: what bounds the memory, whatever the text.
pub const MAX_LINE: usize = 1 << 20;

/// What some programs begin a text with.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A piece of memory that lines are read into, to be used again and again.
#[derive(Debug, Default)]
pub struct Block {
    memory: Vec<u8>,
    begins: usize,
    ends: usize,
}

impl Block {
    /// The lines: each ends with a line feed, except perhaps the last of the text.
    pub fn lines(&self) -> &[u8] {
        self.memory.get(self.begins..self.ends).unwrap_or_default()
    }
}

/// Why there is no next block.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The place can't be read.
    #[error(transparent)]
    Place(#[from] Error),
    /// The line that comes now is longer than [`MAX_LINE`].
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
}

/// Reads a stream block by block.
pub struct LineBlocks<'a> {
    input: &'a mut dyn Input,
    size: usize,
    /// The beginning of a line whose end is not read yet.
    rest: Vec<u8>,
    started: bool,
    ended: bool,
}

impl<'a> LineBlocks<'a> {
    /// Reads `input` in blocks of about `size` bytes (at least 1); a longer line makes a longer one.
    pub fn new(input: &'a mut dyn Input, size: usize) -> LineBlocks<'a> {
        LineBlocks { input, size: size.max(1), rest: Vec::new(), started: false, ended: false }
    }

    /// Fills `block` with the next lines; false at the end of the text.
    pub fn next(&mut self, block: &mut Block) -> Result<bool, Stopped> {
        let mut filled = self.rest.len();
        (block.begins, block.ends) = (0, 0);
        if self.ended && filled == 0 {
            return Ok(false);
        }
        make_room(&mut block.memory, self.size.max(filled));
        if let Some(start) = block.memory.get_mut(..filled) {
            start.copy_from_slice(&self.rest);
        }
        self.rest.clear();
        loop {
            while !self.ended {
                let Some(free @ [_, ..]) = block.memory.get_mut(filled..) else { break };
                let count = self.input.read(free)?;
                self.ended = count == 0;
                filled += count;
            }
            let text = block.memory.get(..filled).unwrap_or_default();
            if !self.started && (self.ended || filled >= BYTE_ORDER_MARK.len()) {
                self.started = true;
                block.begins = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            }
            let end = if self.ended { filled } else { memchr::memrchr(b'\n', text).map_or(0, |at| at + 1) };
            if end > 0 || self.ended {
                self.rest.extend_from_slice(text.get(end..).unwrap_or_default());
                block.ends = end;
                return Ok(end > 0);
            }
            if filled >= MAX_LINE {
                return Err(Stopped::TooLong);
            }
            make_room(&mut block.memory, (filled * 2).min(MAX_LINE));
        }
    }
}

/// Makes `memory` at least `size` bytes long; what is longer already stays so.
fn make_room(memory: &mut Vec<u8>, size: usize) {
    if memory.len() < size {
        memory.resize(size, 0);
    }
}

impl std::fmt::Debug for LineBlocks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineBlocks").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blocks(mut text: &[u8], size: usize) -> Vec<String> {
        let input: &mut dyn Input = &mut text;
        let mut reader = LineBlocks::new(input, size);
        let mut block = Block::default();
        let mut found = Vec::new();
        while reader.next(&mut block).unwrap() {
            found.push(String::from_utf8(block.lines().to_vec()).unwrap());
        }
        found
    }

    #[test]
    fn a_block_ends_with_a_line() {
        assert_eq!(blocks(b"a\nbb\nccc\ndddddddddd", 5), ["a\nbb\n", "ccc\n", "dddddddddd"]);
        assert_eq!(blocks(b"\xef\xbb\xbfa\nb\nc", 5), ["a\n", "b\nc"]);
        assert_eq!(blocks(b"", 5), [""; 0]);
    }

    #[test]
    fn a_line_that_is_too_long_is_an_error() {
        let text = vec![b'x'; MAX_LINE + 1];
        let mut input = text.as_slice();
        let mut reader = LineBlocks::new(&mut input, 1 << 10);
        assert!(matches!(reader.next(&mut Block::default()), Err(Stopped::TooLong)));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_cut(text in "[a\n]{0,60}", size in 1usize..20) {
            let blocks = blocks(text.as_bytes(), size);
            prop_assert_eq!(blocks.concat(), text.clone());
            for block in blocks.iter().rev().skip(1) {
                prop_assert!(block.ends_with('\n'));
            }
        }
    }
}
