//! Why a command failed.

use crate::csv::Malformed;
use crate::place::{self, Cause};

/// Why there is no result; the text completes "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A place can't be read or written.
    #[error(transparent)]
    Place(#[from] place::Error),
    /// A row is not what it must be.
    #[error("{verb} {object}: {malformed}")]
    Malformed {
        /// What was to be done.
        verb: &'static str,
        /// The place that was read.
        object: String,
        /// What is wrong, and where.
        malformed: Malformed,
    },
    /// The data as a whole is not what it must be.
    #[error("{verb} {object}: {what}")]
    Unusable {
        /// What was to be done.
        verb: &'static str,
        /// The place that was read.
        object: String,
        /// What is wrong.
        what: String,
    },
    /// It is said on purpose.
    #[error("{0}")]
    Asked(&'static str),
    /// Another service than S3 is in trouble, or refuses.
    #[error("{what}")]
    Service {
        /// What happened, as one line.
        what: String,
        /// Whether the same again may succeed.
        may_pass: bool,
    },
}

impl Error {
    /// The data `object` as a whole can't be used.
    pub fn unusable(verb: &'static str, object: impl ToString, what: impl Into<String>) -> Error {
        Error::Unusable { verb, object: object.to_string(), what: what.into() }
    }

    /// Whether the same run may succeed later.
    pub fn may_pass(&self) -> bool {
        match self {
            Error::Place(error) => matches!(error.cause(), Cause::Changed | Cause::Trouble),
            Error::Service { may_pass, .. } => *may_pass,
            Error::Malformed { .. } | Error::Unusable { .. } | Error::Asked(_) => false,
        }
    }
}
