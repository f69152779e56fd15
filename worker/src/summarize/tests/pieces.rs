//! Texts that are cut anywhere.

use proptest::prelude::*;

use super::super::jsonl::Reader;
use super::*;
use crate::csv::{Blocks, Scanner};

/// How the text comes out of one process.
pub(super) fn whole(mut text: &[u8], format: Format, policy: BadRows) -> Result<Totals, Error> {
    let mut totals = Totals::default();
    match format {
        Format::Jsonl => lines(&mut text, "x", policy, &mut totals, &mut |_| true)?,
        _ => table(&mut text, "x", policy, &mut totals, &mut |_| true)?,
    }
    Ok(totals)
}

/// The pieces of `text` between `cuts`, put together as `merge` does it.
pub(super) fn in_pieces(
    text: &[u8],
    cuts: &[usize],
    format: Format,
    policy: BadRows,
) -> Result<Totals, String> {
    let (columns, header) = match format {
        Format::Jsonl => (None, 0),
        _ => {
            let mut input = text;
            let mut blocks = Blocks::new(&mut input, 7);
            let (columns, used) =
                header(&mut blocks, &mut Scanner::default()).map_err(|error| error.to_string())?;
            (Some(columns), used)
        }
    };
    let settled = |at: usize| match at {
        0 => 0,
        at if at >= text.len() => text.len(),
        at => border(text[at - 1], &text[at..]).map_or(text.len(), |moved| at + moved),
    };
    let mut borders: Vec<usize> = cuts.iter().map(|&at| settled(at).max(header)).collect();
    borders.extend([header, text.len()]);
    borders.sort_unstable();
    let mut sum = Totals::default();
    let mut quoted = false;
    for pair in borders.windows(2).filter(|pair| pair[0] < pair[1]) {
        let start = match (pair[0] == header, quoted) {
            (true, _) => Start::Row,
            (false, true) => Start::Quoted,
            (false, false) => Start::Outside,
        };
        let from = pair[0] - usize::from(start == Start::Outside);
        let part = Part { start, length: (pair[1] - from) as u64, last: pair[1] == text.len() };
        let mut input = &text[from..];
        let mut totals = Totals::default();
        let result = match &columns {
            Some(columns) => csv_piece(&mut input, part, ("x", columns, policy), &mut totals, &mut |_| true),
            None => lines_piece(&mut input, part, ("x", policy), &mut totals, &mut |_| true).map(|()| false),
        };
        quoted = result.map_err(|error| error.to_string())?;
        sum.summary.merge(&totals.summary).unwrap();
        sum.skipped.merge(&totals.skipped);
    }
    Ok(sum)
}

fn same(whole: Result<Totals, Error>, pieces: Result<Totals, String>) -> Result<(), TestCaseError> {
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            prop_assert_eq!(to_json(&whole.summary), to_json(&pieces.summary));
            prop_assert_eq!(whole.skipped.rows, pieces.skipped.rows);
        }
        (Err(_), Err(_)) => {}
        (whole, pieces) => prop_assert!(false, "{:?}\n{:?}", whole, pieces),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_pieces_of_a_csv_make_the_whole_wherever_it_is_cut(
        fields in proptest::collection::vec(
            (
                r#"[a-f0-9]{0,4}|"([a,\n\r]|""){0,6}""#,
                r#"boleto|"a ""b""\n"|[a-z]{1,2}|a"b|"a"b"#,
                r#"1|2|"3"|x"#,
                r#"[0-9]{1,3}\.[0-9]{2}|"[0-9]\.[0-9]"|-?1e308|-?9007199254740993|-9007199254740992\.0{18}1"#,
                "\n|\r\n|\r|\n\n",
            ),
            1..12,
        ),
        cuts in proptest::collection::vec(0usize..400, 0..9),
        skip: bool,
    ) {
        let body: String = fields.iter().map(|(id, kind, n, value, end)| format!("{id},{kind},{n},{value}{end}")).collect();
        let text = rows(&body);
        let policy = if skip { BadRows::Skip } else { BadRows::Fail };
        let pieces = in_pieces(&text, &cuts, Format::Csv, policy);
        same(whole(&text, Format::Csv, policy), pieces)?;
    }

    #[test]
    fn the_pieces_of_any_bytes_make_the_whole_too(
        body in r#"([ab,".0-9\r\n]{0,8},){0,4}[ab,".0-9\r\n]{0,60}"#, cuts in proptest::collection::vec(0usize..120, 0..6)
    ) {
        let text = rows(&body);
        same(whole(&text, Format::Csv, BadRows::Skip), in_pieces(&text, &cuts, Format::Csv, BadRows::Skip))?;
    }

    #[test]
    fn the_pieces_of_json_lines_make_the_whole(
        lines in proptest::collection::vec((r"[a-c]{1,3}", 1u8..4, 1u16..999, "\n|\r\n|\n\n"), 1..10),
        cuts in proptest::collection::vec(0usize..800, 0..9),
        unended: bool,
        bad_end: bool,
    ) {
        let mut text: String = lines.iter().map(|(kind, n, value, end)| format!(
            r#"{{"order_id":"a","payment_type":"{kind}","payment_installments":{n},"payment_value":{value}.5}}{end}"#
        )).collect();
        if unended {
            text.truncate(text.trim_end().len());
        }
        if bad_end {
            text.truncate(text.len() - 1);
        }
        let pieces = in_pieces(text.as_bytes(), &cuts, Format::Jsonl, BadRows::Skip);
        same(whole(text.as_bytes(), Format::Jsonl, BadRows::Skip), pieces)?;
    }
}

#[test]
fn a_json_line_says_what_is_wrong_with_it() {
    let good = r#"{"payment_value":"1.5","payment_installments":2,"payment_type":"a","order_id":null}"#;
    let bad = [
        r#"{"payment_installments":2,"payment_type":"a","order_id":"x"}"#,
        r#"{"payment_value":null,"payment_installments":2,"payment_type":"a"}"#,
        r#"{"payment_value":true,"payment_installments":2,"payment_type":"a"}"#,
        r#"{"payment_value":1,"payment_installments":2,"payment_type":7}"#,
        r#"{"payment_value":1,"payment_installments":2,"payment_type":""}"#,
        r#"{"payment_value":1"#,
    ];
    let outcomes = bad.map(|line| {
        let text = format!("{good}\n\n{line}\n");
        let mut totals = Totals::default();
        let error = Reader::default().block(text.as_bytes(), "x", BadRows::Fail, &mut totals).unwrap_err();
        assert_eq!(totals.summary.rows(), 1);
        error.to_string()
    });
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    line 3, column 1 (payment_value): it is missing
    line 3, column 18 (payment_value): it is missing
    line 3, column 18 (payment_value): true is not a number
    line 3, column 60 (payment_type): 7 is not a string
    line 3, column 60 (payment_type): it is empty
    line 3, column 20: a comma or a closing brace is missing
    ");
}
