//! Reads an object while it is being downloaded.
//!
//! A task fetches, the reader parses: they overlap, and the few pieces between them bound the memory. When the stream
//! breaks, the task asks for the rest, and only of the same object: `If-Match` holds the ETag of the first answer.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::failure;
use crate::place::{Cause, Error, Input, Place};

/// How many pieces wait between the network and the parser at most. The HTTP stack makes them at most about 400 kB.
const AHEAD: usize = 8;

/// What to wait before the tries that follow a break without a byte in between: the first goes at once.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1600)];

/// An object that is being downloaded.
#[derive(Debug)]
pub(crate) struct Download {
    place: Place,
    size: Option<u64>,
    pieces: mpsc::Receiver<Result<Piece, Error>>,
    piece: Bytes,
    ended: bool,
    task: tokio::task::AbortHandle,
}

#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    End,
}

impl Download {
    /// Asks for the object and starts to fetch it.
    pub(super) async fn start(client: Client, bucket: &str, key: &str) -> Result<Download, Error> {
        let source =
            Source { client, bucket: bucket.to_owned(), key: key.to_owned(), place: Place::s3(bucket, key) };
        let answer = source.get(None).await?;
        let size = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let (sender, pieces) = mpsc::channel(AHEAD);
        let place = source.place.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = source.fetch(answer, size, &sender).await {
                // If nobody reads any more, nobody needs the error either.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(Download { place, size, pieces, piece: Bytes::new(), ended: false, task: task.abort_handle() })
    }
}

impl Input for Download {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        while self.piece.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Ok(Piece::Bytes(piece))) => self.piece = piece,
                Some(Ok(Piece::End)) => self.ended = true,
                Some(Err(error)) => return Err(error),
                // The task ended without a word: it was aborted. That is not the end of the object.
                None => {
                    return Err(Error::new("read", &self.place, Cause::Trouble, "the download was stopped"));
                }
            }
        }
        let piece = self.piece.split_to(self.piece.len().min(buffer.len()));
        if let Some(buffer) = buffer.get_mut(..piece.len()) {
            buffer.copy_from_slice(&piece);
        }
        Ok(piece.len())
    }

    fn size(&self) -> Option<u64> {
        self.size
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The object, as the task knows it.
struct Source {
    client: Client,
    bucket: String,
    key: String,
    place: Place,
}

/// What the rest of an object is asked for with.
struct Rest<'a> {
    offset: u64,
    etag: &'a str,
}

impl Source {
    async fn get(&self, rest: Option<&Rest<'_>>) -> Result<GetObjectOutput, Error> {
        let mut request = self.client.get_object().bucket(&self.bucket).key(&self.key);
        if let Some(rest) = rest {
            request = request.range(format!("bytes={}-", rest.offset)).if_match(rest.etag);
        }
        let answer = request.send().await;
        answer.map_err(|error| failure::classify("read", &self.place, "s3:GetObject", &error))
    }

    async fn fetch(
        &self,
        first: GetObjectOutput,
        size: Option<u64>,
        sender: &mpsc::Sender<Result<Piece, Error>>,
    ) -> Result<(), Error> {
        let etag = first.e_tag().map(str::to_owned);
        let mut body = first.body;
        let mut offset = 0;
        let mut pending = None;
        loop {
            let next = match pending.take() {
                Some(piece) => Some(Ok(piece)),
                None => body.next().await,
            };
            let broken = match next {
                Some(Ok(piece)) => {
                    offset += piece.len() as u64;
                    if sender.send(Ok(Piece::Bytes(piece))).await.is_err() {
                        return Ok(());
                    }
                    continue;
                }
                None if size.is_none_or(|size| offset >= size) => {
                    let _ = sender.send(Ok(Piece::End)).await;
                    return Ok(());
                }
                None => "the stream ended early".to_owned(),
                Some(Err(error)) => failure::chain(&error),
            };
            // All bytes came and there is an error all the same: the checksum was wrong.
            let whole = size.is_some_and(|size| offset >= size);
            let Some(etag) = etag.as_deref().filter(|_| !whole) else {
                return Err(self.trouble(format!("the stream broke at byte {offset}: {broken}")));
            };
            tracing::warn!(object = %self.place, offset, cause = broken, "the stream broke; asking for the rest");
            let (piece, rest) = self.resume(&Rest { offset, etag }, &broken).await?;
            (pending, body) = (Some(piece), rest);
        }
    }

    /// Asks for the rest, several times if need be. A break after at least one more byte is a new break.
    async fn resume(&self, rest: &Rest<'_>, broken: &str) -> Result<(Bytes, ByteStream), Error> {
        let mut last = broken.to_owned();
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            let mut answer = match self.get(Some(rest)).await {
                Ok(answer) => answer,
                Err(error) if error.cause() == Cause::Trouble => {
                    last = error.to_string();
                    continue;
                }
                // What could be read a moment ago and can't now was replaced or deleted.
                Err(_) => return Err(self.changed()),
            };
            if answer.e_tag().is_some_and(|etag| etag != rest.etag) {
                return Err(self.changed());
            }
            let from = format!("bytes {}-", rest.offset);
            if !answer.content_range().is_some_and(|range| range.starts_with(&from)) {
                return Err(
                    self.trouble("the server does not honour ranges, so that a broken stream can't go on")
                );
            }
            match answer.body.next().await {
                Some(Ok(piece)) => return Ok((piece, answer.body)),
                Some(Err(error)) => last = failure::chain(&error),
                None => last = "the stream ended early".to_owned(),
            }
        }
        let tries = PAUSES.len();
        Err(self.trouble(format!(
            "the stream broke at byte {} and {tries} tries to go on failed: {last}",
            rest.offset
        )))
    }

    fn changed(&self) -> Error {
        Error::new("read", &self.place, Cause::Changed, "the object was changed while it was read")
    }

    fn trouble(&self, what: impl std::fmt::Display) -> Error {
        Error::new("read", &self.place, Cause::Trouble, what)
    }
}
