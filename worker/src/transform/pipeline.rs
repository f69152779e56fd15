//! A whole stream, on all cores: each thread reads a block, transforms it, and writes it when its turn comes.
//!
//! One thread at a time reads and one writes, so that lines go out in the order in which they came in. A block stays with its thread,
//! in the memory next to its core, and no thread waits for another but for these two; so there are two blocks of memory a thread.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Calculation, Done, transform};
use crate::json::Object;
use crate::lines::{Block, LineBlocks, Stopped as LinesStopped};
use crate::place::Input;

/// How much a thread transforms at a time: with what becomes of it, it stays in a core's second cache.
const BLOCK: usize = 256 << 10;

/// Why a stream was not transformed to its end.
#[derive(Debug, thiserror::Error)]
pub enum Stopped<E> {
    /// The input ended so, after so many lines.
    #[error("{1}")]
    Input(u64, LinesStopped),
    /// Whoever takes the blocks said so.
    #[error("{0}")]
    Taker(E),
    /// A thread broke down.
    #[error("a thread broke down")]
    Panicked,
}

/// What the threads share.
struct Shared<'a, F, E> {
    reading: Mutex<Reading<'a>>,
    writing: Mutex<Writing<F, E>>,
    /// The next block may be written, or none any more.
    turn: Condvar,
}

struct Reading<'a> {
    blocks: LineBlocks<'a>,
    /// The number of the next block.
    next: u64,
    ended: bool,
    failed: Option<LinesStopped>,
}

struct Writing<F, E> {
    take: F,
    /// The number of the block that is written next.
    next: u64,
    /// How many lines the blocks before it had.
    lines: u64,
    failed: Option<E>,
    /// Whether a thread is gone that had a block.
    broken: bool,
}

/// Transforms `input` on `threads` threads, this one among them, and hands each block to `take` in order.
pub fn run<C: Calculation, E: Send>(
    input: &mut dyn Input,
    threads: usize,
    take: impl FnMut(&Done) -> Result<(), E> + Send,
) -> Result<(), Stopped<E>> {
    let blocks = LineBlocks::new(input, BLOCK);
    let shared = Shared {
        reading: Mutex::new(Reading { blocks, next: 0, ended: false, failed: None }),
        writing: Mutex::new(Writing { take, next: 0, lines: 0, failed: None, broken: false }),
        turn: Condvar::new(),
    };
    let whole = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| shared.work::<C>())).collect();
        shared.work::<C>();
        others.into_iter().all(|other| other.join().is_ok())
    });
    let writing = shared.writing.into_inner().unwrap_or_else(PoisonError::into_inner);
    let reading = shared.reading.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (writing.failed, reading.failed) {
        _ if !whole || writing.broken => Err(Stopped::Panicked),
        (Some(error), _) => Err(Stopped::Taker(error)),
        (None, Some(error)) => Err(Stopped::Input(writing.lines, error)),
        (None, None) => Ok(()),
    }
}

impl<F: FnMut(&Done) -> Result<(), E>, E> Shared<'_, F, E> {
    /// Takes part until there is nothing more to do.
    fn work<C: Calculation>(&self) {
        let (mut block, mut object, mut done) = (Block::default(), Object::default(), Done::default());
        while let Some(number) = self.read(&mut block) {
            let held = Held(self);
            transform::<C>(block.lines(), &mut object, &mut done);
            let written = self.write(number, &done);
            std::mem::forget(held);
            if !written {
                lock(&self.reading).ended = true;
                return;
            }
        }
    }

    /// Reads the next block, and returns its number; none if there is nothing more to read.
    fn read(&self, block: &mut Block) -> Option<u64> {
        let mut reading = lock(&self.reading);
        if reading.ended {
            return None;
        }
        match reading.blocks.next(block) {
            Ok(true) => {
                reading.next += 1;
                return Some(reading.next - 1);
            }
            Ok(false) => {}
            Err(error) => reading.failed = Some(error),
        }
        reading.ended = true;
        None
    }

    /// Writes block `number` when those before it are written; false if nothing is written any more.
    fn write(&self, number: u64, done: &Done) -> bool {
        let mut writing = lock(&self.writing);
        while writing.next != number && !writing.broken && writing.failed.is_none() {
            writing = self.turn.wait(writing).unwrap_or_else(PoisonError::into_inner);
        }
        if writing.broken || writing.failed.is_some() {
            return false;
        }
        match (writing.take)(done) {
            Ok(()) => {
                writing.next += 1;
                writing.lines += done.lines;
            }
            Err(error) => writing.failed = Some(error),
        }
        self.turn.notify_all();
        writing.failed.is_none()
    }
}

/// A block that is in somebody's hands: if that thread breaks down, nobody waits for it.
struct Held<'a, 'b, F: FnMut(&Done) -> Result<(), E>, E>(&'a Shared<'b, F, E>);

impl<F: FnMut(&Done) -> Result<(), E>, E> Drop for Held<'_, '_, F, E> {
    fn drop(&mut self) {
        lock(&self.0.writing).broken = true;
        self.0.turn.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::Fields;
    use super::*;
    use crate::lines::MAX_LINE;
    use serde_json::Value;

    /// Breaks down at one value.
    struct Fragile;

    impl Calculation for Fragile {
        const READS: &[&str] = &["n"];
        const ADDS: &str = "m";

        fn calculate(fields: &Fields<'_>) -> Result<Value, String> {
            let n = fields.number("n")?;
            assert!(n != 77_777.0, "it breaks down here");
            Ok(Value::from(n))
        }
    }

    fn lines(count: usize, but: &str) -> String {
        (0..count)
            .map(|i| if i + 1 == count { but.to_owned() } else { format!("{{\"n\":{}}}\n", i % 70_000) })
            .collect()
    }

    fn transformed(text: &str, threads: usize, most: usize) -> (Result<(), Stopped<&'static str>>, String) {
        let (mut input, mut written) = (text.as_bytes(), String::new());
        let result = run::<Fragile, _>(&mut input, threads, |done| {
            written += std::str::from_utf8(&done.text).unwrap();
            if written.len() > most { Err("enough") } else { Ok(()) }
        });
        (result, written)
    }

    #[test]
    fn any_number_of_threads_gives_the_lines_in_their_order() {
        let text = lines(200_000, "{\"n\":1}");
        let (result, one) = transformed(&text, 1, usize::MAX);
        assert!(result.is_ok() && one.lines().count() == 200_000);
        assert!(one.starts_with("{\"n\":0,\"m\":0.0}\n{\"n\":1,\"m\":1.0}\n"));
        for threads in [2, 3, 8] {
            let (result, many) = transformed(&text, threads, usize::MAX);
            assert!(result.is_ok() && many == one, "{threads}");
        }
    }

    #[test]
    fn whatever_ends_it_ends_all_threads() {
        for threads in [1, 2, 5] {
            let (result, written) = transformed(&lines(200_000, ""), threads, 1 << 20);
            assert!(matches!(result, Err(Stopped::Taker("enough"))), "{result:?}");
            assert!(written.len() < 2 << 20);
            let (result, _) = transformed(&lines(200_000, &"x".repeat(MAX_LINE + 1)), threads, usize::MAX);
            assert!(matches!(result, Err(Stopped::Input(199_999, LinesStopped::TooLong))), "{result:?}");
        }
        // On this thread a breakdown goes on as it is.
        let text = lines(200_000, "{\"n\":77777}");
        let broken = std::panic::catch_unwind(|| transformed(&text, 3, usize::MAX).0);
        assert!(matches!(broken, Err(_) | Ok(Err(Stopped::Panicked))));
    }
}
