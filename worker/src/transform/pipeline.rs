//! A whole stream, on all cores: one thread reads, some transform, one writes.
//!
//! Block number n goes to thread n modulo their count, and is fetched from there in the same order: so the lines come out in
//! the order in which they went in, with a few blocks on their way at most. Memory goes back to where it came from.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use super::{Calculation, Done, transform};
use crate::json::Object;
use crate::lines::{Block, LineBlocks, Stopped as LinesStopped};
use crate::place::Input;

/// How much a thread transforms at a time.
const BLOCK: usize = 512 << 10;

/// How many blocks wait for a thread, and behind it.
const WAITING: usize = 2;

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

/// One transforming thread, seen from outside.
struct Lane {
    blocks: SyncSender<Block>,
    done: Receiver<Done>,
    used: Sender<Done>,
}

/// Transforms `input` on `threads` threads, and hands each block to `take` in order.
pub fn run<C: Calculation, E>(
    input: &mut dyn Input,
    threads: usize,
    mut take: impl FnMut(&Done) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    std::thread::scope(|scope| {
        let (empty, empties) = channel();
        let lanes: Vec<Lane> = (0..threads.max(1)).map(|_| lane::<C>(scope, empty.clone())).collect();
        let (inward, outward): (Vec<_>, Vec<_>) =
            lanes.into_iter().map(|lane| (lane.blocks, (lane.done, lane.used))).unzip();
        let reader = scope.spawn(move || read(input, &inward, &empties));
        let mut lines = 0;
        let mut taken = Ok(());
        for (done, used) in outward.iter().cycle() {
            // The first lane without a next block is the end: no later lane can have one.
            let Ok(block) = done.recv() else { break };
            lines += block.lines;
            taken = take(&block);
            if taken.is_err() {
                break;
            }
            // A lane that has nothing more to do needs no memory.
            let _ = used.send(block);
        }
        // Nobody takes any more: the lanes see it, and then the reader.
        drop(outward);
        let read = finished(reader)?;
        taken.map_err(Stopped::Taker)?;
        read.map_err(|error| Stopped::Input(lines, error))
    })
}

fn finished<T, E>(thread: ScopedJoinHandle<'_, T>) -> Result<T, Stopped<E>> {
    thread.join().map_err(|_| Stopped::Panicked)
}

fn read(
    input: &mut dyn Input,
    lanes: &[SyncSender<Block>],
    empties: &Receiver<Block>,
) -> Result<(), LinesStopped> {
    let mut blocks = LineBlocks::new(input, BLOCK);
    for lane in lanes.iter().cycle() {
        let mut block = empties.try_recv().unwrap_or_default();
        if !blocks.next(&mut block)? || lane.send(block).is_err() {
            break;
        }
    }
    Ok(())
}

fn lane<'scope, C: Calculation>(scope: &'scope Scope<'scope, '_>, empty: Sender<Block>) -> Lane {
    let (blocks, incoming) = sync_channel::<Block>(WAITING);
    let (outgoing, done) = sync_channel(WAITING);
    let (used, spent) = channel::<Done>();
    scope.spawn(move || {
        let mut object = Object::default();
        for block in incoming {
            let mut next = spent.try_recv().unwrap_or_default();
            transform::<C>(block.lines(), &mut object, &mut next);
            // The reader may have come to its end already.
            let _ = empty.send(block);
            if outgoing.send(next).is_err() {
                break;
            }
        }
    });
    Lane { blocks, done, used }
}
