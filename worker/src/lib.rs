//! The batch worker: the program that runs in the container of a Batchwright stack.
//!
//! Read in this order. [`place`] is where bytes come from and go to: local paths and objects of S3; [`decode`] takes gzip and
//! zstd off them, on a thread of its own ([`ahead`]), and [`encode`] puts them on. [`csv`], [`lines`] and [`json`] cut a stream of bytes into rows and fields in constant memory, and know
//! nothing of what they mean; [`number`] reads a field as a number and says which spellings are numbers.
//!
//! [`payments`] is what is computed of a table's rows, and [`summarize`] gets there from each format. [`calculation`] is what is
//! computed of a JSON line: the module to replace; [`transform`] does it to a whole stream on all cores. [`bad_rows`] says what
//! is done with what can't be used. [`queue`] is where S3 tells of new objects.
//!
//! A file in [`commands`] joins these into one command, and [`cli`] turns arguments into a command and its end into an exit
//! code. [`progress`] and [`memory`] are what is reported on the way.

// So that a calculation is the same text inside this crate and outside.
extern crate self as batchwright_worker;

pub mod ahead;
pub mod bad_rows;
pub mod calculation;
pub mod cli;
pub mod commands;
pub mod csv;
pub mod decode;
pub mod encode;
pub mod json;
pub mod lines;
pub mod memory;
pub mod number;
pub mod payments;
pub mod place;
pub mod progress;
pub mod queue;
pub mod summarize;
pub mod transform;
