//! YAML 1.2's core schema: what a plain scalar means. `no`, `on` and `2012-10-17` are texts.

use serde_json::Number;

use super::tree::Data;

/// What a scalar without quotes means.
pub fn plain(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "true" | "True" | "TRUE" => Data::Bool(true, text.to_owned()),
        "false" | "False" | "FALSE" => Data::Bool(false, text.to_owned()),
        _ => number(text).map_or_else(|| Data::Text(text.to_owned()), |it| Data::Number(it, text.to_owned())),
    }
}

/// The number that a scalar is. Those that are not finite, or too large to be exact, stay texts.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all = |text: &str, test: fn(&char) -> bool| !text.is_empty() && text.chars().all(|c| test(&c));
    if let Some(octal) = text.strip_prefix("0o").filter(|it| all(it, |c| c.is_digit(8))) {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    if let Some(hex) = text.strip_prefix("0x").filter(|it| all(it, char::is_ascii_hexdigit)) {
        return u64::from_str_radix(hex, 16).ok().map(Number::from);
    }
    if all(digits, char::is_ascii_digit) {
        let text = text.strip_prefix('+').unwrap_or(text);
        return text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok();
    }
    let shaped = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !shaped {
        return None;
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema_and_nothing_more() {
        for text in [
            "no",
            "yes",
            "on",
            "off",
            "y",
            "NO",
            "2012-10-17",
            "1.2.3",
            "12e",
            "1_000",
            ".inf",
            ".nan",
            "-",
            "+",
            ".",
            "0b1",
            "12:30:45",
            "e5",
        ] {
            assert_eq!(plain(text), Data::Text(text.to_owned()), "{text}");
        }
        for (text, number) in [
            ("0", "0"),
            ("-7", "-7"),
            ("+7", "7"),
            ("0o17", "15"),
            ("0xff", "255"),
            ("1.50", "1.5"),
            ("1e3", "1000.0"),
            ("012", "12"),
            (".5", "0.5"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            let Data::Number(it, raw) = plain(text) else { panic!("{text} is a number") };
            assert_eq!((it.to_string().as_str(), raw.as_str()), (number, text));
        }
        assert_eq!(plain("Null"), Data::Null);
        assert_eq!(plain("TRUE"), Data::Bool(true, "TRUE".to_owned()));
    }
}
