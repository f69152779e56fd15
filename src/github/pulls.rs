//! Which pull request brought a commit.

use serde_json::Value;

use super::{Client, Result};

/// A merged pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// The last commit that was pushed to it.
    pub head: String,
}

/// The pull request whose merge made this commit; the youngest, should there be several.
pub async fn merged_by(client: &Client, commit: &str) -> Result<Option<Pull>> {
    let pulls = client.list(&format!("/commits/{commit}/pulls?per_page=100")).await?;
    let merged = pulls.iter().filter(|pull| {
        let merge = pull.get("merge_commit_sha").and_then(Value::as_str) == Some(commit);
        merge && pull.get("merged_at").is_some_and(|at| !at.is_null())
    });
    Ok(merged.filter_map(read).max_by_key(|pull| pull.number))
}

/// Whether this commit is the last one of that pull request: what a number that came from outside is worth.
pub async fn is_head_of(client: &Client, commit: &str, number: u64) -> Result<bool> {
    let pull = client.get(&format!("/pulls/{number}")).await?;
    Ok(read(&pull).is_some_and(|pull| pull.head == commit))
}

fn read(pull: &Value) -> Option<Pull> {
    let head = pull.pointer("/head/sha")?.as_str()?.to_owned();
    Some(Pull { number: pull.get("number")?.as_u64()?, head })
}
