//! What a job queue has to run its jobs on, asked at the last moment: before a queue lets go of a compute environment, and
//! before an environment is switched off.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_batch::Client;
use aws_sdk_batch::types::{CeState, CeStatus, ComputeEnvironmentDetail, JobQueueDetail, JqState, JqStatus};

use crate::resource::{NAME_TAG, OWNER_TAG};
use crate::services::error::Reached;
use crate::services::{Error, Result, failed};

/// The codes of our own refusals, beside AWS's.
const STILL_LISTED: &str = "StillListed";
const NO_GROUND: &str = "NoGround";

/// The same where waiting may help: a queue is about to move, or an environment to be VALID.
pub(super) const LAST_GROUND: &str = "LastGround";

/// Fails while switching the environment off would leave an open queue of the account no other that is ENABLED and VALID.
pub async fn refuse_to_strand(client: &Client, environment: &str) -> Result<()> {
    let mut stranded = queues(client).await?;
    stranded.retain(|queue| is_open(queue) && lists(queue, environment));
    if stranded.is_empty() {
        return Ok(());
    }
    let there = environments(client, None).await?;
    stranded.retain(|queue| {
        let up = |arn: &str| there.get(arn).is_some_and(is_up);
        !order(queue).any(|arn| arn != environment && up(arn))
    });
    if stranded.is_empty() {
        return Ok(());
    }
    let message = format!(
        "it is the last that is ENABLED and VALID under {}: let the queue name another first",
        all_named(&stranded)
    );
    Err(refused("UpdateComputeEnvironment", LAST_GROUND, message))
}

/// Fails if an environment that is to go for good may not be switched off: any queue of the account lists it, or one has
/// moved to another generation of it and has nothing that is ENABLED and VALID there. Queues that are being deleted do not
/// count.
pub async fn refuse_while_listed(client: &Client, environment: &str) -> Result<()> {
    let (queues, there) = futures::try_join!(queues(client), environments(client, None))?;
    let listing: Vec<JobQueueDetail> =
        queues.iter().filter(|queue| lists(queue, environment)).cloned().collect();
    if !listing.is_empty() {
        let message =
            format!("by now it is listed by {}, which may not lose it: plan again", all_named(&listing));
        return Err(refused("UpdateComputeEnvironment", STILL_LISTED, message));
    }
    let siblings = siblings(&there, environment);
    for queue in queues.iter().filter(|queue| is_open(queue)) {
        if order(queue).any(|arn| siblings.contains(arn)) {
            let what = format!("{} has left it, and has nothing else", named(queue));
            refuse_without_ground("UpdateComputeEnvironment", &there, order(queue), &what)?;
        }
    }
    Ok(())
}

/// Fails unless one of these environments is ENABLED and VALID: a queue is to let go of what else it has.
pub async fn refuse_to_let_go(client: &Client, stay: Vec<String>) -> Result<()> {
    let there = environments(client, Some(stay.clone())).await?;
    let what = "it keeps the compute environment that it has, since there is nothing else";
    refuse_without_ground("UpdateJobQueue", &there, stay.iter().map(String::as_str), what)
}

/// `what`: says who would have no ground.
fn refuse_without_ground<'a>(
    operation: &'static str,
    there: &BTreeMap<String, ComputeEnvironmentDetail>,
    order: impl Iterator<Item = &'a str>,
    what: &str,
) -> Result<()> {
    let mut soon = false;
    let mut seen = Vec::new();
    for arn in order {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        let Some(one) = there.get(arn) else {
            seen.push(format!("{name} is gone"));
            continue;
        };
        if is_up(one) {
            return Ok(());
        }
        let enabled = one.state() == Some(&CeState::Enabled);
        soon |= enabled && matches!(one.status(), Some(CeStatus::Creating | CeStatus::Updating));
        seen.push(format!("{name} is {}", shown(one)));
    }
    let code = if soon { LAST_GROUND } else { NO_GROUND };
    let message = format!("{what} that is ENABLED and VALID: {}", seen.join(", "));
    Err(refused(operation, code, message))
}

