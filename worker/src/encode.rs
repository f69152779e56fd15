//! Compressed output: what the end of a name promises, is kept.
//!
//! The same bytes in make the same bytes out: nothing of the hour or the machine goes into them.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::decode::Coding;
use crate::place::{Error, Output, Place};

/// What zstd takes if nothing else is said.
const ZSTD_LEVEL: i32 = 3;

/// A stream of bytes to a place, packed as its name says.
pub struct Packed {
    name: String,
    output: Output,
    packer: Packer,
}

/// What is packed gathers in memory, and goes from there to the output at once.
enum Packer {
    Plain,
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

/// The content type of `place`, of which the content is `plain` where its name promises no compression.
pub fn content_type<'a>(place: &Place, plain: &'a str) -> &'a str {
    match Coding::of_name(place.file_name()) {
        Coding::Plain => plain,
        Coding::Gzip => "application/gzip",
        Coding::Zstd => "application/zstd",
    }
}

impl Packed {
    /// Packs what goes to `output`, which writes `place`.
    pub fn new(output: Output, place: &Place) -> Result<Packed, Error> {
        let packer = match Coding::of_name(place.file_name()) {
            Coding::Plain => Packer::Plain,
            Coding::Gzip => Packer::Gzip(GzEncoder::new(Vec::new(), Compression::default())),
            Coding::Zstd => {
                let encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL);
                let checked = encoder.and_then(|mut encoder| {
                    encoder.include_checksum(true)?;
                    Ok(encoder)
                });
                Packer::Zstd(checked.map_err(|error| Error::io("write", place, &error))?)
            }
        };
        Ok(Packed { name: place.to_string(), output, packer })
    }

    /// Takes the next bytes. It may block.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (packed, result) = match &mut self.packer {
            Packer::Plain => return self.output.write(bytes),
            Packer::Gzip(encoder) => {
                let result = encoder.write_all(bytes);
                (encoder.get_mut(), result)
            }
            Packer::Zstd(encoder) => {
                let result = encoder.write_all(bytes);
                (encoder.get_mut(), result)
            }
        };
        result.map_err(|error| failed(&self.name, &error))?;
        self.output.write(packed)?;
        packed.clear();
        Ok(())
    }

    /// Writes what is still in the packer; the output shows only after its own end.
    pub fn end(mut self) -> Result<Output, Error> {
        let rest = match self.packer {
            Packer::Plain => Ok(Vec::new()),
            Packer::Gzip(encoder) => encoder.finish(),
            Packer::Zstd(encoder) => encoder.finish(),
        };
        self.output.write(&rest.map_err(|error| failed(&self.name, &error))?)?;
        Ok(self.output)
    }
}

fn failed(name: &str, error: &io::Error) -> Error {
    Error::io("write", name, error)
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").field("output", &self.output).finish_non_exhaustive()
    }
}
