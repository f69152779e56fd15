//! Bodies in pieces.

use aws_smithy_checksums::http::HttpChecksum;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};

use super::super::request::text;
use super::Wrong;
use super::stated::{KNOWN, Stated};

/// A body that comes in pieces, each with its size before it (`aws-chunked`), and a checksum behind the last.
///
/// The signatures of signed pieces are not looked at: no SDK that the sandbox is tried with signs them.
pub struct Chunks {
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
    /// `trails`: whether there is a trailer.
    pub fn of(headers: &HeaderMap, trails: bool) -> Result<Self, Wrong> {
        let length = text(headers, "x-amz-decoded-content-length").and_then(|it| it.parse().ok());
        let length = length
            .or_else(|| (text(headers, header::CONTENT_LENGTH.as_str())? == "0").then_some(0))
            .ok_or(Wrong::NoLength)?;
        let trailer = text(headers, "x-amz-trailer").filter(|_| trails).map(|name| {
            let name = name.trim().to_ascii_lowercase();
            let known = KNOWN.iter().find(|known| known.is(&name));
            (name, known.map_or("", |known| known.said), known.map(|known| known.algorithm.into_impl()))
        });
        let (line, sums) = (Vec::new(), Vec::new());
        Ok(Self { next: Next::Size, line, length, so_far: 0, trailer, trails, sums })
    }

    /// Takes more of the body, and hands on what the pieces hold.
    pub fn take(&mut self, mut data: &[u8], stated: &mut Stated) {
        while !data.is_empty() {
            if let Next::Data(left) = self.next {
                let size = usize::try_from(left).map_or(data.len(), |left| left.min(data.len()));
                let (piece, rest) = data.split_at(size);
                if let Some((_, _, Some(sum))) = &mut self.trailer {
                    sum.update(piece);
                }
                stated.take(piece);
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

    /// What is wrong with it, once all was taken.
    pub fn ended(&mut self) -> Option<Wrong> {
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
