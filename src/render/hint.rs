//! What an error of AWS most likely means, and what to do next.

use crate::services::SERVICES;
use crate::services::error::{self, NO_CREDENTIALS, THROTTLES, is_access};

/// The likely cause and the next thing to do, where something is known.
pub fn hint(code: Option<&str>, message: &str) -> Option<String> {
    let says = |fragments: &[&str]| fragments.iter().any(|fragment| message.contains(fragment));
    let is = |codes: &[&str]| code.is_some_and(|code| codes.contains(&error::plain(code)));
    let text = if is(&["RequestExpired"]) {
        "AWS takes the time of this call for wrong, or the credentials have expired: set this machine's clock, get new ones \
         (`aws sso login`), then run this again"
    } else if is(&["RequestTimeTooSkewed"]) || says(CLOCK_SAYS) {
        "AWS takes the time of this call for wrong: set this machine's clock, then run this again"
    } else if says(&["expired"]) || is(&["ExpiredToken", "TokenRefreshRequired"]) {
        "the credentials have expired: get new ones (`aws sso login`), then run this again"
    } else if is(CLOSED) {
        "AWS serves this account nothing here: see in its console whether it is verified, paid for and not suspended"
    } else if is(UNKNOWN) {
        "AWS does not know these credentials here: see AWS_PROFILE and AWS_ACCESS_KEY_ID, this machine's clock, and whether the \
         account has opted in to the region (`aws account get-region-opt-status`)"
    } else if is(UNSIGNED) {
        "the secret key does not belong to the access key, or this machine's clock is wrong: see AWS_PROFILE and \
         AWS_SECRET_ACCESS_KEY"
    } else if code == Some(NO_CREDENTIALS) {
        "there are no credentials any more: see AWS_PROFILE and `aws sso login`, then run this again; it goes on where it stopped"
    } else if says(&["service control policy", "resource control policy"]) {
        "a policy of the organization denies this, and no policy of the account can allow it: ask whoever manages the \
         organization, or keep to the regions and services that it allows"
    } else if says(&["permissions boundary"]) {
        "the permissions boundary of the caller's role or user does not allow this: allow it there as well, then run this again"
    } else if says(&["session policy"]) {
        "the policy of this session does not allow this, whatever the role may do: get a session without it, then run this again"
    } else if says(&["Encoded authorization failure message"]) {
        "`aws sts decode-authorization-message --encoded-message` with the text after the colon tells which permission is \
         lacking: allow it, then run this again"
    } else if says(&["iam:PassRole"]) {
        "the credentials may not hand this role to the service: allow iam:PassRole on it, as `batchwright permissions ENV --for apply` prints it"
    } else if let Some(hint) = SERVICES.iter().find_map(|service| service.hint(message)) {
        hint
    } else if is_access(code) {
        "the credentials lack this permission: allow the operation named above, then run this again"
    } else if code.is_some_and(|code| THROTTLES.contains(&code)) {
        "AWS refuses so many calls at a time: wait a minute, then run this again; it goes on where it stopped"
    } else if code.is_some_and(is_quota) || says(&["quota"]) {
        "a quota of the account is reached: remove what is not needed, or ask for more in Service Quotas"
    } else if says(&["does not exist", "not found", "NoSuch"]) {
        "something that it names is not there: see that references and literal ARNs in the manifest are right"
    } else if says(&[
        "not AWS's",
        "the answer is of another form",
        "the answer lacks",
        "the answer ends",
        "the answer has no content",
    ]) {
        "something between this machine and AWS answers in its place: see proxies (HTTPS_PROXY, NO_PROXY), the network and \
         --endpoint-url, then run this again"
    } else if says(&["dispatch failure", "connection", "dns error", "timeout", "timed out"]) {
        "AWS was not reached: see the network, the region and --endpoint-url"
    } else if code.is_some_and(|code| FAILURES.contains(&code)) {
        "AWS failed for reasons of its own: run this again; it goes on where it stopped"
    } else {
        return None;
    };
    Some(text.to_owned())
}

/// A call that is too old, or of a time to come, under a code that says a wrong key as well.
const CLOCK_SAYS: &[&str] = &["Signature expired", "Signature not yet current", "Request has expired"];

/// Keys that are wrong, or of a region that is not opted in to
/// (<https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>).
const UNKNOWN: &[&str] = &[
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingSecurityHeader",
    "OptInRequired",
    "SubscriptionRequired",
    "UnrecognizedClient",
];

/// An account that AWS has not opened yet, or has closed.
const CLOSED: &[&str] =
    &["AccountProblem", "AllAccessDisabled", "Blocked", "NotSignedUp", "PendingVerification"];

/// A signature that does not fit.
const UNSIGNED: &[&str] = &["IncompleteSignature", "InvalidSignature", "SignatureDoesNotMatch"];

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

    /// Texts and codes: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>,
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>,
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.
    #[test]
    fn a_refusal_says_who_can_help() {
        let denied = "User: arn:aws:iam::1:user/a is not authorized to perform: batch:CreateJobQueue";
        for (code, message, said) in [
            (
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large",
                "clock",
            ),
            ("RequestExpired", "Request has expired.", "clock"),
            ("RequestExpired", "Request has expired.", "aws sso login"),
            ("RequestExpiredException", "", "clock"),
            ("MissingAuthenticationTokenException", "Missing Authentication Token", "AWS_PROFILE"),
            ("SubscriptionRequiredException", "needs a subscription for the service", "opted in"),
            ("PendingVerification", "Your account is pending verification", "console"),
            ("InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than", "clock"),
            ("InvalidSignatureException", "The request signature we calculated does not match", "secret key"),
            (
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
                "opted in",
            ),
            ("InvalidClientTokenId", "The security token included in the request is invalid", "opted in"),
            ("InvalidToken", "The provided token is malformed or otherwise invalid.", "opted in"),
            (
                "AccessDenied",
                &format!("{denied} with an explicit deny in a service control policy"),
                "organization",
            ),
            (
                "AccessDenied",
                &format!("{denied} because no service control policy allows the action"),
                "organization",
            ),
            (
                "AccessDenied",
                &format!("{denied} because no permissions boundary allows the action"),
                "boundary",
            ),
            ("AccessDenied", &format!("{denied} because no session policy allows the action"), "session"),
            ("AccessDenied", denied, "allow the operation"),
            (
                "UnauthorizedOperation",
                "You are not authorized. Encoded authorization failure message: 4GIOHlTkI",
                "decode",
            ),
            (
                "ClientException",
                "a is not authorized to perform: iam:PassRole on resource: b",
                "iam:PassRole",
            ),
        ] {
            let hint = hint(Some(code), message).unwrap_or_default();
            assert!(hint.contains(said), "{code}: {message}: {hint}");
            let ours = code == "ClientException" || is_access(Some(code));
            assert!(ours, "{code} is not taken for a matter of access");
        }
    }
}
