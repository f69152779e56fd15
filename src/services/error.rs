//! What AWS answered when it did not do what it was asked: one reading of every SDK error.

use std::error::Error as StdError;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::promised;

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
    /// How long AWS asks to wait before another try.
    pub retry_after: Option<Duration>,
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
            retry_after: None,
        }
    }
}

/// Turns an SDK error into ours: `client.list_roles().send().await.map_err(failed)?`. The error's type says which call it was.
pub fn failed<E>(error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let (service, operation) = call_of(std::any::type_name::<E>());
    let reached = match &error {
        SdkError::ConstructionFailure(_) => Reached::NotSent,
        SdkError::DispatchFailure(failure) if failure.is_user() => Reached::NotSent,
        SdkError::ServiceError(_) => Reached::Answered,
        _ => Reached::Unknown,
    };
    let unsigned = is_unsigned(&error);
    let reached = if unsigned { Reached::NotSent } else { reached };
    let retry_after = error.raw_response().and_then(retry_after);
    let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
    let code = metadata.and_then(|m| m.code()).or(unsigned.then_some(NO_CREDENTIALS)).map(str::to_owned);
    let foreign = error.raw_response().filter(|_| code.is_none()).and_then(foreign);
    let reached = match error.raw_response() {
        Some(answer) if foreign.is_some() && answer.status().is_server_error() => Reached::Unknown,
        _ => reached,
    };
    let words = metadata.and_then(|m| m.message()).map(str::to_owned);
    let message = words.or(foreign).unwrap_or_else(|| chain(&error));
    let (message, written) = without_id(&message);
    let request_id = metadata.and_then(|m| m.extra("aws_request_id")).map(str::to_owned).or(written);
    Error { service, operation, code, message, request_id, reached, retry_after }
}

/// Service and operation of the SDK's type for a call's errors: `aws_sdk_batch::operation::list_jobs::ListJobsError`.
fn call_of(error: &'static str) -> (&'static str, &'static str) {
    let sdk = error.split("::").next().unwrap_or(error);
    let name = error.rsplit("::").next().unwrap_or(error);
    let service = match sdk.strip_prefix("aws_sdk_").unwrap_or(sdk) {
        "cloudwatchlogs" => "logs",
        "resourcegroupstagging" => "tag",
        service => service,
    };
    (service, name.strip_suffix("Error").unwrap_or(name))
}

/// What came in the place of AWS's answer: a proxy's page, a redirect, nothing.
fn foreign(answer: &HttpResponse) -> Option<String> {
    let status = answer.status();
    if status.is_success() {
        return None;
    }
    let begins = promised::begins(answer.body().bytes().unwrap_or_default());
    Some(format!("the answer is not AWS's: HTTP status {}, and {begins}", status.as_u16()))
}

/// Batch ends its messages with the id of the request, which is told already: the message without it, and the id.
fn without_id(message: &str) -> (String, Option<String>) {
    let is_id =
        |text: &str| text.len() >= 8 && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    match message.rsplit_once(", RequestId: ") {
        Some((words, id)) if is_id(id) => (words.to_owned(), Some(id.to_owned())),
        _ => (message.to_owned(), None),
    }
}

/// In place of AWS's code, of a call that nobody signed: the credentials have run out, or can't be had.
pub const NO_CREDENTIALS: &str = "NoCredentials";