fn is_up(one: &ComputeEnvironmentDetail) -> bool {
    one.state() == Some(&CeState::Enabled) && one.status() == Some(&CeStatus::Valid)
}

/// `ENABLED and INVALID (why)`.
fn shown(one: &ComputeEnvironmentDetail) -> String {
    let state = one.state().map(CeState::as_str).unwrap_or_default();
    let status = one.status().map(CeStatus::as_str).unwrap_or_default();
    let why = one.status_reason().filter(|_| one.status() == Some(&CeStatus::Invalid));
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{state} and {status}{why}")
}

/// The other generations of an environment: what bears the same owner's tag and the same name's.
fn siblings<'a>(
    there: &'a BTreeMap<String, ComputeEnvironmentDetail>,
    environment: &str,
) -> BTreeSet<&'a str> {
    let ours = |one: &ComputeEnvironmentDetail| {
        let tags = one.tags()?;
        Some((tags.get(OWNER_TAG)?.clone(), tags.get(NAME_TAG)?.clone()))
    };
    let Some(mine) = there.get(environment).and_then(ours) else { return BTreeSet::new() };
    let same = there.iter().filter(|(arn, one)| *arn != environment && ours(one).as_ref() == Some(&mine));
    same.map(|(arn, _)| arn.as_str()).collect()
}

/// All environments of the account (50 at most), or those of these ARNs.
async fn environments(
    client: &Client,
    arns: Option<Vec<String>>,
) -> Result<BTreeMap<String, ComputeEnvironmentDetail>> {
    let call = client.describe_compute_environments().set_compute_environments(arns);
    let mut items = call.into_paginator().items().send();
    let mut found = BTreeMap::new();
    while let Some(one) = items.next().await {
        let one = one.map_err(failed)?;
        found.insert(one.compute_environment_arn().unwrap_or_default().to_owned(), one);
    }
    Ok(found)
}

/// All queues of the account that stay.
async fn queues(client: &Client) -> Result<Vec<JobQueueDetail>> {
    let mut queues = client.describe_job_queues().into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(queue) = queues.next().await {
        let queue = queue.map_err(failed)?;
        if !matches!(queue.status(), Some(JqStatus::Deleting | JqStatus::Deleted)) {
            found.push(queue);
        }
    }
    Ok(found)
}

/// The ARNs of the queues that list an environment.
pub(super) async fn listed_by(client: &Client, environment: &str) -> Result<BTreeSet<String>> {
    let queues = queues(client).await?;
    let listing = queues.into_iter().filter(|queue| lists(queue, environment));
    Ok(listing.filter_map(|queue| queue.job_queue_arn).collect())
}

fn is_open(queue: &JobQueueDetail) -> bool {
    queue.state() == Some(&JqState::Enabled)
}

fn order(queue: &JobQueueDetail) -> impl Iterator<Item = &str> {
    queue.compute_environment_order().iter().filter_map(|entry| entry.compute_environment())
}

fn lists(queue: &JobQueueDetail, environment: &str) -> bool {
    order(queue).any(|arn| arn == environment)
}

/// A refusal of our own, before AWS was asked.
pub(super) fn refused(operation: &'static str, code: &str, message: String) -> Error {
    Error {
        service: "batch",
        operation,
        code: Some(code.to_owned()),
        message,
        request_id: None,
        reached: Reached::NotSent,
        retry_after: None,
    }
}

fn all_named(queues: &[JobQueueDetail]) -> String {
    queues.iter().map(named).collect::<Vec<_>>().join(" and ")
}

fn named(queue: &JobQueueDetail) -> String {
    let owner = queue.tags().and_then(|tags| tags.get(OWNER_TAG));
    let owner = owner.map_or_else(|| "without an owner".to_owned(), |owner| format!("of {owner}"));
    format!("the job queue {} {owner}", queue.job_queue_name().unwrap_or_default())
}
