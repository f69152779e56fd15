//! The summary of payments: what is asked for by `summarize`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Counts, Tally};
use crate::csv::{Malformed, Row};
use crate::number::{Number, Refused};

pub(crate) const ORDER_ID: &str = "order_id";
pub(crate) const PAYMENT_TYPE: &str = "payment_type";
pub(crate) const INSTALMENTS: &str = "payment_installments";
pub(crate) const VALUE: &str = "payment_value";

/// How many bytes of a bad value an error shows.
const SHOWN: usize = 40;

/// Where the columns are that matter, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    order_id: usize,
    payment_type: usize,
    instalments: usize,
    value: usize,
    /// How many columns there are in all.
    pub count: usize,
}

impl Columns {
    /// Finds the columns by the header's names; the error names all that are missing or not unique.
    pub fn find(header: &[Vec<u8>]) -> Result<Columns, String> {
        let names: Vec<_> = header.iter().map(|name| String::from_utf8_lossy(name)).collect();
        if names.first().is_some_and(|name| name.contains(['\0', '\u{fffd}'])) {
            return Err("the header is not UTF-8".to_owned());
        }
        let mut wrong = Vec::new();
        let mut find = |wanted: &str| {
            let mut found = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (Some(at), None) => at,
                (Some(_), Some(_)) => {
                    wrong.push(format!("column {wanted} is there twice"));
                    0
                }
                (None, _) => {
                    wrong.push(format!("column {wanted} is missing{}", nearest(wanted, &names)));
                    0
                }
            }
        };
        let columns = Columns {
            order_id: find(ORDER_ID),
            payment_type: find(PAYMENT_TYPE),
            instalments: find(INSTALMENTS),
            value: find(VALUE),
            count: header.len(),
        };
        if wrong.is_empty() { Ok(columns) } else { Err(wrong.join("; ")) }
    }
}

/// A hint at the name that may have been meant: one that differs in few letters, or is a part of the wanted one.
fn nearest(wanted: &str, names: &[Cow<'_, str>]) -> String {
    let likeness = |name: &str| {
        let name = name.trim().trim_matches('\u{feff}').to_lowercase().replace([' ', '-'], "_");
        let part = name.len() > 4 && wanted.contains(&name);
        if part { 0.9 } else { strsim::normalized_damerau_levenshtein(wanted, &name) }
    };
    // What takes long to compare, or much memory, is not what was meant.
    let likely = names.iter().take(1000).filter(|name| name.len() <= 64);
    let close = likely.map(|name| (likeness(name), name)).filter(|(likeness, _)| *likeness > 0.7);
    match close.max_by(|(one, _), (other, _)| one.total_cmp(other)) {
        Some((_, name)) => format!(" (did you mean {:?}?)", shown(name.as_bytes())),
        None => String::new(),
    }
}

/// One payment, whatever it was written in.
#[derive(Debug, Clone)]
pub struct Payment<'a> {
    /// The amount.
    pub value: Number,
    /// In how many instalments it is paid.
    pub instalments: Number,
    /// How it is paid.
    pub payment_type: &'a [u8],
    /// Whether it has an order's id.
    pub has_order: bool,
}

/// What has been seen of the payments so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Summary {
    rows: u64,
    values: Tally,
    with_instalments: u64,
    types: Counts,
}

/// The result, with exactly the keys and the meaning that the seed's program gave them.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// The sum of all `payment_value`.
    pub total_purchase: f64,
    /// The mean of all `payment_value`.
    pub average_purchase: f64,
    /// The largest `payment_value`.
    pub max_value_purchase: f64,
    /// The smallest `payment_value`.
    pub min_value_purchase: f64,
    /// How many rows have `payment_installments` over 1 and an `order_id`.
    pub payments_with_instalments: u64,
    /// How many rows have each `payment_type`.
    pub payment_type: &'a Counts,
}

