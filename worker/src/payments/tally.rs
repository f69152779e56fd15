//! Sum, smallest and largest of many numbers.

use serde::{Deserialize, Serialize};

use super::Exact;
use crate::number::{MAX_SCALE, Number, decimal_to_double};

/// Adds numbers up without rounding on the way.
///
/// Short decimals are added as integers, one sum for each count of places; longer ones and doubles go into an [`Exact`] sum. So
/// the total is exact, the same in whatever order they come, and that of several parts is that of the whole, whatever the parts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tally {
    by_scale: [Option<Decimals>; MAX_SCALE + 1],
    others: Option<Box<Others>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Decimals {
    #[serde(with = "as_text")]
    sum: i128,
    least: i64,
    most: i64,
}

/// Long decimals and doubles.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Others {
    sum: Exact,
    #[serde(with = "as_text")]
    least: f64,
    #[serde(with = "as_text")]
    most: f64,
}

impl Tally {
    /// Takes one more number into account.
    #[inline]
    pub fn add(&mut self, number: &Number) {
        match number {
            &Number::Decimal { digits, scale } => match self.by_scale.get_mut(scale) {
                Some(Some(decimals)) => decimals.add(digits),
                Some(empty) => {
                    *empty = Some(Decimals { sum: i128::from(digits), least: digits, most: digits })
                }
                None => self.other(number.to_double()).add_decimal(i128::from(digits), scale),
            },
            Number::Double(value) => self.other(*value).add_double(*value),
            Number::Long(long) => self.other(long.nearest()).add_long(long),
        }
    }

    /// The sum of all that is no short decimal; `value` is the double nearest to what will be added to it.
    fn other(&mut self, value: f64) -> &mut Exact {
        // Of two zeros, none is less than the other: the sign would depend on the order.
        let value = value + 0.0;
        let empty = || Box::new(Others { sum: Exact::default(), least: value, most: value });
        let others = self.others.get_or_insert_with(empty);
        others.least = others.least.min(value);
        others.most = others.most.max(value);
        &mut others.sum
    }

    /// The double nearest to the total; 0 of no numbers. Not finite if it is beyond the range of a double.
    pub fn sum(&self) -> f64 {
        let mut total = self.others.as_ref().map(|others| others.sum.clone()).unwrap_or_default();
        for (scale, decimals) in self.decimals() {
            total.add_decimal(decimals.sum, scale);
        }
        // What is too small for a double is nothing, and nothing has no sign.
        total.value() + 0.0
    }

    /// Adds all that `other` has seen.
    ///
    /// Fails only of more than 2^64 numbers, which no parts of a summary have.
    pub fn merge(&mut self, other: &Tally) -> Result<(), String> {
        for (ours, theirs) in self.by_scale.iter_mut().zip(&other.by_scale) {
            match (ours.as_mut(), theirs) {
                (Some(ours), Some(theirs)) => ours.merge(theirs)?,
                (None, Some(_)) => *ours = *theirs,
                (_, None) => {}
            }
        }
        match (&mut self.others, &other.others) {
            (Some(ours), Some(theirs)) => {
                ours.sum.merge(&theirs.sum);
                ours.least = ours.least.min(theirs.least);
                ours.most = ours.most.max(theirs.most);
            }
            (ours @ None, theirs) => *ours = theirs.clone(),
            (_, None) => {}
        }
        Ok(())
    }

    /// The smallest number, if there is one.
    pub fn least(&self) -> Option<f64> {
        let decimals = self.decimals().map(|(scale, decimals)| decimal_to_double(decimals.least, scale));
        decimals.chain(self.others.as_ref().map(|others| others.least)).reduce(f64::min)
    }

