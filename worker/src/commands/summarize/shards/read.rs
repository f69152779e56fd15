//! Reads a shard's share of one object.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::{Reader, Reading, VERB, broke_down, failure};
use super::Piece;
use super::layout::Share;
use crate::bad_rows::BadRows;
use crate::commands::Error;
use crate::csv::{Blocks, MAX_ROW, Scanner};
use crate::decode::Coding;
use crate::payments::Columns;
use crate::place::{self, Entry, Input, Places};
use crate::summarize::{self, BLOCK, Format, Outcome, Part, Start, Totals};

/// How much is looked at to find where a border may be.
const WINDOW: u64 = 4096;

/// What must be read behind a piece at most, so that its last row is whole.
const BEHIND: u64 = MAX_ROW as u64 + 2;

/// The share as it is read: of an object that turns out to be compressed, the shard in whose part it begins has all, and any
/// other nothing.
pub(super) async fn looked_into<'a>(share: Share<'a>, places: &Places) -> Result<Option<Share<'a>>, Error> {
    if share.whole {
        return Ok(Some(share));
    }
    let head = read(places, share.entry, 0, share.entry.size.min(4)).await?;
    Ok(match Coding::of_bytes(&head) {
        Coding::Plain => Some(share),
        _ if share.from == 0 => Some(Share { to: share.entry.size, whole: true, ..share }),
        _ => None,
    })
}

/// Reads the share, both ways if need be; `None` if no row can begin in it.
pub(super) async fn piece(
    reader: &mut Reader,
    share: Share<'_>,
    reading: &Reading,
    places: &Places,
) -> Result<Option<Piece>, Error> {
    let entry = share.entry;
    let made = |from, to, outside, quoted| {
        Some(Piece { object: entry.place.to_string(), size: entry.size, from, to, outside, quoted })
    };
    if share.whole {
        let totals = reader.object(&entry.place, Some(entry), reading, places, Totals::default()).await?;
        let outside =
            Outcome::Read { summary: Box::new(totals.summary), skipped: totals.skipped, ends_quoted: false };
        return Ok(made(0, entry.size, outside, None));
    }
    let (from, to) = (settled(entry, share.from, places).await?, settled(entry, share.to, places).await?);
    if from == to {
        return Ok(None);
    }
    let policy = reading.bad_rows;
    if reading.format(&entry.place) == Format::Jsonl {
        let outside = one_way(reader, (entry, from, to), None, (from > 0, false), policy, places).await?;
        return Ok(made(from, to, checked(outside, entry, from == 0)?, None));
    }
    let (columns, header) = header(entry, places).await?;
    let columns = Arc::new(columns);
    // Rows begin behind the header, wherever the share begins.
    let (begin, end) = (from.max(header), to.max(header));
    if begin == end {
        let nothing = Totals::default();
        let outside = Outcome::Read {
            summary: Box::new(nothing.summary),
            skipped: nothing.skipped,
            ends_quoted: false,
        };
        // A share within the header can't be followed from before it: whatever it begins with, no row does.
        return Ok(made(from, to, outside.clone(), Some(outside)));
    }
    let known = begin == header;
    let bytes = (entry, begin, end);
    let outside = one_way(reader, bytes, Some(&columns), (!known, false), policy, places).await?;
    let outside = checked(outside, entry, known)?;
    if known {
        // The share before it, if there is one, lies within the header: so nothing is quoted here.
        return Ok(made(from, to, outside.clone(), Some(outside)));
    }
    let quoted = one_way(reader, bytes, Some(&columns), (true, true), policy, places).await?;
    if let (Outcome::Failed { what }, Outcome::Failed { .. }) = (&outside, &quoted) {
        return Err(Error::unusable(VERB, &entry.place, what));
    }
    Ok(made(from, to, outside, Some(quoted)))
}

/// A way that is known to be the true one has no excuse.
fn checked(outcome: Outcome, entry: &Entry, known: bool) -> Result<Outcome, Error> {
    match outcome {
        Outcome::Failed { what } if known => Err(Error::unusable(VERB, &entry.place, what)),
        outcome => Ok(outcome),
    }
}

