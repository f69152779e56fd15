//! What is done with a row that can't be used.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many bad rows a result describes.
const DESCRIBED: usize = 10;

/// How many bad rows a run puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum BadRows {
    /// None: the first ends the run.
    #[default]
    Fail,
    /// Any number: each is left out and counted.
    Skip,
    /// So many percent of all rows; beyond that the run has no result.
    AtMost(f64),
}

impl FromStr for BadRows {
    type Err = String;

    fn from_str(text: &str) -> Result<BadRows, String> {
        match text {
            "fail" => Ok(BadRows::Fail),
            "skip" => Ok(BadRows::Skip),
            _ => match text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok()) {
                Some(percent) if (0.0..=100.0).contains(&percent) => Ok(BadRows::AtMost(percent)),
                _ => Err("it is fail, skip, or a share of all rows such as 0.5%".to_owned()),
            },
        }
    }
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadRows::Fail => write!(f, "fail"),
            BadRows::Skip => write!(f, "skip"),
            BadRows::AtMost(percent) => write!(f, "{percent}%"),
        }
    }
}

/// The bad rows that were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// How many.
    pub rows: u64,
    /// The first of them: where they stand and what is wrong.
    pub first: Vec<String>,
}

impl Skipped {
    /// Counts one more; its description is asked for only if there is room for it.
    pub fn add(&mut self, describe: impl FnOnce() -> String) {
        self.rows += 1;
        if self.first.len() < DESCRIBED {
            self.first.push(describe());
        }
    }

    /// Adds those of a later part of the data.
    pub fn merge(&mut self, later: &Skipped) {
        self.rows += later.rows;
        let room = DESCRIBED.saturating_sub(self.first.len());
        self.first.extend(later.first.iter().take(room).cloned());
    }

    /// Fails if there are more of them than `policy` puts up with, beside `good` rows.
    pub fn check(&self, policy: BadRows, good: u64) -> Result<(), String> {
        let all = good + self.rows;
        match policy {
            BadRows::AtMost(percent) if self.rows as f64 * 100.0 > percent * all as f64 => Err(format!(
                "{} of {all} rows are bad, which is more than {percent}%; the first: {}",
                self.rows,
                self.first.first().map_or("", String::as_str)
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_and_written() {
        for text in ["fail", "skip", "0.5%", "100%", "0%"] {
            assert_eq!(text.parse::<BadRows>().unwrap().to_string(), text);
        }
        for text in ["", "5", "-1%", "101%", "x%", "NaN%", "Skip"] {
            assert!(text.parse::<BadRows>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_is_of_all_rows_and_may_be_reached() {
        let skipped = Skipped { rows: 5, first: vec!["line 3: it is empty".to_owned()] };
        assert_eq!(skipped.check(BadRows::AtMost(5.0), 95), Ok(()));
        assert_eq!(skipped.check(BadRows::Skip, 0), Ok(()));
        let error = skipped.check(BadRows::AtMost(5.0), 94).unwrap_err();
        assert_eq!(error, "5 of 99 rows are bad, which is more than 5%; the first: line 3: it is empty");
    }

    #[test]
    fn only_the_first_are_described() {
        let mut skipped = Skipped::default();
        (0..8).for_each(|i| skipped.add(|| format!("{i}")));
        let later = skipped.clone();
        skipped.merge(&later);
        assert_eq!(skipped.rows, 16);
        assert_eq!(skipped.first, ["0", "1", "2", "3", "4", "5", "6", "7", "0", "1"]);
    }
}
