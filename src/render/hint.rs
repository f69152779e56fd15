//! What an error of AWS most likely means, and what to do next.

use crate::services::error::{NO_CREDENTIALS, THROTTLES, is_access};

/// The likely cause and the next thing to do, where something is known.
pub fn hint(code: Option<&str>, message: &str) -> Option<String> {
    let says = |fragments: &[&str]| fragments.iter().any(|fragment| message.contains(fragment));
    let text = if says(&["expired"]) || code.is_some_and(|code| code.starts_with("ExpiredToken")) {
        "the credentials have expired: get new ones (`aws sso login`), then run this again"
    } else if matches!(
        code,
        Some(
            "InvalidClientTokenId"
                | "UnrecognizedClientException"
                | "SignatureDoesNotMatch"
                | "InvalidAccessKeyId"
        )
    ) {
        "AWS does not know these credentials: see AWS_PROFILE and AWS_ACCESS_KEY_ID"
    } else if code == Some(NO_CREDENTIALS) {
        "there are no credentials any more: see AWS_PROFILE and `aws sso login`, then run this again; it goes on where it stopped"
    } else if says(&["sts:AssumeRole"]) {
        "the role in serviceRole must exist and let batch.amazonaws.com assume it: correct its assumeRolePolicyDocument, \
         or leave serviceRole out for Batch's own role"
    } else if says(&["nstance profile", "InstanceProfile"]) {
        "the instance profile in instanceRole must exist and hold a role that EC2 may assume: correct it, then run this again"
    } else if is_access(code) {
        "the credentials lack this permission: allow the operation named above, then run this again"
    } else if code.is_some_and(|code| THROTTLES.contains(&code)) {
        "AWS refuses so many calls at a time: wait a minute, then run this again; it goes on where it stopped"
    } else if code.is_some_and(is_quota) || says(&["quota"]) {
        "a quota of the account is reached: remove what is not needed, or ask for more in Service Quotas"
    } else if says(&["does not exist", "not found", "NoSuch"]) {
        "something that it names is not there: see that references and literal ARNs in the manifest are right"
    } else if says(&["dispatch failure", "connection", "dns error", "timeout", "timed out"]) {
        "AWS was not reached: see the network, the region and --endpoint-url"
    } else if code.is_some_and(|code| FAILURES.contains(&code)) {
        "AWS failed for reasons of its own: run this again; it goes on where it stopped"
    } else {
        return None;
    };
    Some(text.to_owned())
}

/// How services say that something went wrong with themselves.
const FAILURES: &[&str] =
    &["InternalError", "InternalFailure", "ServiceFailure", "ServerException", "ServiceUnavailable"];

fn is_quota(code: &str) -> bool {
    code.contains("LimitExceeded") || code.contains("Quota") || code == "TooManyBuckets"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_sandbox_breaks_a_call_with_has_a_next_thing_to_do() {
        let codes = [
            "RequestLimitExceeded",
            "SlowDown",
            "TooManyRequestsException",
            "Throttling",
            "ThrottlingException",
            "InternalError",
            "ServiceFailure",
            "ServerException",
            "InternalFailure",
            "UnauthorizedOperation",
            "AccessDenied",
            "AccessDeniedException",
            "ResourceLimitExceeded",
            "TooManyBuckets",
            "LimitExceeded",
            "LimitExceededException",
        ];
        for code in codes {
            assert!(hint(Some(code), "").is_some(), "{code}");
        }
        assert!(hint(Some("ClientException"), "A quota of this account is reached").is_some());
        assert!(hint(None, "dispatch failure: io error: connection reset by peer").is_some());
    }
}
