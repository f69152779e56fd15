//! Runs of a workflow on a branch: which commit the last good one was for, and whether one is on its way.

use serde_json::Value;

use super::{Client, Result, segment};

/// So many runs are looked through.
const RUNS: usize = 100;

/// The commit of the last run of this workflow that succeeded on the branch.
pub async fn last_success(client: &Client, workflow: &str, branch: &str) -> Result<Option<String>> {
    let found = runs(client, workflow, &format!("branch={}&status=success", segment(branch))).await?;
    let good = |run: &&Value| run["conclusion"] == "success" && run["head_branch"] == branch;
    let last = found.iter().filter(good).max_by_key(|run| run["id"].as_u64());
    Ok(last.and_then(|run| run["head_sha"].as_str()).map(str::to_owned))
}

/// Whether a run of this workflow for a commit of the branch waits or works.
pub async fn is_underway(client: &Client, workflow: &str, branch: &str, commit: &str) -> Result<bool> {
    let found = runs(client, workflow, &format!("branch={}&head_sha={commit}", segment(branch))).await?;
    Ok(found.iter().any(|run| run["head_sha"] == commit && run["status"] != "completed"))
}

/// The commit that a branch ends with.
pub async fn head_of(client: &Client, branch: &str) -> Result<Option<String>> {
    let reference = client.get(&format!("/git/ref/heads/{}", segment(branch))).await?;
    Ok(reference.pointer("/object/sha").and_then(Value::as_str).map(str::to_owned))
}

async fn runs(client: &Client, workflow: &str, query: &str) -> Result<Vec<Value>> {
    let path = format!("/actions/workflows/{workflow}/runs?{query}&per_page=100");
    client.first(&path, Some("workflow_runs"), RUNS).await
}
