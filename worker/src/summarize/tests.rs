mod fuzz;
mod pieces;

use proptest::prelude::*;

use super::csv::table_in_blocks;
use super::*;
use crate::commands::summarize::to_json;

fn read(mut text: &[u8], block: usize, policy: BadRows) -> Result<Totals, Error> {
    let mut totals = Totals::default();
    table_in_blocks(&mut text, "payments.csv", policy, block, &mut totals, &mut |_| true)?;
    Ok(totals)
}

/// The result as one line, or the error.
fn run_on(text: &[u8]) -> String {
    run_in_blocks(text, BLOCK)
}

fn run_in_blocks(text: &[u8], block: usize) -> String {
    let result = read(text, block, BadRows::Fail).map_err(|error| error.to_string());
    match result.and_then(|totals| to_json(&totals.summary)) {
        Ok(json) => String::from_utf8(json).unwrap(),
        Err(error) => error,
    }
}

/// A table with the usual header.
fn rows(rows: &str) -> Vec<u8> {
    format!("order_id,payment_type,payment_installments,payment_value\n{rows}").into_bytes()
}

#[test]
fn a_table_becomes_one_object() {
    let text = rows("a,boleto,1,10.10\nb,credit_card,3,20.20\n,credit_card,2,0.30\nc,\"vale, novo\",1,.05\n");
    insta::assert_snapshot!(run_on(&text), @r#"
    {
      "total_purchase": 30.65,
      "average_purchase": 7.6625,
      "max_value_purchase": 20.2,
      "min_value_purchase": 0.05,
      "payments_with_instalments": 1,
      "payment_type": {
        "credit_card": 2,
        "boleto": 1,
        "vale, novo": 1
      }
    }
    "#);
}

#[test]
fn a_bad_value_is_named_with_its_place() {
    let bad = [
        "a,boleto,1,10\nb,boleto,1,\n",
        "a,boleto,1,abc\n",
        "a,boleto,,10\n",
        "a,,1,10\n",
        "a,boleto,1,10\n\"b\nb\",\"bo\r\nleto\",one,10\n",
        "a,boleto,1,inf\n",
        "a,boleto,1,\"1,000.00\"\n",
        "a,boleto,1,1e999\n",
        "a,boleto,1,\"1\n\u{7}\u{301}\"\n",
        "a,boleto,1,111111111111111111111111111111111111111111111111x\n",
        "a,boleto,1,1e308\na,boleto,1,1e308\n",
    ];
    insta::assert_snapshot!(bad.map(|bad| run_on(&rows(bad))).join("\n"), @r#"
    line 3, column 12 (payment_value): it is empty
    line 2, column 12 (payment_value): "abc" is not a number
    line 2, column 10 (payment_installments): it is empty
    line 2, column 3 (payment_type): it is empty
    line 5, column 7 (payment_installments): "one" is not a number
    line 2, column 12 (payment_value): "inf" is not a number
    line 2, column 12 (payment_value): "1,000.00" is not a number
    line 2, column 12 (payment_value): "1e999" is beyond the range of a double
    line 2, column 12 (payment_value): "1\n\u{7}\u{301}" is not a number
    line 2, column 12 (payment_value): "1111111111111111111111111111111111111111…" is not a number
    the sum of payment_value is too large for a number
    "#);
}

#[test]
fn a_text_that_is_no_table_is_refused() {
    let mut latin = rows("a,cart");
    latin.extend_from_slice(b"\xe3o,1,10\n");
    let texts: [&[u8]; 7] = [
        b"",
        b"\n\n",
        &rows(""),
        &latin,
        b"order_id,payment_type,installments,payment_valeu\n1,a,1,1\n",
        b"\xff\xfeo\0r\0d\0e\0r\0",
        b"a,\"b\n",
    ];
    insta::assert_snapshot!(texts.map(run_on).join("\n"), @r#"
    the file is empty
    there is no header, only blank lines
    there is a header, but no row
    line 2, column 3 (payment_type): it is not UTF-8 (byte 5 of the field is 0xe3)
    column payment_installments is missing (did you mean "installments"?); column payment_value is missing (did you mean "payment_valeu"?)
    the header is not UTF-8
    line 1, column 3: the quote that opens here is never closed
    "#);
}

#[test]
fn a_command_that_is_told_to_stop_has_no_result() {
    let text = rows("a,boleto,1,10\n");
    let mut calls = 0;
    let mut on_block = |_| {
        calls += 1;
        false
    };
    let mut totals = Totals::default();
    let result = table(&mut text.as_slice(), "payments.csv", BadRows::Fail, &mut totals, &mut on_block);
    assert!(result.is_err());
    assert_eq!(calls, 1);
}

/// What the csv crate and the standard library make of a table, in the plainest way.
fn naively(text: &[u8]) -> (u64, f64, f64, f64, u64, std::collections::BTreeMap<String, u64>) {
    let (mut count, mut sum, mut least, mut most) = (0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
    let (mut instalments, mut types) = (0, std::collections::BTreeMap::new());
    for row in ::csv::Reader::from_reader(text).into_records() {
        let row = row.unwrap();
        let value: f64 = row[3].trim().parse().unwrap();
        count += 1;
        sum += value;
        least = value.min(least);
        most = value.max(most);
        instalments += u64::from(row[2].parse::<f64>().unwrap() > 1.0 && !row[0].is_empty());
        *types.entry(row[1].to_owned()).or_default() += 1;
    }
    (count, sum, least, most, instalments, types)
}

proptest! {
    #[test]
    fn the_result_is_that_of_a_naive_reading(
        fields in proptest::collection::vec(
            (
                r#"[a-f0-9]{0,6}|"[a,\n]{0,3}""#,
                r#"boleto|voucher|"credit,card"|"a ""b"" c"|[a-z]{1,2}"#,
                r#"1|2|10|"3"|2\.5|0|1\.0"#,
                r#"[0-9]{1,6}\.[0-9]{2}|[0-9]{1,3}|"[0-9]{1,4}\.[0-9]"|-[0-9]{1,5}\.[0-9]{0,12}| [0-9]{1,4} |[0-9]e[0-9]{1,2}"#,
                "\n|\r\n",
            ),
            1..40,
        ),
        block in 1usize..200,
    ) {
        let body: String = fields.iter().map(|(id, kind, n, value, end)| format!("{id},{kind},{n},{value}{end}")).collect();
        let text = rows(&body);
        let (count, sum, least, most, instalments, types) = naively(&text);

        let summary = read(&text, block, BadRows::Fail).unwrap().summary;
        let report = summary.report().unwrap();
        prop_assert_eq!(summary.rows(), count);
        // Plain addition rounds at each step: by at most this much of the largest size it passed through.
        let size: f64 = fields.len() as f64 * least.abs().max(most.abs());
        prop_assert!((report.total_purchase - sum).abs() <= 1e-14 * size, "{} {}", report.total_purchase, sum);
        prop_assert!((report.average_purchase - sum / count as f64).abs() <= 1e-14 * size);
        prop_assert_eq!((report.min_value_purchase, report.max_value_purchase), (least, most));
        prop_assert_eq!(report.payments_with_instalments, instalments);
        let counted: std::collections::BTreeMap<_, _> =
            report.payment_type.sorted().into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        prop_assert_eq!(counted, types);
    }

    #[test]
    fn any_bytes_are_summed_up_or_refused_and_blocks_make_no_difference(
        body in r#"([ab,".0-9\r\n]{0,8},){0,4}[ab,".0-9\r\n]{0,30}"#
    ) {
        let text = rows(&body);
        prop_assert_eq!(run_in_blocks(&text, 1), run_on(&text));
    }
}

#[test]
fn bad_rows_are_left_out_and_described_if_that_is_asked_for() {
    let text = rows(
        "a,boleto,1,10\nb,boleto,1\nc,boleto,x,1\n\"d\",boleto,1,\nd,boleto,2,5\ne,f,g,h,i\nf,boleto,1,1\n",
    );
    let totals = read(&text, BLOCK, BadRows::Skip).unwrap();
    assert_eq!((totals.summary.rows(), totals.skipped.rows), (3, 4));
    assert_eq!(totals.summary.report().unwrap().total_purchase, 16.0);
    insta::assert_snapshot!(totals.skipped.first.join("\n"), @r#"
    payments.csv: line 3, column 10: the row has 3 fields, the header 4
    payments.csv: line 4, column 10 (payment_installments): "x" is not a number
    payments.csv: line 5, column 14 (payment_value): it is empty
    payments.csv: line 7, column 9: the row has 5 fields, the header 4
    "#);
    assert!(
        read(&rows("a,boleto,1,10\n\"a,boleto,1,1\n"), BLOCK, BadRows::Skip).is_err(),
        "where rows end is unknown"
    );
}
