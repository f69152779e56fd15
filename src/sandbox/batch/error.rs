//! What a request to AWS Batch can fail with.

use serde_json::json;

/// A refusal in the form AWS Batch gives it: nearly everything is a `ClientException`, only the message tells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A `ClientException` whose message AWS gives bare.
    #[error("{0}")]
    Refused(String),
    /// A `ClientException` that AWS wraps in "Error executing request, Exception : …".
    #[error("Error executing request, Exception : {0}, RequestId: {request}", request = uuid::Uuid::new_v4())]
    Invalid(String),
    /// A `BadRequestException`, which is in no model: what tags are refused with.
    #[error("{0}")]
    BadRequest(String),
    /// A `ServerException`: the sandbox itself could not answer.
    #[error("{0}")]
    Server(String),
}

/// Result of one Batch operation.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The HTTP status, the modelled exception and the body of the answer.
    pub fn parts(&self) -> (http::StatusCode, &'static str, serde_json::Value) {
        let body = json!({ "message": self.to_string() });
        match self {
            Self::Refused(_) | Self::Invalid(_) => (http::StatusCode::BAD_REQUEST, "ClientException", body),
            Self::BadRequest(_) => (http::StatusCode::BAD_REQUEST, "BadRequestException", body),
            Self::Server(_) => (http::StatusCode::INTERNAL_SERVER_ERROR, "ServerException", body),
        }
    }
}

/// Returns with a bare `ClientException`.
macro_rules! refuse {
    ($($text:tt)*) => { return Err($crate::batch::error::Error::Refused(format!($($text)*))) };
}

/// Returns with a `ClientException` in AWS's wrapper for requests that fail validation.
macro_rules! invalid {
    ($($text:tt)*) => { return Err($crate::batch::error::Error::Invalid(format!($($text)*))) };
}

pub(crate) use {invalid, refuse};
