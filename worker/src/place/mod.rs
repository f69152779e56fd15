//! Where bytes come from and go to: a local path, or an object of S3.

mod error;
mod local;
mod output;
mod ranges;
mod s3;

use std::fmt;
use std::path::PathBuf;

use error::in_one_line;
pub use error::{Cause, Error};
pub use local::LocalFile;
pub use output::Output;
pub use ranges::{Ranges, RangesReader};
pub(crate) use s3::chain;

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

    /// Whether the name is that of all places under it: it ends with a slash.
    pub fn is_prefix(&self) -> bool {
        match self {
            Place::Local(path) => path.as_os_str().as_encoded_bytes().ends_with(b"/"),
            Place::S3 { key, .. } => key.ends_with('/'),
        }
    }

    /// Whether both are one file or object, however paths are spelled.
    pub fn is_same(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::Local(one), Place::Local(other)) => local::same(one, other),
            _ => self == other,
        }
    }

    /// Whether it is among what is under the prefix `above`.
    pub fn lies_under(&self, above: &Place) -> bool {
        match (self, above) {
            (Place::Local(path), Place::Local(above)) => local::lies_under(path, above),
            (Place::S3 { bucket, key }, Place::S3 { bucket: other, key: prefix }) => {
                bucket == other && key.starts_with(prefix.as_str())
            }
            _ => false,
        }
    }

    /// What stands after the last slash.
    pub fn file_name(&self) -> &str {
        match self {
            Place::Local(path) => path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
            Place::S3 { key, .. } => key.rsplit('/').next().unwrap_or_default(),
        }
    }

    /// The place with `more` after its name.
    pub fn followed_by(&self, more: &str) -> Place {
        match self {
            Place::Local(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(more);
                Place::Local(name.into())
            }
            Place::S3 { bucket, key } => Place::s3(bucket, format!("{key}{more}")),
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
            Place::Local(path) => write!(f, "{}", in_one_line(&path.to_string_lossy())),
            Place::S3 { bucket, key } => write!(f, "s3://{bucket}/{}", in_one_line(key)),
        }
    }
}

/// A stream of bytes that is being read.
pub trait Input: Send {
    /// Fills a part of `buffer`, which is not empty; 0 is the end. It may block.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// The size of the whole in bytes, if it is known.
    fn size(&self) -> Option<u64>;

    /// Fails if what was read so far is known not to stand there any more.
    ///
    /// A read that finds the end looks itself: this is for who stops before.
    fn check_unchanged(&self) -> Result<(), Error> {
        Ok(())
    }
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

/// A place as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub place: Place,
    /// Its size in bytes.
    pub size: u64,
    /// What changes with its content: the ETag, or a file's size and time. Empty if it isn't known.
    pub version: String,
}

/// What is said of a result beside it.
#[derive(Debug)]
pub struct Beside {
    /// Where.
    pub place: Place,
    /// What.
    pub content: Vec<u8>,
    /// Whether there is reason to say it.
    pub wanted: bool,
}

/// Opens and writes places; talks to AWS only once an object of S3 is asked for.
#[derive(Debug, Default)]
pub struct Places {
    s3: tokio::sync::OnceCell<s3::S3>,
    uploads: s3::Uploads,
    drafts: local::Drafts,
}

impl Places {
    /// Opens `place` for reading from its beginning.
    pub async fn open(&self, place: &Place) -> Result<Box<dyn Input>, Error> {
        match place {
            Place::Local(path) => Ok(Box::new(LocalFile::open(path)?)),
            Place::S3 { bucket, key } => Ok(Box::new(self.s3().await?.open(bucket, key).await?)),
        }
    }

    /// Opens the bytes from `from` to before `to` (more than `from`) of `entry`, if it still has the same version.
    pub async fn open_part(&self, entry: &Entry, from: u64, to: u64) -> Result<Box<dyn Input>, Error> {
        match &entry.place {
            Place::Local(path) => Ok(Box::new(LocalFile::open_part(path, from, to, &entry.version)?)),
            Place::S3 { bucket, key } => {
                let s3 = self.s3().await?;
                Ok(Box::new(s3.open_part((bucket, key), (from, to), &entry.version).await?))
            }
        }
    }

