//! A plan, a drift or a report as text. Pure: the same input gives the same bytes.

pub mod comment;
mod drift;
pub mod drift_issue;
mod explain;
mod hint;
mod impact;
pub mod json;
mod markdown;
pub mod outcome;
pub mod page;
mod paint;
mod picture;
mod report;
mod settings;
mod status;
mod surroundings;
mod terminal;
mod value;

pub use drift::{drift, has_drifted};
pub use explain::{NoField, explain, kinds};
pub use hint::hint;
pub use markdown::markdown;
pub use paint::Paint;
pub use report::{progress, report, report_of_one_plan};
pub use settings::settings;
pub use status::status;
pub use surroundings::{output, output_records, outputs};
pub use terminal::{differences, notes, plan, warnings};
pub use value::{MASK, masked};
