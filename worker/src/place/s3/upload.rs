//! Writes an object while it is being made.
//!
//! A task sends, the writer computes: they overlap, and the few parts between them bound the memory. What fits one part is put
//! in one request; anything larger is a multipart upload, which S3 makes visible as a whole or, when it is abandoned, not at all.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::failure;
use crate::place::{Cause, Error, Place};

/// The size of the first parts, in bytes: the least that S3 takes, but for the last part. Five of them are held at most.
const PART: usize = 5 << 20;

/// After so many parts they double in size: S3 takes 10,000 at most, and 325 GB fit them so.
const PARTS_OF_A_SIZE: usize = 2000;

/// How many parts are on their way at once.
const FLYING: usize = 2;

/// How long abandoned uploads may take to clean up after themselves: well within the stop time-out of a container.
const PATIENCE: Duration = Duration::from_secs(5);

/// All uploads that are under way.
#[derive(Debug)]
pub(crate) struct Uploads {
    tasks: Mutex<JoinSet<()>>,
    abandoned: watch::Sender<bool>,
}

impl Default for Uploads {
    fn default() -> Self {
        Uploads { tasks: Mutex::default(), abandoned: watch::Sender::new(false) }
    }
}

/// An object that is being written.
#[derive(Debug)]
pub struct Upload {
    place: Place,
    part: Vec<u8>,
    count: usize,
    parts: mpsc::Sender<Part>,
    ended: Option<oneshot::Receiver<Result<(), Error>>>,
}

#[derive(Debug)]
struct Part {
    content: Vec<u8>,
    last: bool,
}

impl Uploads {
    /// Starts an upload; nothing is sent before there is a part.
    pub(super) fn start(&self, client: Client, place: &Place, content_type: &str) -> Upload {
        let (parts, received) = mpsc::channel(1);
        let (ending, ended) = oneshot::channel();
        let task = Task { client, place: place.clone(), content_type: content_type.to_owned() };
        let mut abandoned = self.abandoned.subscribe();
        let work = async move {
            // If nobody waits for the end any more, nobody needs to know it.
            let _ = ending.send(task.run(received, &mut abandoned).await);
        };
        if let Ok(mut tasks) = self.tasks.lock() {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(work);
        }
        Upload { place: place.clone(), part: Vec::new(), count: 0, parts, ended: Some(ended) }
    }

    /// Gives up all uploads that are under way, and waits a few seconds until S3 has forgotten them.
    pub(crate) async fn abandon(&self) {
        self.abandoned.send_replace(true);
        let mut tasks = match self.tasks.lock() {
            Ok(mut tasks) => std::mem::take(&mut *tasks),
            Err(_) => return,
        };
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!(
                "an upload could not be abandoned in time; a lifecycle rule of the bucket removes it"
            );
        }
    }
}

impl Upload {
    /// Takes the next bytes. It may block until there is room for them.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let size = PART << (self.count / PARTS_OF_A_SIZE);
            // The last part must be known as such: a full one goes only now that there is more.
            if self.part.len() == size {
                let content = std::mem::take(&mut self.part);
                self.count += 1;
                if self.parts.blocking_send(Part { content, last: false }).is_err() {
                    return self.ended.take().map_or(Err(stopped(&self.place)), |ended| {
                        ended.blocking_recv().unwrap_or_else(|_| Err(stopped(&self.place)))
                    });
                }
                continue;
            }
            if self.part.capacity() == 0 {
                self.part.reserve_exact(size);
            }
            let (now, later) = bytes.split_at(bytes.len().min(size - self.part.len()));
            self.part.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Sends what is left, and waits until S3 shows the object.
    pub(crate) async fn finish(mut self) -> Result<(), Error> {
        let content = std::mem::take(&mut self.part);
        // If the task takes nothing more, it has said why.
        let _ = self.parts.send(Part { content, last: true }).await;
        match self.ended.take() {
            Some(ended) => ended.await.unwrap_or_else(|_| Err(stopped(&self.place))),
            None => Err(stopped(&self.place)),
        }
    }
}

fn stopped(place: &Place) -> Error {
    Error::new("write", place, Cause::Trouble, "the upload was stopped")
}

/// What an upload's task knows.
struct Task {
    client: Client,
    place: Place,
    content_type: String,
}