impl Summary {
    /// How many rows have been added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes one more row into account, or says what is wrong with it; then nothing was taken of it.
    #[inline]
    pub fn add(&mut self, row: &Row<'_>, columns: &Columns) -> Result<(), Malformed> {
        let value = number(row, columns.value, VALUE)?;
        let instalments = number(row, columns.instalments, INSTALMENTS)?;
        let payment_type = &row.field(columns.payment_type);
        let has_order = over_one(&instalments) && !row.field(columns.order_id).is_empty();
        let payment = Payment { value, instalments, payment_type, has_order };
        self.add_payment(&payment).map_err(|what| row.malformed(columns.payment_type, PAYMENT_TYPE, what))
    }

    /// Takes one more payment into account, or says what is wrong with its type; then nothing was taken of it.
    #[inline]
    pub fn add_payment(&mut self, payment: &Payment<'_>) -> Result<(), String> {
        if payment.payment_type.is_empty() {
            return Err("it is empty".to_owned());
        }
        self.types.add(payment.payment_type).map_err(|error| error.to_string())?;
        if payment.has_order && over_one(&payment.instalments) {
            self.with_instalments += 1;
        }
        self.values.add(&payment.value);
        self.rows += 1;
        Ok(())
    }

    /// Whether there are too many payment types to count: the data as a whole is not what it must be.
    pub fn overflowed(&self) -> bool {
        self.types.overflowed()
    }

    /// Adds all that `other` has seen.
    pub fn merge(&mut self, other: &Summary) -> Result<(), String> {
        self.types.merge(&other.types).map_err(|error| format!("{PAYMENT_TYPE}: {error}"))?;
        self.values.merge(&other.values).map_err(|error| format!("{VALUE}: {error}"))?;
        self.rows = self.rows.checked_add(other.rows).ok_or("there are more rows than can be counted")?;
        self.with_instalments = self.with_instalments.saturating_add(other.with_instalments);
        Ok(())
    }

    /// The result; `None` if there was no row, or the sum is beyond the range of a double.
    pub fn report(&self) -> Option<Report<'_>> {
        let total = self.values.sum();
        let report = Report {
            total_purchase: total,
            average_purchase: total / self.rows as f64,
            max_value_purchase: self.values.most()?,
            min_value_purchase: self.values.least()?,
            payments_with_instalments: self.with_instalments,
            payment_type: &self.types,
        };
        total.is_finite().then_some(report)
    }
}

#[inline]
fn number(row: &Row<'_>, index: usize, name: &str) -> Result<Number, Malformed> {
    let field = row.field(index);
    if let [digit @ b'0'..=b'9'] = *field {
        return Ok(Number::Decimal { digits: i64::from(digit - b'0'), scale: 0 });
    }
    Number::read(&field).map_err(|refused| not_a_number(row, index, name, &field, refused))
}

#[cold]
fn not_a_number(row: &Row<'_>, index: usize, name: &str, field: &[u8], refused: Refused) -> Malformed {
    let what =
        if field.is_empty() { "it is empty".to_owned() } else { format!("{:?} {refused}", shown(field)) };
    row.malformed(index, name, what)
}

#[inline]
fn over_one(number: &Number) -> bool {
    match number {
        Number::Decimal { digits, scale: 0 } => *digits > 1,
        other => other.to_double() > 1.0,
    }
}

/// The beginning of a field, for an error; what is not UTF-8 is marked.
fn shown(field: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(field.get(..SHOWN).unwrap_or(field)).into_owned();
    if field.len() > SHOWN {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(header: &str) -> Result<Columns, String> {
        Columns::find(&header.split(',').map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let columns = find("x,payment_value,payment_type,y,order_id,payment_installments").unwrap();
        assert_eq!(columns, Columns { order_id: 4, payment_type: 2, instalments: 5, value: 1, count: 6 });
    }

    #[test]
    fn all_that_is_wrong_with_a_header_is_said_at_once() {
        insta::assert_snapshot!(
            find("order_id,order_id,Payment_Type,payment_instalments,amount").unwrap_err(),
            @r#"column order_id is there twice; column payment_type is missing (did you mean "Payment_Type"?); column payment_installments is missing (did you mean "payment_instalments"?); column payment_value is missing"#
        );
        insta::assert_snapshot!(find("\u{feff}\0o\0r").unwrap_err(), @"the header is not UTF-8");
    }
}
