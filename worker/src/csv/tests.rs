use proptest::prelude::*;

use super::*;
use crate::place::Input;

/// All rows, the header first, read in blocks of `block` bytes.
fn read(mut text: &[u8], block: usize) -> Result<Vec<Vec<Vec<u8>>>, Malformed> {
    let input: &mut dyn Input = &mut text;
    let mut blocks = Blocks::new(input, block);
    let mut scanner = Scanner::default();
    let mut used = 0;
    let mut rows: Vec<Vec<Vec<u8>>> = Vec::new();
    loop {
        if !blocks.advance(used).unwrap() {
            return Err(scanner.too_long(blocks.block()));
        }
        let (block, ended) = (blocks.block(), blocks.ended());
        used = match rows.first() {
            None => match scanner.header(block, ended)? {
                Some(header) => {
                    rows.push(header.names);
                    header.length
                }
                None => 0,
            },
            Some(header) => {
                let columns = header.len();
                let mut on_row = |row: &Row<'_>| {
                    rows.push((0..row.len()).map(|index| row.field(index).into_owned()).collect());
                    Ok(())
                };
                scanner.rows(block, ended, columns, &mut on_row)?
            }
        };
        if ended && (used == block.len() || rows.is_empty()) {
            return Ok(rows);
        }
    }
}

/// The same by the csv crate.
fn read_with_csv(text: &[u8]) -> Result<Vec<Vec<Vec<u8>>>, csv::Error> {
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
    let rows = reader.into_byte_records();
    rows.map(|row| Ok(row?.iter().map(<[u8]>::to_vec).collect())).collect()
}

fn lines(text: &str) -> String {
    match read(text.as_bytes(), 64) {
        Ok(rows) => format!("{} rows", rows.len() - 1),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_row_of_another_length_is_an_error_that_names_its_place() {
    insta::assert_snapshot!(lines("a,b,c\n1,2,3\n1,2\n"), @"line 3, column 3: the row has 2 fields, the header 3");
    insta::assert_snapshot!(lines("a,b,c\n1,2,3\n1,2,3,4\n"), @"line 3, column 7: the row has 4 fields, the header 3");
    insta::assert_snapshot!(lines("a,b,c\n\"1\n1\",2,3\n\r\n1,\"2\n2\n\",3,44,5\n"), @"line 7, column 5: the row has 5 fields, the header 3");
    insta::assert_snapshot!(lines("a,b\n\n  \n"), @"line 3, column 1: the row has 1 field, the header 2");
}

#[test]
fn an_open_quote_is_an_error_where_it_opens() {
    insta::assert_snapshot!(lines("a,b\n1,2\n3,\"4\n5,6\n"), @"line 3, column 3: the quote that opens here is never closed");
    insta::assert_snapshot!(lines("a,\"b\n1,2\n"), @"line 1, column 3: the quote that opens here is never closed");
    insta::assert_snapshot!(lines(&format!("a,b\n1,2\n3,\"4{}\"\n", "x".repeat(MAX_ROW))), @"line 3, column 3: the quote that opens here is not closed within 1048576 bytes");
    insta::assert_snapshot!(lines(&format!("a,b\n1,2\n3,4{}\n", "x".repeat(MAX_ROW))), @"line 3, column 1: the row is longer than 1048576 bytes");
}

#[test]
fn the_longest_row_is_read_and_a_longer_one_is_not() {
    let row = |length: usize| format!("a,b\n1,{}\n3,4\n", "x".repeat(length - 3));
    assert_eq!(lines(&row(MAX_ROW)), "2 rows");
    assert!(lines(&row(MAX_ROW + 1)).contains("longer than"));
}

#[test]
fn a_header_has_as_many_columns_as_a_spreadsheet_at_most() {
    let table = |columns: usize| vec!["a"; columns].join(",") + "\n" + &vec!["1"; columns].join(",") + "\n";
    assert_eq!(lines(&table(16_384)), "1 rows");
    insta::assert_snapshot!(lines(&format!("\n{}", table(16_384 + 1))), @"line 2, column 32769: the header has 16385 columns; there can be 16384");
    insta::assert_snapshot!(lines(&",".repeat(MAX_ROW - 1)), @"line 1, column 16385: the header has 1048576 columns; there can be 16384");
}

#[test]
fn what_is_no_row_is_skipped() {
    assert_eq!(lines("\u{feff}a,b\n\n1,2\r\n\r\n3,4"), "2 rows");
    assert_eq!(lines("a,b\r1,2\r\r3,4\r"), "2 rows");
    assert_eq!(read(b"\xef\xbb\xbf\n\r\n\n", 2).unwrap(), Vec::<Vec<Vec<u8>>>::new());
    assert_eq!(read(b"\xef\xbb\xbf\"a\",b", 1).unwrap(), [[b"a", b"b"]]);
}

#[test]
fn a_line_is_counted_once_whatever_ends_it() {
    assert_eq!(line_breaks(b"a\nb\r\nc\rd\n\r"), 5);
    assert_eq!(position(7, b"a\nb\r\ncde"), (9, 4));
    assert_eq!(position(7, b""), (7, 1));
}

prop_compose! {
    /// A table of `columns` columns whose fields are written by any rule of the dialect.
    fn table()(columns in 1usize..5, rows in 0usize..12)(
        fields in proptest::collection::vec(r#"[a-c0-9 .]{0,6}|"([a-c,\n\r]|""){0,6}"|"[a-c,]{0,3}"[a-c]{1,2}|[ab]"[ab]"#, columns * (rows + 1)),
        ends in proptest::collection::vec("\n|\r\n|\r|\n\n\r\n", rows + 1),
        columns in Just(columns),
        mark in any::<bool>(),
        open_end in any::<bool>(),
    ) -> Vec<u8> {
        let mut text = if mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        for (row, end) in fields.chunks(columns).zip(&ends) {
            text.extend_from_slice(row.join(",").as_bytes());
            text.extend_from_slice(end.as_bytes());
        }
        if open_end {
            while text.last().is_some_and(u8::is_ascii_whitespace) {
                text.pop();
            }
        }
        text
    }
}

proptest! {
    #[test]
    fn rows_are_those_of_the_csv_crate_whatever_the_blocks(text in table(), block in 1usize..80) {
        let ours = read(&text, block).unwrap();
        prop_assert_eq!(ours, read_with_csv(&text).unwrap());
    }

    #[test]
    fn any_bytes_give_the_rows_of_the_csv_crate_or_an_error(
        text in r#"[a,"\r\n]{0,40}"#, block in 1usize..16
    ) {
        match (read(text.as_bytes(), block), read_with_csv(text.as_bytes())) {
            (Ok(ours), theirs) => prop_assert_eq!(ours, theirs.unwrap()),
            (Err(error), Ok(_)) => prop_assert!(error.what.contains("never closed"), "{}", error),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn an_error_is_at_the_same_place_whatever_the_blocks(text in r#"a,b\n([a,"\r\n]{0,40})"#) {
        prop_assert_eq!(read(text.as_bytes(), 1).map_err(|e| e.to_string()), read(text.as_bytes(), 1000).map_err(|e| e.to_string()));
    }
}
