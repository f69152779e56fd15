//! Which job queues list a compute environment, asked at the last moment.

use std::collections::BTreeSet;

use aws_sdk_batch::Client;
use aws_sdk_batch::types::{CeState, CeStatus, JobQueueDetail, JqState, JqStatus};

use crate::resource::OWNER_TAG;
use crate::services::error::Reached;
use crate::services::{Error, Result, failed};

/// The code of our own refusal, beside AWS's.
const STILL_LISTED: &str = "StillListed";

/// The same of a queue that may be about to move: worth waiting for.
pub(super) const LAST_GROUND: &str = "LastGround";

/// Fails while switching the environment off would leave an open queue of the account no other that is ENABLED and VALID.
pub async fn refuse_to_strand(client: &Client, environment: &str) -> Result<()> {
    let mut stranded = listing(client, environment).await?;
    stranded.retain(|queue| queue.state() == Some(&JqState::Enabled));
    if stranded.is_empty() {
        return Ok(());
    }
    let mut up = BTreeSet::new();
    let mut environments = client.describe_compute_environments().into_paginator().items().send();
    while let Some(found) = environments.next().await {
        let found = found.map_err(failed("batch", "DescribeComputeEnvironments"))?;
        let is_up = found.state() == Some(&CeState::Enabled) && found.status() == Some(&CeStatus::Valid);
        up.extend(found.compute_environment_arn.filter(|arn| is_up && arn != environment));
    }
    stranded.retain(|queue| {
        let mut order = queue.compute_environment_order().iter();
        !order.any(|entry| entry.compute_environment().is_some_and(|arn| up.contains(arn)))
    });
    let names: Vec<String> = stranded.iter().map(named).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(refused(
        LAST_GROUND,
        format!(
            "it is the last that is ENABLED and VALID under {}: let the queue name another first",
            names.join(" and ")
        ),
    ))
}

/// Fails if any queue of the account lists the environment: without it the queue might have no place for its jobs.
/// Queues that are being deleted do not count.
pub async fn refuse_while_listed(client: &Client, environment: &str) -> Result<()> {
    let listing: Vec<String> = listing(client, environment).await?.iter().map(named).collect();
    if listing.is_empty() {
        return Ok(());
    }
    let message =
        format!("by now it is listed by {}, which may not lose it: plan again", listing.join(" and "));
    Err(refused(STILL_LISTED, message))
}

async fn listing(client: &Client, environment: &str) -> Result<Vec<JobQueueDetail>> {
    let mut queues = client.describe_job_queues().into_paginator().items().send();
    let mut listing = Vec::new();
    while let Some(queue) = queues.next().await {
        let queue = queue.map_err(failed("batch", "DescribeJobQueues"))?;
        let leaves = matches!(queue.status(), Some(JqStatus::Deleting | JqStatus::Deleted));
        let order = queue.compute_environment_order();
        if !leaves && order.iter().any(|entry| entry.compute_environment() == Some(environment)) {
            listing.push(queue);
        }
    }
    Ok(listing)
}

fn refused(code: &str, message: String) -> Error {
    Error {
        service: "batch",
        operation: "UpdateComputeEnvironment",
        code: Some(code.to_owned()),
        message,
        request_id: None,
        reached: Reached::NotSent,
        retry_after: None,
    }
}

fn named(queue: &JobQueueDetail) -> String {
    let owner = queue.tags().and_then(|tags| tags.get(OWNER_TAG));
    let owner = owner.map_or_else(|| "without an owner".to_owned(), |owner| format!("of {owner}"));
    format!("the job queue {} {owner}", queue.job_queue_name().unwrap_or_default())
}