/// Whether a call was never signed: that no retry mends, although it looks like a line that is down.
fn is_unsigned(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<aws_credential_types::provider::error::CredentialsError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// How long the answer asks to wait: seconds in HTTP's own header, milliseconds in AWS's.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let header = |name: &str| response.headers().get(name)?.trim().parse::<u64>().ok();
    let milliseconds = header("x-amz-retry-after").map(Duration::from_millis);
    milliseconds.or_else(|| header("retry-after").map(Duration::from_secs))
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

/// Whether an error code says that the credentials are wrong or may not do this. Services that speak JSON end codes with
/// `Exception`, the others do not. Codes: <https://docs.aws.amazon.com/batch/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
pub fn is_access(code: Option<&str>) -> bool {
    const CODES: &[&str] = &[
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "AuthFailure",
        "Blocked",
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignature",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingSecurityHeader",
        NO_CREDENTIALS,
        "NotAuthorized",
        "NotSignedUp",
        "OptInRequired",
        "PendingVerification",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "SubscriptionRequired",
        "TokenRefreshRequired",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
        "UnrecognizedClient",
    ];
    code.is_some_and(|code| CODES.contains(&plain(code)))
}

/// A code without the ending that JSON's services give it.
pub fn plain(code: &str) -> &str {
    code.strip_suffix("Exception").unwrap_or(code)
}

/// What an error means by its code: by a service's own table, then by what all services share.
pub fn of_code(faults: &[(&str, Fault)], error: &Error) -> Fault {
    let own = faults.iter().find(|(code, _)| error.is(code));
    own.map_or_else(|| classify(error), |(_, fault)| *fault)
}

/// What every service's errors have in common; a service's own `classify` asks it last.
pub fn classify(error: &Error) -> Fault {
    match error.code.as_deref() {
        // What a proxy in between or an overloaded server says without a code of AWS's.
        None if error.retry_after.is_some() => Fault::Throttled,
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

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

    use super::*;

    #[derive(Debug)]
    struct RunOut;

    impl ProvideCredentials for RunOut {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::provider_error("the session is over")))
        }
    }

    #[tokio::test]
    async fn credentials_that_run_out_are_not_taken_for_a_line_that_is_down() {
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .endpoint_url("http://127.0.0.1:9")
            .region(aws_config::Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(RunOut))
            .build();
        let asked = aws_sdk_iam::Client::new(&config).list_roles().send().await;
        let error = failed(asked.unwrap_err());
        assert_eq!(
            (error.code.as_deref(), error.reached),
            (Some(NO_CREDENTIALS), Reached::NotSent),
            "{error:?}"
        );
        assert!(error.message.contains("the session is over"), "{error}");
        assert_eq!(classify(&error), Fault::Terminal);
        assert!(is_access(error.code.as_deref()));
    }

    #[test]
    fn the_type_of_an_error_says_which_call_it_was() {
        use aws_sdk_batch::operation::list_jobs::ListJobsError;
        use aws_sdk_cloudtrail::operation::lookup_events::LookupEventsError;
        use aws_sdk_cloudwatchlogs::operation::create_log_group::CreateLogGroupError;
        use aws_sdk_ec2::operation::create_vpc::CreateVpcError;
        use aws_sdk_ecr::operation::describe_images::DescribeImagesError;
        use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIDConnectProviderError;
        use aws_sdk_resourcegroupstagging::operation::get_resources::GetResourcesError;
        use aws_sdk_s3::operation::head_bucket::HeadBucketError;
        use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
        let names = [
            (std::any::type_name::<ListJobsError>(), ("batch", "ListJobs")),
            (std::any::type_name::<LookupEventsError>(), ("cloudtrail", "LookupEvents")),
            (std::any::type_name::<CreateLogGroupError>(), ("logs", "CreateLogGroup")),
            (std::any::type_name::<CreateVpcError>(), ("ec2", "CreateVpc")),
            (std::any::type_name::<DescribeImagesError>(), ("ecr", "DescribeImages")),
            (std::any::type_name::<GetOpenIDConnectProviderError>(), ("iam", "GetOpenIDConnectProvider")),
            (std::any::type_name::<GetResourcesError>(), ("tag", "GetResources")),
            (std::any::type_name::<HeadBucketError>(), ("s3", "HeadBucket")),
            (std::any::type_name::<GetCallerIdentityError>(), ("sts", "GetCallerIdentity")),
        ];
        for (name, call) in names {
            assert_eq!(call_of(name), call);
        }
    }

    #[test]
    fn an_id_that_stands_in_the_message_is_told_once() {
        let id = "0d7c5e52-4f7b-4b4e-8a40-9cf1c4a1b2d3";
        let said = format!("Error executing request, Exception : no such queue, RequestId: {id}");
        let (words, written) = without_id(&said);
        assert_eq!(words, "Error executing request, Exception : no such queue");
        assert_eq!(written.as_deref(), Some(id));
        for other in ["no such queue", "a, RequestId: of what?"] {
            assert_eq!(without_id(other), (other.to_owned(), None));
        }
    }

    #[test]
    fn aws_says_how_long_to_wait_in_two_ways() {
        let answer = |name: &'static str, value: &'static str| {
            let response = http::Response::builder().header(name, value).body("".into()).unwrap();
            retry_after(&HttpResponse::try_from(response).unwrap())
        };
        assert_eq!(answer("retry-after", "3"), Some(Duration::from_secs(3)));
        assert_eq!(answer("x-amz-retry-after", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(answer("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(answer("date", "3"), None);
    }
}
