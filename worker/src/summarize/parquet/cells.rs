//! The values of one column, a batch at a time.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescriptor;

use crate::number::{MAX_PLACES, Number};
use crate::summarize::columns::{finite, shown};

use super::meaning::{Meaning, Wanted, half, meaning};

/// A column of a row group, and the batch of it that was read last.
pub(super) struct Cells {
    source: Source,
    meaning: Meaning,
    /// Places after the point, of a decimal.
    scale: i64,
    /// The level at which a value is there.
    present: i16,
    levels: Vec<i16>,
    /// Where in the values each row's is.
    at: Vec<Option<usize>>,
}

enum Source {
    Int32(ColumnReaderImpl<Int32Type>, Vec<i32>),
    Int64(ColumnReaderImpl<Int64Type>, Vec<i64>),
    Float(ColumnReaderImpl<FloatType>, Vec<f32>),
    Double(ColumnReaderImpl<DoubleType>, Vec<f64>),
    Bytes(ColumnReaderImpl<ByteArrayType>, Vec<ByteArray>),
    Fixed(ColumnReaderImpl<FixedLenByteArrayType>, Vec<FixedLenByteArray>),
}

/// A value that is there.
pub(super) enum Cell<'a> {
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl Cells {
    /// The column that `reader` reads; an error if its type can't be what is wanted.
    pub(super) fn new(
        reader: ColumnReader,
        described: &ColumnDescriptor,
        wanted: Wanted,
    ) -> Result<Cells, String> {
        let meaning = meaning(described, wanted)?;
        let source = match reader {
            ColumnReader::Int32ColumnReader(reader) => Source::Int32(reader, Vec::new()),
            ColumnReader::Int64ColumnReader(reader) => Source::Int64(reader, Vec::new()),
            ColumnReader::FloatColumnReader(reader) => Source::Float(reader, Vec::new()),
            ColumnReader::DoubleColumnReader(reader) => Source::Double(reader, Vec::new()),
            ColumnReader::ByteArrayColumnReader(reader) => Source::Bytes(reader, Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Source::Fixed(reader, Vec::new()),
            ColumnReader::BoolColumnReader(_) | ColumnReader::Int96ColumnReader(_) => {
                let (name, found) = (described.path().string(), described.physical_type());
                return Err(format!("column {name} is {found}, which is neither a number nor text"));
            }
        };
        let scale = if meaning == Meaning::Decimal { described.type_scale().into() } else { 0 };
        if !(0..=MAX_PLACES as i64).contains(&scale) {
            let name = described.path().string();
            return Err(format!("column {name} has {scale} decimal places; there can be 0 to {MAX_PLACES}"));
        }
        let present = described.max_def_level();
        Ok(Cells { source, meaning, scale, present, levels: Vec::new(), at: Vec::new() })
    }

    /// Reads the next `count` rows.
    pub(super) fn read(&mut self, count: usize) -> Result<(), ParquetError> {
        let levels = &mut self.levels;
        levels.clear();
        let records = match &mut self.source {
            Source::Int32(reader, values) => batch(reader, values, count, levels)?,
            Source::Int64(reader, values) => batch(reader, values, count, levels)?,
            Source::Float(reader, values) => batch(reader, values, count, levels)?,
            Source::Double(reader, values) => batch(reader, values, count, levels)?,
            Source::Bytes(reader, values) => batch(reader, values, count, levels)?,
            Source::Fixed(reader, values) => batch(reader, values, count, levels)?,
        };
        if records != count {
            return Err(ParquetError::EOF(format!("a column has {records} of {count} rows")));
        }
        self.at.clear();
        if self.present == 0 {
            self.at.extend((0..count).map(Some));
        } else {
            let mut next = 0;
            self.at.extend(self.levels.iter().map(|level| {
                let here = *level == self.present;
                next += usize::from(here);
                here.then(|| next - 1)
            }));
        }
        Ok(())
    }

    /// The value of a row of the batch, if it has one.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<Cell<'_>> {
        let at = (*self.at.get(row)?)?;
        Some(match &self.source {
            Source::Int32(_, values) => {
                let value = *values.get(at)?;
                let unsigned = self.meaning == Meaning::Unsigned;
                Cell::Int(if unsigned { value.cast_unsigned().into() } else { value.into() })
            }
            Source::Int64(_, values) => Cell::Int(*values.get(at)?),
            Source::Float(_, values) => Cell::Double(f64::from(*values.get(at)?)),
            Source::Double(_, values) => Cell::Double(*values.get(at)?),
            Source::Bytes(_, values) => Cell::Bytes(values.get(at)?.data()),
            Source::Fixed(_, values) => Cell::Bytes(values.get(at)?.data()),
        })
    }

    /// The number of a row of the batch, or what is wrong with it.
    #[inline]
    pub(super) fn number(&self, row: usize) -> Result<Number, String> {
        match self.get(row) {
            None => Err("it is empty".to_owned()),
            Some(Cell::Int(digits)) => {
                let unsigned = self.meaning == Meaning::Unsigned;
                let digits = if unsigned { digits.cast_unsigned().into() } else { digits.into() };
                Number::of_digits(digits, self.scale).map_err(|refused| format!("it {refused}"))
            }
            Some(Cell::Double(value)) => finite(value),
            Some(Cell::Bytes(bytes)) if self.meaning == Meaning::Decimal => self.decimal(bytes),
            Some(Cell::Bytes(bytes)) if self.meaning == Meaning::Half => {
                let bytes = bytes.try_into().map_err(|_| "it does not have two bytes".to_owned())?;
                finite(half(bytes))
            }
            Some(Cell::Bytes(text)) => {
                Number::read(text).map_err(|refused| format!("{:?} {refused}", shown(text)))
            }
        }
    }

    /// A decimal in two's complement, the highest byte first.
    fn decimal(&self, bytes: &[u8]) -> Result<Number, String> {
        if bytes.is_empty() {
            return Err("it has no byte".to_owned());
        }
        Number::of_bytes(bytes, self.scale).map_err(|refused| format!("it {refused}"))
    }
}

fn batch<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    values: &mut Vec<T::T>,
    count: usize,
    levels: &mut Vec<i16>,
) -> Result<usize, ParquetError> {
    values.clear();
    let mut records = 0;
    while records < count {
        let (more, _, _) = reader.read_records(count - records, Some(levels), None, values)?;
        if more == 0 {
            break;
        }
        records += more;
    }
    Ok(records)
}
