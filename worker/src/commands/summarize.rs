//! `summarize`: reads payments and writes one JSON object that sums them up.

pub mod shards;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::Error;
use super::ends::{Destination, Source, spare};
use super::stop::StopOnDrop;
use crate::bad_rows::{BadRows, Skipped};
use crate::decode::decoded;
use crate::memory;
use crate::payments::Summary;
use crate::place::{Beside, Entry, Input, Place, Places};
use crate::progress::Progress;
use crate::summarize::{self, Format, Totals};

const VERB: &str = "summarize";

/// What results are.
const TYPE: &str = "application/json";

/// Sum up payments: one JSON object with totals, extremes and counts
///
/// A source that ends with a slash means all objects under that prefix, or all files in that folder. gzip and zstd are
/// unpacked.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    shards: shards::Args,
}

/// How the source is read.
#[derive(Debug, Clone, clap::Args)]
pub struct Reading {
    /// What the source is written in; without it, its name tells: .jsonl, .ndjson, .json, .parquet, else CSV
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What is done with rows that can't be used: fail, skip, or skip up to a share such as 0.5%
    ///
    /// Rows that are left out are counted in the object DESTINATION.metadata.json.
    #[arg(long, value_name = "fail|skip|N%", default_value_t)]
    bad_rows: BadRows,
}

impl Reading {
    fn format(&self, place: &Place) -> Format {
        self.format.unwrap_or_else(|| Format::of_name(place.file_name()))
    }
}

/// What was read, for the object beside the result.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// The version of this program.
    pub version: String,
    /// The policy for bad rows.
    pub bad_rows: String,
    /// Good rows.
    pub rows: u64,
    /// Bad rows.
    pub skipped: Skipped,
    /// What was read.
    pub sources: Vec<String>,
}

/// Reads the source to its end, then writes the result: before that, the destination is not touched.
pub async fn run(args: &Args, places: &Places) -> Result<(), Error> {
    let source = args.source.place()?;
    let destination = args.destination.place_for(&source)?;
    spare(&metadata_place(&destination), &source)?;
    places.check_writable(&destination)?;
    if let Some(shard) = args.shards.shard()? {
        spare(&shards::part_place(&destination, shard), &source)?;
        return shards::run(shard, &source, &destination, &args.reading, places).await;
    }
    let entries = if source.is_prefix() { Some(places.list(&source).await?) } else { None };
    let sources: Vec<Place> = match &entries {
        Some(entries) => entries.iter().map(|entry| entry.place.clone()).collect(),
        None => vec![source.clone()],
    };
    let bytes = entries.as_ref().map(|entries| entries.iter().map(|entry| entry.size).sum());
    let mut reader = Reader::new(&source, &destination, bytes);
    let mut totals = Totals::default();
    for place in &sources {
        totals = reader.object(place, None, &args.reading, places, totals).await?;
    }
    let names = sources.iter().map(Place::to_string).collect();
    write(&source, &destination, args.reading.bad_rows, &totals, names, places).await?;
    reader.finished(&totals, &destination, "summarized");
    Ok(())
}

/// Where it is said which rows a result leaves out.
pub(super) fn metadata_place(destination: &Place) -> Place {
    destination.followed_by(".metadata.json")
}

/// Writes the result, and what is said beside it if rows may have been left out.
pub(super) async fn write(
    source: &impl ToString,
    destination: &Place,
    policy: BadRows,
    totals: &Totals,
    sources: Vec<String>,
    places: &Places,
) -> Result<(), Error> {
    totals
        .skipped
        .check(policy, totals.summary.rows())
        .map_err(|what| Error::unusable(VERB, source.to_string(), what))?;
    if let (0, Some(first)) = (totals.summary.rows(), totals.skipped.first.first()) {
        let what = format!("no row can be used; the first: {first}");
        return Err(Error::unusable(VERB, source.to_string(), what));
    }
    let json = to_json(&totals.summary).map_err(|what| Error::unusable(VERB, source.to_string(), what))?;
    let metadata = Metadata {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        bad_rows: policy.to_string(),
        rows: totals.summary.rows(),
        skipped: totals.skipped.clone(),
        sources,
    };
    let beside = Beside {
        place: metadata_place(destination),
        content: pretty(&metadata)?,
        wanted: policy != BadRows::Fail,
    };
    places.write_with((destination, json), beside, TYPE).await?;
    Ok(())
}

/// Reads objects one after the other, and says how far it has come.
pub(super) struct Reader {
    progress: Progress,
    /// Bytes of the objects before this one.
    before: u64,
    /// The first line of the log, until it is said: once something can be read.
    opening: Option<(String, String)>,
}

impl Reader {
    pub(super) fn new(source: &Place, destination: &Place, bytes: Option<u64>) -> Reader {
        let opening = Some((source.to_string(), destination.to_string()));
        Reader { progress: Progress::start(bytes), before: 0, opening }
    }

