//! The time, as comments and issues say it.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// Now, as `2026-05-04 03:02 UTC`.
pub fn now() -> String {
    said(DateTime::from(SystemTime::now()))
}

/// A time, as `2026-05-04 03:02 UTC`.
pub fn said(time: DateTime) -> String {
    let text = time.fmt(Format::DateTime).unwrap_or_default();
    let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", rest.get(..5).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_to_the_minute() {
        assert_eq!(said(DateTime::from_secs(1_767_225_600)), "2026-01-01 00:00 UTC");
    }
}
