//! GitHub: one comment for each environment, one issue for each thing that is wrong, labels, and what a runner reads.
//!
//! What is said is rendered elsewhere ([`crate::render`]); here stands where it goes, and that it goes there once. Our own
//! comment or issue is known by a hidden marker in its first line *and* by its author: what other people write is never
//! taken for ours, whatever stands in it.

use std::time::Duration;

mod client;
mod comment;
mod context;
mod issue;
mod labels;
mod marker;
mod pulls;
pub mod runner;
mod runs;

pub use client::{Client, Patience};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub use comment::{Comment, comment_of, edited_by_another, upsert};
pub use context::{Context, is_commit};
pub use issue::{Finding, Issue, Outcome, find as find_issue, settle};
pub use labels::{prefix as label_prefix, set as set_labels};
pub use marker::Marker;
pub use pulls::{Pull, is_head_of, merged_between, merged_by};
pub use runs::{head_of, is_underway, last_success};

/// The author of what a workflow writes with its own token.
pub const WORKFLOW_BOT: &str = "github-actions[bot]";

/// Why GitHub could not be spoken to. Completes "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable that the runner sets is missing or makes no sense.
    #[error("read {name}: {why}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What is the matter.
        why: String,
    },
    /// GitHub refused.
    #[error("{method} {path}: GitHub answers {status}: {message}")]
    Refused {
        /// The request's method.
        method: &'static str,
        /// Its path.
        path: String,
        /// The HTTP status.
        status: u16,
        /// GitHub's own words.
        message: String,
    },
    /// GitHub takes no more requests for now.
    #[error("{method} {path}: GitHub answers {status}: {message} (its limit of requests is reached)")]
    Limited {
        /// The request's method.
        method: &'static str,
        /// Its path.
        path: String,
        /// The HTTP status.
        status: u16,
        /// GitHub's own words.
        message: String,
        /// How long it wants to be left alone.
        wait: Duration,
    },
    /// No answer, or one that says nothing: the work may have been done.
    #[error("{method} {path}: {message}")]
    Unknown {
        /// The request's method.
        method: &'static str,
        /// Its path.
        path: String,
        /// What happened.
        message: String,
    },
    /// A file of the runner's.
    #[error("write {path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

impl Error {
    /// Whether the token is missing or may not do this.
    pub fn is_access(&self) -> bool {
        matches!(self, Self::Refused { status: 401 | 403, .. })
    }
}

/// A branch's name as a part of a path.
fn segment(name: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');
    utf8_percent_encode(name, ESCAPED).to_string()
}

/// The result of talking to GitHub.
pub type Result<T> = std::result::Result<T, Error>;
