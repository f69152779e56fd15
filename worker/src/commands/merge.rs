//! `merge`: makes one summary of what all shards wrote.

use super::Error;
use super::ends::{Destination, PastSource, spare};
use super::summarize::shards::{Made, Piece, Shard, entries, named, part_place};
use super::summarize::{metadata_place, write};
use crate::bad_rows::BadRows;
use crate::memory;
use crate::place::{Place, Places};
use crate::progress::Progress;
use crate::summarize::{Format, Outcome, Totals};

const VERB: &str = "merge";

/// Make one summary of the parts that the shards of `summarize --shards` wrote beside the destination
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: PastSource,
    #[command(flatten)]
    destination: Destination,
    /// How many shards there were
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    shards: u32,
}

/// Reads all parts, then writes the result.
pub async fn run(args: &Args, places: &Places) -> Result<(), Error> {
    let (destination, source) = (args.destination.place()?, args.source.place()?);
    if let Some(source) = &source {
        spare(&destination, source)?;
        spare(&metadata_place(&destination), source)?;
    }
    places.check_writable(&destination)?;
    let progress = Progress::start(None);
    let mut merged = Merged::default();
    for index in 0..args.shards {
        let shard = Shard { index, count: args.shards };
        merged.add(&part_place(&destination, shard), shard, places).await?;
    }
    let (object, merged_bytes) = (merged.object(), merged.bytes);
    let (totals, sources, policy) = merged.finish()?;
    if let Some(source) = source
        && named(&entries(&source, places).await?) != sources
    {
        let what = "it is not what the shards have read: run all shards again";
        return Err(Error::unusable(VERB, source, what));
    }
    write(&object, &destination, policy, &totals, sources, places).await?;
    tracing::info!(
        rows = totals.summary.rows(),
        skipped = totals.skipped.rows,
        shards = args.shards,
        bytes = merged_bytes,
        seconds = progress.seconds(),
        peak_bytes = memory::peak(),
        destination = %destination,
        "merged"
    );
    Ok(())
}

/// The parts so far.
#[derive(Default)]
struct Merged {
    totals: Totals,
    sources: Option<(Vec<String>, String, Option<Format>)>,
    /// The first object, and how many pieces begin one.
    objects: Option<(String, usize)>,
    /// How many bytes of the source the pieces have.
    bytes: u64,
    /// Where the last piece ended: the object, the byte, and whether that is in a quoted field.
    end: Option<(String, u64, u64, bool)>,
}

impl Merged {
    async fn add(&mut self, place: &Place, shard: Shard, places: &Places) -> Result<(), Error> {
        let text = places.read(place).await?;
        let made: Made = serde_json::from_slice(&text)
            .map_err(|error| Error::unusable(VERB, place, format!("it is no part of a summary: {error}")))?;
        if (made.index, made.count) != (shard.index, shard.count) {
            return Err(Error::unusable(VERB, place, "it is the part of another shard"));
        }
        if let Some(why) = made.failed {
            return Err(Error::unusable(VERB, place, format!("its shard {why}")));
        }
        let about = (made.sources, made.bad_rows, made.format);
        match &self.sources {
            Some(known) if *known != about => {
                let what = "its shard read other objects, by another policy or in another format than those before it: run all shards again";
                return Err(Error::unusable(VERB, place, what));
            }
            _ => self.sources = Some(about),
        }
        made.pieces.into_iter().try_for_each(|piece| self.piece(piece, place))
    }

    fn piece(&mut self, piece: Piece, part: &Place) -> Result<(), Error> {
        let quoted = match self.end.take() {
            Some((object, end, _, quoted)) if object == piece.object && end == piece.from => quoted,
            Some((_, end, size, false)) if end == size && piece.from == 0 => false,
            None if piece.from == 0 => false,
            _ => {
                return Err(Error::unusable(
                    VERB,
                    part,
                    format!("a piece of {} before it is missing", piece.object),
                ));
            }
        };
        self.bytes += piece.to - piece.from;
        if piece.from == 0 {
            self.objects.get_or_insert_with(|| (piece.object.clone(), 0)).1 += 1;
        }
        let outcome = if quoted { piece.quoted.as_ref() } else { Some(&piece.outside) };
        match outcome {
            Some(Outcome::Read { summary, skipped, ends_quoted }) => {
                let merged = self.totals.summary.merge(summary);
                merged.map_err(|what| Error::unusable(VERB, &piece.object, what))?;
                self.totals.skipped.merge(skipped);
                self.end = Some((piece.object, piece.to, piece.size, *ends_quoted));
                Ok(())
            }
            Some(Outcome::Failed { what }) => Err(Error::unusable("summarize", &piece.object, what)),
            None => {
                Err(Error::unusable(VERB, part, "it begins in a quoted field, which it has not looked at"))
            }
        }
    }

    /// What was read, for an error about the whole.
    fn object(&self) -> String {
        match &self.objects {
            Some((object, 1)) => object.clone(),
            Some((object, count)) => format!("{object} and {} more", count - 1),
            None => "nothing".to_owned(),
        }
    }

    fn finish(self) -> Result<(Totals, Vec<String>, BadRows), Error> {
        let (sources, policy, _) = self.sources.unwrap_or_default();
        let policy =
            policy.parse().map_err(|what| Error::unusable(VERB, "the parts", format!("{policy}: {what}")))?;
        match self.end {
            Some((_, end, size, false)) if end == size => Ok((self.totals, sources, policy)),
            _ => Err(Error::unusable(VERB, "the parts", "the last piece is missing")),
        }
    }
}
