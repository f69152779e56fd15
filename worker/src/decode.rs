//! Compressed input: told by its first bytes, and read as what it holds.
//!
//! gzip (several members in a row, too, and zeros behind them) and zstd (several frames, skippable ones among them). A name that ends with `.gz` or `.zst` promises one of them,
//! so that anything else under it is an error; without such a name the first bytes alone decide.

mod members;
mod packed;

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ahead::Ahead;
use crate::place::{Cause, Error, Input};
use members::{Behind, Member, Members};
use packed::Packed;

/// The largest zstd window, as a power of two: 8 MiB, which every tool must take. Only `--ultra` and `--long` make larger ones.
const ZSTD_WINDOW: u32 = 23;

/// How many bytes tell how a content is packed.
const HEAD: usize = 4;

/// How the bytes of a place are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// What the end of a name promises.
    pub fn of_name(name: &str) -> Coding {
        let name = name.to_ascii_lowercase();
        if name.ends_with(".gz") || name.ends_with(".gzip") {
            Coding::Gzip
        } else if name.ends_with(".zst") || name.ends_with(".zstd") {
            Coding::Zstd
        } else {
            Coding::Plain
        }
    }

    /// What the first four bytes of a content say.
    pub fn of_bytes(head: &[u8]) -> Coding {
        match head {
            [0x1f, 0x8b, ..] => Coding::Gzip,
            // A frame of data, or one to skip, as zstd's parallel tools begin with.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Coding::Zstd,
            _ => Coding::Plain,
        }
    }

    /// Whether these bytes are the beginning of a member or frame, be it cut off.
    fn may_begin(self, head: &[u8]) -> bool {
        let cut = |magic: &[u8]| head.len() < HEAD && magic.starts_with(head);
        let cut = match self {
            Coding::Plain => false,
            Coding::Gzip => cut(&[0x1f, 0x8b]),
            Coding::Zstd => {
                cut(&[0x28, 0xb5, 0x2f, 0xfd])
                    || matches!(head, [0x50..=0x5f] | [0x50..=0x5f, 0x2a] | [0x50..=0x5f, 0x2a, 0x4d])
            }
        };
        cut || Coding::of_bytes(head) == self
    }

    fn name(self) -> &'static str {
        match self {
            Coding::Plain => "plain",
            Coding::Gzip => "gzip",
            Coding::Zstd => "zstd",
        }
    }
}

/// A stream with its packing taken off.
pub struct Decoded {
    /// What to read.
    pub input: Box<dyn Input>,
    /// How it was packed.
    pub coding: Coding,
    /// How many bytes have been taken from the place itself so far.
    pub taken: Arc<AtomicU64>,
}

/// Looks at the first bytes of `input`, the content of the place called `name`, and unpacks it if they say so.
pub fn decoded(input: Box<dyn Input>, name: &str) -> Result<Decoded, Error> {
    let taken = Arc::new(AtomicU64::new(0));
    let mut input = Metered { input, taken: Arc::clone(&taken) };
    let mut head = [0; HEAD];
    let mut filled = 0;
    while let Some(free @ [_, ..]) = head.get_mut(filled..) {
        match input.read(free)? {
            0 => break,
            count => filled += count,
        }
    }
    let head = head.get(..filled).unwrap_or_default().to_vec();
    let (promised, coding) = (Coding::of_name(name), Coding::of_bytes(&head));
    if promised != Coding::Plain && promised != coding && !head.is_empty() {
        let what = format!("its name promises {0}, but it is not {0}", promised.name());
        return Err(Error::new("read", name, Cause::Refused, what));
    }
    let whole = Whole { head, at: 0, input };
    let input = match coding {
        Coding::Plain => Box::new(whole) as Box<dyn Input>,
        Coding::Gzip => unpacked::<flate2::bufread::GzDecoder<Packed>>(whole, name)?,
        Coding::Zstd => unpacked::<zstd::stream::read::Decoder<'static, Packed>>(whole, name)?,
    };
    Ok(Decoded { input, coding, taken })
}

/// Unpacking takes longer than most of what is done with the result: it gets a thread of its own.
fn unpacked<M: Member + Send + 'static>(whole: Whole, name: &str) -> Result<Box<dyn Input>, Error> {
    let members = Members::<M>::new(Packed::new(whole)).map_err(|error| Error::io("read", name, &error))?;
    let unpacked = Unpacked { decoder: Box::new(members), name: name.to_owned(), coding: M::CODING };
    Ok(Box::new(Ahead::new(Box::new(unpacked), name)))
}

