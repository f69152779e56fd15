//! What several kinds of IAM share.

pub(in crate::kinds) mod document;
mod language;
pub(super) mod name;
pub(in crate::kinds) mod principal;
pub(super) mod text;
