//! Signature Version 4 as a service checks it: what a request claims, and whether the key that it names signed it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::{HeaderMap, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::keys::same;
use super::request::{parameter, text};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What AWS leaves as it is when it encodes a text for a URL.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How far a request's time may be off: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> says 15 minutes.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// For how long a presigned URL is good at most.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What a request says of itself, in its Authorization header or in its query.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The access key's id.
    pub key: String,
    /// The region it is signed for; a signature for several regions names none.
    pub region: Option<String>,
    /// The service it is signed for.
    pub service: String,
    /// The session token, of temporary credentials.
    pub token: Option<Cow<'a, str>>,
    algorithm: Cow<'a, str>,
    day: String,
    time: Cow<'a, str>,
    headers: Cow<'a, str>,
    signature: Cow<'a, str>,
    /// For how many seconds a presigned URL is good.
    expires: Option<Cow<'a, str>>,
}

/// Why a signature is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It is not what the key makes of this request.
    Wrong,
    /// The request's time is too far from now.
    Skewed,
    /// The presigned URL was good for a shorter time.
    Expired,
}

/// A request as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    /// All of it, but for S3, whose bodies are held against the signed hash as they pass.
    pub body: &'a [u8],
}

impl<'a> Claim<'a> {
    /// Reads it; nothing for a request that is not signed, or not in this way.
    #[must_use]
    pub fn of(query: &'a str, headers: &'a HeaderMap) -> Option<Self> {
        let from_query = |name| parameter(query.as_bytes(), name);
        let signed = text(headers, header::AUTHORIZATION.as_str()).and_then(|it| it.split_once(' '));
        let (algorithm, credential, names, signature, time, token, expires) = match signed {
            Some((algorithm, rest)) => {
                let part = |name: &str| {
                    rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                };
                let credential = Cow::Borrowed(part("Credential")?);
                let (names, signature) =
                    (part("SignedHeaders").unwrap_or_default(), part("Signature").unwrap_or_default());
                let time = text(headers, "x-amz-date").unwrap_or_default();
                let token = text(headers, "x-amz-security-token").map(Cow::Borrowed);
                (algorithm.into(), credential, names.into(), signature.into(), time.into(), token, None)
            }
            None => (
                from_query("X-Amz-Algorithm").unwrap_or_default(),
                from_query("X-Amz-Credential")?,
                from_query("X-Amz-SignedHeaders").unwrap_or_default(),
                from_query("X-Amz-Signature").unwrap_or_default(),
                from_query("X-Amz-Date").unwrap_or_default(),
                from_query("X-Amz-Security-Token"),
                Some(from_query("X-Amz-Expires").unwrap_or_default()),
            ),
        };
        let parts: Vec<&str> = credential.split('/').collect();
        let (key, day, region, service) = match parts.as_slice() {
            [key, day, region, service, "aws4_request"] => (key, day, Some((*region).to_owned()), service),
            [key, day, service, "aws4_request"] => (key, day, None, service),
            _ => return None,
        };
        let (key, day, service) = ((*key).to_owned(), (*day).to_owned(), (*service).to_owned());
        Some(Self { key, region, service, token, algorithm, day, time, headers: names, signature, expires })
    }

    /// Whether it is made in the query, of which nobody who signs it knows the body.
    pub fn is_presigned(&self) -> bool {
        self.expires.is_some()
    }

    /// Checks that whoever has the secret signed this request, and not too long ago.
    pub fn check(&self, received: &Received<'_>, secret: &str, now: SystemTime) -> Result<(), Flaw> {
        let (Some(region), Some(time)) = (&self.region, self.signed_at()) else { return Err(Flaw::Wrong) };
        let names: Vec<&str> = self.headers.split(';').collect();
        // Without the host, a request to one service would be good for another.
        if self.algorithm != ALGORITHM || !names.contains(&"host") {
            return Err(Flaw::Wrong);
        }
        let scope = format!("{}/{region}/{}/aws4_request", self.day, self.service);
        let key = generate_signing_key(secret, time, region, &self.service);
        let signed_for = |host: &String| {
            let canonical = hex(self.canonical(received, &names, host).as_bytes());
            let string = format!("{ALGORITHM}\n{}\n{scope}\n{canonical}", self.time);
            same(&calculate_signature(&key, string.as_bytes()), &self.signature)
        };
        if !hosts(received.headers).iter().any(signed_for) {
            return Err(Flaw::Wrong);
        }
        let age = now.duration_since(time).unwrap_or_default();
        let ahead = time.duration_since(now).unwrap_or_default();
        match &self.expires {
            None if age.max(ahead) > SKEW => Err(Flaw::Skewed),
            None => Ok(()),
            Some(expires) => match expires.parse().map(Duration::from_secs) {
                Ok(limit) if age <= limit.min(WEEK) && ahead <= SKEW => Ok(()),
                _ => Err(Flaw::Expired),
            },
        }
    }

