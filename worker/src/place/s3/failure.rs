//! What an error of S3 means: the only reading of SDK errors.

use std::error::Error as StdError;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use crate::place::{Cause, Error, Place};

/// Says what happened while trying to `verb` the object with the permission `permission`.
pub(super) fn classify<E>(
    verb: &'static str,
    place: &Place,
    permission: &str,
    error: &SdkError<E, HttpResponse>,
) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let Some(response) = error.raw_response() else {
        return Error::new(verb, place, Cause::Trouble, chain(error));
    };
    let status = response.status().as_u16();
    let code = error.code().unwrap_or_default();
    let (cause, what) = match (status, code) {
        (_, "NoSuchBucket") => (Cause::Refused, "there is no such bucket".to_owned()),
        // Taken away meanwhile by a lifecycle rule or by whoever cleans up; a new try makes a new one.
        (404, "NoSuchUpload") => (Cause::Trouble, said(error, code)),
        (404, _) => (Cause::Refused, "there is no such object".to_owned()),
        (412, _) => (Cause::Changed, "the object was changed while it was read".to_owned()),
        (_, "RequestTimeTooSkewed" | "RequestTimeout") => (Cause::Trouble, said(error, code)),
        // Temporary credentials are renewed by whoever gave them; a later try has newer ones.
        (_, "ExpiredToken") => (Cause::Trouble, said(error, code)),
        (403, _) => (Cause::Refused, format!("access denied: {}; it takes {permission}", said(error, code))),
        // Two writers at once: OperationAborted, ConditionalRequestConflict.
        (409, _) => (Cause::Trouble, said(error, code)),
        (301 | 307, _) => (Cause::Refused, "the bucket is in another region".to_owned()),
        (400..=499, _) if status != 429 => (Cause::Refused, said(error, code)),
        _ => (Cause::Trouble, said(error, code)),
    };
    let id = error
        .request_id()
        .filter(|id| !id.is_empty())
        .map(|id| format!(", request {id}"))
        .unwrap_or_default();
    Error::new(verb, place, cause, format!("{what} (HTTP {status}{id})"))
}

fn said<E>(error: &SdkError<E, HttpResponse>, code: &str) -> String
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match (code, error.message()) {
        ("", None) => chain(error),
        ("", Some(message)) => message.to_owned(),
        (code, None) => code.to_owned(),
        (code, Some(message)) => format!("{code}: {message}"),
    }
}

/// An error and what caused it. An SDK error alone says little more than "service error".
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}
