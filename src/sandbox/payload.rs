//! Bodies of S3's requests, held against what their headers say of them while they pass.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>; codes and words of the refusals as in
//! <https://github.com/versity/versitygw/blob/main/s3err/s3err.go>, which is tested against AWS.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use sha2::{Digest, Sha256};

use super::reply::{self, Body, BodyError};
use super::request::{Protocol, text};

mod chunks;
mod stated;

use chunks::Chunks;
use stated::Stated;

/// What is wrong with a body, or with what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("Missing required header for this request: x-amz-content-sha256")]
    Unsaid,
    #[error(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    )]
    NoHash,
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    Hash,
    #[error("You must provide the Content-Length HTTP header.")]
    NoLength,
    #[error("You did not provide the number of bytes specified by the x-amz-decoded-content-length header.")]
    Length,
    #[error("The request body terminated unexpectedly")]
    Cut,
    #[error(
        "The request contained trailing data that was not well-formed or did not conform to our published schema."
    )]
    Trailer,
    #[error("The {0} you specified did not match the calculated checksum.")]
    Checksum(&'static str),
    #[error("Value for x-amz-checksum-{0} header is invalid.")]
    NoChecksum(&'static str),
    #[error("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")]
    Checksums,
    #[error("The Content-MD5 you specified did not match what we received.")]
    Md5,
    #[error("The Content-MD5 you specified was invalid.")]
    NoMd5,
}

impl Wrong {
    /// What S3 answers.
    pub fn answer(self) -> Response<Body> {
        let (status, code) = match self {
            Self::Unsaid | Self::NoChecksum(_) | Self::Checksums => {
                (StatusCode::BAD_REQUEST, "InvalidRequest")
            }
            Self::NoHash => (StatusCode::BAD_REQUEST, "InvalidArgument"),
            Self::Hash => (StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"),
            Self::NoLength => (StatusCode::LENGTH_REQUIRED, "MissingContentLength"),
            Self::Length | Self::Cut => (StatusCode::BAD_REQUEST, "IncompleteBody"),
            Self::Trailer => (StatusCode::BAD_REQUEST, "MalformedTrailerError"),
            Self::Checksum(_) | Self::Md5 => (StatusCode::BAD_REQUEST, "BadDigest"),
            Self::NoMd5 => (StatusCode::BAD_REQUEST, "InvalidDigest"),
        };
        reply::error(Protocol::RestXml, status, code, &self.to_string())
    }
}

/// What was found out about a body, once it has passed.
#[derive(Debug, Clone, Default)]
pub struct Finding(Arc<OnceLock<Wrong>>);

impl Finding {
    /// What is wrong with it.
    pub fn wrong(&self) -> Option<Wrong> {
        self.0.get().copied()
    }
}

/// A body of which the last part is handed on only if all of it is as promised: whoever takes it never has all of a wrong one.
/// `presigned`: the signature is in the query, and says nothing of the body.
pub fn checked(parts: &Parts, presigned: bool, body: Incoming) -> Result<(Body, Finding), Wrong> {
    let mut check = Check::of(&parts.headers, presigned)?;
    // <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>: it is of the object, not of the body.
    if parts.method == Method::POST && has_upload(parts.uri.query().unwrap_or_default()) {
        check.stated.forget_checksum();
    }
    let finding = Finding::default();
    if body.is_end_stream() {
        return match check.ended() {
            Some(wrong) => Err(wrong),
            None => Ok((reply::whole(Bytes::new()), finding)),
        };
    }
    let passing = Passing { body, check, held: None, finding: finding.clone() };
    Ok((passing.boxed(), finding))
}

struct Passing {
    body: Incoming,
    check: Check,
    held: Option<Frame<Bytes>>,
    finding: Finding,
}

impl hyper::body::Body for Passing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        this.check.take(data);
                    }
                    if let Some(before) = this.held.replace(frame) {
                        return Poll::Ready(Some(Ok(before)));
                    }
                }
                None => {
                    let Some(last) = this.held.take() else { return Poll::Ready(None) };
                    return Poll::Ready(Some(match this.check.ended() {
                        None => Ok(last),
                        Some(wrong) => Err((*this.finding.0.get_or_init(|| wrong)).into()),
                    }));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().and_then(|held| held.data_ref()).map_or(0, Bytes::len) as u64;
        self.body.size_hint().exact().map_or_else(SizeHint::default, |rest| SizeHint::with_exact(rest + held))
    }
}