/// Reads the bytes from `from` to `to` as if they began in a row or not, in quotes or not. With `columns` they are CSV.
async fn one_way(
    reader: &mut Reader,
    (entry, from, to): (&Entry, u64, u64),
    columns: Option<&Arc<Columns>>,
    (within, quoted): (bool, bool),
    policy: BadRows,
    places: &Places,
) -> Result<Outcome, Error> {
    let start = match (within, quoted) {
        (false, _) => Start::Row,
        (true, false) => Start::Outside,
        (true, true) => Start::Quoted,
    };
    // What stands right before tells whether a field or a line begins here.
    let open_at = if start == Start::Outside { from - 1 } else { from };
    let part = Part { start, length: to - open_at, last: to == entry.size };
    let mut input = places.open_part(entry, open_at, (to + BEHIND).min(entry.size)).await?;
    let columns = columns.cloned();
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    let work = reader.work(&entry.place, Totals::default(), taken, move |name, totals, on_block| {
        let name = &if open_at == 0 { name.to_owned() } else { format!("{name} from byte {open_at} on") };
        let mut counting = Counting { input: input.as_mut(), taken: &counted };
        let result = match columns {
            Some(columns) => {
                summarize::csv_piece(&mut counting, part, (name, &columns, policy), totals, on_block)
            }
            None => {
                summarize::lines_piece(&mut counting, part, (name, policy), totals, on_block).map(|()| false)
            }
        };
        // A part ends before the end of the file, where a read would notice.
        input.check_unchanged()?;
        match result {
            Ok(ends_quoted) => Ok(Ok(ends_quoted)),
            Err(summarize::Error::Malformed(malformed)) => Ok(Err(malformed)),
            Err(error) => Err(error),
        }
    });
    let (totals, result) = work.await?;
    Ok(match result {
        Ok(ends_quoted) => {
            Outcome::Read { summary: Box::new(totals.summary), skipped: totals.skipped, ends_quoted }
        }
        Err(malformed) if open_at == 0 => Outcome::Failed { what: malformed.to_string() },
        Err(malformed) => Outcome::Failed { what: format!("from byte {open_at} on, {malformed}") },
    })
}

/// The border at or behind `at` where no quote and no line break is cut.
async fn settled(entry: &Entry, at: u64, places: &Places) -> Result<u64, Error> {
    if at == 0 || at >= entry.size {
        return Ok(at);
    }
    let mut from = at;
    while from < entry.size {
        let window = read(places, entry, from - 1, (from + WINDOW).min(entry.size)).await?;
        let Some((&before, after)) = window.split_first() else { break };
        if let Some(moved) = summarize::border(before, after) {
            return Ok(from + moved as u64);
        }
        from += after.len() as u64;
    }
    Ok(entry.size)
}

/// A few bytes of an object.
async fn read(places: &Places, entry: &Entry, from: u64, to: u64) -> Result<Vec<u8>, Error> {
    let mut input = places.open_part(entry, from, to).await?;
    let length = usize::try_from(to - from).unwrap_or(0);
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(free @ [_, ..]) = bytes.get_mut(filled..) {
            match input.read(free)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok::<_, place::Error>(bytes)
    });
    Ok(reading.await.map_err(|error| broke_down(&entry.place, &error))??)
}

/// The columns of a CSV, and how many bytes stand before its first row.
async fn header(entry: &Entry, places: &Places) -> Result<(Columns, u64), Error> {
    let mut input = places.open_part(entry, 0, entry.size.min(BEHIND)).await?;
    let name = entry.place.to_string();
    let reading = tokio::task::spawn_blocking(move || {
        let mut blocks = Blocks::new(input.as_mut(), BLOCK);
        let found = summarize::header(&mut blocks, &mut Scanner::default());
        found.map(|(columns, used)| (columns, used as u64)).map_err(|error| failure(name, error))
    });
    reading.await.map_err(|error| broke_down(&entry.place, &error))?
}

/// Counts what is read.
struct Counting<'a> {
    input: &'a mut dyn Input,
    taken: &'a AtomicU64,
}

impl Input for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, place::Error> {
        let count = self.input.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn size(&self) -> Option<u64> {
        self.input.size()
    }
}
