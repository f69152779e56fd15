//! From a stream to a summary, whatever the stream's format.

mod columns;
mod csv;
mod format;
mod jsonl;
mod parquet;
mod piece;

pub use self::csv::{header, table};
pub use self::jsonl::lines;
pub use self::parquet::parquet;
pub use self::piece::{Outcome, Part, Start, border, csv_piece, lines_piece};
pub use format::Format;

use crate::bad_rows::{BadRows, Skipped};
use crate::csv::Malformed;
use crate::payments::Summary;
use crate::place;

/// How much is read and parsed at a time: it stays in the processor's second cache.
pub const BLOCK: usize = 256 << 10;

/// What was made of the data so far.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// The summary of the good rows.
    pub summary: Summary,
    /// The bad rows.
    pub skipped: Skipped,
}

/// Why there is no summary.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place can't be read.
    #[error(transparent)]
    Place(#[from] place::Error),
    /// A row is not what it must be.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The data as a whole is not what it must be.
    #[error("{0}")]
    Unusable(String),
}

/// Told after each block how many rows there are; says whether to go on.
pub type OnBlock<'a> = &'a mut dyn FnMut(u64) -> bool;

impl Totals {
    /// Counts a bad row that `object` has at `malformed`, or fails with it.
    pub(crate) fn bad(
        &mut self,
        object: &str,
        malformed: Malformed,
        policy: BadRows,
    ) -> Result<(), Malformed> {
        // With too many types each row of yet another one would seem bad: no policy means that.
        if policy == BadRows::Fail || self.summary.overflowed() {
            return Err(malformed);
        }
        tracing::debug!(object, line = malformed.line, cause = malformed.what, "skipped a row");
        self.skipped.add(|| format!("{object}: {malformed}"));
        Ok(())
    }

    /// How many rows there are, good and bad.
    pub fn rows(&self) -> u64 {
        self.summary.rows() + self.skipped.rows
    }

    fn go_on(&self, on_block: OnBlock<'_>) -> Result<(), Error> {
        if on_block(self.summary.rows()) { Ok(()) } else { Err(Error::Unusable("stopped".to_owned())) }
    }
}

#[cfg(test)]
mod tests;