    /// All of a small place.
    pub async fn read(&self, place: &Place) -> Result<Vec<u8>, Error> {
        match place {
            Place::Local(path) => local::read(path),
            Place::S3 { bucket, key } => self.s3().await?.read(bucket, key).await,
        }
    }

    /// Opens `entry` for reading anywhere, if it still has the same version.
    pub async fn open_ranges(&self, entry: &Entry) -> Result<Ranges, Error> {
        match &entry.place {
            Place::Local(path) => {
                let file = local::open(path)?;
                local::check_unchanged(&file, path, &entry.version)?;
                Ok(Ranges::local(entry.clone(), file))
            }
            Place::S3 { .. } => Ok(Ranges::s3(entry.clone(), self.s3().await?.clone())),
        }
    }

    /// The size and version of `place`.
    pub async fn look(&self, place: &Place) -> Result<Entry, Error> {
        match place {
            Place::Local(path) => local::look(path),
            Place::S3 { bucket, key } => self.s3().await?.look(bucket, key).await,
        }
    }

    /// Everything under `place`, by name; what begins with `_` or `.` is a marker or hidden, and left out.
    ///
    /// A path is a folder, of which the files are listed; the key of an object is a prefix.
    pub async fn list(&self, place: &Place) -> Result<Vec<Entry>, Error> {
        let mut found = match place {
            Place::Local(path) => local::list(path)?,
            Place::S3 { bucket, key } => self.s3().await?.list(bucket, key).await?,
        };
        found.retain(|entry| {
            !entry.place.file_name().is_empty() && !entry.place.file_name().starts_with(['_', '.'])
        });
        found.sort_by_cached_key(|entry| entry.place.to_string());
        if found.is_empty() {
            return Err(Error::new("read", place, Cause::Refused, "there is nothing under this name"));
        }
        Ok(found)
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

    /// Writes `place`, and then what is said of it `beside`, if that is wanted. What an earlier run said there goes first: it never
    /// stands beside what it is not about.
    ///
    /// Whoever may not delete there must overwrite it: then it is written, wanted or not.
    pub async fn write_with(
        &self,
        (place, content): (&Place, Vec<u8>),
        beside: Beside,
        content_type: &str,
    ) -> Result<(), Error> {
        match (place, &beside.place) {
            (Place::Local(place), Place::Local(other)) => {
                let draft = local::Draft::of(place, &content)?;
                let said = beside.wanted.then(|| local::Draft::of(other, &beside.content)).transpose()?;
                local::forget(other)?;
                draft.finish()?;
                said.map_or(Ok(()), local::Draft::finish)
            }
            (_, Place::S3 { bucket, key }) => {
                let forgotten = match self.s3().await?.delete(bucket, key).await {
                    Ok(()) => true,
                    Err(error) if error.cause() == Cause::Refused => false,
                    Err(error) => return Err(error),
                };
                self.write(place, content, content_type).await?;
                match beside.wanted || !forgotten {
                    true => self.write(&beside.place, beside.content, content_type).await,
                    false => Ok(()),
                }
            }
            _ => self.write(place, content, content_type).await,
        }
    }

    /// Makes the folders between `under` and `place`, if these are paths, so that a key with slashes can be written there.
    pub fn make_folder_of(&self, place: &Place, under: &Place) -> Result<(), Error> {
        match (place, under) {
            (Place::Local(path), Place::Local(under)) => local::make_folder_of(path, under),
            _ => Ok(()),
        }
    }

    /// Starts to write `place` piece by piece; nothing shows before [`Output::finish`].
    pub async fn create(&self, place: &Place, content_type: &str) -> Result<Output, Error> {
        match place {
            Place::Local(path) => Ok(Output::Local(self.drafts.create(path)?)),
            Place::S3 { .. } => Ok(Output::S3(self.s3().await?.create(&self.uploads, place, content_type))),
        }
    }

    /// Gives up what is still being written, so that nothing of it stays behind.
    pub async fn abandon(&self) {
        self.drafts.abandon();
        self.uploads.abandon().await;
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