impl Task {
    async fn run(
        self,
        mut parts: mpsc::Receiver<Part>,
        abandoned: &mut watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let first = tokio::select! {
            first = parts.recv() => first,
            _ = abandoned.wait_for(|abandoned| *abandoned) => None,
        };
        let Some(first) = first else { return Err(stopped(&self.place)) };
        if first.last {
            return tokio::select! {
                result = self.put(first.content) => result,
                _ = abandoned.wait_for(|abandoned| *abandoned) => Err(stopped(&self.place)),
            };
        }
        let id = self.begin().await?;
        let result = tokio::select! {
            result = self.send_all(&id, first, &mut parts) => result,
            _ = abandoned.wait_for(|abandoned| *abandoned) => Err(stopped(&self.place)),
        };
        if result.is_err() {
            self.abort(&id).await;
        }
        result
    }

    async fn put(&self, content: Vec<u8>) -> Result<(), Error> {
        let (bucket, key) = self.name();
        let request = self.client.put_object().bucket(bucket).key(key).content_type(&self.content_type);
        match request.body(ByteStream::from(content)).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure::classify("write", &self.place, "s3:PutObject", &error)),
        }
    }

    async fn begin(&self) -> Result<String, Error> {
        let (bucket, key) = self.name();
        let request = self.client.create_multipart_upload().bucket(bucket).key(key);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32);
        match request.content_type(&self.content_type).send().await {
            Ok(answer) => Ok(answer.upload_id.unwrap_or_default()),
            Err(error) => Err(failure::classify("write", &self.place, "s3:PutObject", &error)),
        }
    }

    async fn send_all(&self, id: &str, first: Part, parts: &mut mpsc::Receiver<Part>) -> Result<(), Error> {
        let mut flying = JoinSet::new();
        let mut done = Vec::new();
        let mut next = Some(first);
        let mut number = 0;
        while let Some(part) = next {
            number += 1;
            if flying.len() >= FLYING {
                done.extend(flying.join_next().await.map(landed).transpose()?);
            }
            let (client, place, upload) = (self.client.clone(), self.place.clone(), id.to_owned());
            flying.spawn(async move { send(&client, &place, &upload, number, part.content).await });
            if part.last {
                while let Some(result) = flying.join_next().await {
                    done.push(landed(result)?);
                }
                return self.complete(id, done).await;
            }
            next = loop {
                // A part that fails is noticed while the writer still computes.
                tokio::select! {
                    Some(result) = flying.join_next(), if !flying.is_empty() => done.push(landed(result)?),
                    part = parts.recv() => break part,
                }
            };
        }
        // The writer went away without a word: it failed.
        Err(stopped(&self.place))
    }

    async fn complete(&self, id: &str, mut parts: Vec<CompletedPart>) -> Result<(), Error> {
        parts.sort_by_key(|part| part.part_number);
        let (bucket, key) = self.name();
        let all = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
        match request.multipart_upload(all).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure::classify("write", &self.place, "s3:PutObject", &error)),
        }
    }

    async fn abort(&self, id: &str) {
        let (bucket, key) = self.name();
        let request = self.client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
        if let Err(error) = request.send().await {
            let error = failure::classify("abandon", &self.place, "s3:AbortMultipartUpload", &error);
            tracing::warn!("failed to {error}; a lifecycle rule of the bucket removes what was sent");
        }
    }

    fn name(&self) -> (&str, &str) {
        match &self.place {
            Place::S3 { bucket, key } => (bucket, key),
            Place::Local(_) => ("", ""),
        }
    }
}

fn landed(
    result: Result<Result<CompletedPart, Error>, tokio::task::JoinError>,
) -> Result<CompletedPart, Error> {
    result.unwrap_or_else(|error| {
        Err(Error::new(
            "write",
            "a part of an object",
            Cause::Trouble,
            format!("its sender broke down: {error}"),
        ))
    })
}

async fn send(
    client: &Client,
    place: &Place,
    id: &str,
    number: i32,
    content: Vec<u8>,
) -> Result<CompletedPart, Error> {
    let Place::S3 { bucket, key } = place else { return Err(stopped(place)) };
    let request = client.upload_part().bucket(bucket).key(key).upload_id(id).part_number(number);
    let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32);
    match request.body(ByteStream::from(content)).send().await {
        Ok(answer) => Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag)
            .set_checksum_crc32(answer.checksum_crc32)
            .build()),
        Err(error) => Err(failure::classify("write", place, "s3:PutObject", &error)),
    }
}
