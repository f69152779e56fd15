//! What AWS answered when it did not do what it was asked: one reading of every SDK error.

use std::error::Error as StdError;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// How far a failed call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// AWS answered with an error.
    Answered,
    /// No answer came back: the work may or may not have been done.
    Unknown,
    /// The request never left.
    NotSent,
}

/// A call to AWS that failed.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Error {
    /// The service: `batch`.
    pub service: &'static str,
    /// The operation: `CreateJobQueue`.
    pub operation: &'static str,
    /// AWS's error code, where it gave one.
    pub code: Option<String>,
    /// AWS's own words, or the whole chain of causes of a call that got no answer.
    pub message: String,
    /// AWS's request id, for its support.
    pub request_id: Option<String>,
    /// How far it came.
    pub reached: Reached,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "call {}:{}: ", self.service, self.operation)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

/// The result of a call to AWS.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether AWS's error code is this one.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// An answer that lacks what the API promises; `message` says what.
    pub fn malformed(service: &'static str, operation: &'static str, message: impl Into<String>) -> Self {
        Self {
            service,
            operation,
            code: None,
            message: message.into(),
            request_id: None,
            reached: Reached::Answered,
        }
    }
}

/// Turns an SDK error into ours: `client.list_roles().send().await.map_err(failed("iam", "ListRoles"))?`.
pub fn failed<E>(
    service: &'static str,
    operation: &'static str,
) -> impl Fn(SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    move |error| {
        let reached = match &error {
            SdkError::ConstructionFailure(_) => Reached::NotSent,
            SdkError::DispatchFailure(failure) if failure.is_user() => Reached::NotSent,
            SdkError::ServiceError(_) => Reached::Answered,
            _ => Reached::Unknown,
        };
        let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = metadata.and_then(|m| m.code()).map(str::to_owned);
        let request_id = metadata.and_then(|m| m.extra("aws_request_id")).map(str::to_owned);
        let message = metadata.and_then(|m| m.message()).map_or_else(|| chain(&error), str::to_owned);
        Error { service, operation, code, message, request_id, reached }
    }
}

/// The whole chain of causes in one line: an SDK error prints only its outermost layer.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// What an error of AWS means for the step that met it (D24). The durations say how long it is worth trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not exist: of a delete, success.
    Gone,
    /// It exists already: look again before anything else.
    Exists,
    /// AWS is still working on it, or on something that holds it.
    Settling(Duration),
    /// Something it needs was made a moment ago and is not seen everywhere yet.
    Propagating(Duration),
    /// Too many calls.
    Throttled,
    /// The work may have been done: look first, then decide (D25).
    Unknown,
    /// Trying again will not help.
    Terminal,
}

/// Error codes that mean "too many calls" in every service (RFC-less: the list that the SDKs share).
pub const THROTTLES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// Whether an error code says that the credentials are wrong or may not do this.
pub fn is_access(code: Option<&str>) -> bool {
    const CODES: &[&str] = &[
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    ];
    code.is_some_and(|code| CODES.contains(&code))
}

/// What every service's errors have in common; a service's own `classify` asks it last.
pub fn classify(error: &Error) -> Fault {
    match error.code.as_deref() {
        Some(code) if THROTTLES.contains(&code) => Fault::Throttled,
        Some(
            "InternalError" | "InternalFailure" | "ServiceUnavailable" | "ServerException" | "ServiceFailure"
            | "RequestTimeout",
        ) => Fault::Unknown,
        Some(_) => Fault::Terminal,
        None if error.reached == Reached::Unknown => Fault::Unknown,
        None => Fault::Terminal,
    }
}
