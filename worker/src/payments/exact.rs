//! A sum of which nothing is lost.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::number::{Long, MAX_PLACES, multiply_and_add};

/// How many decimal digits a limb has, and how many of them in all: places for every number that is taken, and digits before the
/// point for 2^64 of the largest doubles.
const DIGITS: usize = 18;
const PLACES: usize = MAX_PLACES.next_multiple_of(DIGITS);
const WHOLE: usize = 360;
const LIMBS: usize = (PLACES + WHOLE) / DIGITS;

/// 10^18, the first that a limb does not hold once carries are made.
const LIMB: i128 = 1_000_000_000_000_000_000;

/// How many limbs of 32 bits the sum of doubles has. The lowest bit of all is worth 2^-1074.
const BITS: usize = 32;
const BINARY: usize = 2046usize.div_ceil(BITS) + 2;

/// The sum of numbers within the range of doubles, exactly: the order in which they come and the parts that were added up first
/// make no difference.
///
/// A fixed-point number, once in decimal limbs and once in binary ones. Carries are made only when it is read: a limb has
/// room for 2^64 numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Exact {
    decimal: [i128; LIMBS],
    binary: [i128; BINARY],
}

impl Default for Exact {
    fn default() -> Exact {
        Exact { decimal: [0; LIMBS], binary: [0; BINARY] }
    }
}

impl Exact {
    /// Adds a finite double.
    #[inline]
    pub fn add_double(&mut self, value: f64) {
        let bits = value.to_bits();
        let (exponent, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
        // Without an exponent there is no hidden bit, and the unit is that of the exponent 1.
        let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        let shift = usize::try_from(exponent.max(1) - 1).unwrap_or(0);
        let mut rest = u128::from(mantissa) << (shift % BITS);
        for limb in self.binary.iter_mut().skip(shift / BITS).take(3) {
            let low = (rest & u128::from(u32::MAX)).cast_signed();
            *limb += if value.is_sign_negative() { -low } else { low };
            rest >>= BITS;
        }
    }

    /// Adds a long decimal.
    pub fn add_long(&mut self, long: &Long) {
        let (negative, digits, scale) = long.parts();
        let lowest = i64::try_from(PLACES).unwrap_or(0) - scale;
        self.add_digits(negative, digits, usize::try_from(lowest).unwrap_or(0));
    }

    /// Adds `digits / 10^scale`, of at most 18 places.
    pub fn add_decimal(&mut self, digits: i128, scale: usize) {
        let text = digits.unsigned_abs().to_string();
        self.add_digits(digits < 0, text.as_bytes(), PLACES.saturating_sub(scale));
    }

    /// Adds digits as ASCII, of which the last stands at place `lowest`.
    fn add_digits(&mut self, negative: bool, digits: &[u8], lowest: usize) {
        let (mut at, mut power) = (lowest, 10i64.pow((lowest % DIGITS) as u32));
        for digit in digits.iter().rev() {
            let part = i128::from(i64::from(digit.wrapping_sub(b'0')) * power);
            if let Some(limb) = self.decimal.get_mut(at / DIGITS) {
                *limb += if negative { -part } else { part };
            }
            at += 1;
            power = if at % DIGITS == 0 { 1 } else { power * 10 };
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Exact) {
        self.decimal.iter_mut().zip(&other.decimal).for_each(|(ours, theirs)| *ours += theirs);
        self.binary.iter_mut().zip(&other.binary).for_each(|(ours, theirs)| *ours += theirs);
    }

    /// The double nearest to the sum; infinite if that is beyond their range.
    pub fn value(&self) -> f64 {
        // The standard library's reading of decimal text is correctly rounded, whatever its length.
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

/// All digits of the sum.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut limbs = self.decimal;
        let (negative, binary) = carried(self.binary, 1 << BITS);
        for (limb, part) in limbs.iter_mut().zip(in_decimal(&binary)) {
            *limb += if negative { -i128::from(part) } else { i128::from(part) };
        }
        let (negative, limbs) = carried(limbs, LIMB);
        let digits: String = limbs.iter().rev().map(|limb| format!("{limb:018}")).collect();
        let (whole, fraction) = digits.split_at(WHOLE);
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let sign = if negative { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

impl From<Exact> for String {
    fn from(exact: Exact) -> String {
        exact.to_string()
    }
}

impl TryFrom<String> for Exact {
    type Error = String;

    fn try_from(text: String) -> Result<Exact, String> {
        text.parse()
    }
}

impl FromStr for Exact {
    type Err = String;

    fn from_str(text: &str) -> Result<Exact, String> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = format!("{whole}{fraction}");
        let fits = whole.len() < WHOLE && fraction.len() <= PLACES;
        if !fits || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("it is no sum".to_owned());
        }
        let mut exact = Exact::default();
        exact.add_digits(text.starts_with('-'), digits.as_bytes(), PLACES - fraction.len());
        Ok(exact)
    }
}

/// The same number with limbs from 0 to below `limit`, and whether it is below zero.
fn carried<const N: usize>(limbs: [i128; N], limit: i128) -> (bool, [i128; N]) {
    let carry = |mut limbs: [i128; N]| {
        let mut carry = 0;
        for limb in &mut limbs {
            let sum = *limb + carry;
            (*limb, carry) = (sum.rem_euclid(limit), sum.div_euclid(limit));
        }
        (carry < 0, limbs)
    };
    match carry(limbs) {
        (true, _) => (true, carry(limbs.map(|limb| -limb)).1),
        positive => positive,
    }
}

/// Binary limbs as decimal ones: of N × 2^-1074, the digits of N × 5^1074 × 10^-1074.
fn in_decimal(binary: &[i128; BINARY]) -> Vec<u64> {
    let mut limbs = Vec::new();
    for limb in binary.iter().rev().skip_while(|limb| **limb == 0) {
        multiply_and_add(&mut limbs, 1 << BITS, u64::try_from(*limb).unwrap_or(0));
    }
    if !limbs.is_empty() {
        // As many fives at once as 32 bits hold.
        let fives = std::iter::repeat_n(5u64.pow(13), MAX_PLACES / 13);
        let rest = [5u64.pow((MAX_PLACES % 13) as u32), 10u64.pow((PLACES - MAX_PLACES) as u32)];
        fives.chain(rest).for_each(|factor| multiply_and_add(&mut limbs, factor, 0));
    }
    limbs
}
