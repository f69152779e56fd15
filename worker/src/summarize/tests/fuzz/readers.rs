//! The same result by other means: the csv crate, serde_json, num-bigint and the standard library.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use serde_json::Value;

use crate::payments::Summary;

/// What is computed of rows.
#[derive(Default)]
pub(super) struct Plain {
    rows: u64,
    instalments: u64,
    types: BTreeMap<String, u64>,
    /// In units of 10^-1074, if all numbers are there as they are written.
    total: Option<BigInt>,
}

/// The number that is written so, in units of 10^-1074.
fn units(text: &str) -> BigInt {
    let text = text.trim_matches([' ', '\t']);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().unwrap();
    let power = 1074 + exponent.parse::<i64>().unwrap_or(0) - fraction.len() as i64;
    let ten = |power: i64| BigInt::from(10).pow(u32::try_from(power).unwrap());
    match digits == BigInt::ZERO {
        true => digits,
        false if power < 0 => digits / ten(-power),
        false => digits * ten(power),
    }
}

fn over_one(text: &str) -> bool {
    text.trim_matches([' ', '\t']).parse::<f64>().unwrap() > 1.0
}

/// The rows of a CSV, every one of which is good.
pub(super) fn csv(text: &[u8]) -> Plain {
    let mut reader = csv::ReaderBuilder::new().from_reader(text);
    let names = reader.byte_headers().unwrap().clone();
    let at = |name: &str| names.iter().position(|it| it == name.as_bytes()).unwrap();
    let (id, kind) = (at("order_id"), at("payment_type"));
    let (instalments, value) = (at("payment_installments"), at("payment_value"));
    let mut plain = Plain { total: Some(BigInt::ZERO), ..Plain::default() };
    for row in reader.byte_records() {
        let row = row.unwrap();
        let text = |at: usize| str::from_utf8(&row[at]).unwrap();
        plain.rows += 1;
        plain.instalments += u64::from(over_one(text(instalments)) && !row[id].is_empty());
        *plain.types.entry(text(kind).to_owned()).or_default() += 1;
        plain.total = plain.total.map(|total| total + units(text(value)));
    }
    plain
}

/// In what nobody reads, a number may have any size, and half a surrogate pair may stand (RFC 8259, 6 and 8.2).
fn is_beyond_serde(error: &str) -> bool {
    let refused = ["number out of range", "unexpected end of hex escape", "lone leading surrogate"];
    refused.iter().any(|it| error.starts_with(it))
}

/// The rows of JSON lines, every one of which is good.
pub(super) fn json(text: &[u8]) -> Plain {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut plain = Plain::default();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let value: Value = match serde_json::from_slice(line) {
            Ok(value) => value,
            Err(error) if is_beyond_serde(&error.to_string()) => return Plain::default(),
            Err(error) => panic!("{error}"),
        };
        let instalments = match &value["payment_installments"] {
            Value::String(text) => over_one(text),
            number => number.as_f64().unwrap() > 1.0,
        };
        plain.rows += 1;
        plain.instalments +=
            u64::from(instalments && value.get("order_id").is_some_and(|id| !id.is_null() && id != ""));
        *plain.types.entry(value["payment_type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    plain
}

/// Fails if ours is not the same.
pub(super) fn same(ours: &Summary, plain: &Plain) {
    if plain.rows == 0 {
        return;
    }
    assert_eq!(ours.rows(), plain.rows);
    let total: Option<f64> = plain.total.as_ref().map(|total| format!("{total}e-1074").parse().unwrap());
    let Some(report) = ours.report() else {
        assert!(total.is_none_or(f64::is_infinite), "{total:?}");
        return;
    };
    assert_eq!(report.payments_with_instalments, plain.instalments);
    let types: BTreeMap<String, u64> =
        report.payment_type.sorted().into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    assert_eq!(types, plain.types);
    if let Some(total) = total {
        assert_eq!(report.total_purchase, total);
    }
}
