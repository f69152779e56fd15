//! Labels of a pull request.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Client, Result};

/// Gives a pull request this label, and takes away the others that begin with `prefix`. GitHub makes a label that is new.
pub async fn set(client: &Client, number: u64, prefix: &str, label: &str) -> Result<()> {
    let there = client.list(&format!("/issues/{number}/labels?per_page=100")).await?;
    let names = there.iter().filter_map(|label| label.get("name").and_then(Value::as_str));
    let there: BTreeSet<&str> = names.filter(|name| name.starts_with(prefix)).collect();
    for old in there.iter().filter(|name| **name != label) {
        let name = utf8_percent_encode(old, NON_ALPHANUMERIC);
        client.delete(&format!("/issues/{number}/labels/{name}")).await?;
    }
    if !there.contains(label) {
        client.post(&format!("/issues/{number}/labels"), &json!({ "labels": [label] })).await?;
    }
    Ok(())
}
