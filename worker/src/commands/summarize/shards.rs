//! One shard of a summary: its part of all bytes, and what it made of them.

mod layout;
mod read;

use serde::{Deserialize, Serialize};

use super::{Reader, Reading, VERB, pretty};
use crate::commands::Error;
use crate::decode::Coding;
use crate::place::{self, Cause, Entry, Place, Places};
use crate::summarize::{Format, Outcome, Totals};

/// Which shard of how many this run is.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Read only one of N parts of the source, and write what `merge` needs beside the destination
    ///
    /// Without N, the size of the array job, which AWS Batch puts into AWS_BATCH_JOB_ARRAY_SIZE.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "0")]
    shards: Option<u32>,
    /// Which part, from 0; in an array job AWS Batch says it
    #[arg(long, value_name = "I", env = "AWS_BATCH_JOB_ARRAY_INDEX")]
    shard: Option<u32>,
    /// The size of the array job
    #[arg(long, hide = true, env = "AWS_BATCH_JOB_ARRAY_SIZE")]
    array_size: Option<u32>,
}

/// One of so many shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

impl Args {
    /// The shard that the arguments and the environment name, if `--shards` is given.
    pub fn shard(&self) -> Result<Option<Shard>, place::Error> {
        let wrong = |why: &str| Err(place::Error::new("use", "--shards", Cause::Refused, why));
        let Some(count) = self.shards else { return Ok(None) };
        let count = if count == 0 { self.array_size.unwrap_or(0) } else { count };
        match (count, self.shard) {
            (0, _) => wrong("this is no array job: say how many shards there are, --shards N"),
            (_, None) => wrong("this is no array job: say which shard this is, --shard I"),
            (count, Some(index)) if index >= count => {
                wrong("shards are counted from 0 to one less than their number")
            }
            (count, Some(index)) => Ok(Some(Shard { index, count })),
        }
    }
}

/// What a shard writes for `merge`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// Which shard, from 0.
    pub index: u32,
    /// Of how many.
    pub count: u32,
    /// What was read, in all: shards that saw different objects don't belong together.
    pub sources: Vec<String>,
    /// The policy for bad rows.
    pub bad_rows: String,
    /// What the source was said to be written in, if it was.
    pub format: Option<Format>,
    /// Why there is nothing, if the shard failed: what an earlier run wrote here holds no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// The pieces of objects that this shard read, in order.
    pub pieces: Vec<Piece>,
}

/// A piece of an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Piece {
    /// The object's name.
    pub object: String,
    /// Its size in bytes.
    pub size: u64,
    /// The first byte of the piece.
    pub from: u64,
    /// One past its last byte.
    pub to: u64,
    /// What the piece is if it begins outside quotes.
    pub outside: Outcome,
    /// What it is if it begins in a quoted field; `None` where there can be none.
    pub quoted: Option<Outcome>,
}

/// Where a shard's part is written.
pub fn part_place(destination: &Place, shard: Shard) -> Place {
    destination.followed_by(&format!(".part-{:05}-of-{:05}.json", shard.index, shard.count))
}

/// What is read in all, as parts name it.
pub fn named(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|e| format!("{} ({} bytes, {})", e.place, e.size, e.version)).collect()
}

/// The source as it is now.
pub async fn entries(source: &Place, places: &Places) -> Result<Vec<Entry>, Error> {
    Ok(if source.is_prefix() { places.list(source).await? } else { vec![places.look(source).await?] })
}

/// Reads one shard, and writes its part only. If it fails, the part says so: that of an earlier run must not be merged.
pub(super) async fn run(
    shard: Shard,
    source: &Place,
    destination: &Place,
    reading: &Reading,
    places: &Places,
) -> Result<(), Error> {
    let part = part_place(destination, shard);
    let result = read_and_write(shard, source, &part, reading, places).await;
    if let Err(error) = &result {
        let (bad_rows, format) = (reading.bad_rows.to_string(), reading.format);
        let failed = Some(format!("failed to {error}"));
        let Shard { index, count } = shard;
        let made = Made { index, count, sources: Vec::new(), bad_rows, format, failed, pieces: Vec::new() };
        if let Err(error) = places.write(&part, pretty(&made)?, "application/json").await {
            tracing::warn!("failed to {error}; a part that an earlier run wrote there holds no longer");
        }
    }
    result
}

async fn read_and_write(
    shard: Shard,
    source: &Place,
    part: &Place,
    reading: &Reading,
    places: &Places,
) -> Result<(), Error> {
    let entries = entries(source, places).await?;
    if let Some(empty) = entries.iter().find(|entry| entry.size == 0) {
        return Err(Error::unusable(VERB, &empty.place, "the file is empty"));
    }
    let mut shares = Vec::new();
    for share in layout::shares(&entries, shard, |entry| can_be_cut(&entry.place, reading)) {
        shares.extend(read::looked_into(share, places).await?);
    }
    let bytes = shares.iter().map(|share: &layout::Share<'_>| share.to - share.from).sum();
    let mut reader = Reader::new(source, part, Some(bytes));
    let mut pieces = Vec::new();
    let mut totals = Totals::default();
    for share in shares {
        let piece = read::piece(&mut reader, share, reading, places).await?;
        if let Some(Outcome::Read { summary, skipped, .. }) = piece.as_ref().map(|piece| &piece.outside) {
            totals.summary.merge(summary).map_err(|what| Error::unusable(VERB, source, what))?;
            totals.skipped.merge(skipped);
        }
        pieces.extend(piece);
    }
    let (sources, Shard { index, count }) = (named(&entries), shard);
    let (bad_rows, format) = (reading.bad_rows.to_string(), reading.format);
    let made = Made { index, count, sources, bad_rows, format, failed: None, pieces };
    places.write(part, pretty(&made)?, "application/json").await?;
    reader.finished(&totals, part, "summarized a part");
    Ok(())
}

/// Whether a part of the place can be read without what stands before it.
fn can_be_cut(place: &Place, reading: &Reading) -> bool {
    reading.format(place) != Format::Parquet && Coding::of_name(place.file_name()) == Coding::Plain
}
