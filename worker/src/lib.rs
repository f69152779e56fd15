//! The batch worker: the program that runs in the container of a Batchwright stack.
//!
//! Read in this order. [`place`] is where bytes come from and go to: a local path or an S3 object. [`csv`] cuts a
//! stream of bytes into rows and fields in constant memory, and knows nothing of what they mean. [`number`] reads a
//! field as a number and says which spellings are numbers. [`payments`] is what is computed from a row. A file in
//! [`commands`] joins these into one command, and [`cli`] turns arguments into a command and its end into an exit
//! code. [`progress`] and [`memory`] are what is reported on the way.

pub mod cli;
pub mod commands;
pub mod csv;
pub mod memory;
pub mod number;
pub mod payments;
pub mod place;
pub mod progress;
