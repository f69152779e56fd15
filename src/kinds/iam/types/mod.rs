//! What several kinds of IAM share.

pub(in crate::kinds) mod document;
pub(super) mod name;
