//! `summarize`: reads a CSV of payments and writes one JSON object that sums it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::csv::{Blocks, Malformed, Scanner};
use crate::memory;
use crate::payments::{Columns, Summary};
use crate::place::{self, Cause, Input, Place, Places};
use crate::progress::Progress;

/// How much is read and parsed at a time: it stays in the processor's second cache.
pub const BLOCK: usize = 256 << 10;

/// Sum up a CSV of payments: one JSON object with totals, extremes and counts
///
/// The source and the destination are each named by a bucket and a file (key) in it, or by one name: s3://BUCKET/KEY,
/// file:///PATH or a path.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The bucket that the CSV is in
    #[arg(long, visible_alias = "source_bucket", value_name = "BUCKET", requires = "source_file")]
    source_bucket: Option<String>,
    /// The key of the CSV in that bucket
    #[arg(long, visible_alias = "source_file", value_name = "KEY", requires = "source_bucket")]
    source_file: Option<String>,
    /// The CSV, by one name
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["source_bucket", "source_file"],
        required_unless_present = "source_bucket")]
    source: Option<String>,
    /// The bucket that the JSON is written to
    #[arg(long, visible_alias = "destination_bucket", value_name = "BUCKET", requires = "destination_file")]
    destination_bucket: Option<String>,
    /// The key of the JSON in that bucket
    #[arg(long, visible_alias = "destination_file", value_name = "KEY", requires = "destination_bucket")]
    destination_file: Option<String>,
    /// The JSON, by one name
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["destination_bucket", "destination_file"],
        required_unless_present = "destination_bucket")]
    destination: Option<String>,
}

/// Why there is no summary; the text completes "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A place can't be read or written.
    #[error(transparent)]
    Place(#[from] place::Error),
    /// A row is not what it must be.
    #[error("summarize {object}: {malformed}")]
    Malformed {
        /// The place that was read.
        object: String,
        /// What is wrong, and where.
        malformed: Malformed,
    },
    /// The text as a whole is not what it must be.
    #[error("summarize {object}: {what}")]
    Unusable {
        /// The place that was read.
        object: String,
        /// What is wrong.
        what: String,
    },
}

impl Error {
    /// Whether the same run may succeed later.
    pub fn may_pass(&self) -> bool {
        match self {
            Error::Place(error) => matches!(error.cause(), Cause::Changed | Cause::Trouble),
            Error::Malformed { .. } | Error::Unusable { .. } => false,
        }
    }
}

/// Reads the source to its end, then writes the result: before that, the destination is not touched.
pub async fn run(args: &Args, places: &Places) -> Result<(), Error> {
    let source = named(&args.source, &args.source_bucket, &args.source_file)?;
    let destination = named(&args.destination, &args.destination_bucket, &args.destination_file)?;
    if source == destination {
        let what = "it is the source too, and would be overwritten";
        return Err(place::Error::new("write", &destination, Cause::Refused, what).into());
    }
    places.check_writable(&destination)?;
    let mut input = places.open(&source).await?;
    let mut progress = Progress::start(input.size());
    tracing::info!(source = %source, destination = %destination, bytes = input.size(), "summarizing");

    let object = source.to_string();
    let stop = StopOnDrop(Arc::default());
    let stopped = Arc::clone(&stop.0);
    let reading = tokio::task::spawn_blocking(move || {
        let (summary, bytes) = summarize(input.as_mut(), &object, BLOCK, |rows, bytes| {
            progress.tick(rows, bytes);
            !stopped.load(Ordering::Relaxed)
        })?;
        let json = to_json(&summary, &object)?;
        Ok::<_, Error>((json, summary.rows(), bytes, progress.seconds()))
    });
    let (json, rows, bytes, seconds) = match reading.await {
        Ok(result) => result?,
        Err(error) => return Err(unusable(&source.to_string(), format!("the reader broke down: {error}"))),
    };

    places.write(&destination, json, "application/json").await?;
    tracing::info!(rows, bytes, seconds, peak_bytes = memory::peak(), destination = %destination, "summarized");
    Ok(())
}

/// Tells the reading thread to stop when the command is dropped, as it is on a signal.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn named(
    place: &Option<String>,
    bucket: &Option<String>,
    file: &Option<String>,
) -> Result<Place, place::Error> {
    match (place, bucket, file) {
        (Some(place), _, _) => Place::parse(place),
        (None, Some(bucket), Some(file)) if !bucket.is_empty() && !file.is_empty() => {
            Ok(Place::s3(bucket, file))
        }
        _ => Err(place::Error::new(
            "use",
            "an object of S3",
            Cause::Refused,
            "the bucket or the file has no name",
        )),
    }
}

/// Sums up a whole stream, called `object` in errors, in blocks of `block` bytes; returns with it how many bytes it had.
///
/// `on_block` is told how many rows and bytes were read, after each block; it says whether to go on.
pub fn summarize(
    input: &mut dyn Input,
    object: &str,
    block: usize,
    mut on_block: impl FnMut(u64, u64) -> bool,
) -> Result<(Summary, u64), Error> {
    let malformed = |malformed| Error::Malformed { object: object.to_owned(), malformed };
    let mut blocks = Blocks::new(input, block);
    let mut scanner = Scanner::default();
    let mut used = 0;

    let header = loop {
        if !blocks.advance(used)? {
            return Err(malformed(scanner.too_long(blocks.block())));
        }
        match scanner.header(blocks.block(), blocks.ended()).map_err(malformed)? {
            Some(header) => {
                used = header.length;
                break header.names;
            }
            None if blocks.ended() && blocks.bytes() == 0 => {
                return Err(unusable(object, "the file is empty"));
            }
            None if blocks.ended() => return Err(unusable(object, "there is no header, only blank lines")),
            None => {}
        }
    };
    let columns = Columns::find(&header).map_err(|what| unusable(object, what))?;

    let mut summary = Summary::default();
    loop {
        let rest = blocks.block().get(used..).unwrap_or_default();
        let ended = blocks.ended();
        used += scanner
            .rows(rest, ended, columns.count, &mut |row| summary.add(row, &columns))
            .map_err(malformed)?;
        if !on_block(summary.rows(), blocks.bytes()) {
            return Err(unusable(object, "stopped"));
        }
        if ended {
            return Ok((summary, blocks.bytes()));
        }
        if !blocks.advance(used)? {
            return Err(malformed(scanner.too_long(blocks.block())));
        }
        used = 0;
    }
}

/// The result's text; an error if there is nothing to sum up, or the sum is too large.
pub fn to_json(summary: &Summary, object: &str) -> Result<Vec<u8>, Error> {
    if summary.rows() == 0 {
        return Err(unusable(object, "there is a header, but no row"));
    }
    let report = summary
        .report()
        .ok_or_else(|| unusable(object, "the sum of payment_value is too large for a number"))?;
    let mut json = serde_json::to_vec_pretty(&report).map_err(|error| unusable(object, error.to_string()))?;
    json.push(b'\n');
    Ok(json)
}

fn unusable(object: &str, what: impl Into<String>) -> Error {
    Error::Unusable { object: object.to_owned(), what: what.into() }
}

#[cfg(test)]
mod tests;
