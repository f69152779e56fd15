//! Bodies of S3's requests, held against what their headers say of them while they pass.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>; codes and words of the refusals as in
//! <https://github.com/versity/versitygw/blob/main/s3err/s3err.go>, which is tested against AWS.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use aws_smithy_checksums::ChecksumAlgorithm;
use aws_smithy_checksums::http::HttpChecksum;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use sha2::{Digest, Sha256};

use super::reply::{self, Body, BodyError};
use super::request::{Protocol, text};

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
}

impl Wrong {
    /// What S3 answers.
    pub fn answer(self) -> Response<Body> {
        let (status, code) = match self {
            Self::Unsaid => (StatusCode::BAD_REQUEST, "InvalidRequest"),
            Self::NoHash => (StatusCode::BAD_REQUEST, "InvalidArgument"),
            Self::Hash => (StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"),
            Self::NoLength => (StatusCode::LENGTH_REQUIRED, "MissingContentLength"),
            Self::Length | Self::Cut => (StatusCode::BAD_REQUEST, "IncompleteBody"),
            Self::Trailer => (StatusCode::BAD_REQUEST, "MalformedTrailerError"),
            Self::Checksum(_) => (StatusCode::BAD_REQUEST, "BadDigest"),
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
pub fn checked(headers: &HeaderMap, presigned: bool, body: Incoming) -> Result<(Body, Finding), Wrong> {
    let mut check = Check::of(headers, presigned)?;
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

/// What is promised of a body, and what it has come to so far.
enum Check {
    Nothing,
    Hash { promised: String, so_far: Sha256 },
    Chunks(Box<Chunks>),
}

impl Check {
    fn of(headers: &HeaderMap, presigned: bool) -> Result<Self, Wrong> {
        if presigned {
            return Ok(Self::Nothing);
        }
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

    fn take(&mut self, data: &[u8]) {
        match self {
            Self::Nothing => {}
            Self::Hash { so_far, .. } => so_far.update(data),
            Self::Chunks(chunks) => chunks.take(data),
        }
    }

    fn ended(&mut self) -> Option<Wrong> {
        match self {
            Self::Nothing => None,
            Self::Hash { promised, so_far } => {
                let found: String =
                    so_far.finalize_reset().iter().map(|byte| format!("{byte:02x}")).collect();
                (found != *promised).then_some(Wrong::Hash)
            }
            Self::Chunks(chunks) => chunks.ended(),
        }
    }
}

/// A body that comes in pieces, each with its size before it (`aws-chunked`), and a checksum behind the last.
///
/// The signatures of signed pieces are not looked at: no SDK that the sandbox is tried with signs them.
struct Chunks {
    next: Next,
    line: Vec<u8>,
    length: u64,
    so_far: u64,
    trailer: Option<Trailer>,
    /// Whether one comes at all.
    trails: bool,
    sums: Vec<(String, String)>,
}

/// The header's name that comes behind, how it is said, and what was computed.
type Trailer = (String, &'static str, Option<Box<dyn HttpChecksum>>);

/// What comes next.
enum Next {
    Size,
    Data(u64),
    /// The end of its line.
    After,
    Trailer,
    Nothing,
    /// It is in no form.
    Broken,
}

/// No line is longer.
const LONGEST_LINE: usize = 4096;

impl Chunks {
    fn of(headers: &HeaderMap, trails: bool) -> Result<Self, Wrong> {
        let length = text(headers, "x-amz-decoded-content-length").and_then(|it| it.parse().ok());
        let length = length
            .or_else(|| (text(headers, header::CONTENT_LENGTH.as_str())? == "0").then_some(0))
            .ok_or(Wrong::NoLength)?;
        let trailer = match text(headers, "x-amz-trailer").filter(|_| trails) {
            None => None,
            Some(name) => {
                let algorithm = name.trim().to_ascii_lowercase();
                let (said, algorithm) = match algorithm.strip_prefix("x-amz-checksum-") {
                    Some("crc32") => ("CRC32", Some(ChecksumAlgorithm::Crc32)),
                    Some("crc32c") => ("CRC32C", Some(ChecksumAlgorithm::Crc32c)),
                    Some("crc64nvme") => ("CRC64NVME", Some(ChecksumAlgorithm::Crc64Nvme)),
                    Some("sha1") => ("SHA1", Some(ChecksumAlgorithm::Sha1)),
                    Some("sha256") => ("SHA256", Some(ChecksumAlgorithm::Sha256)),
                    _ => ("", None),
                };
                Some((name.trim().to_ascii_lowercase(), said, algorithm.map(ChecksumAlgorithm::into_impl)))
            }
        };
        let (line, sums) = (Vec::new(), Vec::new());
        Ok(Self { next: Next::Size, line, length, so_far: 0, trailer, trails, sums })
    }

    fn take(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            if let Next::Data(left) = self.next {
                let size = usize::try_from(left).map_or(data.len(), |left| left.min(data.len()));
                let (piece, rest) = data.split_at(size);
                if let Some((_, _, Some(sum))) = &mut self.trailer {
                    sum.update(piece);
                }
                self.so_far += size as u64;
                let left = left - size as u64;
                self.next = if left == 0 { Next::After } else { Next::Data(left) };
                data = rest;
                continue;
            }
            let end = data.iter().position(|byte| *byte == b'\n');
            let (part, rest) = data.split_at(end.map_or(data.len(), |end| end + 1));
            self.line.extend_from_slice(part);
            data = rest;
            if self.line.len() > LONGEST_LINE {
                self.next = Next::Broken;
                self.line.clear();
            } else if end.is_some() {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                self.next = self.after_line(line.trim_end_matches(['\r', '\n']));
            }
        }
    }

    fn after_line(&mut self, line: &str) -> Next {
        match self.next {
            Next::Size => match u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16) {
                Ok(0) => Next::Trailer,
                Ok(size) => Next::Data(size),
                Err(_) => Next::Broken,
            },
            Next::After if line.is_empty() => Next::Size,
            Next::Trailer if line.is_empty() => Next::Nothing,
            Next::Trailer => match line.split_once(':') {
                Some((name, value)) => {
                    self.sums.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                    Next::Trailer
                }
                None => Next::Broken,
            },
            Next::Nothing if line.is_empty() => Next::Nothing,
            _ => Next::Broken,
        }
    }

    fn ended(&mut self) -> Option<Wrong> {
        let is_whole = matches!(self.next, Next::Nothing)
            // Without a trailer the last size may be the end; and nothing at all may come in no pieces.
            || (matches!(self.next, Next::Trailer) && !self.trails)
            || (matches!(self.next, Next::Size) && self.length == 0 && self.trailer.is_none());
        if !is_whole || !self.line.is_empty() {
            return Some(Wrong::Cut);
        }
        if self.so_far != self.length {
            return Some(Wrong::Length);
        }
        let (name, said, sum) = self.trailer.as_mut()?;
        let Some((_, promised)) = self.sums.iter().find(|(found, _)| found == name) else {
            return Some(Wrong::Trailer);
        };
        let found = sum.take().map(|sum| BASE64_STANDARD.encode(sum.finalize()));
        found.filter(|found| found != promised).map(|_| Wrong::Checksum(said))
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
