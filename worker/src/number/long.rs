//! Decimals of any length.

use std::fmt;

use super::{MAX_DIGITS, MAX_PLACES, Number, Refused, short_decimal};

/// How many digits before the point a double can have.
const MAX_WHOLE: i64 = 309;

/// More bytes than any decimal has that is in the range of doubles and has no more than [`MAX_PLACES`] places.
const MAX_BYTES: usize = 600;

/// 10^18.
const LIMB: u64 = 1_000_000_000_000_000_000;

/// A decimal with all its digits, within the range of doubles.
#[derive(Debug, Clone, PartialEq)]
pub struct Long {
    negative: bool,
    /// As ASCII; neither the first nor the last is zero.
    digits: Vec<u8>,
    /// How many of them are after the point; less than none if zeros follow.
    scale: i64,
    nearest: f64,
}

impl Long {
    /// The nearest double.
    pub fn nearest(&self) -> f64 {
        self.nearest
    }

    /// Whether it is below zero, its digits as ASCII, and how many of them are after the point.
    pub fn parts(&self) -> (bool, &[u8], i64) {
        (self.negative, &self.digits, self.scale)
    }
}

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "{sign}{}e{}", String::from_utf8_lossy(&self.digits), -self.scale)
    }
}

/// The number `digits / 10^scale`, in the shortest form; `digits` are ASCII.
pub(super) fn number(negative: bool, mut digits: Vec<u8>, mut scale: i64) -> Result<Number, Refused> {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    while digits.last() == Some(&b'0') {
        digits.pop();
        scale -= 1;
    }
    if digits.len() <= MAX_DIGITS {
        let size = digits.iter().fold(0, |size, digit| size * 10 + i64::from(digit - b'0'));
        if let Some(number) = short_decimal(if negative { -size } else { size }, scale) {
            return Ok(number);
        }
    }
    if i64::try_from(digits.len()).unwrap_or(i64::MAX).saturating_sub(scale) > MAX_WHOLE {
        return Err(Refused::TooLarge);
    }
    if scale > MAX_PLACES as i64 {
        return Err(Refused::TooFine);
    }
    let mut long = Long { negative, digits, scale, nearest: f64::INFINITY };
    // The standard library's reading of decimal text is correctly rounded, whatever its length.
    long.nearest = long.to_string().parse().unwrap_or(f64::INFINITY);
    if long.nearest.is_finite() { Ok(Number::Long(Box::new(long))) } else { Err(Refused::TooLarge) }
}

impl Number {
    /// The number `digits / 10^scale`, of digits in two's complement, the highest byte first.
    pub fn of_bytes(bytes: &[u8], scale: i64) -> Result<Number, Refused> {
        let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
        let filler = if negative { 0xff } else { 0 };
        let fillers = bytes.iter().take_while(|byte| **byte == filler).count();
        let bytes = bytes.get(fillers..).unwrap_or_default();
        if bytes.len() < 16 {
            let start: i128 = if negative { -1 } else { 0 };
            return Number::of_digits(
                bytes.iter().fold(start, |all, byte| all << 8 | i128::from(*byte)),
                scale,
            );
        }
        if bytes.len() > MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        // Of what is below zero, the size is one more than that of the other bits.
        let mut limbs = vec![0u64];
        for byte in bytes {
            multiply_and_add(&mut limbs, 256, u64::from(byte ^ filler));
        }
        if negative {
            multiply_and_add(&mut limbs, 1, 1);
        }
        let digits: String = limbs.iter().rev().map(|limb| format!("{limb:018}")).collect();
        number(negative, digits.into_bytes(), scale)
    }

    /// The number `digits / 10^scale`.
    pub fn of_digits(digits: i128, scale: i64) -> Result<Number, Refused> {
        if let Ok(digits) = i64::try_from(digits)
            && let Some(number) = short_decimal(digits, scale)
        {
            return Ok(number);
        }
        number(digits < 0, digits.unsigned_abs().to_string().into_bytes(), scale)
    }
}

/// `limbs × factor + more`, of limbs of eighteen digits, the lowest first. The factor has at most 32 bits.
pub(crate) fn multiply_and_add(limbs: &mut Vec<u64>, factor: u64, more: u64) {
    let mut carry = u128::from(more);
    for limb in limbs.iter_mut() {
        let product = u128::from(*limb) * u128::from(factor) + carry;
        *limb = (product % u128::from(LIMB)) as u64;
        carry = product / u128::from(LIMB);
    }
    if carry > 0 {
        limbs.push(carry as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    #[test]
    fn bytes_of_any_length_are_read_and_what_is_too_large_is_not() {
        assert_eq!(Number::of_bytes(&[0xff; 40], 1), Ok(Number::Decimal { digits: -1, scale: 1 }));
        assert_eq!(Number::of_bytes(&[0; 1000], 2), Ok(Number::Decimal { digits: 0, scale: 0 }));
        let mut large = [0; 200];
        large[0] = 1;
        assert_eq!(Number::of_bytes(&large, 10), Err(Refused::TooLarge));
        assert!(Number::of_bytes(&large, 200).is_ok());
        assert_eq!(Number::of_bytes(&[1; 601], MAX_PLACES as i64), Err(Refused::TooLarge));
        assert_eq!(Number::of_bytes(&[1; 20], 1200), Err(Refused::TooFine));
    }

    proptest! {
        #[test]
        fn bytes_are_the_number_that_num_bigint_reads(
            bytes in proptest::collection::vec(any::<u8>(), 1..100), scale in 0i64..60
        ) {
            let expected: f64 = format!("{}e-{scale}", BigInt::from_signed_bytes_be(&bytes)).parse().unwrap();
            prop_assert_eq!(Number::of_bytes(&bytes, scale).unwrap().to_double(), expected);
        }
    }
}
