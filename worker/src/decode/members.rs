//! gzip members and zstd frames in a row, and what may stand behind the last one.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::packed::Packed;
use super::{Coding, ZSTD_WINDOW};

/// One member or frame that is being unpacked.
pub(super) trait Member: Read + Sized {
    const CODING: Coding;

    fn begin(packed: Packed) -> io::Result<Self>;

    /// What stands behind it.
    fn rest(self) -> Packed;
}

impl Member for GzDecoder<Packed> {
    const CODING: Coding = Coding::Gzip;

    fn begin(packed: Packed) -> io::Result<Self> {
        Ok(GzDecoder::new(packed))
    }

    fn rest(self) -> Packed {
        self.into_inner()
    }
}

impl Member for ZstdDecoder<'static, Packed> {
    const CODING: Coding = Coding::Zstd;

    fn begin(packed: Packed) -> io::Result<Self> {
        let mut decoder = ZstdDecoder::with_buffer(packed)?.single_frame();
        decoder.window_log_max(ZSTD_WINDOW)?;
        Ok(decoder)
    }

    fn rest(self) -> Packed {
        self.finish()
    }
}

/// Unpacks all members of a stream.
pub(super) struct Members<M: Member> {
    /// The member that is being unpacked; none after the last.
    member: Option<M>,
}

/// The data is whole, but something stands behind it that is not of its kind.
#[derive(Debug, thiserror::Error)]
#[error("something else stands behind the {} data, from byte {at} on (counted from 0)", .coding.name())]
pub(super) struct Behind {
    coding: Coding,
    at: u64,
}

impl<M: Member> Members<M> {
    pub(super) fn new(packed: Packed) -> io::Result<Members<M>> {
        Ok(Members { member: Some(M::begin(packed)?) })
    }
}

impl<M: Member> Read for Members<M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.member = match self.member.take().map(M::rest) {
                Some(packed) => next(packed)?,
                None => None,
            };
        }
        Ok(0)
    }
}

/// Passes over zeros, and says whether there were any.
fn skip_zeros(packed: &mut Packed) -> io::Result<bool> {
    let mut any = false;
    loop {
        let zeros = packed.fill_buf()?.iter().take_while(|byte| **byte == 0).count();
        if zeros == 0 {
            return Ok(any);
        }
        any = true;
        packed.consume(zeros);
    }
}

/// The next member; none at the end. Zeros may follow gzip, which tapes and some tools leave there.
fn next<M: Member>(mut packed: Packed) -> io::Result<Option<M>> {
    let padded = M::CODING == Coding::Gzip && skip_zeros(&mut packed)?;
    let head = packed.head()?;
    if head.is_empty() {
        return Ok(None);
    }
    if !padded && M::CODING.may_begin(head) {
        return Ok(Some(M::begin(packed)?));
    }
    let behind = Behind { coding: M::CODING, at: packed.position() };
    Err(io::Error::new(io::ErrorKind::InvalidData, behind))
}