    /// Something is there to read: `bytes` of it, if nothing else is known of the whole.
    fn opened(&mut self, bytes: Option<u64>) {
        self.progress.expect(bytes.unwrap_or(0));
        if let Some((source, destination)) = self.opening.take() {
            tracing::info!(source, destination, bytes = self.progress.total(), "summarizing");
        }
    }

    /// Adds a whole object to `totals`: the version `entry`, if one is given.
    pub(super) async fn object(
        &mut self,
        place: &Place,
        entry: Option<&Entry>,
        reading: &Reading,
        places: &Places,
        totals: Totals,
    ) -> Result<Totals, Error> {
        let (format, policy) = (reading.format(place), reading.bad_rows);
        if format == Format::Parquet {
            let entry = match entry {
                Some(entry) => entry.clone(),
                None => places.look(place).await?,
            };
            let ranges = places.open_ranges(&entry).await?;
            self.opened(Some(entry.size));
            let taken = Arc::new(AtomicU64::new(entry.size));
            let totals = self.work(place, totals, taken, move |name, totals, on_block| {
                let result = summarize::parquet(ranges.clone(), name, policy, totals, on_block);
                ranges.check_unchanged()?;
                result
            });
            return Ok(totals.await?.0);
        }
        let input = match entry {
            Some(entry) => places.open_part(entry, 0, entry.size).await?,
            None => places.open(place).await?,
        };
        self.opened(input.size());
        let decoded = self.decode(place, input).await?;
        let (mut input, taken) = (decoded.input, decoded.taken);
        let totals = self.work(place, totals, taken, move |name, totals, on_block| match format {
            Format::Jsonl => summarize::lines(input.as_mut(), name, policy, totals, on_block),
            _ => summarize::table(input.as_mut(), name, policy, totals, on_block),
        });
        Ok(totals.await?.0)
    }

    async fn decode(&self, place: &Place, input: Box<dyn Input>) -> Result<crate::decode::Decoded, Error> {
        let name = place.to_string();
        let looking = tokio::task::spawn_blocking(move || decoded(input, &name));
        Ok(looking.await.map_err(|error| broke_down(place, &error))??)
    }

    /// Runs `read` on a thread of its own until it ends or the command is dropped.
    pub(super) async fn work<T, F>(
        &mut self,
        place: &Place,
        mut totals: Totals,
        taken: Arc<AtomicU64>,
        read: F,
    ) -> Result<(Totals, T), Error>
    where
        T: Send + 'static,
        F: FnOnce(&str, &mut Totals, summarize::OnBlock<'_>) -> Result<T, summarize::Error> + Send + 'static,
    {
        self.opened(None);
        let stop = StopOnDrop::default();
        let (stopped, name, before) = (stop.flag(), place.to_string(), self.before);
        let mut progress = self.progress.clone();
        let counted = Arc::clone(&taken);
        let reading = tokio::task::spawn_blocking(move || {
            let mut on_block = |rows| {
                progress.tick(rows, before + counted.load(Ordering::Relaxed));
                !stopped.load(Ordering::Relaxed)
            };
            let result = read(&name, &mut totals, &mut on_block);
            result.map(|made| (totals, made, progress)).map_err(|error| failure(name, error))
        });
        let (totals, made, progress) = reading.await.map_err(|error| broke_down(place, &error))??;
        self.progress = progress;
        self.before += taken.load(Ordering::Relaxed);
        Ok((totals, made))
    }

    /// The last line of the log.
    pub(super) fn finished(&self, totals: &Totals, destination: &Place, what: &'static str) {
        let (rows, skipped) = (totals.summary.rows(), totals.skipped.rows);
        tracing::info!(
            rows,
            skipped = (skipped > 0).then_some(skipped),
            bytes = self.before,
            seconds = self.progress.seconds(),
            peak_bytes = memory::peak(),
            destination = %destination,
            "{what}"
        );
    }
}

fn failure(object: String, error: summarize::Error) -> Error {
    match error {
        summarize::Error::Place(error) => Error::Place(error),
        summarize::Error::Malformed(malformed) => Error::Malformed { verb: VERB, object, malformed },
        summarize::Error::Unusable(what) => Error::Unusable { verb: VERB, object, what },
    }
}

fn broke_down(place: &Place, error: &tokio::task::JoinError) -> Error {
    Error::unusable(VERB, place, format!("the reader broke down: {error}"))
}

/// The result's text, or why there is none.
pub fn to_json(summary: &Summary) -> Result<Vec<u8>, String> {
    if summary.rows() == 0 {
        return Err("there is a header, but no row".to_owned());
    }
    let report = summary.report().ok_or("the sum of payment_value is too large for a number")?;
    pretty(&report).map_err(|error| error.to_string())
}

/// JSON for people, with a line feed at its end.
pub(super) fn pretty(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let text = serde_json::to_vec_pretty(value);
    let mut json = text.map_err(|error| Error::unusable("write", "a result", error.to_string()))?;
    json.push(b'\n');
    Ok(json)
}
