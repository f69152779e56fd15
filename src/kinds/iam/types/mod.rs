//! What several kinds of IAM share.

pub(in crate::kinds) mod document;
mod language;
pub(super) mod name;
pub(super) mod text;