    /// When it was signed; nothing if that is no time, or on another day than the key's.
    fn signed_at(&self) -> Option<SystemTime> {
        let digits = self.time.strip_suffix('Z')?.split_once('T')?;
        let ((Some([year, month, day]), Some([hour, minute, second])), true) =
            ((parts(digits.0, [4, 2, 2]), parts(digits.1, [2, 2, 2])), digits.0 == self.day)
        else {
            return None;
        };
        let written = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
        SystemTime::try_from(DateTime::from_str(&written, Format::DateTime).ok()?).ok()
    }

    /// The request in the one form that both sides hash.
    fn canonical(&self, received: &Received<'_>, names: &[&str], host: &str) -> String {
        let Received { method, path, query, headers, body } = received;
        let path = if self.service == "s3" { (*path).into() } else { twice_encoded(path) };
        let mut pairs: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (encoded_anew(name), encoded_anew(value)))
            .filter(|(name, _)| self.expires.is_none() || name != "X-Amz-Signature")
            .collect();
        pairs.sort();
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let line = |name: &&str| match *name {
            "host" => format!("host:{host}\n"),
            name => {
                let values =
                    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
                let values: Vec<String> = values
                    .map(|it| it.split(' ').filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" "))
                    .collect();
                format!("{name}:{}\n", values.join(","))
            }
        };
        let lines: String = names.iter().map(line).collect();
        let payload = match (self.service.as_str(), &self.expires) {
            ("s3", Some(_)) => "UNSIGNED-PAYLOAD".into(),
            ("s3", None) => text(headers, "x-amz-content-sha256").unwrap_or_default().to_owned(),
            _ => hex(body),
        };
        format!("{method}\n{path}\n{}\n{lines}\n{}\n{payload}", pairs.join("&"), self.headers)
    }
}

/// The hosts that the client may have called it by. A proxy may have put another into the request, and says so; whatever host is tried,
/// only who has the secret can have signed it.
fn hosts(headers: &HeaderMap) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    let mut add = |host: &str| {
        if !host.is_empty() && !hosts.iter().any(|it| it == host) {
            hosts.push(host.to_owned());
        }
    };
    let first =
        |name: &str| text(headers, name).and_then(|it| it.split(',').next()).unwrap_or_default().trim();
    add(first("host"));
    let forwarded = first("forwarded").split(';').find_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim_matches('"'))
    });
    for host in [first("x-forwarded-host"), forwarded.unwrap_or_default()] {
        add(host);
        // Some name the port apart, or not at all where it is the one that they forward to.
        let ports = [first("x-forwarded-port"), first("host").rsplit_once(':').map_or("", |(_, port)| port)];
        for port in ports.iter().filter(|port| !host.is_empty() && !port.is_empty()) {
            add(&format!("{host}:{port}"));
        }
    }
    hosts
}

/// Every service but S3 signs a path without its detours, encoded once more than it is sent.
fn twice_encoded(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(kept.pop()),
            part => kept.push(part),
        }
    }
    let last = if kept.is_empty() || !path.ends_with('/') { "" } else { "/" };
    let encoded: Vec<String> =
        kept.into_iter().map(|part| utf8_percent_encode(part, ESCAPED).to_string()).collect();
    format!("/{}{last}", encoded.join("/"))
}

fn encoded_anew(text: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    percent_encoding::percent_encode(&decoded, ESCAPED).to_string()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Cuts digits into numbers of so many; nothing if there are more, fewer, or something else.
fn parts<const N: usize>(mut digits: &str, lengths: [usize; N]) -> Option<[&str; N]> {
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) || digits.len() != lengths.iter().sum::<usize>() {
        return None;
    }
    Some(lengths.map(|length| {
        let (part, rest) = digits.split_at(length);
        digits = rest;
        part
    }))
}

#[cfg(test)]
mod tests;
