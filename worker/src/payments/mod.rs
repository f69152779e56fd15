//! What is computed of a table of payments.

mod counts;
mod exact;
mod summary;
mod tally;

pub use counts::Counts;
pub use exact::Exact;
pub use summary::{Columns, Payment, Report, Summary};
pub(crate) use summary::{INSTALMENTS, ORDER_ID, PAYMENT_TYPE, VALUE};
pub use tally::Tally;
