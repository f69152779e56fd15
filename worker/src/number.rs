//! What counts as a number in a field, and its exact value.
//!
//! The grammar, after spaces and tabs around it are dropped: an optional sign, digits with at most one point (at
//! least one digit on either side of it), an optional exponent (`e` or `E`, an optional sign, digits). So `12.5`,
//! ` 12.5 `, `-3`, `+3`, `.5`, `5.` and `1e3` are numbers, as they are for pandas. `inf`, `nan`, `NA`, `0x10`, `1_000`,
//! `1,000` and the empty field are not: pandas takes some of them for infinite or missing, which a payment can't be.
//! A number beyond the range of a double is not one either.

/// How many digits after the point a [`Number::Decimal`] can have.
pub const MAX_SCALE: usize = 18;

/// The most digits that always fit an `i64`.
const MAX_DIGITS: usize = 18;

/// The first powers of ten, which doubles hold exactly.
const POWERS: [f64; MAX_SCALE + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Exactly `digits / 10^scale`, with `scale <= MAX_SCALE`.
    Decimal {
        /// All digits, with the sign.
        digits: i64,
        /// How many of them are after the point.
        scale: usize,
    },
    /// A number with too many digits for the exact form: the nearest double, always finite.
    Double(f64),
}

impl Number {
    /// Reads a field; `None` if it is not a number of the grammar above.
    #[inline]
    pub fn read(field: &[u8]) -> Option<Number> {
        plain(field).or_else(|| any(field))
    }

    /// The nearest double.
    #[inline]
    pub fn to_double(self) -> f64 {
        match self {
            Number::Decimal { digits, scale } => match POWERS.get(scale) {
                // Both are exact doubles, so that the one division rounds correctly.
                Some(power) if digits.unsigned_abs() <= 1 << 53 => digits as f64 / power,
                _ => decimal_to_double(i128::from(digits), scale),
            },
            Number::Double(value) => value,
        }
    }
}

/// The double nearest to `digits / 10^scale`.
pub fn decimal_to_double(digits: i128, scale: usize) -> f64 {
    if scale == 0 {
        return digits as f64;
    }
    // The standard library's reading of decimal text is correctly rounded, whatever its length.
    format!("{digits}e-{scale}").parse().unwrap_or(f64::NAN)
}

/// The form that nearly every field has: digits, perhaps with a point. One pass, no second look.
#[inline]
fn plain(field: &[u8]) -> Option<Number> {
    if field.len() > MAX_DIGITS {
        return None;
    }
    let mut digits = 0i64;
    let mut point = None;
    for (at, &byte) in field.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            digits = digits * 10 + i64::from(digit);
        } else if byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    match point {
        None if field.is_empty() => None,
        None => Some(Number::Decimal { digits, scale: 0 }),
        Some(_) if field.len() == 1 => None,
        Some(at) => Some(Number::Decimal { digits, scale: field.len() - 1 - at }),
    }
}

/// Every other form: spaces, signs, exponents, many digits.
#[cold]
fn any(field: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\t']);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
    }
    let negative = mantissa.starts_with('-');
    exact(whole, fraction, exponent, negative).or_else(|| {
        let value: f64 = text.parse().ok()?;
        value.is_finite().then_some(Number::Double(value))
    })
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The decimal form, if `digits` fits it.
fn exact(whole: &str, fraction: &str, exponent: Option<&str>, negative: bool) -> Option<Number> {
    // The zeros at either end say nothing, and would only make a short number long.
    let fraction = fraction.trim_end_matches('0');
    let mut digits: i64 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        digits = digits.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
    }
    if negative {
        digits = -digits;
    }
    let exponent: i64 = exponent.unwrap_or("0").parse().ok()?;
    let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    if digits == 0 {
        return Some(Number::Decimal { digits: 0, scale: 0 });
    }
    if scale < 0 {
        let digits = digits.checked_mul(10i64.checked_pow(u32::try_from(-scale).ok()?)?)?;
        return Some(Number::Decimal { digits, scale: 0 });
    }
    let scale = usize::try_from(scale).ok().filter(|scale| *scale <= MAX_SCALE)?;
    Some(Number::Decimal { digits, scale })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(text: &str) -> Option<f64> {
        Number::read(text.as_bytes()).map(Number::to_double)
    }

    #[test]
    fn accepts_what_pandas_accepts() {
        let texts = ["12.5", " 12.5\t", "-3", "+3", ".5", "5.", "1e3", "1.5E-2", "-0.00", "007", "1e0003"];
        let values: Vec<_> = texts.iter().map(|text| value(text)).collect();
        let expected = [12.5, 12.5, -3.0, 3.0, 0.5, 5.0, 1000.0, 0.015, 0.0, 7.0, 1000.0].map(Some);
        assert_eq!(values, expected);
    }

    #[test]
    fn rejects_what_is_not_a_finite_decimal_number() {
        for text in [
            "", " ", ".", "-", "+", "e5", "1e", "1e+", "--1", "1.2.3", "1,5", "1_000", "0x10", "inf", "nan",
            "NaN", "NA", "1e400", "12a", "1 2", "\u{661}", "1e5.0", "- 1", "\u{a0}1",
        ] {
            assert_eq!(Number::read(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Number::read(b"\xff"), None);
    }

    #[test]
    fn keeps_decimals_exact_and_falls_back_to_the_nearest_double() {
        assert_eq!(Number::read(b"0.10"), Some(Number::Decimal { digits: 10, scale: 2 }));
        assert_eq!(Number::read(b"-0.10"), Some(Number::Decimal { digits: -1, scale: 1 }));
        assert_eq!(Number::read(b"12345678901234567890"), Some(Number::Double(12345678901234567890.0)));
        assert_eq!(Number::read(b"1e-300"), Some(Number::Double(1e-300)));
        assert_eq!(Number::read(b"1e-9999999999999999999"), Some(Number::Double(0.0)));
        assert_eq!(Number::read(b"0e99999"), Some(Number::Decimal { digits: 0, scale: 0 }));
    }

    proptest! {
        #[test]
        fn every_value_is_the_one_the_standard_library_reads(
            text in r"[+-]?([0-9]{1,24}|[0-9]{1,20}\.[0-9]{0,20}|\.[0-9]{1,20})([eE][+-]?[0-9]{1,2})?"
        ) {
            prop_assert_eq!(value(&text), Some(text.parse::<f64>().unwrap()));
        }

        #[test]
        fn any_bytes_are_read_or_rejected_without_a_panic(bytes: Vec<u8>) {
            let _ = Number::read(&bytes);
        }
    }
}
