//! `transform`: reads JSON lines and writes each with one more field.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Error;
use super::ends::{Destination, Source};
use super::stop::StopOnDrop;
use crate::bad_rows::{BadRows, Skipped};
use crate::calculation::Chosen;
use crate::csv::Malformed;
use crate::decode::{Decoded, decoded};
use crate::encode::{Packed, content_type};
use crate::memory;
use crate::place::{Output, Place, Places};
use crate::progress::Progress;
use crate::transform::{BadLine, Calculation, Done, Stopped, run as transform_lines};

const VERB: &str = "transform";

/// More threads than that have nothing to do: reading and writing take one core by then.
const MOST_THREADS: usize = 8;

/// Add a field to each line of a file of JSON lines: review_score = stars × review_count
///
/// All other bytes of each line stay as they are, and the lines in their order. gzip and zstd are unpacked; a destination whose name
/// ends with .gz or .zst is packed.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
    /// What is done with lines that can't be used: fail, skip, or skip up to a share such as 0.5%
    #[arg(long, value_name = "fail|skip|N%", default_value_t)]
    bad_rows: BadRows,
}

/// What was read and written.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Lines that were transformed.
    pub rows: u64,
    /// Bytes that were read, as they lie in the source.
    pub bytes: u64,
    /// Lines that were left out.
    pub skipped: Skipped,
}

/// Reads the source to its end; what was written shows only then.
pub async fn run(args: &Args, places: &Places) -> Result<(), Error> {
    let source = args.source.place()?;
    let destination = args.destination.place_for(&source)?;
    places.check_writable(&destination)?;
    let progress = Progress::start(None);
    let totals = object::<Chosen>(places, &source, &destination, args.bad_rows, threads(1)).await?;
    tracing::info!(
        rows = totals.rows,
        skipped = totals.skipped.rows,
        bytes = totals.bytes,
        seconds = progress.seconds(),
        peak_bytes = memory::peak(),
        destination = %destination,
        "transformed"
    );
    Ok(())
}

/// How many threads each of `many` objects gets that are transformed at once.
pub fn threads(many: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / many.max(1)).clamp(1, MOST_THREADS)
}

/// Transforms one place into another, on so many threads.
pub async fn object<C: Calculation + 'static>(
    places: &Places,
    source: &Place,
    destination: &Place,
    policy: BadRows,
    threads: usize,
) -> Result<Totals, Error> {
    let input = places.open(source).await?;
    let mut progress = Progress::start(input.size());
    tracing::info!(source = %source, destination = %destination, bytes = input.size(), "transforming");
    let output = places.create(destination, content_type(destination, "application/x-ndjson")).await?;
    let output = Packed::new(output, destination)?;
    let name = source.to_string();
    let stop = StopOnDrop::default();
    let stopped = stop.flag();
    let working = tokio::task::spawn_blocking(move || {
        let decoded = decoded(input, &name)?;
        stream::<C>(decoded, output, &name, (policy, threads), &stopped, |rows, bytes| {
            progress.tick(rows, bytes)
        })
    });
    let (output, totals) = match working.await {
        Ok(result) => result?,
        Err(error) => return Err(Error::unusable(VERB, source, format!("a thread broke down: {error}"))),
    };
    output.finish().await?;
    Ok(totals)
}

/// Transforms a whole stream, called `name` in errors, and returns what it wrote to for its end.
fn stream<C: Calculation>(
    mut decoded: Decoded,
    mut output: Packed,
    name: &str,
    (policy, threads): (BadRows, usize),
    stopped: &AtomicBool,
    mut on_block: impl FnMut(u64, u64) + Send,
) -> Result<(Output, Totals), Error> {
    let taken: Arc<AtomicU64> = Arc::clone(&decoded.taken);
    let mut totals = Totals::default();
    let mut lines = 0;
    let take = |done: &Done| {
        if stopped.load(Ordering::Relaxed) {
            return Err(Error::unusable(VERB, name, "stopped"));
        }
        note_bad(&mut totals.skipped, done, lines, name, policy)?;
        lines += done.lines;
        totals.rows += done.rows;
        output.write(&done.text)?;
        on_block(totals.rows, taken.load(Ordering::Relaxed));
        Ok(())
    };
    match transform_lines::<C, Error>(decoded.input.as_mut(), threads, take) {
        Ok(()) => {}
        Err(Stopped::Taker(error)) => return Err(error),
        Err(Stopped::Input(_, crate::lines::Stopped::Place(error))) => return Err(error.into()),
        Err(Stopped::Input(line, crate::lines::Stopped::TooLong)) => {
            let what = crate::lines::Stopped::TooLong.to_string();
            return Err(malformed(name, Malformed { line: line + 1, column: 1, field: None, what }));
        }
        Err(Stopped::Panicked) => return Err(Error::unusable(VERB, name, "a thread broke down")),
    }
    if totals.rows == 0 {
        let what = match totals.skipped.first.first() {
            None => "there is no line in it".to_owned(),
            Some(first) => format!("no line in it can be used; the first: {first}"),
        };
        return Err(Error::unusable(VERB, name, what));
    }
    totals.skipped.check(policy, totals.rows).map_err(|what| Error::unusable(VERB, name, what))?;
    totals.bytes = taken.load(Ordering::Relaxed);
    Ok((output.end()?, totals))
}

/// Counts the bad lines of a block that begins after `lines` lines, or fails with the first of them.
fn note_bad(
    skipped: &mut Skipped,
    done: &Done,
    lines: u64,
    name: &str,
    policy: BadRows,
) -> Result<(), Error> {
    for bad in &done.first_bad {
        let at = place_of(bad, lines);
        if policy == BadRows::Fail {
            return Err(malformed(name, at));
        }
        tracing::debug!(object = name, line = at.line, cause = at.what, "skipped a line");
        skipped.add(|| format!("{name}: {at}"));
    }
    skipped.rows += done.bad - done.first_bad.len() as u64;
    Ok(())
}

fn place_of(bad: &BadLine, lines: u64) -> Malformed {
    Malformed { line: lines + bad.line + 1, column: bad.column, field: None, what: bad.what.clone() }
}

fn malformed(name: &str, malformed: Malformed) -> Error {
    Error::Malformed { verb: VERB, object: name.to_owned(), malformed }
}
