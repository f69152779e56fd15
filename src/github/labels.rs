//! Labels of a pull request.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Client, Result};

/// What of an environment's name fits into a label: GitHub takes 50 characters, of which the rest is ours.
const LONGEST: usize = 24;
/// Hexadecimal digits that tell long names apart.
const DIGITS: usize = 8;

/// What the labels of an environment begin with: a name that is too long is cut off, and ends with a digest of the whole.
pub fn prefix(environment: &str) -> String {
    if environment.chars().count() <= LONGEST {
        return format!("batchwright/{environment}/");
    }
    let start: String = environment.chars().take(LONGEST - DIGITS - 1).collect();
    let digest = Sha256::digest(environment.as_bytes());
    let digest: String = digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    format!("batchwright/{start}-{digest}/")
}

/// Gives a pull request this label, and takes away the others that begin with `prefix`. GitHub makes a label that is new, if
/// the token may write issues.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_short_enough_and_tells_environments_apart() {
        assert_eq!(prefix("prod"), "batchwright/prod/");
        let [one, two] = ["1", "2"].map(|it| prefix(&format!("production-eu-west-{it}-payments")));
        assert!(one != two && one.starts_with("batchwright/production-eu-w-"), "{one} {two}");
        assert_eq!(format!("{one}add-or-update").len(), 50);
    }
}