/// Whether a request is about an upload in parts.
fn has_upload(query: &str) -> bool {
    query.split('&').any(|one| one.split('=').next() == Some("uploadId"))
}

/// What is promised of a body, and what it has come to so far.
struct Check {
    signed: Signed,
    stated: Stated,
}

/// What the signature says of it.
enum Signed {
    Nothing,
    Hash { promised: String, so_far: Sha256 },
    Chunks(Box<Chunks>),
}

impl Check {
    fn of(headers: &HeaderMap, presigned: bool) -> Result<Self, Wrong> {
        let signed = if presigned { Signed::Nothing } else { Signed::of(headers)? };
        Ok(Self { signed, stated: Stated::of(headers)? })
    }

    fn take(&mut self, data: &[u8]) {
        match &mut self.signed {
            Signed::Nothing => self.stated.take(data),
            Signed::Hash { so_far, .. } => {
                so_far.update(data);
                self.stated.take(data);
            }
            Signed::Chunks(chunks) => chunks.take(data, &mut self.stated),
        }
    }

    fn ended(&mut self) -> Option<Wrong> {
        let signed = match &mut self.signed {
            Signed::Nothing => None,
            Signed::Hash { promised, so_far } => {
                let found: String =
                    so_far.finalize_reset().iter().map(|byte| format!("{byte:02x}")).collect();
                (found != *promised).then_some(Wrong::Hash)
            }
            Signed::Chunks(chunks) => chunks.ended(),
        };
        signed.or_else(|| self.stated.ended())
    }
}

