use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The values of `a` and `b`, or the error.
fn read(text: &str) -> String {
    let mut object = Object::default();
    match object.read(text.as_bytes(), &["a", "b"]) {
        Ok(()) => {
            let value =
                |index| object.value(text.as_bytes(), index).map_or("-", |v| std::str::from_utf8(v).unwrap());
            format!(
                "{} {} ends {}{}",
                value(0),
                value(1),
                object.end,
                if object.empty { " empty" } else { "" }
            )
        }
        Err(wrong) => format!("{}: {wrong}", wrong.at),
    }
}

#[test]
fn the_fields_that_are_asked_for_are_found_where_they_stand() {
    let texts = [
        r#"{"a":1,"b":"x"}"#,
        r#" { "c" : [ {"a":2} , [] , {} ] , "b" : { "a" : [1,{"b":2}] } , "a" : -1.5e+3 } "#,
        r#"{}"#,
        r#"{"a":1,"a":2,"\u0061":3}"#,
        r#"{"aa":1,"":2,"b":null}"#,
    ];
    insta::assert_snapshot!(texts.map(read).join("\n"), @r#"
    1 "x" ends 14
    -1.5e+3 { "a" : [1,{"b":2}] } ends 77
    - - ends 1 empty
    3 - ends 23
    - null ends 21
    "#);
}

#[test]
fn what_is_no_object_is_refused_at_its_place() {
    let texts = [
        "",
        "[]",
        "1",
        r#"{"a":1"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{a:1}"#,
        r#"{"a":}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":tru}"#,
        r#"{"a":"x}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12g4"}"#,
        "{\"a\":\"\t\"}",
        r#"{"a":[1,]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":{"b":1]}}"#,
        r#"{"a":1} x"#,
        r#"{"a":NaN}"#,
        r#"{"a":'x'}"#,
        r#"{"a":-}"#,
    ];
    insta::assert_snapshot!(texts.map(read).join("\n"), @r"
    0: it is not an object
    0: it is not an object
    0: it is not an object
    6: a comma or a closing brace is missing
    7: a key is missing
    5: a colon is missing
    1: a key is missing
    5: a value is missing
    6: a comma or a closing brace is missing
    7: a digit is missing
    5: a value is missing
    5: the string that begins here is never closed
    6: there is no such escape
    6: \u is not followed by four hexadecimal digits
    6: a control character stands in a string
    8: a value is missing
    8: a comma or a closing bracket is missing
    11: a comma or a closing brace is missing
    8: there is something after the object
    5: a value is missing
    5: a value is missing
    6: a digit is missing
    ");
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(read(&nested(MAX_DEPTH)).contains("ends"), "{}", read(&nested(MAX_DEPTH)));
    assert!(read(&nested(MAX_DEPTH + 1)).contains("too deeply"));
    assert!(read(&nested(100_000)).contains("too deeply"));
}

/// Any JSON value, with strings that need escapes.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 64.0)),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[ab\"\\\\\n]{0,2}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Pieces of strings: whole and broken characters, escapes, what must be escaped.
const PARTS: [&[u8]; 12] = [
    b"plain",
    b"0123456789abcdefgh",
    "é".as_bytes(),
    "漢字".as_bytes(),
    "😀".as_bytes(),
    b"\xc3",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\u00e9",
    b"\\\"",
    b"\\x",
    b"\t",
];

#[test]
fn a_line_ends_with_its_line_feed() {
    let mut object = Object::default();
    let mut read = |text: &str| match object.read_line(text.as_bytes(), &["a"]) {
        Ok(end) => format!("{end}"),
        Err(wrong) => format!("{}: {wrong}", wrong.at),
    };
    let texts = [
        "{\"a\":1}\n{\"a\":2}\n",
        "{\"a\":1} \r\n{",
        "{\"a\":1}",
        "{\"a\":1\n}\n",
        "{\"a\":\"x\n\"}\n",
        "{\n}",
        "\n{}",
        "{\"a\":\"\\\n\"}",
        "{\"a\":tr\nue}",
        "{\"a\":1}{",
    ];
    insta::assert_snapshot!(texts.map(&mut read).join("\n"), @r"
    7
    9
    7
    6: a comma or a closing brace is missing
    5: the string that begins here is never closed
    1: a key is missing
    0: it is not an object
    6: there is no such escape
    5: a value is missing
    7: there is something after the object
    ");
}

proptest! {
    #[test]
    fn every_object_is_read_as_serde_json_reads_it(
        fields in proptest::collection::btree_map("[abc\"é\\\\]{0,2}", any_value(), 0..6), pretty: bool
    ) {
        let value = Value::Object(fields.into_iter().collect());
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let mut object = Object::default();
        object.read(text.as_bytes(), &["a", "b"]).unwrap();
        for (index, key) in ["a", "b"].into_iter().enumerate() {
            let found = object.value(text.as_bytes(), index).map(|value| serde_json::from_slice::<Value>(value).unwrap());
            prop_assert_eq!(found.as_ref(), value.get(key));
        }
        prop_assert_eq!(object.end, text.len() - 1);
        prop_assert_eq!(object.empty, value == Value::Object(Default::default()));
    }

    #[test]
    fn any_text_is_taken_or_refused_as_serde_json_does(
        text in r#"\{("(a|b|\\n|\\u00e9|\\q)?" ?: ?(1|-0|0.5|1e5|00|"x|"x"|\[\]|\[1,?\]|\{\}|null|true|nul),? ?){0,3}[}\]]?"#
    ) {
        let theirs = serde_json::from_str::<std::collections::BTreeMap<String, serde::de::IgnoredAny>>(&text).is_ok();
        let ours = Object::default().read(text.as_bytes(), &["a"]).is_ok();
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    /// What follows a text lets it be read sixteen bytes at a time, which must make no difference.
    #[test]
    fn what_follows_makes_no_difference(
        text in r#"\{("[ab\\"é\n\t]{0,20}" ?: ?-?[0-9.eE+]{1,18},? ?){0,2}("ab" ?: ?"[ab\\"é\t]{0,40}")?\}? ?"#
    ) {
        let (mut alone, mut followed, mut line) = (Object::default(), Object::default(), Object::default());
        let read = alone.read(text.as_bytes(), &["ab"]);
        let spaces = format!("{text}{}", " ".repeat(40));
        let with_spaces = followed.read(spaces.as_bytes(), &["ab"]);
        prop_assert_eq!(read.is_ok(), with_spaces.is_ok(), "{}", text);
        if read.is_ok() {
            prop_assert_eq!(&alone, &followed);
        }
        if !text.contains('\n') {
            let lines = format!("{text}\n{{\"ab\":\"{}\"}}\n", "x".repeat(40));
            prop_assert_eq!(line.read_line(lines.as_bytes(), &["ab"]), read.map(|()| text.len()), "{}", text);
            prop_assert!(read.is_err() || alone == line);
        }
    }

    #[test]
    fn bytes_are_taken_if_they_are_utf8_and_json(
        parts in proptest::collection::vec(proptest::sample::select(&PARTS[..]), 0..8), long: bool
    ) {
        let text = [&b"{\"a\":\""[..], &parts.concat()[..], if long { &b"0123456789abcdef\"}"[..] } else { b"\"}" }].concat();
        let theirs = serde_json::from_slice::<std::collections::BTreeMap<String, String>>(&text).is_ok();
        prop_assert_eq!(Object::default().read(&text, &["a"]).is_ok(), theirs, "{:?}", text);
        let followed = [&text[..], &[b' '; 40]].concat();
        prop_assert_eq!(Object::default().read(&followed, &["a"]).is_ok(), theirs, "{:?}", text);
    }

    #[test]
    fn any_bytes_are_taken_or_refused_without_a_panic(bytes: Vec<u8>) {
        let _ = Object::default().read(&bytes, &["a"]);
        let _ = Object::default().read_line(&bytes, &["a"]);
        let _ = text(&bytes);
    }
}
