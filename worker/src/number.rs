//! What counts as a number in a field, and its exact value.
//!
//! The grammar, after spaces and tabs around it are dropped: an optional sign, digits with at most one point (at
//! least one digit on either side of it), an optional exponent (`e` or `E`, an optional sign, digits). So `12.5`,
//! ` 12.5 `, `-3`, `+3`, `.5`, `5.` and `1e3` are numbers, as they are for pandas. `inf`, `nan`, `NA`, `0x10`, `1_000`,
//! `1,000` and the empty field are not: pandas takes some of them for infinite or missing, which a payment can't be.
//! A number beyond the range of a double is not one either, nor one with more decimal places than any double has: what may
//! come is bounded, so that the memory for an exact sum is.

mod long;

pub use long::Long;
pub(crate) use long::multiply_and_add;

/// How many digits after the point a [`Number::Decimal`] can have.
pub const MAX_SCALE: usize = 18;

/// The most digits that always fit an `i64`.
const MAX_DIGITS: usize = 18;

/// The first powers of ten, which doubles hold exactly.
const POWERS: [f64; MAX_SCALE + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// How many digits after the point a number can have: as many as the smallest double, 2^-1074, when it is written out.
pub const MAX_PLACES: usize = 1074;

/// 10^18.
const POWER_18: i64 = 1_000_000_000_000_000_000;

/// The value of a field, exactly.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    /// Exactly `digits / 10^scale`, with `scale <= MAX_SCALE`.
    Decimal {
        /// All digits, with the sign.
        digits: i64,
        /// How many of them are after the point.
        scale: usize,
    },
    /// What a format stores as a double, always finite.
    Double(f64),
    /// A decimal with more digits than [`Number::Decimal`] has room for.
    Long(Box<Long>),
}

/// Why a field is no number that can be added; completes a sentence that begins with the field.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Refused {
    /// It is not of the grammar.
    #[error("is not a number")]
    NotANumber,
    /// No double is as large.
    #[error("is beyond the range of a double")]
    TooLarge,
    /// An exact sum would be too long.
    #[error("has more than {MAX_PLACES} decimal places")]
    TooFine,
}

impl Number {
    /// Reads a field of the grammar above.
    #[inline]
    pub fn read(field: &[u8]) -> Result<Number, Refused> {
        match plain(field) {
            Some(number) => Ok(number),
            None => any(field),
        }
    }

    /// The nearest double.
    #[inline]
    pub fn to_double(&self) -> f64 {
        match self {
            Number::Decimal { digits, scale } => decimal_to_double(*digits, *scale),
            Number::Double(value) => *value,
            Number::Long(long) => long.nearest(),
        }
    }
}

/// The double nearest to a field of the grammar above, also where it has more decimal places than can be added.
#[inline]
pub fn nearest(field: &[u8]) -> Result<f64, Refused> {
    match Number::read(field) {
        Ok(number) => Ok(number.to_double()),
        Err(Refused::TooFine) => {
            let text = std::str::from_utf8(field).map_err(|_| Refused::NotANumber)?;
            text.trim_matches([' ', '\t']).parse().map_err(|_| Refused::NotANumber)
        }
        Err(refused) => Err(refused),
    }
}

/// The double nearest to `digits / 10^scale`.
#[inline]
pub fn decimal_to_double(digits: i64, scale: usize) -> f64 {
    match POWERS.get(scale) {
        // Both are exact doubles, so that the one division rounds correctly.
        Some(power) if digits.unsigned_abs() <= 1 << 53 => digits as f64 / power,
        // The standard library's reading of decimal text is correctly rounded, whatever its length.
        _ => format!("{digits}e-{scale}").parse().unwrap_or(f64::NAN),
    }
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
fn any(field: &[u8]) -> Result<Number, Refused> {
    let text = std::str::from_utf8(field).map_err(|_| Refused::NotANumber)?.trim_matches([' ', '\t']);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return Err(Refused::NotANumber);
    }
    let exponent = exponent.map_or(Some(0), read_exponent).ok_or(Refused::NotANumber)?;
    let negative = mantissa.starts_with('-');
    // The zeros at the end say nothing, and would only make a short number long.
    let fraction = fraction.trim_end_matches('0');
    let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
    match short(whole, fraction, scale, negative) {
        Some(number) => Ok(number),
        None => long::number(negative, whole.bytes().chain(fraction.bytes()).collect(), scale),
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An exponent; one of more than 18 digits is as good as one of 18.
fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !all_digits(digits) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let size = if digits.len() > MAX_DIGITS { POWER_18 } else { digits.parse().unwrap_or(0) };
    Some(if text.starts_with('-') { -size } else { size })
}

/// The short decimal form, if the digits fit it.
fn short(whole: &str, fraction: &str, scale: i64, negative: bool) -> Option<Number> {
    let mut digits: i64 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        digits = digits.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
    }
    if negative {
        digits = -digits;
    }
    short_decimal(digits, scale)
}

/// `digits / 10^scale`, if that has the short form.
fn short_decimal(digits: i64, scale: i64) -> Option<Number> {
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
        Number::read(text.as_bytes()).ok().map(|number| number.to_double())
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
            "NaN", "NA", "12a", "1 2", "\u{661}", "1e5.0", "- 1", "\u{a0}1",
        ] {
            assert_eq!(Number::read(text.as_bytes()), Err(Refused::NotANumber), "{text:?}");
        }
        assert_eq!(Number::read(b"\xff"), Err(Refused::NotANumber));
    }

    #[test]
    fn what_no_double_holds_and_what_no_sum_can_hold_is_refused_for_what_it_is() {
        let nines = "9".repeat(310);
        for text in ["1e400", "-1e309", "1.797693134862315808e308", &nines, "1e99999999999999999999"] {
            assert_eq!(Number::read(text.as_bytes()), Err(Refused::TooLarge), "{text}");
        }
        let finest = format!("0.{}1", "0".repeat(MAX_PLACES - 1));
        let finer = format!("0.{}1", "0".repeat(MAX_PLACES));
        assert!(Number::read(finest.as_bytes()).is_ok());
        for text in ["1e-1075", "5e-9999999999999999999", &finer] {
            assert_eq!(Number::read(text.as_bytes()), Err(Refused::TooFine), "{text}");
            assert_eq!(nearest(text.as_bytes()), Ok(0.0), "{text}");
        }
        assert_eq!(nearest(b"1e400"), Err(Refused::TooLarge));
    }

    #[test]
    fn keeps_every_digit() {
        let decimal = |digits, scale| Ok(Number::Decimal { digits, scale });
        assert_eq!(Number::read(b"0.10"), decimal(10, 2));
        assert_eq!(Number::read(b"-0.10"), decimal(-1, 1));
        assert_eq!(Number::read(b"0e99999999999999999999"), decimal(0, 0));
        assert_eq!(Number::read(b"-0e-99999999999999999999"), decimal(0, 0));
        assert_eq!(Number::read(b"100000000000000000000e-10"), decimal(10_000_000_000, 0));
        let long = |text: &str| match Number::read(text.as_bytes()) {
            Ok(Number::Long(long)) => long.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(long("12345678901234567890"), "1234567890123456789e1");
        assert_eq!(long("-0001234567890.12345678901000"), "-123456789012345678901e-11");
        assert_eq!(long("1.50e-300"), "15e-301");
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
