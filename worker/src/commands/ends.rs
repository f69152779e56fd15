//! The arguments that name where a command reads and writes.

use crate::place::{Cause, Error, Place};

/// What is read.
#[derive(Debug, Clone, clap::Args)]
pub struct Source {
    /// The bucket that is read from
    #[arg(long, visible_alias = "source_bucket", value_name = "BUCKET", requires = "source_file")]
    source_bucket: Option<String>,
    /// The key that is read in that bucket
    #[arg(long, visible_alias = "source_file", value_name = "KEY", requires = "source_bucket")]
    source_file: Option<String>,
    /// What is read, by one name: s3://BUCKET/KEY, file:///PATH or a path
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["source_bucket", "source_file"],
        required_unless_present = "source_bucket")]
    source: Option<String>,
}

/// What was read, if that is said.
#[derive(Debug, Clone, clap::Args)]
pub struct PastSource {
    /// The bucket that the shards have read from: what they read must still be the same
    #[arg(long, visible_alias = "source_bucket", value_name = "BUCKET", requires = "source_file")]
    source_bucket: Option<String>,
    /// The key that they have read in that bucket
    #[arg(long, visible_alias = "source_file", value_name = "KEY", requires = "source_bucket")]
    source_file: Option<String>,
    /// What the shards have read, by one name: it must still be the same
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["source_bucket", "source_file"])]
    source: Option<String>,
}

/// What is written.
#[derive(Debug, Clone, clap::Args)]
pub struct Destination {
    /// The bucket that is written to
    #[arg(long, visible_alias = "destination_bucket", value_name = "BUCKET", requires = "destination_file")]
    destination_bucket: Option<String>,
    /// The key that is written in that bucket
    #[arg(long, visible_alias = "destination_file", value_name = "KEY", requires = "destination_bucket")]
    destination_file: Option<String>,
    /// What is written, by one name
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["destination_bucket", "destination_file"],
        required_unless_present = "destination_bucket")]
    destination: Option<String>,
}

impl Source {
    /// The place that the arguments name.
    pub fn place(&self) -> Result<Place, Error> {
        named(&self.source, &self.source_bucket, &self.source_file)
    }
}

impl PastSource {
    /// The place that the arguments name, if they do.
    pub fn place(&self) -> Result<Option<Place>, Error> {
        match (&self.source, &self.source_bucket) {
            (None, None) => Ok(None),
            _ => named(&self.source, &self.source_bucket, &self.source_file).map(Some),
        }
    }
}

impl Destination {
    /// The place that the arguments name.
    pub fn place(&self) -> Result<Place, Error> {
        named(&self.destination, &self.destination_bucket, &self.destination_file)
    }

    /// The same, if writing it leaves `source` alone.
    pub fn place_for(&self, source: &Place) -> Result<Place, Error> {
        let place = self.place()?;
        spare(&place, source)?;
        Ok(place)
    }
}

/// Fails if `place`, which is to be written or removed, is `source` or lies under it.
pub fn spare(place: &Place, source: &Place) -> Result<(), Error> {
    if place.is_same(source) {
        let what = "it is the source too, and would be overwritten";
        return Err(Error::new("write", place, Cause::Refused, what));
    }
    if source.is_prefix() && place.lies_under(source) {
        let what = format!("it lies under the source {source}, and would be read itself the next time");
        return Err(Error::new("write", place, Cause::Refused, what));
    }
    Ok(())
}

fn named(place: &Option<String>, bucket: &Option<String>, file: &Option<String>) -> Result<Place, Error> {
    match (place, bucket, file) {
        (Some(place), _, _) => Place::parse(place),
        (None, Some(bucket), Some(file)) if !bucket.is_empty() && !file.is_empty() => {
            Ok(Place::s3(bucket, file))
        }
        _ => Err(Error::new("use", "an object of S3", Cause::Refused, "the bucket or the file has no name")),
    }
}
