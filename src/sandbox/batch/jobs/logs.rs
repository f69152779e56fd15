//! From a process's output to CloudWatch Logs, in order, a few times a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::sandbox::batch::clock::Clock;
use crate::sandbox::batch::world::{Line, World};

/// How long lines are gathered before they are sent.
const GATHER: Duration = Duration::from_millis(200);
/// PutLogEvents takes 10,000 events and 1 MiB at once.
const MOST_LINES: usize = 5_000;
const MOST_BYTES: usize = 900_000;
/// The longest event; longer lines are cut into several.
const LONGEST: usize = 200_000;

/// Reads lines until the end of a pipe. Empty lines are dropped, as by the awslogs driver.
pub(super) async fn read(pipe: impl AsyncRead + Unpin, clock: Clock, lines: Sender<Line>) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        for piece in pieces(text.trim_end_matches(['\n', '\r'])) {
            if lines.send((clock.now(), piece.to_owned())).await.is_err() {
                return;
            }
        }
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
pub(super) async fn write(world: Arc<dyn World>, group: String, stream: String, mut lines: Receiver<Line>) {
    while let Some(first) = lines.recv().await {
        let (mut bytes, mut batch) = (first.1.len() + 26, vec![first]);
        let until = tokio::time::Instant::now() + GATHER;
        while batch.len() < MOST_LINES && bytes < MOST_BYTES - LONGEST {
            match tokio::time::timeout_at(until, lines.recv()).await {
                Ok(Some(line)) => {
                    bytes += line.1.len() + 26;
                    batch.push(line);
                }
                Ok(None) | Err(_) => break,
            }
        }
        if let Err(error) = world.put_lines(&group, &stream, batch).await {
            tracing::warn!(%group, %stream, error, "lines of a job's log were lost");
        }
    }
}
