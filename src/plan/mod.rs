//! What is declared and what AWS has → what differs and what to run. Pure: no call, no clock, no file.
//!
//! A [`Plan`] is a value: plain data, complete, with no choice left to the executor. What differs ([`Change`], for people)
//! and what to run ([`Step`], for the executor) are two lists, and what speaks against it ([`Objection`]) is a third.
//! [`planner`] has the stages in their order; each is a folder.

mod adopt;
mod check;
mod compare;
mod guards;
mod looked_up;
mod model;
mod needs;
mod planner;
mod removals;
mod request;
pub mod review;
mod scope;
mod steps;
mod warnings;

pub use adopt::adopt;
pub use check::check;
pub use compare::names::{is_generation_name, of_name as generation_of_name};
pub(crate) use compare::resolve::text as output_text;
pub use compare::tags::wanted as wanted_tags;
pub(crate) use compare::tags::{differ as tag_changes, retiring_mark};
pub use model::*;
pub use needs::{Reads, needs};
pub use planner::plan;
pub use request::{Guard, Request};
pub use warnings::warnings;
