//! What several kinds of IAM share.

mod condition;
pub(in crate::kinds) mod document;
mod elements;
mod language;
pub(super) mod name;
mod principal;
pub(super) mod text;
