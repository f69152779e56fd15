//! From a process's output to CloudWatch Logs, in order, a few times a second.
//!
//! What a job says is held in bounded memory: a line without an end is cut where CloudWatch's largest event ends
//! (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>), and a job that writes faster than its lines can
//! be sent waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::batch::clock::Clock;
use crate::batch::world::{Line, World};

/// How long lines are gathered before they are sent.
const GATHER: Duration = Duration::from_millis(200);
/// PutLogEvents takes 10,000 events and 1 MiB at once, 26 bytes of it for each event beside its text.
const MOST_LINES: usize = 5_000;
const MOST_BYTES: usize = 1024 * 1024;
const OVERHEAD: usize = 26;
/// The longest event; longer lines are cut into several.
const LONGEST: usize = MOST_BYTES - OVERHEAD;
/// How many bytes of a job's lines may wait to be sent.
const WAITING: usize = 4 * MOST_BYTES;

/// A line on its way, and the room that it takes.
pub(super) type Held = (Line, OwnedSemaphorePermit);

/// Where the lines of one job go in.
#[derive(Clone)]
pub(super) struct Inlet {
    lines: Sender<Held>,
    room: Arc<Semaphore>,
    clock: Clock,
}

impl Inlet {
    pub fn new(lines: Sender<Held>, clock: Clock) -> Self {
        Self { lines, room: Arc::new(Semaphore::new(WAITING)), clock }
    }

    /// Reads lines until the end of a pipe. Empty lines are dropped, as by the awslogs driver.
    pub async fn read(self, pipe: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while let Ok(read) = reader.fill_buf().await
            && !read.is_empty()
        {
            let room = &read[..read.len().min(LONGEST - line.len())];
            let end = room.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&room[..end.unwrap_or(room.len())]);
            let taken = end.map_or(room.len(), |end| end + 1);
            reader.consume(taken);
            let rest = match end {
                Some(_) => Vec::new(),
                None if line.len() == LONGEST => line.split_off(whole_characters(&line)),
                None => continue,
            };
            if self.send(&line).await.is_none() {
                return;
            }
            line = rest;
        }
        self.send(&line).await;
    }

    /// Sends what was read as soon as there is room for it; nothing if nobody listens any more.
    async fn send(&self, line: &[u8]) -> Option<()> {
        let text = String::from_utf8_lossy(line);
        // What is no text grows when it is shown.
        for piece in pieces(text.trim_end_matches('\r')) {
            let size = u32::try_from(piece.len()).ok()?;
            let permit = Arc::clone(&self.room).acquire_many_owned(size).await.ok()?;
            self.lines.send(((self.clock.now(), piece.to_owned()), permit)).await.ok()?;
        }
        Some(())
    }
}

/// How many bytes at the beginning are whole characters, if it is text that was cut anywhere.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// Cuts text at character borders into parts of at most [`LONGEST`] bytes.
fn pieces(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let end = text.floor_char_boundary(LONGEST);
        let (piece, rest) = text.split_at(end);
        pieces.push(piece);
        text = rest;
    }
    pieces
}

/// Sends lines as they come until all senders are gone.
pub(super) async fn write(world: Arc<dyn World>, group: String, stream: String, mut lines: Receiver<Held>) {
    let size = |((_, text), _): &Held| text.len() + OVERHEAD;
    let mut next = lines.recv().await;
    while let Some(first) = next.take() {
        let (mut bytes, mut batch) = (size(&first), vec![first]);
        let until = tokio::time::Instant::now() + GATHER;
        while batch.len() < MOST_LINES {
            match tokio::time::timeout_at(until, lines.recv()).await {
                Ok(Some(line)) if bytes + size(&line) > MOST_BYTES => {
                    next = Some(line);
                    break;
                }
                Ok(Some(line)) => {
                    bytes += size(&line);
                    batch.push(line);
                }
                Ok(None) | Err(_) => break,
            }
        }
        let (batch, room): (Vec<Line>, Vec<OwnedSemaphorePermit>) = batch.into_iter().unzip();
        if let Err(error) = world.put_lines(&group, &stream, batch).await {
            tracing::warn!(%group, %stream, error, "lines of a job's log were lost");
        }
        drop(room);
        if next.is_none() {
            next = lines.recv().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_flood_waits_for_whoever_takes_it() {
        let (send, mut lines) = tokio::sync::mpsc::channel(1024);
        let flood = tokio::io::repeat(b'x').take(64 * MOST_BYTES as u64);
        let inlet = Inlet::new(send, Clock::standing());
        let reading = tokio::spawn(inlet.clone().read(flood));
        while inlet.room.available_permits() >= LONGEST {
            tokio::task::yield_now().await;
        }
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(lines.len(), 4, "as many as there is room for");
        drop(inlet);
        let mut bytes = 0;
        while let Some(((_, line), _)) = lines.recv().await {
            bytes += line.len();
        }
        assert_eq!(bytes, 64 * MOST_BYTES);
        reading.await.unwrap();
    }

    #[tokio::test]
    async fn lines_are_cut_between_characters_and_lose_nothing() {
        let long = format!("a{}", "é".repeat(MOST_BYTES));
        let text = format!("one\r\n\n{long}\nlast");
        let (send, mut lines) = tokio::sync::mpsc::channel(1024);
        Inlet::new(send, Clock::standing()).read(Cursor::new(text)).await;
        let mut got = Vec::new();
        while let Some(((_, line), _)) = lines.recv().await {
            got.push(line);
        }
        assert_eq!((got.remove(0), got.pop()), ("one".to_owned(), Some("last".to_owned())));
        assert!(got.iter().all(|piece| piece.len() <= LONGEST), "a piece is too long");
        assert!(got.concat() == long, "something was lost or added");
    }
}
