//! Reads on a thread of its own, a few blocks ahead of whoever uses them.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::place::{Cause, Error, Input};

const BLOCK: usize = 256 << 10;

/// How many blocks wait at most.
const AHEAD: usize = 4;

/// An input whose next bytes are being made while the last ones are used.
#[derive(Debug)]
pub struct Ahead {
    name: String,
    blocks: Receiver<Result<Block, Error>>,
    spent: Sender<Vec<u8>>,
    block: Block,
    at: usize,
    ended: bool,
}

#[derive(Debug, Default)]
struct Block {
    memory: Vec<u8>,
    filled: usize,
}

impl Ahead {
    /// Starts to read `input`, the content of the place called `name`, to its end; dropping this ends the thread.
    pub fn new(mut input: Box<dyn Input>, name: &str) -> Ahead {
        let (blocks, received) = sync_channel(AHEAD);
        let (spent, memory) = channel();
        std::thread::spawn(move || read(input.as_mut(), &blocks, &memory));
        Ahead { name: name.to_owned(), blocks: received, spent, block: Block::default(), at: 0, ended: false }
    }
}

fn read(input: &mut dyn Input, blocks: &SyncSender<Result<Block, Error>>, spent: &Receiver<Vec<u8>>) {
    loop {
        let mut memory = spent.try_recv().unwrap_or_default();
        memory.resize(BLOCK, 0);
        let block = fill(input, memory);
        let last = block.as_ref().map_or(true, |block| block.filled == 0);
        if blocks.send(block).is_err() || last {
            return;
        }
    }
}

/// A block that is full, unless the input ends.
fn fill(input: &mut dyn Input, mut memory: Vec<u8>) -> Result<Block, Error> {
    let mut filled = 0;
    while let Some(free @ [_, ..]) = memory.get_mut(filled..) {
        match input.read(free)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(Block { memory, filled })
}

impl Input for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.at == self.block.filled && !self.ended {
            let Ok(next) = self.blocks.recv() else {
                return Err(Error::new(
                    "read",
                    &self.name,
                    Cause::Trouble,
                    "the thread that reads broke down",
                ));
            };
            let used = std::mem::replace(&mut self.block, next?);
            self.at = 0;
            // An empty block is the end.
            self.ended = self.block.filled == 0;
            // A thread that is done needs no memory.
            let _ = self.spent.send(used.memory);
        }
        let rest = self.block.memory.get(self.at..self.block.filled).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(buffer), Some(rest)) = (buffer.get_mut(..count), rest.get(..count)) {
            buffer.copy_from_slice(rest);
        }
        self.at += count;
        Ok(count)
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes a few at a time, then an error if it has one.
    struct Dripping(Vec<u8>, usize, Option<Error>);

    impl Input for Dripping {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
            let count = (self.0.len() - self.1).min(buffer.len()).min(1000);
            buffer[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
            self.1 += count;
            match self.2.take() {
                Some(error) if count == 0 => Err(error),
                error => {
                    self.2 = error;
                    Ok(count)
                }
            }
        }

        fn size(&self) -> Option<u64> {
            None
        }
    }

    fn all(mut ahead: Ahead) -> (Vec<u8>, Result<usize, Error>) {
        let mut text = Vec::new();
        let mut buffer = [0; 7000];
        loop {
            match ahead.read(&mut buffer) {
                Ok(count @ 1..) => text.extend_from_slice(&buffer[..count]),
                end => return (text, end),
            }
        }
    }

    #[test]
    fn everything_comes_in_order_and_then_the_end_or_the_error() {
        let bytes: Vec<u8> = (0..BLOCK * 7 + 13).map(|i| (i % 251) as u8).collect();
        let (text, end) = all(Ahead::new(Box::new(Dripping(bytes.clone(), 0, None)), "x"));
        assert!(text == bytes && end == Ok(0));
        let error = Error::new("read", "x", Cause::Trouble, "broken");
        let (text, end) = all(Ahead::new(Box::new(Dripping(bytes.clone(), 0, Some(error.clone()))), "x"));
        // What stands in the block with the error is not handed on.
        assert!(bytes.starts_with(&text) && text.len() >= BLOCK * 7 && end == Err(error));
    }
}
