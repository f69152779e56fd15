//! Who is let in: programs that know the secrets of this sandbox, and never a web page.
//!
//! Whoever starts a sandbox lets jobs run as themselves: a request that nobody with a key signed changes nothing and learns nothing. Refusals are
//! those of each service: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde::Deserialize;

use super::keys::{Secret, same};
use super::reply::{self, Body};
use super::request::{OWN_ACCESS_KEY, Protocol, Target, text};
use super::server::State;
use super::signature::{Claim, Flaw, Received};

/// The id of the access key that its user gets.
pub const ACCESS_KEY: &str = "AKIASANDBOXSANDBOX00";
/// Names the admin door's token in a request to it.
pub const TOKEN_HEADER: &str = "x-batchwright-token";

/// The secrets of one sandbox.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The secret key of its user.
    pub user: Secret,
    /// That of itself and of its jobs.
    pub own: Secret,
    /// What opens the admin door.
    pub token: Secret,
}

impl Keys {
    /// New ones.
    pub fn random() -> Self {
        Self { user: Secret::random(), own: Secret::random(), token: Secret::random() }
    }
}

/// Why a call is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Unsigned,
    UnknownKey,
    ExpiredToken,
    Flawed(Flaw),
}

/// What moto knows of an access key that it gave out.
#[derive(Deserialize)]
struct Given {
    secret: String,
    token: Option<String>,
    expired: bool,
}

/// Whether a program of this machine asks, by its own name for it. A page open in a browser says where it comes from, or, where its name was made to
/// lead here, that name.
pub fn is_local(headers: &HeaderMap) -> bool {
    let host = text(headers, header::HOST.as_str()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost") && !headers.contains_key(header::ORIGIN)
}

/// Whether a request may pass the admin door.
pub fn opens(state: &State, headers: &HeaderMap) -> bool {
    text(headers, TOKEN_HEADER).is_some_and(|token| state.keys.token.is(token))
}

/// Lets a call in that is signed with a key of this sandbox; else answers as the service would. Of a call that is let in, whether its
/// signature is in its query.
pub async fn admit(
    state: &State,
    target: &Target,
    parts: &Parts,
    body: &[u8],
) -> Result<bool, Response<Body>> {
    let refused = |refusal| Err(answer(refusal, target));
    let query = parts.uri.query().unwrap_or_default();
    let Some(claim) = Claim::of(query, &parts.headers) else { return refused(Refusal::Unsigned) };
    let (secret, token) = match claim.key.as_str() {
        ACCESS_KEY => (state.keys.user.reveal().to_owned(), None),
        OWN_ACCESS_KEY => (state.keys.own.reveal().to_owned(), None),
        other => match given(state, other).await {
            None => return refused(Refusal::UnknownKey),
            Some(given) if given.expired => return refused(Refusal::ExpiredToken),
            Some(given) => (given.secret, given.token),
        },
    };
    if token.is_some_and(|token| !claim.token.as_deref().is_some_and(|said| same(said, &token))) {
        return refused(Refusal::UnknownKey);
    }
    let (method, path, headers) = (&parts.method, parts.uri.path(), &parts.headers);
    let received = Received { method, path, query, headers, body };
    let checked = claim.check(&received, &secret, SystemTime::now());
    checked.map(|()| claim.is_presigned()).or_else(|flaw| refused(Refusal::Flawed(flaw)))
}

/// Asks moto for a key that IAM or STS gave out here.
async fn given(state: &State, key: &str) -> Option<Given> {
    let is_id = key.len() <= 128 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let request = Request::get(format!("/batchwright/key/{key}")).body(reply::whole(Bytes::new())).ok()?;
    let (status, known) = if is_id { state.ask_moto(request).await.ok()? } else { return None };
    if status.is_success() { serde_json::from_slice(&known).ok()? } else { None }
}

fn answer(refusal: Refusal, target: &Target) -> Response<Body> {
    use Protocol::{Cbor, Ec2, Json, Query, RestJson, RestXml};
    let Target { protocol, service, action, .. } = target;
    let invalid = "The security token included in the request is invalid.";
    let mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.";
    let validate = "AWS was not able to validate the provided access credentials";
    let (status, code, message) = match (refusal, protocol) {
        // A token of somebody else's can't be checked here, and would let anybody in.
        (Refusal::Unsigned, Query) if action.starts_with("AssumeRoleWith") => (
            400,
            "InvalidIdentityToken",
            "The sandbox can't check who issued this token: sign in with the keys that it printed.",
        ),
        (Refusal::Unsigned, RestXml) => (403, "AccessDenied", "Access Denied"),
        (Refusal::Unsigned, Query | Ec2) => {
            (403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        }
        (Refusal::Unsigned, Json | Cbor) => {
            (400, "MissingAuthenticationTokenException", "Missing Authentication Token")
        }
        (Refusal::Unsigned, RestJson) => {
            (403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        }
        (Refusal::UnknownKey, RestXml) => {
            (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        }
        (Refusal::UnknownKey, Query) => (403, "InvalidClientTokenId", invalid),
        (Refusal::UnknownKey | Refusal::Flawed(Flaw::Wrong), Ec2) => (401, "AuthFailure", validate),
        (Refusal::UnknownKey, Json | Cbor) => (400, "UnrecognizedClientException", invalid),
        (Refusal::UnknownKey, RestJson) => (403, "UnrecognizedClientException", invalid),
        (Refusal::Flawed(Flaw::Wrong), RestXml | Query) => (403, "SignatureDoesNotMatch", mismatch),
        (Refusal::Flawed(Flaw::Wrong), Json | Cbor) => (400, "InvalidSignatureException", mismatch),
        (Refusal::Flawed(Flaw::Wrong), RestJson) => (403, "InvalidSignatureException", mismatch),
        (Refusal::Flawed(Flaw::Expired), RestXml) => (403, "AccessDenied", "Request has expired"),
        (Refusal::Flawed(Flaw::Skewed), RestXml) => (
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the server's time is too large.",
        ),
        (Refusal::Flawed(_), Query) => (
            403,
            "SignatureDoesNotMatch",
            "Signature expired: the request's time is too far from the server's.",
        ),
        (Refusal::Flawed(_), Ec2) => (400, "RequestExpired", "Request has expired."),
        (Refusal::Flawed(_), Json | Cbor) => (
            400,
            "InvalidSignatureException",
            "Signature expired: the request's time is too far from the server's.",
        ),
        (Refusal::Flawed(_), RestJson) => (
            403,
            "InvalidSignatureException",
            "Signature expired: the request's time is too far from the server's.",
        ),
        (Refusal::ExpiredToken, RestXml) => (400, "ExpiredToken", "The provided token has expired."),
        (Refusal::ExpiredToken, Query) => {
            (403, "ExpiredToken", "The security token included in the request is expired")
        }
        (Refusal::ExpiredToken, Ec2) => (400, "RequestExpired", "Request has expired."),
        (Refusal::ExpiredToken, Json | Cbor) => {
            (400, "ExpiredTokenException", "The security token included in the request is expired")
        }
        (Refusal::ExpiredToken, RestJson) => {
            (403, "ExpiredTokenException", "The security token included in the request is expired")
        }
    };
    tracing::debug!("{service}:{action} is not let in: {refusal:?}");
    reply::error(*protocol, StatusCode::from_u16(status).unwrap_or_default(), code, message)
}
