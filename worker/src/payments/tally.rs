//! Sum, smallest and largest of many numbers.

use crate::number::{MAX_SCALE, Number, decimal_to_double};

/// Adds numbers up without rounding on the way.
///
/// Decimals are added as integers, one sum for each count of places, so that their total is exact and the same in
/// whatever order they come. Only numbers with too many digits for that are added as doubles, with Neumaier's
/// compensation, which keeps the error of the total near that of one rounding.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    by_scale: [Option<Decimals>; MAX_SCALE + 1],
    doubles: Option<Doubles>,
}

#[derive(Debug, Clone, Copy)]
struct Decimals {
    sum: i128,
    least: i64,
    most: i64,
}

#[derive(Debug, Clone, Copy)]
struct Doubles {
    sum: Compensated,
    least: f64,
    most: f64,
}

/// A sum and what was lost of it by rounding (Neumaier 1974).
#[derive(Debug, Clone, Copy, Default)]
struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost +=
            if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn value(self) -> f64 {
        self.sum + self.lost
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

    #[cold]
    fn add_double(&mut self, value: f64) {
        let empty = Doubles { sum: Compensated::default(), least: value, most: value };
        let doubles = self.doubles.get_or_insert(empty);
        doubles.sum.add(value);
        doubles.least = doubles.least.min(value);
        doubles.most = doubles.most.max(value);
    }

    /// The total; 0 of no numbers. Not finite if it is beyond the range of a double.
    pub fn sum(&self) -> f64 {
        if let (Some((digits, scale)), None) = (self.exact_sum(), &self.doubles) {
            return decimal_to_double(digits, scale);
        }
        let mut total = Compensated::default();
        for (scale, decimals) in self.decimals() {
            total.add(decimal_to_double(decimals.sum, scale));
        }
        if let Some(doubles) = &self.doubles {
            total.add(doubles.sum.sum);
            total.add(doubles.sum.lost);
        }
        total.value()
    }

    /// The smallest number, if there is one.
    pub fn least(&self) -> Option<f64> {
        let decimals =
            self.decimals().map(|(scale, decimals)| decimal_to_double(decimals.least.into(), scale));
        decimals.chain(self.doubles.map(|doubles| doubles.least)).reduce(f64::min)
    }

    /// The largest number, if there is one.
    pub fn most(&self) -> Option<f64> {
        let decimals =
            self.decimals().map(|(scale, decimals)| decimal_to_double(decimals.most.into(), scale));
        decimals.chain(self.doubles.map(|doubles| doubles.most)).reduce(f64::max)
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
    }
}