/// Counts what is taken from a place.
struct Metered {
    input: Box<dyn Input>,
    taken: Arc<AtomicU64>,
}

impl Metered {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let count = self.input.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The bytes that were looked at, and all others.
struct Whole {
    head: Vec<u8>,
    at: usize,
    input: Metered,
}

impl Input for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let head = self.head.get(self.at..).unwrap_or_default();
        if head.is_empty() {
            return self.input.read(buffer);
        }
        let count = head.len().min(buffer.len());
        if let (Some(buffer), Some(head)) = (buffer.get_mut(..count), head.get(..count)) {
            buffer.copy_from_slice(head);
        }
        self.at += count;
        Ok(count)
    }

    fn size(&self) -> Option<u64> {
        self.input.input.size()
    }
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Input::read(self, buffer).map_err(io::Error::other)
    }
}

/// A decoder's output.
struct Unpacked {
    decoder: Box<dyn Read + Send>,
    name: String,
    coding: Coding,
}

impl Input for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.decoder.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| self.failure(error)),
            }
        }
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

impl Unpacked {
    /// The error of the place below, if it is one; else the data is bad.
    fn failure(&self, error: io::Error) -> Error {
        let coding = self.coding.name();
        let behind = error.get_ref().and_then(|inner| inner.downcast_ref::<Behind>());
        let what = match error.kind() {
            _ if behind.is_some() => error.to_string(),
            io::ErrorKind::UnexpectedEof => format!("the {coding} data is cut off"),
            _ if error.to_string().contains("too much memory") => {
                format!(
                    "unpacking takes more than {} MiB: pack it without --long and --ultra",
                    1 << (ZSTD_WINDOW - 20)
                )
            }
            _ => format!("the {coding} data is damaged: {error}"),
        };
        match error.into_inner().map(|inner| inner.downcast::<Error>()) {
            Some(Ok(place)) => *place,
            _ => Error::new("read", &self.name, Cause::Refused, what),
        }
    }
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoded").field("coding", &self.coding).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(text, 3).unwrap()
    }

    fn read(name: &str, bytes: Vec<u8>) -> Result<(Vec<u8>, u64), Error> {
        let mut decoded = decoded(Box::new(std::io::Cursor::new(bytes)), name)?;
        let mut text = Vec::new();
        let mut buffer = [0; 1000];
        loop {
            match decoded.input.read(&mut buffer)? {
                0 => return Ok((text, decoded.taken.load(Ordering::Relaxed))),
                count => text.extend_from_slice(&buffer[..count]),
            }
        }
    }

    impl Input for std::io::Cursor<Vec<u8>> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
            Read::read(self, buffer).map_err(|error| Error::io("read", "a test", &error))
        }

        fn size(&self) -> Option<u64> {
            None
        }
    }

    #[test]
    fn what_is_packed_is_told_by_its_first_bytes_whatever_its_name() {
        let text: Vec<u8> = (0..20_000u32).flat_map(|i| format!("line {i}\n").into_bytes()).collect();
        for packed in [gzip(&text), zstd(&text), text.clone()] {
            let size = packed.len() as u64;
            assert!(read("x.csv", packed).unwrap() == (text.clone(), size));
        }
        let twice = [gzip(&text), gzip(&text)].concat();
        assert!(read("x.csv.gz", twice).unwrap().0 == [text.clone(), text.clone()].concat());
        let twice = [zstd(&text), zstd(&text)].concat();
        assert!(read("x.csv.zst", twice).unwrap().0 == [text.clone(), text].concat());
        assert_eq!(read("x.csv.gz", Vec::new()).unwrap().0, b"");
        assert_eq!(read("x.csv", b"ab".to_vec()).unwrap().0, b"ab");
    }

    #[test]
    fn what_other_tools_put_around_the_data_is_no_part_of_it() {
        let text = b"a,b\n1,2\n".repeat(1000);
        let skipped = |size: u32| {
            [&[0x5e, 0x2a, 0x4d, 0x18], &size.to_le_bytes()[..], &vec![7; size as usize]].concat()
        };
        let skippable = [skipped(3), zstd(&text), skipped(0), zstd(&text)].concat();
        assert!(read("x.zst", skippable.clone()).unwrap().0 == text.repeat(2));
        assert!(read("x", skippable).unwrap().0 == text.repeat(2));
        let padded = |zeros: usize| [gzip(&text), gzip(b""), gzip(&text), vec![0; zeros]].concat();
        for zeros in [0, 1, 511, (256 << 10) + 1] {
            assert!(read("x.gz", padded(zeros)).unwrap().0 == text.repeat(2), "{zeros}");
        }
    }

    #[test]
    fn what_stands_behind_whole_data_is_told_as_what_it_is() {
        let text = b"a,b\n1,2\n".repeat(1000);
        let with = |name: &str, packed: Vec<u8>, more: &[u8]| {
            let end = packed.len();
            let error = read(name, [packed, more.to_vec()].concat()).unwrap_err().to_string();
            error
                .replace(&format!("byte {end} "), "byte END ")
                .replace(&format!("byte {} ", end + 1), "byte END + 1 ")
        };
        let outcomes = [
            with("x.gz", gzip(&text), b"x"),
            with("x.gz", gzip(&text), b"garbage"),
            with("x.gz", gzip(&text), b"\0x"),
            with("x.gz", gzip(&text), &[&[0], &gzip(b"a")[..]].concat()),
            with("x.gz", gzip(&text), &[0x1f]),
            with("x.gz", gzip(&text), &[0x1f, 0x8b, 8]),
            with("x.gz", gzip(&text), &[0x1f, b'x']),
            with("x.zst", zstd(&text), b"x"),
            with("x.zst", zstd(&text), b"garbage"),
            with("x.zst", zstd(&text), b"\0"),
            with("x.zst", zstd(&text), &[0x28, 0xb5]),
            with("x.zst", zstd(&text), &[0x5e, 0x2a, 0x4d, 0x18, 9]),
        ];
        insta::assert_snapshot!(outcomes.join("\n"), @r"
        read x.gz: something else stands behind the gzip data, from byte END on (counted from 0)
        read x.gz: something else stands behind the gzip data, from byte END on (counted from 0)
        read x.gz: something else stands behind the gzip data, from byte END + 1 on (counted from 0)
        read x.gz: something else stands behind the gzip data, from byte END + 1 on (counted from 0)
        read x.gz: the gzip data is cut off
        read x.gz: the gzip data is cut off
        read x.gz: something else stands behind the gzip data, from byte END on (counted from 0)
        read x.zst: something else stands behind the zstd data, from byte END on (counted from 0)
        read x.zst: something else stands behind the zstd data, from byte END on (counted from 0)
        read x.zst: something else stands behind the zstd data, from byte END on (counted from 0)
        read x.zst: the zstd data is cut off
        read x.zst: the zstd data is cut off
        ");
    }

    #[test]
    fn a_window_that_takes_too_much_memory_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(24).unwrap();
        encoder.write_all(b"a,b\n").unwrap();
        insta::assert_snapshot!(read("x.zst", encoder.finish().unwrap()).unwrap_err(), @"read x.zst: unpacking takes more than 8 MiB: pack it without --long and --ultra");
    }

    #[test]
    fn every_level_without_ultra_is_unpacked() {
        let text: Vec<u8> = (0..2_000_000u32).flat_map(u32::to_le_bytes).collect();
        let packed = zstd::stream::encode_all(&text[..1 << 20], 19).unwrap();
        assert!(read("x.zst", packed).unwrap().0 == text[..1 << 20]);
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(23).unwrap();
        encoder.write_all(&text).unwrap();
        assert!(read("x.zst", encoder.finish().unwrap()).unwrap().0 == text);
    }

    #[test]
    fn what_is_cut_off_damaged_or_misnamed_is_refused() {
        let text = b"a,b\n1,2\n".repeat(1000);
        let cut = |packed: Vec<u8>| packed[..packed.len() - 9].to_vec();
        let mut damaged = gzip(&text);
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        let outcomes = [
            read("a.csv.gz", cut(gzip(&text))),
            read("a.csv.zst", cut(zstd(&text))),
            read("a.csv.gz", damaged),
            read("a.csv.gz", text.clone()),
            read("a.csv.ZST", gzip(&text)),
        ];
        let outcomes = outcomes.map(|outcome| outcome.unwrap_err().to_string());
        insta::assert_snapshot!(outcomes.join("\n"), @r"
        read a.csv.gz: the gzip data is cut off
        read a.csv.zst: the zstd data is cut off
        read a.csv.gz: the gzip data is damaged: corrupt gzip stream does not have a matching checksum
        read a.csv.gz: its name promises gzip, but it is not gzip
        read a.csv.ZST: its name promises zstd, but it is not zstd
        ");
    }
}
