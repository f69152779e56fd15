//! Reads an object while it is being downloaded.
//!
//! A task fetches, the reader parses: they overlap, and the few pieces between them bound the memory. When the stream
//! breaks, the task asks for the rest, and only of the same object: `If-Match` holds the ETag of the first answer. A server that
//! gives next to nothing for a long time is given up, however often it begins anew: see [`Patience`].

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::failure;
use super::patience::Patience;
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

/// Which bytes of an object are wanted, and of which version of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    /// The first byte.
    pub(super) from: u64,
    /// One past the last byte; `None` for the object's end.
    pub(super) to: Option<u64>,
    /// The version, if it is known already.
    pub(super) etag: Option<String>,
}

impl Download {
    /// Asks for these bytes of the object and starts to fetch them.
    pub(super) async fn start(
        client: Client,
        bucket: &str,
        key: &str,
        span: Span,
    ) -> Result<Download, Error> {
        let place = Place::s3(bucket, key);
        let source = Source { client, bucket: bucket.to_owned(), key: key.to_owned(), place, span };
        Download::of(source, Patience::default()).await
    }

    async fn of(source: Source, mut patience: Patience) -> Result<Download, Error> {
        let answer = patience.wait(source.get(0, source.span.etag.as_deref())).await;
        let answer = answer.map_err(|stalled| source.trouble(stalled))??;
        if !source.honours(&answer, 0) {
            return Err(source.trouble("the server does not honour ranges, so that no part can be read"));
        }
        let size = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let (sender, pieces) = mpsc::channel(AHEAD);
        let place = source.place.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = source.fetch(answer, size, patience, &sender).await {
                // If nobody reads any more, nobody needs the error either.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(Download { place, size, pieces, piece: Bytes::new(), ended: false, task: task.abort_handle() })
    }
}

impl Download {
    /// The next piece; `None` at the end. Not to be mixed with [`Input::read`].
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match self.pieces.recv().await {
            Some(Ok(Piece::Bytes(piece))) => Ok(Some(piece)),
            Some(Ok(Piece::End)) => Ok(None),
            Some(Err(error)) => Err(error),
            None => Err(self.stopped()),
        }
    }

    /// The task ended without a word: it was aborted. That is not the end of the object.
    fn stopped(&self) -> Error {
        Error::new("read", &self.place, Cause::Trouble, "the download was stopped")
    }
}

impl Input for Download {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        while self.piece.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Ok(Piece::Bytes(piece))) => self.piece = piece,
                Some(Ok(Piece::End)) => self.ended = true,
                Some(Err(error)) => return Err(error),
                None => return Err(self.stopped()),
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
    span: Span,
}

/// What the rest of an object is asked for with.
struct Rest<'a> {
    /// How many bytes came so far.
    offset: u64,
    etag: &'a str,
}

impl Source {
    /// Asks for what comes after the first `offset` bytes.
    async fn get(&self, offset: u64, etag: Option<&str>) -> Result<GetObjectOutput, Error> {
        let mut request = self.client.get_object().bucket(&self.bucket).key(&self.key);
        let from = self.span.from + offset;
        request = match self.span.to {
            Some(to) => request.range(format!("bytes={from}-{}", to.saturating_sub(1))),
            None if from > 0 => request.range(format!("bytes={from}-")),
            None => request,
        };
        let request = request.set_if_match(etag.map(str::to_owned));
        let answer = request.send().await;
        answer.map_err(|error| failure::classify("read", &self.place, "s3:GetObject", &error))
    }

    async fn fetch(
        &self,
        first: GetObjectOutput,
        size: Option<u64>,
        mut patience: Patience,
        sender: &mpsc::Sender<Result<Piece, Error>>,
    ) -> Result<(), Error> {
        let etag = first.e_tag().map(str::to_owned);
        let mut body = first.body;
        let mut offset = 0;
        let mut pending = None;
        loop {
            let next = match pending.take() {
                Some(piece) => Some(Ok(piece)),
                None => patience.wait(body.next()).await.map_err(|stalled| self.trouble(stalled))?,
            };
            let broken = match next {
                Some(Ok(piece)) => {
                    offset += piece.len() as u64;
                    patience.gained(piece.len());
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
            let (piece, rest) = self.resume(&Rest { offset, etag }, &mut patience, &broken).await?;
            (pending, body) = (Some(piece), rest);
        }
    }

    /// Asks for the rest, several times if need be. A break after at least one more byte is a new break.
    async fn resume(
        &self,
        rest: &Rest<'_>,
        patience: &mut Patience,
        broken: &str,
    ) -> Result<(Bytes, ByteStream), Error> {
        let mut last = broken.to_owned();
        let stalled = |stalled, last: &str| self.trouble(format!("{stalled} (byte {}; {last})", rest.offset));
        for pause in PAUSES {
            let asking = async {
                tokio::time::sleep(pause).await;
                self.get(rest.offset, Some(rest.etag)).await
            };
            let mut answer = match patience.wait(asking).await.map_err(|error| stalled(error, &last))? {
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
            if !self.honours(&answer, rest.offset) {
                return Err(
                    self.trouble("the server does not honour ranges, so that a broken stream can't go on")
                );
            }
            match patience.wait(answer.body.next()).await.map_err(|error| stalled(error, &last))? {
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

    /// Whether the answer begins where it was asked to.
    fn honours(&self, answer: &GetObjectOutput, offset: u64) -> bool {
        let from = self.span.from + offset;
        let asked = from > 0 || self.span.to.is_some();
        let range = answer.content_range().unwrap_or_default();
        !asked || range.starts_with(&format!("bytes {from}-"))
    }

    fn changed(&self) -> Error {
        Error::new("read", &self.place, Cause::Changed, "the object was changed while it was read")
    }

    fn trouble(&self, what: impl std::fmt::Display) -> Error {
        Error::new("read", &self.place, Cause::Trouble, what)
    }
}

#[cfg(test)]
mod tests;
