//! What is computed of a table of payments.

mod counts;
mod summary;
mod tally;

pub use counts::Counts;
pub use summary::{Columns, Report, Summary};
pub use tally::Tally;