impl Signed {
    fn of(headers: &HeaderMap) -> Result<Self, Wrong> {
        let said = text(headers, "x-amz-content-sha256").ok_or(Wrong::Unsaid)?;
        match said {
            "UNSIGNED-PAYLOAD" => Ok(Self::Nothing),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
            | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
                Ok(Self::Chunks(Box::new(Chunks::of(headers, said.ends_with("-TRAILER"))?)))
            }
            hash if hash.len() == 64 && hash.bytes().all(|it| it.is_ascii_hexdigit()) => {
                Ok(Self::Hash { promised: hash.to_ascii_lowercase(), so_far: Sha256::new() })
            }
            _ => Err(Wrong::NoHash),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a body that comes in parts of so many bytes.
    fn ends(pairs: &[(&'static str, &str)], body: &str, apart: usize) -> Option<Wrong> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        let mut check = match Check::of(&headers, false) {
            Ok(check) => check,
            Err(wrong) => return Some(wrong),
        };
        body.as_bytes().chunks(apart).for_each(|part| check.take(part));
        check.ended()
    }

    const SHA: &str = "x-amz-content-sha256";
    /// Of `foobar`: what `sha256sum` prints, and `python3 -c 'import zlib, base64; …zlib.crc32(b"foobar")…'`.
    const HASH: &str = "c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2";
    const CRC32: &str = "nvYflQ==";

    #[test]
    fn a_body_is_what_its_hash_says() {
        for apart in [1, 4, 100] {
            assert_eq!(ends(&[(SHA, HASH)], "foobar", apart), None);
            assert_eq!(ends(&[(SHA, &HASH.to_uppercase())], "foobar", apart), None);
            assert_eq!(ends(&[(SHA, HASH)], "foobaR", apart), Some(Wrong::Hash));
            assert_eq!(ends(&[(SHA, HASH)], "", apart), Some(Wrong::Hash));
            assert_eq!(ends(&[(SHA, "UNSIGNED-PAYLOAD")], "foobaR", apart), None);
        }
        assert_eq!(ends(&[], "foobar", 9), Some(Wrong::Unsaid));
        assert_eq!(ends(&[(SHA, "STREAMING")], "foobar", 9), Some(Wrong::NoHash));
    }

    #[test]
    fn a_body_is_what_its_other_headers_say() {
        let plain = (SHA, "UNSIGNED-PAYLOAD");
        // What `python3 -c 'import hashlib, base64; …hashlib.md5(b"foobar")…'` prints.
        let md5 = ("content-md5", "OFj2IjCsPJFfMAxmQxLGPw==");
        let crc32 = ("x-amz-checksum-crc32", CRC32);
        for (stated, wrong) in [(md5, Wrong::Md5), (crc32, Wrong::Checksum("CRC32"))] {
            assert_eq!(ends(&[plain, stated], "foobar", 4), None);
            assert_eq!(ends(&[(SHA, HASH), stated], "foobar", 4), None);
            assert_eq!(ends(&[plain, stated], "foobaz", 4), Some(wrong));
            assert_eq!(ends(&[plain, stated], "", 4), Some(wrong));
            // Of what comes in pieces, it is said of what they hold.
            let signed = (SHA, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
            let all = [signed, ("x-amz-decoded-content-length", "6"), stated];
            assert_eq!(ends(&all, "6;chunk-signature=ab\r\nfoobar\r\n0;chunk-signature=cd\r\n\r\n", 4), None);
        }
        for value in ["bad", CRC32, "OFj2IjCsPJFfMAxmQxLGPw"] {
            assert_eq!(ends(&[plain, ("content-md5", value)], "", 1), Some(Wrong::NoMd5), "{value}");
        }
        let wide = ("x-amz-checksum-crc32", md5.1);
        assert_eq!(ends(&[plain, wide], "", 1), Some(Wrong::NoChecksum("crc32")));
        let sha1 = ("x-amz-checksum-sha1", "iEPX+SQWIR3p67lj/0zigSWTKHg=");
        assert_eq!(ends(&[plain, sha1], "foobar", 1), None);
        assert_eq!(ends(&[plain, sha1, crc32], "foobar", 1), Some(Wrong::Checksums));
        assert!(has_upload("a=b&uploadId=c") && !has_upload("delete=uploadId"));
    }

    #[test]
    fn pieces_are_whole_and_have_their_checksum() {
        let trails = (SHA, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        let length = ("x-amz-decoded-content-length", "6");
        let named = ("x-amz-trailer", "x-amz-checksum-crc32");
        let all = [trails, length, named];
        let good = format!("3\r\nfoo\r\n3\r\nbar\r\n0\r\nx-amz-checksum-crc32:{CRC32}\r\n\r\n");
        for apart in [1, 2, 5, 1000] {
            assert_eq!(ends(&all, &good, apart), None, "{apart}");
            assert_eq!(ends(&all, &good.replace("bar", "baR"), apart), Some(Wrong::Checksum("CRC32")));
            assert_eq!(ends(&all, &good.replace("3\r\nfoo\r\n", ""), apart), Some(Wrong::Length));
            assert_eq!(ends(&all, &good.replace("crc32:", "crc32c:"), apart), Some(Wrong::Trailer));
            for end in 1..good.len() - 2 {
                assert_eq!(ends(&all, &good[..end], apart), Some(Wrong::Cut), "{:?}", &good[..end]);
            }
            assert_eq!(ends(&all, "foobar", apart), Some(Wrong::Cut));
        }
        assert_eq!(ends(&[trails, named], &good, 9), Some(Wrong::NoLength));
        let signed = (SHA, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        let pieces = "6;chunk-signature=ab\r\nfoobar\r\n0;chunk-signature=cd\r\n\r\n";
        assert_eq!(ends(&[signed, length], pieces, 7), None);
    }
}
