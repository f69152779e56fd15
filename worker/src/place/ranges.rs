//! Any bytes of a place, in any order.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::s3::S3;
use super::{Entry, Error, Place, local};

/// How much is fetched at once: one request to S3.
const CHUNK: u64 = 1 << 20;

/// How many chunks are kept.
const KEPT: usize = 16;

/// A place of which any bytes can be read, from a thread that may block.
#[derive(Debug, Clone)]
pub struct Ranges {
    entry: Arc<Entry>,
    source: Arc<Source>,
    recent: Arc<Mutex<VecDeque<(u64, Bytes)>>>,
}

#[derive(Debug)]
enum Source {
    Local(File),
    S3(S3, tokio::runtime::Handle),
}

impl Ranges {
    pub(crate) fn local(entry: Entry, file: File) -> Ranges {
        Ranges::new(entry, Source::Local(file))
    }

    pub(super) fn s3(entry: Entry, s3: S3) -> Ranges {
        Ranges::new(entry, Source::S3(s3, tokio::runtime::Handle::current()))
    }

    fn new(entry: Entry, source: Source) -> Ranges {
        Ranges { entry: Arc::new(entry), source: Arc::new(source), recent: Arc::default() }
    }

    /// The place's size in bytes.
    pub fn size(&self) -> u64 {
        self.entry.size
    }

    /// Fails if what was read so far is known not to stand there any more; S3 is asked for one version only.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        match (&*self.source, &self.entry.place) {
            (Source::Local(file), Place::Local(path)) => {
                local::check_unchanged(file, path, &self.entry.version)
            }
            _ => Ok(()),
        }
    }

    /// Up to `length` bytes from `from`: fewer only where a chunk or the place ends, none only at the place's end.
    pub fn some(&self, from: u64, length: usize) -> Result<Bytes, Error> {
        if from >= self.entry.size {
            return Ok(Bytes::new());
        }
        let start = from - from % CHUNK;
        let chunk = self.chunk(start)?;
        let offset = usize::try_from(from - start).unwrap_or(usize::MAX).min(chunk.len());
        let end = offset.saturating_add(length).min(chunk.len());
        Ok(chunk.slice(offset..end))
    }

    fn chunk(&self, start: u64) -> Result<Bytes, Error> {
        let known = |recent: &VecDeque<(u64, Bytes)>| {
            recent.iter().find(|(at, _)| *at == start).map(|(_, chunk)| chunk.clone())
        };
        if let Ok(recent) = self.recent.lock()
            && let Some(chunk) = known(&recent)
        {
            return Ok(chunk);
        }
        let chunk = self.fetch(start, (start + CHUNK).min(self.entry.size))?;
        if let Ok(mut recent) = self.recent.lock() {
            recent.push_back((start, chunk.clone()));
            if recent.len() > KEPT {
                recent.pop_front();
            }
        }
        Ok(chunk)
    }

    fn fetch(&self, from: u64, to: u64) -> Result<Bytes, Error> {
        match &*self.source {
            Source::Local(file) => {
                let mut bytes = vec![0; usize::try_from(to - from).unwrap_or(0)];
                file.read_exact_at(&mut bytes, from)
                    .map_err(|error| Error::io("read", &self.entry.place, &error))?;
                Ok(bytes.into())
            }
            Source::S3(s3, runtime) => {
                let Place::S3 { bucket, key } = &self.entry.place else { return Ok(Bytes::new()) };
                runtime.block_on(s3.fetch((bucket, key), (from, to), &self.entry.version))
            }
        }
    }

    /// A reader that begins at byte `from`.
    pub fn reader(&self, from: u64) -> RangesReader {
        RangesReader { ranges: self.clone(), at: from }
    }
}

/// Reads a place from one byte on.
#[derive(Debug)]
pub struct RangesReader {
    ranges: Ranges,
    at: u64,
}

impl io::Read for RangesReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.ranges.some(self.at, buffer.len()).map_err(io::Error::other)?;
        if let Some(buffer) = buffer.get_mut(..bytes.len()) {
            buffer.copy_from_slice(&bytes);
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}
