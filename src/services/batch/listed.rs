//! Which job queues list a compute environment, asked at the last moment.

use aws_sdk_batch::Client;
use aws_sdk_batch::types::{JobQueueDetail, JqStatus};

use crate::resource::OWNER_TAG;
use crate::services::error::Reached;
use crate::services::{Error, Result, failed};

/// The code of our own refusal, beside AWS's.
const STILL_LISTED: &str = "StillListed";

/// Fails if any queue of the account lists the environment: without it the queue might have no place for its jobs.
/// Queues that are being deleted do not count.
pub async fn refuse_while_listed(client: &Client, environment: &str) -> Result<()> {
    let mut queues = client.describe_job_queues().into_paginator().items().send();
    let mut listing = Vec::new();
    while let Some(queue) = queues.next().await {
        let queue = queue.map_err(failed("batch", "DescribeJobQueues"))?;
        let leaves = matches!(queue.status(), Some(JqStatus::Deleting | JqStatus::Deleted));
        let order = queue.compute_environment_order();
        if !leaves && order.iter().any(|entry| entry.compute_environment() == Some(environment)) {
            listing.push(named(&queue));
        }
    }
    if listing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "by now it is listed by {}, which it would take the ground from: plan again",
        listing.join(" and ")
    );
    Err(Error {
        service: "batch",
        operation: "UpdateComputeEnvironment",
        code: Some(STILL_LISTED.to_owned()),
        message,
        request_id: None,
        reached: Reached::NotSent,
        retry_after: None,
    })
}

fn named(queue: &JobQueueDetail) -> String {
    let owner = queue.tags().and_then(|tags| tags.get(OWNER_TAG));
    let owner = owner.map_or_else(|| "without an owner".to_owned(), |owner| format!("of {owner}"));
    format!("the job queue {} {owner}", queue.job_queue_name().unwrap_or_default())
}
