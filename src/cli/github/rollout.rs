//! What a deployment rolls out: the pull requests that were merged since the last one that succeeded, as long as no later
//! commit is the branch's head.

use serde_json::{Value, json};

use super::super::{Error, Result};
use crate::github::{Client, Context, Pull, head_of, is_underway, last_success, merged_between, merged_by};

/// The type of the record that says that another run does the work.
const SUPERSEDED: &str = "superseded";

/// The pull requests whose changes this commit brings to AWS: the one that was merged as it, and those whose own runs were
/// dropped or failed since the last one that succeeded. Before the first that succeeded, nobody knows of others.
pub async fn merged(client: &Client, context: &Context, commit: &str) -> Result<Vec<Pull>> {
    let mut found: Vec<Pull> = merged_by(client, commit).await?.into_iter().collect();
    let (Some(branch), Some(workflow)) = (&context.branch, &context.workflow) else { return Ok(found) };
    if let Some(base) = last_success(client, workflow, branch).await? {
        let before = merged_between(client, &base, commit, branch).await?;
        let known: Vec<u64> = found.iter().map(|pull| pull.number).collect();
        found.extend(before.into_iter().filter(|pull| !known.contains(&pull.number)));
    }
    Ok(found)
}

/// Fails if the commit is not what its branch ends with any more: then the run of the branch's head brings everything.
pub async fn check_head(client: &Client, context: &Context, commit: &str) -> Result<()> {
    let (Some(branch), Some(workflow)) = (&context.branch, &context.workflow) else { return Ok(()) };
    let Some(head) = head_of(client, branch).await?.filter(|head| head != commit) else { return Ok(()) };
    let covered = is_underway(client, workflow, branch, &head).await?;
    let next = match covered {
        true => "its own run is on its way, and covers this one".to_owned(),
        false => {
            format!("no run of it is on its way: `gh workflow run {workflow} --ref {branch}` starts one")
        }
    };
    let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
    let why = format!("{branch} ends with {} now, no more with {}; {next}", short(&head), short(commit));
    Err(Error::Superseded { why, covered })
}

/// The record of an apply that was left to a later run.
pub fn record(why: &str, covered: bool) -> Value {
    json!({ "type": SUPERSEDED, "message": why, "covered": covered })
}

/// Whether the records say that a run that is on its way does the work.
pub fn is_covered(records: &[Value]) -> bool {
    records.iter().any(|record| record["type"] == SUPERSEDED && record["covered"] == true)
}
