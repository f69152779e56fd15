//! Packed bytes on their way to a decoder.

use std::io::{self, BufRead, Read};

use super::{HEAD, Whole};

/// How much is handed to a decoder at a time.
const BUFFER: usize = 128 << 10;

/// A buffered input that knows its place, and can look ahead.
pub(super) struct Packed {
    input: Whole,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    /// How many bytes came before the buffer's first.
    before: u64,
}

impl Packed {
    pub(super) fn new(input: Whole) -> Packed {
        Packed { input, buffer: vec![0; BUFFER], at: 0, filled: 0, before: 0 }
    }

    /// The place of the next byte, counted from 0.
    pub(super) fn position(&self) -> u64 {
        self.before + self.at as u64
    }

    /// The next bytes, as many as tell a coding; fewer only at the end.
    pub(super) fn head(&mut self) -> io::Result<&[u8]> {
        if self.filled - self.at < HEAD {
            self.buffer.copy_within(self.at..self.filled, 0);
            self.before += self.at as u64;
            (self.at, self.filled) = (0, self.filled - self.at);
            while self.filled < HEAD {
                match self.input.read(self.buffer.get_mut(self.filled..).unwrap_or_default())? {
                    0 => break,
                    count => self.filled += count,
                }
            }
        }
        Ok(self.buffer.get(self.at..self.filled.min(self.at + HEAD)).unwrap_or_default())
    }
}

impl BufRead for Packed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.filled {
            self.before += self.filled as u64;
            (self.at, self.filled) = (0, 0);
            self.filled = self.input.read(&mut self.buffer)?;
        }
        Ok(self.buffer.get(self.at..self.filled).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.filled);
    }
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
