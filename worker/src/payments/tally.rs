//! Sum, smallest and largest of many numbers.

use serde::{Deserialize, Serialize};

use crate::number::{MAX_SCALE, Number, decimal_to_double};

/// Adds numbers up without rounding on the way.
///
/// Decimals are added as integers, one sum for each count of places, so that their total is exact and the same in
/// whatever order they come. Only numbers with too many digits for that are added as doubles, and these without loss too. So the
/// total of several parts is the total of the whole, whatever the parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    by_scale: [Option<Decimals>; MAX_SCALE + 1],
    doubles: Option<Doubles>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Decimals {
    #[serde(with = "as_text")]
    sum: i128,
    least: i64,
    most: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Doubles {
    sum: Exact,
    #[serde(with = "as_text")]
    least: f64,
    #[serde(with = "as_text")]
    most: f64,
}

/// A sum of doubles as a few doubles that do not overlap, smallest first (Shewchuk 1997): their own sum is the true one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
struct Exact(Vec<f64>);

impl From<Exact> for Vec<String> {
    fn from(exact: Exact) -> Vec<String> {
        exact.0.iter().map(f64::to_string).collect()
    }
}

impl TryFrom<Vec<String>> for Exact {
    type Error = std::num::ParseFloatError;

    fn try_from(texts: Vec<String>) -> Result<Exact, Self::Error> {
        texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map(Exact)
    }
}

impl Exact {
    fn add(&mut self, mut value: f64) {
        let mut kept = 0;
        for at in 0..self.0.len() {
            let Some(&part) = self.0.get(at) else { break };
            let (large, small) = if value.abs() < part.abs() { (part, value) } else { (value, part) };
            let sum = large + small;
            let lost = small - (sum - large);
            if lost != 0.0
                && let Some(slot) = self.0.get_mut(kept)
            {
                *slot = lost;
                kept += 1;
            }
            value = sum;
        }
        self.0.truncate(kept);
        self.0.push(value);
    }

    /// The double nearest to the sum.
    fn value(&self) -> f64 {
        let mut parts = self.0.iter().rev();
        let mut sum = parts.next().copied().unwrap_or(0.0);
        while let Some(&part) = parts.next() {
            let before = sum;
            sum += part;
            let lost = part - (sum - before);
            if lost != 0.0 {
                // Exactly between two doubles, what is still smaller decides.
                let next = parts.next().copied().unwrap_or(0.0);
                if (lost < 0.0 && next < 0.0) || (lost > 0.0 && next > 0.0) {
                    let twice = lost * 2.0;
                    let up = sum + twice;
                    if up - sum == twice {
                        sum = up;
                    }
                }
                break;
            }
        }
        sum
    }
}

impl Tally {
    /// Takes one more number into account.
    #[inline]
    pub fn add(&mut self, number: Number) {
        match number {
            Number::Decimal { digits, scale } => match self.by_scale.get_mut(scale) {
                Some(Some(decimals)) => decimals.add(digits),
                Some(empty) => {
                    *empty = Some(Decimals { sum: i128::from(digits), least: digits, most: digits })
                }
                None => self.add_double(number.to_double()),
            },
            Number::Double(value) => self.add_double(value),
        }
    }

    fn add_double(&mut self, value: f64) {
        let empty = || Doubles { sum: Exact::default(), least: value, most: value };
        let doubles = self.doubles.get_or_insert_with(empty);
        doubles.sum.add(value);
        doubles.least = doubles.least.min(value);
        doubles.most = doubles.most.max(value);
    }

    /// The total; 0 of no numbers. Not finite if it is beyond the range of a double.
    pub fn sum(&self) -> f64 {
        if let (Some((digits, scale)), None) = (self.exact_sum(), &self.doubles) {
            return decimal_to_double(digits, scale);
        }
        let mut total = self.doubles.as_ref().map(|doubles| doubles.sum.clone()).unwrap_or_default();
        for (scale, decimals) in self.decimals() {
            total.add(decimal_to_double(decimals.sum, scale));
        }
        total.value()
    }

    /// Adds all that `other` has seen.
    pub fn merge(&mut self, other: &Tally) {
        for (ours, theirs) in self.by_scale.iter_mut().zip(&other.by_scale) {
            match (ours.as_mut(), theirs) {
                (Some(ours), Some(theirs)) => ours.merge(theirs),
                (None, Some(_)) => *ours = *theirs,
                (_, None) => {}
            }
        }
        match (&mut self.doubles, &other.doubles) {
            (Some(ours), Some(theirs)) => {
                theirs.sum.0.iter().for_each(|part| ours.sum.add(*part));
                ours.least = ours.least.min(theirs.least);
                ours.most = ours.most.max(theirs.most);
            }
            (ours @ None, theirs) => *ours = theirs.clone(),
            (_, None) => {}
        }
    }

    /// The smallest number, if there is one.
    pub fn least(&self) -> Option<f64> {
        let decimals =
            self.decimals().map(|(scale, decimals)| decimal_to_double(decimals.least.into(), scale));
        decimals.chain(self.doubles.as_ref().map(|doubles| doubles.least)).reduce(f64::min)
    }

    /// The largest number, if there is one.
    pub fn most(&self) -> Option<f64> {
        let decimals =
            self.decimals().map(|(scale, decimals)| decimal_to_double(decimals.most.into(), scale));
        decimals.chain(self.doubles.as_ref().map(|doubles| doubles.most)).reduce(f64::max)
    }

    /// The decimals' total as one decimal, unless it is too long for 128 bits.
    fn exact_sum(&self) -> Option<(i128, usize)> {
        let mut total = (0i128, 0);
        for (scale, decimals) in self.decimals() {
            let shift = 10i128.checked_pow(u32::try_from(scale - total.1).ok()?)?;
            total = (total.0.checked_mul(shift)?.checked_add(decimals.sum)?, scale);
        }
        Some(total)
    }

    fn decimals(&self) -> impl Iterator<Item = (usize, &Decimals)> {
        self.by_scale.iter().enumerate().filter_map(|(scale, decimals)| Some((scale, decimals.as_ref()?)))
    }
}

impl Decimals {
    #[inline]
    fn add(&mut self, digits: i64) {
        self.sum += i128::from(digits);
        self.least = self.least.min(digits);
        self.most = self.most.max(digits);
    }

    fn merge(&mut self, other: &Decimals) {
        self.sum += other.sum;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
    }
}

/// A number as text: to many readers JSON's own are doubles, and not always the nearest.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally<'a>(texts: impl IntoIterator<Item = &'a str>) -> Tally {
        let mut tally = Tally::default();
        for text in texts {
            tally.add(Number::read(text.as_bytes()).unwrap());
        }
        tally
    }

    #[test]
    fn ten_dimes_are_a_dollar() {
        assert_eq!(tally(["0.1"; 10]).sum(), 1.0);
        assert_eq!(tally(["0.1", "0.2"]).sum(), 0.3);
        assert_eq!([0.1; 10].iter().sum::<f64>(), 0.9999999999999999, "which plain addition misses");
    }

    #[test]
    fn nothing_is_lost_beside_a_large_number() {
        assert_eq!(tally(["1e18", "0.25", "-1e18"]).sum(), 0.25);
        assert_eq!(tally(["1e100", "1.5", "-1e100"]).sum(), 1.5);
        assert_eq!(tally(["1e40", "3", "0.5", "-1e40"]).sum(), 3.5);
    }

    #[test]
    fn the_extremes_are_found_across_all_forms() {
        let tally = tally(["3", "-2.50", "1e100", "0.125", "-1e-200"]);
        assert_eq!((tally.least(), tally.most()), (Some(-2.5), Some(1e100)));
        assert_eq!((Tally::default().least(), Tally::default().most()), (None, None));
    }

    #[test]
    fn a_total_beyond_all_doubles_is_not_finite() {
        assert!(!tally(["1e308", "1e308"]).sum().is_finite());
    }

    proptest! {
        #[test]
        fn the_total_of_amounts_is_the_nearest_double_in_any_order(
            cents in proptest::collection::vec(-10_000_000_000i64..10_000_000_000, 1..200)
        ) {
            let texts: Vec<String> = cents.iter().map(|&c| format!("{}{}.{:02}", if c < 0 { "-" } else { "" }, c.abs() / 100, c.abs() % 100)).collect();
            let forward = tally(texts.iter().map(String::as_str));
            let backward = tally(texts.iter().rev().map(String::as_str));
            let expected = cents.iter().sum::<i64>() as f64 / 100.0;
            prop_assert_eq!(forward.sum(), expected);
            prop_assert_eq!(backward.sum(), expected);
        }

        #[test]
        fn parts_that_were_written_down_make_the_whole_wherever_they_are_cut(
            texts in proptest::collection::vec(r"-?[0-9]{1,24}(\.[0-9]{1,20})?(e-?[0-9]{1,2})?", 1..40), cut: prop::sample::Index
        ) {
            let (left, right) = texts.split_at(cut.index(texts.len()));
            let part = |texts: &[String]| -> Tally {
                let json = serde_json::to_string(&tally(texts.iter().map(String::as_str))).unwrap();
                serde_json::from_str(&json).unwrap()
            };
            let mut parts = part(right);
            parts.merge(&part(left));
            let whole = tally(texts.iter().map(String::as_str));
            prop_assert_eq!((parts.sum(), parts.least(), parts.most()), (whole.sum(), whole.least(), whole.most()));
        }
    }
}
