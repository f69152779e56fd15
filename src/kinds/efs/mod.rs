//! Kinds of Elastic File System.

pub mod access_point;
pub mod file_system;
