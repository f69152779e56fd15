//! Changes to inputs, always the same for a seed.

/// The splitmix64 generator.
pub(super) struct Random(pub(super) u64);

/// What means something in one of the formats.
const WORDS: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"1e308",
    b"-1e308",
    b"5e-324",
    b"1e-1075",
    b"9007199254740993",
    b"0.1",
    b".",
    b"-",
    b"+",
    b" ",
    b"\t",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\0",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"null",
    b"\\u0000",
    b"\\ud800",
    b"\\",
    b"1",
    b"payment_type",
    b"payment_value",
    b"order_id",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"PAR1",
];

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// A number below `limit`, which is at least 1.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// One of the inputs, changed in a few places; `binary` ones mostly where Parquet says what all else means: at the end.
    pub(super) fn mutated(&mut self, inputs: &[Vec<u8>], binary: bool) -> Vec<u8> {
        let mut input = inputs[self.below(inputs.len())].clone();
        for _ in 0..1 + self.below(4) {
            let size = input.len();
            let at = match binary && self.below(4) > 0 {
                true => size.saturating_sub(1 + self.below(4000)),
                false => self.below(size + 1),
            };
            let end = (at + 1 + self.below(16)).min(size);
            match self.below(if binary { 4 } else { 7 }) {
                // In a binary format, what keeps the length goes further.
                0 | 1 if at < size => input[at] ^= 1 << self.below(8),
                2 if at < size => input[at] = self.next() as u8,
                3 => {
                    let word = WORDS[self.below(WORDS.len())];
                    let end = if binary { (at + word.len()).min(size) } else { at };
                    input.splice(at..end, word.iter().copied());
                }
                4 => drop(input.drain(at.min(end)..end)),
                5 => {
                    let part = input[at.min(end)..end].to_vec();
                    let to = self.below(size + 1);
                    input.splice(to..to, part);
                }
                _ => {
                    let other = &inputs[self.below(inputs.len())];
                    let from = self.below(other.len() + 1);
                    let to = (from + self.below(100)).min(other.len());
                    let part = other[from..to].to_vec();
                    input.splice(at..at, part);
                }
            }
        }
        input
    }
}
