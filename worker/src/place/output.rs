//! A place that is being written.

use super::Error;
use super::local::Draft;
use super::s3::Upload;

/// A stream of bytes to a place; without [`Output::finish`] the place stays as it was.
#[derive(Debug)]
pub enum Output {
    /// A file beside the one that it will replace.
    Local(Draft),
    /// An upload to S3.
    S3(Upload),
}

impl Output {
    /// Takes the next bytes. It may block.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Output::Local(draft) => draft.write(bytes),
            Output::S3(upload) => upload.write(bytes),
        }
    }

    /// Makes the place show all that was written, at once.
    pub async fn finish(self) -> Result<(), Error> {
        match self {
            Output::Local(draft) => draft.finish(),
            Output::S3(upload) => upload.finish().await,
        }
    }
}
