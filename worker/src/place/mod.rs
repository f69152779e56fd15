//! Where bytes come from and go to: a local path, or an object of S3.

mod error;
mod local;
mod s3;

use std::fmt;
use std::path::PathBuf;

pub use error::{Cause, Error};
pub use local::LocalFile;

/// A file or an object, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A path of this machine.
    Local(PathBuf),
    /// An object of S3.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// The object's key, as it stands: nothing in it is an escape.
        key: String,
    },
}

impl Place {
    /// Reads `s3://BUCKET/KEY`, `file:///PATH` (with `%20` and the like) or a plain path.
    pub fn parse(text: &str) -> Result<Place, Error> {
        let wrong = |why: &str| Err(Error::new("use", text, Cause::Refused, why));
        if let Some(rest) = text.strip_prefix("s3://") {
            return match rest.split_once('/') {
                Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(Place::s3(bucket, key)),
                _ => wrong("an object is written s3://BUCKET/KEY"),
            };
        }
        if let Some(rest) = text.strip_prefix("file://") {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            if !path.starts_with('/') {
                return wrong("a file URL has three slashes before its path: file:///PATH");
            }
            return match percent_encoding::percent_decode_str(path).decode_utf8() {
                Ok(path) => Ok(Place::Local(PathBuf::from(path.into_owned()))),
                Err(_) => wrong("the path is not UTF-8"),
            };
        }
        match text.split_once("://") {
            Some(_) => wrong("a place is s3://BUCKET/KEY, file:///PATH or a path"),
            None if text.is_empty() => wrong("the name is empty"),
            None => Ok(Place::Local(PathBuf::from(text))),
        }
    }

    /// The object `key` of `bucket`.
    pub fn s3(bucket: impl Into<String>, key: impl Into<String>) -> Place {
        Place::S3 { bucket: bucket.into(), key: key.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Local(path) => write!(f, "{}", path.display()),
            Place::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

/// A stream of bytes that is being read.
pub trait Input: Send {
    /// Fills a part of `buffer`, which is not empty; 0 is the end. It may block.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// The size of the whole in bytes, if it is known.
    fn size(&self) -> Option<u64>;
}

impl Input for &[u8] {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let count = self.len().min(buffer.len());
        let (now, later) = self.split_at(count);
        if let Some(buffer) = buffer.get_mut(..count) {
            buffer.copy_from_slice(now);
        }
        *self = later;
        Ok(count)
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

/// Opens and writes places; talks to AWS only once an object of S3 is asked for.
#[derive(Debug, Default)]
pub struct Places {
    s3: tokio::sync::OnceCell<s3::S3>,
}

impl Places {
    /// Opens `place` for reading from its beginning.
    pub async fn open(&self, place: &Place) -> Result<Box<dyn Input>, Error> {
        match place {
            Place::Local(path) => Ok(Box::new(LocalFile::open(path)?)),
            Place::S3 { bucket, key } => Ok(Box::new(self.s3().await?.open(bucket, key).await?)),
        }
    }

    /// Fails if it can be seen beforehand that `place` can't be written; writes nothing.
    pub fn check_writable(&self, place: &Place) -> Result<(), Error> {
        match place {
            Place::Local(path) => local::check_writable(path),
            Place::S3 { .. } => Ok(()),
        }
    }

    /// Writes `content` in one piece: a reader sees what was there before or all of `content`, never a part.
    pub async fn write(&self, place: &Place, content: Vec<u8>, content_type: &str) -> Result<(), Error> {
        match place {
            Place::Local(path) => local::write(path, &content),
            Place::S3 { bucket, key } => self.s3().await?.write(bucket, key, content, content_type).await,
        }
    }

    async fn s3(&self) -> Result<&s3::S3, Error> {
        self.s3.get_or_try_init(s3::S3::connect).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_or_a_url() {
        let read = |text: &str| match Place::parse(text) {
            Ok(place) => format!("{place:?}"),
            Err(error) => format!("failed to {error}"),
        };
        let texts = [
            "payments.csv",
            "/data/a b.csv",
            "file:///data/a%20b.csv",
            "file://localhost/data/x.csv",
            "s3://bucket/a/b%20c.csv",
            "s3://bucket",
            "s3:///key",
            "file://data/x.csv",
            "https://example.com/x.csv",
            "",
        ];
        insta::assert_snapshot!(texts.map(read).join("\n"), @r#"
        Local("payments.csv")
        Local("/data/a b.csv")
        Local("/data/a b.csv")
        Local("/data/x.csv")
        S3 { bucket: "bucket", key: "a/b%20c.csv" }
        failed to use s3://bucket: an object is written s3://BUCKET/KEY
        failed to use s3:///key: an object is written s3://BUCKET/KEY
        failed to use file://data/x.csv: a file URL has three slashes before its path: file:///PATH
        failed to use https://example.com/x.csv: a place is s3://BUCKET/KEY, file:///PATH or a path
        failed to use : the name is empty
        "#);
    }
}
