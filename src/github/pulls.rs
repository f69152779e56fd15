//! Which pull requests brought a commit, or all commits since another.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Client, Error, Result, segment};

/// A merged pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// The last commit that was pushed to it.
    pub head: String,
    /// The commit that its merge made.
    pub merge: Option<String>,
}

/// So many commits are looked through.
const COMMITS: usize = 1_000;
/// So many pull requests are looked through, those that somebody touched last.
const PULLS: usize = 300;

/// The pull request whose merge made this commit; the youngest, should there be several.
pub async fn merged_by(client: &Client, commit: &str) -> Result<Option<Pull>> {
    let pulls = client.list(&format!("/commits/{commit}/pulls?per_page=100")).await?;
    let merged = pulls.iter().filter(|pull| is_merged(pull)).filter_map(read);
    Ok(merged.filter(|pull| pull.merge.as_deref() == Some(commit)).max_by_key(|pull| pull.number))
}

/// The pull requests that were merged into a branch after `base`, up to `head`: the youngest first. None, where `base` is
/// no commit any more.
pub async fn merged_between(client: &Client, base: &str, head: &str, branch: &str) -> Result<Vec<Pull>> {
    if base == head {
        return Ok(Vec::new());
    }
    let path = format!("/compare/{base}...{head}?per_page=100");
    let commits = match client.first(&path, Some("commits"), COMMITS).await {
        Err(Error::Refused { status: 404, .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let commits: BTreeSet<&str> =
        commits.iter().filter_map(|commit| commit.get("sha").and_then(Value::as_str)).collect();
    let path =
        format!("/pulls?state=closed&base={}&sort=updated&direction=desc&per_page=100", segment(branch));
    let pulls = client.first(&path, None, PULLS).await?;
    let merged = pulls.iter().filter(|pull| is_merged(pull)).filter_map(read);
    let of_these = |pull: &Pull| pull.merge.as_deref().is_some_and(|merge| commits.contains(merge));
    let mut found: Vec<Pull> = merged.filter(of_these).collect();
    found.sort_by_key(|pull| std::cmp::Reverse(pull.number));
    Ok(found)
}

/// Whether this commit is the last one of that pull request: what a number that came from outside is worth.
pub async fn is_head_of(client: &Client, commit: &str, number: u64) -> Result<bool> {
    let pull = client.get(&format!("/pulls/{number}")).await?;
    Ok(read(&pull).is_some_and(|pull| pull.head == commit))
}

fn is_merged(pull: &Value) -> bool {
    pull.get("merged_at").is_some_and(|at| !at.is_null())
}

fn read(pull: &Value) -> Option<Pull> {
    let head = pull.pointer("/head/sha")?.as_str()?.to_owned();
    let merge = pull.get("merge_commit_sha").and_then(Value::as_str).map(str::to_owned);
    Some(Pull { number: pull.get("number")?.as_u64()?, head, merge })
}
