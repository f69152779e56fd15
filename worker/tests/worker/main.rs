//! The worker's program, run as a container runs it.

mod bucket;
mod local;
mod pandas;
mod program;
mod s3;
