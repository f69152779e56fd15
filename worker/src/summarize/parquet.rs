//! Apache Parquet: four columns of each row group, a few thousand rows at a time.

mod cells;
mod meaning;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Bytes, BytesMut};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader};

use super::columns::{NAMES, bad};
use super::{Error, OnBlock, Totals};
use crate::bad_rows::BadRows;
use crate::csv::Malformed;
use crate::payments::{Payment, Summary};
use crate::place::{self, Ranges, RangesReader};
use cells::{Cell, Cells};
use meaning::Wanted;

/// How many rows are decoded at a time.
const ROWS: usize = 8192;

/// Sums up a whole Parquet file, called `object`, into `totals`. A bad row is named by its number, not by a line.
///
/// The crate that reads it panics on some damaged files; that is an error like any other here.
pub fn parquet(
    ranges: Ranges,
    object: &str,
    policy: BadRows,
    totals: &mut Totals,
    on_block: OnBlock<'_>,
) -> Result<(), Error> {
    // After an error nobody looks at what was changed before it.
    let reading = AssertUnwindSafe(|| read(ranges, object, policy, totals, on_block));
    catch_unwind(reading).unwrap_or_else(|_| {
        Err(Error::Unusable("the Parquet data is damaged: the reader could not go on".to_owned()))
    })
}

fn read(
    ranges: Ranges,
    object: &str,
    policy: BadRows,
    totals: &mut Totals,
    on_block: OnBlock<'_>,
) -> Result<(), Error> {
    if ranges.size() == 0 {
        return Err(Error::Unusable("the file is empty".to_owned()));
    }
    let file = SerializedFileReader::new(Chunks(ranges)).map_err(failure)?;
    let columns = find(file.metadata().file_metadata().schema_descr())?;
    let mut first = 1;
    for index in 0..file.num_row_groups() {
        let group = file.get_row_group(index).map_err(failure)?;
        let rows = group.metadata().num_rows();
        let rows = u64::try_from(rows).map_err(|_| {
            Error::Unusable(format!("the Parquet data is damaged: row group {} has {rows} rows", index + 1))
        })?;
        let mut cells = open(group.as_ref(), columns)?;
        let mut done = 0;
        while done < rows {
            let count = usize::try_from(rows - done).unwrap_or(ROWS).min(ROWS);
            for column in &mut cells {
                column.read(count).map_err(failure)?;
            }
            for row in 0..count {
                let number = first + done + row as u64;
                if let Err(malformed) = add(&cells, row, number, &mut totals.summary) {
                    totals.bad(object, malformed, policy)?;
                }
            }
            done += count as u64;
            totals.go_on(on_block)?;
        }
        first += rows;
    }
    Ok(())
}

/// Where the four columns are.
fn find(schema: &parquet::schema::types::SchemaDescriptor) -> Result<[usize; 4], Error> {
    let mut found = [0; 4];
    let mut wrong = Vec::new();
    for (slot, name) in found.iter_mut().zip(NAMES) {
        let mut named = (0..schema.num_columns()).filter(|at| schema.column(*at).path().string() == name);
        match (named.next(), named.next()) {
            (Some(_), Some(_)) => wrong.push(format!("column {name} is there twice")),
            (Some(at), None) if schema.column(at).max_rep_level() == 0 => *slot = at,
            (Some(_), None) => wrong.push(format!("column {name} holds lists")),
            (None, _) => wrong.push(format!("column {name} is missing")),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Error::Unusable(wrong.join("; "))) }
}

fn open(group: &dyn RowGroupReader, columns: [usize; 4]) -> Result<[Cells; 4], Error> {
    let [value, instalments, kind, order] = columns;
    let column = |at, wanted| {
        let chunk = group.metadata().column(at);
        let described = chunk.column_descr_ptr();
        // The reader takes it for granted that these are not negative.
        let begins = chunk.dictionary_page_offset().unwrap_or(0).min(chunk.data_page_offset());
        if begins < 0 || chunk.compressed_size() < 0 {
            let name = described.path().string();
            let what =
                format!("the Parquet data is damaged: column {name} begins or ends at a negative place");
            return Err(Error::Unusable(what));
        }
        let codec = match chunk.compression() {
            Compression::BROTLI(_) => Some("brotli"),
            Compression::LZO => Some("lzo"),
            _ => None,
        };
        if let Some(codec) = codec {
            let name = described.path().string();
            let what = format!("column {name} is compressed with {codec}, which is not supported");
            return Err(Error::Unusable(what));
        }
        Cells::new(group.get_column_reader(at).map_err(failure)?, &described, wanted).map_err(Error::Unusable)
    };
    Ok([
        column(value, Wanted::Number)?,
        column(instalments, Wanted::Number)?,
        column(kind, Wanted::Text)?,
        column(order, Wanted::Presence)?,
    ])
}

fn add(cells: &[Cells; 4], row: usize, number: u64, summary: &mut Summary) -> Result<(), Malformed> {
    let [value, instalments, kind, order] = cells;
    let [value_name, instalments_name, kind_name, _] = NAMES;
    let numeric = |cells: &Cells, name| cells.number(row).map_err(|what| bad(number, 1, name, what));
    let (value, instalments) = (numeric(value, value_name)?, numeric(instalments, instalments_name)?);
    let payment_type = match kind.get(row) {
        Some(Cell::Bytes(text)) => text,
        Some(_) => return Err(bad(number, 1, kind_name, "it is not a string")),
        None => return Err(bad(number, 1, kind_name, "it is empty")),
    };
    let has_order = match order.get(row) {
        Some(Cell::Bytes(text)) => !text.is_empty(),
        Some(_) => true,
        None => false,
    };
    let payment = Payment { value, instalments, payment_type, has_order };
    summary.add_payment(&payment).map_err(|what| bad(number, 1, kind_name, what))
}

/// A place as the Parquet reader wants it.
struct Chunks(Ranges);

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for Chunks {
    type T = io::BufReader<RangesReader>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(io::BufReader::with_capacity(4096, self.0.reader(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let mut bytes = BytesMut::new();
        while bytes.len() < length {
            let more = self.0.some(start + bytes.len() as u64, length - bytes.len());
            let more = more.map_err(|error| ParquetError::External(Box::new(error)))?;
            if more.is_empty() {
                return Err(ParquetError::EOF(format!("{length} bytes from byte {start} are not there")));
            }
            // A request within one chunk, as nearly all are, copies nothing.
            if bytes.is_empty() && more.len() == length {
                return Ok(more);
            }
            bytes.extend_from_slice(&more);
        }
        Ok(bytes.freeze())
    }
}

/// The error of the place, if it is one; else the data is bad.
fn failure(error: ParquetError) -> Error {
    let what = format!("the Parquet data is damaged: {error}");
    let ParquetError::External(inner) = error else { return Error::Unusable(what) };
    let inner = match inner.downcast::<io::Error>() {
        Ok(error) => match error.into_inner() {
            Some(inner) => inner,
            None => return Error::Unusable(what),
        },
        Err(inner) => inner,
    };
    match inner.downcast::<place::Error>() {
        Ok(place) => Error::Place(*place),
        Err(_) => Error::Unusable(what),
    }
}
