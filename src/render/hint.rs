//! What an error of AWS most likely means, and what to do next.

use crate::services::error::{THROTTLES, is_access};

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
    } else if is_access(code) {
        "the credentials lack this permission: allow the operation named above, then run this again"
    } else if code.is_some_and(|code| THROTTLES.contains(&code)) {
        "AWS refuses so many calls at a time: wait a minute, then run this again; it goes on where it stopped"
    } else if code.is_some_and(|code| code.contains("LimitExceeded") || code.contains("Quota")) {
        "a quota of the account is reached: remove what is not needed, or ask for more in Service Quotas"
    } else if says(&["does not exist", "not found", "NoSuch"]) {
        "something that it names is not there: see that references and literal ARNs in the manifest are right"
    } else if says(&["dispatch failure", "connection", "dns error", "timeout", "timed out"]) {
        "AWS was not reached: see the network, the region and --endpoint-url"
    } else {
        return None;
    };
    Some(text.to_owned())
}