    /// The largest number, if there is one.
    pub fn most(&self) -> Option<f64> {
        let decimals = self.decimals().map(|(scale, decimals)| decimal_to_double(decimals.most, scale));
        decimals.chain(self.others.as_ref().map(|others| others.most)).reduce(f64::max)
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

    fn merge(&mut self, other: &Decimals) -> Result<(), String> {
        self.sum = self.sum.checked_add(other.sum).ok_or("the sums are too large for any count of rows")?;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        Ok(())
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
    use crate::number::MAX_PLACES;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    fn tally<'a>(texts: impl IntoIterator<Item = &'a str>) -> Tally {
        let mut tally = Tally::default();
        for text in texts {
            tally.add(&Number::read(text.as_bytes()).unwrap());
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
    fn no_order_and_no_cut_makes_a_difference_near_the_largest_double() {
        for texts in
            [["1e308", "1e308", "-1e308"], ["1e308", "-1e308", "1e308"], ["-1e308", "1e308", "1e308"]]
        {
            assert_eq!(tally(texts).sum(), 1e308, "{texts:?}");
        }
    }

    #[test]
    fn decimals_beyond_doubles_are_added_as_they_are_written() {
        assert_eq!(tally(["9007199254740993", "-9007199254740992.0000000000000000001"]).sum(), 1.0);
        assert_eq!(tally(["0.1000000000000000000000001", "-0.1"]).sum(), 1e-25);
        assert_eq!(tally(["1e-300", "1e300", "-1e300"]).sum(), 1e-300);
    }

    #[test]
    fn a_total_below_all_doubles_is_nothing_without_a_sign() {
        assert_eq!(tally(["-1e-345"]).sum().to_bits(), 0.0_f64.to_bits());
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
        fn the_total_is_that_of_num_bigint_in_any_order_and_any_parts(
            numbers in proptest::collection::vec(any_number(), 1..30)
                .prop_flat_map(|numbers| (Just(numbers.clone()), Just(numbers).prop_shuffle())),
            shards in proptest::collection::vec(any::<prop::sample::Index>(), 30),
        ) {
            let (numbers, shuffled) = numbers;
            let expected: BigInt = numbers.iter().map(scaled).sum();
            let expected: f64 = format!("{expected}e-{SCALE}").parse().unwrap();
            let mut whole = Tally::default();
            numbers.iter().for_each(|number| whole.add(number));

            let mut parts = vec![Tally::default(); 4];
            for (number, shard) in shuffled.iter().zip(&shards) {
                parts[shard.index(4)].add(number);
            }
            let mut merged = Tally::default();
            for part in parts {
                let json = serde_json::to_string(&part).unwrap();
                merged.merge(&serde_json::from_str(&json).unwrap()).unwrap();
            }
            for tally in [&whole, &merged] {
                prop_assert_eq!(tally.sum().to_bits(), (expected + 0.0).to_bits());
                let sorted = || numbers.iter().map(|number| number.to_double() + 0.0);
                prop_assert_eq!(tally.least().map(f64::to_bits), sorted().reduce(f64::min).map(f64::to_bits));
                prop_assert_eq!(tally.most().map(f64::to_bits), sorted().reduce(f64::max).map(f64::to_bits));
            }
        }
    }

    /// More decimal places than any number has.
    const SCALE: usize = MAX_PLACES + 1;

    /// Numbers of every sort, many of which nearly cancel out.
    fn any_number() -> impl Strategy<Value = Number> {
        let text = |pattern| proptest::string::string_regex(pattern).unwrap();
        let read = |text: String| Number::read(text.as_bytes()).ok();
        prop_oneof![
            text(r"-?[0-9]{1,6}(\.[0-9]{1,2})?").prop_filter_map("a number", read),
            text(r"-?[0-9]{1,24}(\.[0-9]{1,20})?(e-?[0-9]{1,2})?").prop_filter_map("a number", read),
            text(r"-?1e(308|-308|-1074|18|19|-18|-19)").prop_filter_map("a number", read),
            text(r"-?[0-9]{1,40}(\.[0-9]{1,60})?e-?[0-9]{1,3}").prop_filter_map("a number", read),
            text(r"-?900719925474099[0-9](\.0{0,30}1)?").prop_filter_map("a number", read),
            any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(Number::Double),
            any::<u64>().prop_map(|bits| Number::Double(f64::from_bits(bits >> 12))),
            prop_oneof![Just(0.0), Just(-0.0), Just(f64::MAX), Just(f64::MIN), Just(5e-324)]
                .prop_map(Number::Double),
            (proptest::collection::vec(any::<u8>(), 1..40), 0i64..80)
                .prop_filter_map("a number", |(bytes, scale)| Number::of_bytes(&bytes, scale).ok()),
        ]
    }

    /// The number as an integer of so many decimal places, by means of num-bigint alone.
    fn scaled(number: &Number) -> BigInt {
        let ten = |power: usize| BigInt::from(10).pow(u32::try_from(power).unwrap());
        match number {
            Number::Decimal { digits, scale } => BigInt::from(*digits) * ten(SCALE - scale),
            Number::Long(long) => {
                let text = long.to_string();
                let (digits, exponent) = text.split_once('e').unwrap();
                let exponent: i64 = exponent.parse().unwrap();
                digits.parse::<BigInt>().unwrap() * ten(usize::try_from(SCALE as i64 + exponent).unwrap())
            }
            // All digits of a double, as the standard library writes them.
            Number::Double(value) => format!("{value:.SCALE$}").replace('.', "").parse().unwrap(),
        }
    }
}
