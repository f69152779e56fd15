//! gzip: members in a row, and zeros behind the last one, which tapes and some tools leave there.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Unpacks all members of a stream.
pub(super) struct Members<R: BufRead> {
    /// The member that is being unpacked; none after the last.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(input: R) -> Members<R> {
        Members { member: Some(GzDecoder::new(input)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.member = match self.member.take().map(GzDecoder::into_inner) {
                Some(input) => next(input)?,
                None => None,
            };
        }
        Ok(0)
    }
}

/// The next member; none if only zeros follow.
fn next<R: BufRead>(mut input: R) -> io::Result<Option<GzDecoder<R>>> {
    let mut padded = false;
    loop {
        let bytes = input.fill_buf()?;
        let (read, zeros) = (bytes.len(), bytes.iter().take_while(|byte| **byte == 0).count());
        match (read == 0, zeros == read) {
            (true, _) => return Ok(None),
            (false, true) => {
                padded = true;
                input.consume(read);
            }
            (false, false) if padded || zeros > 0 => {
                let what = "there is something else behind zeros at its end";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            (false, false) => return Ok(Some(GzDecoder::new(input))),
        }
    }
}
