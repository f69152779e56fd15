//! A moment, as AWS writes it.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::mirror::Part;

/// A moment such as `2027-01-31T12:00:00Z`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Time(pub String);

impl Time {
    /// The moment, unless it is none.
    pub fn parsed(&self) -> Option<DateTime> {
        DateTime::from_str(&self.0, Format::DateTimeWithOffset).ok()
    }

    /// As AWS writes it, whatever the zone that it is written in.
    pub fn normalise(&mut self) {
        if let Some(text) = self.parsed().and_then(|time| time.fmt(Format::DateTime).ok()) {
            self.0 = text;
        }
    }
}

impl Part<DateTime> for Time {
    fn of(sdk: &DateTime) -> Self {
        Self(sdk.fmt(Format::DateTime).unwrap_or_default())
    }

    fn sdk(&self) -> DateTime {
        // What is none was refused before.
        self.parsed().unwrap_or_else(|| DateTime::from_secs(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn a_moment_is_one_in_any_zone() {
        let mut time = Time("2027-01-31T12:00:00+02:00".to_owned());
        time.normalise();
        assert_eq!(time.0, "2027-01-31T10:00:00Z");
        let mut none = Time("tomorrow".to_owned());
        none.normalise();
        assert_eq!((none.0.as_str(), none.parsed()), ("tomorrow", None));
    }
}
