//! What `transform` and `consume` compute of each line: the module to replace.

use serde_json::Value;

use crate::transform::{Calculation, Fields};

/// `review_score = stars × review_count`: a score that favours businesses with many reviews.
#[derive(Debug)]
pub struct Chosen;

impl Calculation for Chosen {
    const READS: &[&str] = &["stars", "review_count"];
    const ADDS: &str = "review_score";

    #[inline]
    fn calculate(fields: &Fields<'_>) -> Result<Value, String> {
        let score = fields.number("stars")? * fields.number("review_count")?;
        // No number in JSON is infinite; it would be written as null.
        if score.is_finite() { Ok(Value::from(score)) } else { Err("review_score is too large".to_owned()) }
    }
}
