use batchwright_worker::transform::{Calculation, Fields};
use serde_json::Value;

pub struct Chosen;

impl Calculation for Chosen {
    const READS: &[&str] = &["city", "state"];
    const ADDS: &str = "place";

    fn calculate(fields: &Fields<'_>) -> Result<Value, String> {
        Ok(Value::from(format!("{}, {}", fields.text("city")?, fields.text("state")?)))
    }
}
