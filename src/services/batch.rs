//! AWS Batch: compute environments, job queues, job definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_batch::types::{ComputeEnvironmentDetail, JobDefinition, JobQueueDetail};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{Error, Fault, Result, Scope, Service, TagRules, Target, error, failed, tag_by_arn};
use crate::resource::{Listing, Tags};

mod active_jobs;
mod answers;
mod durations;
mod job_uses;
mod preconditions;

use active_jobs::JOBS_END;
pub use answers::Client;

pub use active_jobs::{refuse_to_cut_off, refuse_with_jobs, unfinished};
use preconditions::LAST_GROUND;
pub use preconditions::{refuse_to_let_go, refuse_to_strand, refuse_while_listed};

/// AWS Batch.
pub struct Batch;

/// What was read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The compute environments of the account, or those that a poll waits for.
    pub compute_environments: Vec<ComputeEnvironmentDetail>,
    /// The job queues of the account, or those that a poll waits for.
    pub job_queues: Vec<JobQueueDetail>,
    /// The ACTIVE revisions of the families that matter.
    pub job_definitions: Vec<JobDefinition>,
    /// The same as AWS wrote them, by ARN: with what the SDK does not know.
    pub written: BTreeMap<String, Value>,
}

/// How many names DescribeComputeEnvironments and DescribeJobQueues take at once, and how many items a page holds.
const PAGE: usize = 100;
/// How many families are read at once.
const AT_ONCE: usize = 8;
/// Up to so many families are asked for one by one, without a look at the whole account.
const FEW_FAMILIES: usize = 16;

impl Service for Batch {
    const NAME: &'static str = "batch";
    const ALWAYS_READ: bool = true;
    // "… is not a valid value for TagValue - it contains illegal characters": Netflix/metaflow#1345, nf-core/hic#224. The
    // user guide (tag-restrictions) calls them only "generally allowed".
    const TAGS: TagRules = TagRules::common("Batch");
    type Client = Client;
    type Snapshot = Snapshot;

    fn client(config: &SdkConfig) -> Client {
        Client::new(config)
    }

    async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
        let (compute_environments, job_queues, job_definitions) = futures::try_join!(
            compute_environments(client, scope),
            job_queues(client, scope),
            job_definitions(client, scope),
        )?;
        let arns = job_definitions.iter().filter_map(JobDefinition::job_definition_arn);
        let written = arns.filter_map(|arn| Some((arn.to_owned(), client.revision(arn)?))).collect();
        Ok(Snapshot { compute_environments, job_queues, job_definitions, written })
    }

    fn listed(snapshot: &Snapshot) -> BTreeMap<&'static str, Listing> {
        let environments = snapshot.compute_environments.iter();
        let environments =
            environments.flat_map(|it| [it.compute_environment_name(), it.compute_environment_arn()]);
        let queues = snapshot.job_queues.iter().flat_map(|it| [it.job_queue_name(), it.job_queue_arn()]);
        BTreeMap::from([
            ("batch/ComputeEnvironment", Listing::named(environments.flatten())),
            ("batch/JobQueue", Listing::named(queues.flatten())),
        ])
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        tag_by_arn!(client, target, set, unset, set.clone().into_iter().collect())
    }

    fn hint(message: &str) -> Option<&'static str> {
        let says = |fragments: &[&str]| fragments.iter().any(|fragment| message.contains(fragment));
        if message.to_lowercase().contains("service linked role") {
            Some(
                "the service-linked role of ECS is not there: run this again, and if that does not help, make it \
                 (`aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`)",
            )
        } else if says(&["sts:AssumeRole"]) {
            Some(
                "the role in serviceRole must exist and let batch.amazonaws.com assume it: correct its \
                 assumeRolePolicyDocument, or leave serviceRole out for Batch's own role",
            )
        } else if says(&["aunch template", "Launch Template"]) {
            Some(
                "the launch template and the version in launchTemplate must exist, and its userData be a MIME multipart \
                 archive: correct it, then run this again",
            )
        } else if says(&["nstance profile", "InstanceProfile"]) {
            Some(
                "the instance profile in instanceRole must exist and hold a role that EC2 may assume: correct it, then run \
                 this again",
            )
        } else {
            None
        }
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        // A queue of the same plan may be on its way to another environment.
        if error.is(JOBS_END) || error.is(LAST_GROUND) {
            return Fault::Settling(Duration::from_secs(600));
        }
        // Nearly everything is a ClientException: only the message tells (aws-semantics §1.4).
        if error.code.as_deref() != Some("ClientException") {
            return error::classify(error);
        }
        let says = |fragments: &[&str]| fragments.iter().any(|fragment| error.message.contains(fragment));
        let creates = error.operation.starts_with("Create") || error.operation.starts_with("Register");
        if says(&["Object already exists"]) {
            Fault::Exists
        } else if says(&["resource is being modified", "found existing JobQueue relationship"]) {
            // The queue may have let go of the environment minutes ago: Batch forgets the relationship late.
            Fault::Settling(Duration::from_secs(600))
        } else if says(&["Manually scaling down compute environment is not supported"]) {
            // A ceiling below what runs: Batch takes it once enough of that is gone.
            Fault::Settling(Duration::from_secs(600))
        } else if is_fresh(&error.message) {
            Fault::Propagating(Duration::from_secs(120))
        } else if says(&["does not exist"]) && !creates {
            Fault::Gone
        } else {
            error::classify(error)
        }
    }
}

/// What Batch says, in any case, of a role, an instance profile or an environment that was made a moment ago.
const FRESH: &[&str] = &[
    "is not authorized to perform",
    "not authorized to perform: sts:assumerole",
    "not authorized to perform sts:assumerole",
    "invalid iaminstanceprofile",
    "service linked role",
    "service-linked role",
    "must be created and valid before attaching",
];

/// Whether it may pass by itself. That the caller may not pass a role does not.
fn is_fresh(message: &str) -> bool {
    let message = message.to_lowercase();
    !message.contains("iam:passrole") && FRESH.iter().any(|part| message.contains(part))
}

/// All of the account at once (50 at most), or a poll's own.
async fn compute_environments(
    client: &aws_sdk_batch::Client,
    scope: &Scope,
) -> Result<Vec<ComputeEnvironmentDetail>> {
    let kind = "batch/ComputeEnvironment";
    if !scope.wants(kind) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for names in chunks(scope, kind) {
        let call = client.describe_compute_environments().set_compute_environments(names);
        let mut items = call.into_paginator().items().send();
        while let Some(item) = items.next().await {
            found.push(item.map_err(failed)?);
        }
    }
    Ok(found)
}

/// All of the account at once (50 at most), or a poll's own.
async fn job_queues(client: &aws_sdk_batch::Client, scope: &Scope) -> Result<Vec<JobQueueDetail>> {
    let kind = "batch/JobQueue";
    if !scope.wants(kind) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for names in chunks(scope, kind) {
        let mut items = client.describe_job_queues().set_job_queues(names).into_paginator().items().send();
        while let Some(item) = items.next().await {
            found.push(item.map_err(failed)?);
        }
    }
    Ok(found)
}

/// `None` for the whole account; in a poll its names, a call's worth at a time.
fn chunks(scope: &Scope, kind: &str) -> Vec<Option<Vec<String>>> {
    if !scope.only {
        return vec![None];
    }
    let names: Vec<String> = scope.names(kind).map(str::to_owned).collect();
    names.chunks(PAGE).map(|names| Some(names.to_vec())).collect()
}

/// The families that are declared, and those that the tag search names beside them.
async fn job_definitions(client: &aws_sdk_batch::Client, scope: &Scope) -> Result<Vec<JobDefinition>> {
    let kind = "batch/JobDefinition";
    if !scope.wants(kind) {
        return Ok(Vec::new());
    }
    let declared: BTreeSet<String> = scope.names(kind).map(str::to_owned).collect();
    let swept = async {
        let arns = scope.swept(&scope.place.arn("batch", "job-definition/")).await?;
        let family = |tail: String| tail.rsplit_once(':').map_or(tail.clone(), |(name, _)| name.to_owned());
        let families: BTreeSet<String> = arns.into_iter().map(family).collect();
        read_families(client, families.difference(&declared).cloned().collect()).await
    };
    let (mut found, more) = futures::try_join!(read_families(client, declared.clone()), swept)?;
    found.extend(more);
    Ok(found)
}

/// Asks by name, or for the whole account where that takes fewer calls. An account may hold thousands of foreign
/// revisions, and nothing tells how many: a quarter as many pages as there are families is what it may cost to find out.
async fn read_families(
    client: &aws_sdk_batch::Client,
    families: BTreeSet<String>,
) -> Result<Vec<JobDefinition>> {
    if families.len() > FEW_FAMILIES
        && let Some(all) = read_account(client, families.len() / 4).await?
    {
        let ours =
            |one: &JobDefinition| one.job_definition_name().is_some_and(|name| families.contains(name));
        return Ok(all.into_iter().filter(ours).collect());
    }
    let read: Vec<Vec<JobDefinition>> = stream::iter(families)
        .map(|family| read_family(client, family))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(read.into_iter().flatten().collect())
}

/// The ACTIVE revisions of a family.
async fn read_family(client: &aws_sdk_batch::Client, family: String) -> Result<Vec<JobDefinition>> {
    let call = client.describe_job_definitions().job_definition_name(family).status("ACTIVE");
    let mut items = call.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(item) = items.next().await {
        found.push(item.map_err(failed)?);
    }
    Ok(found)
}

/// Every ACTIVE revision of the account; `None` if there are more than so many pages of them.
async fn read_account(client: &aws_sdk_batch::Client, pages: usize) -> Result<Option<Vec<JobDefinition>>> {
    let mut answers = client.describe_job_definitions().status("ACTIVE").into_paginator().send();
    let mut found = Vec::new();
    for _ in 0..pages {
        let Some(page) = answers.next().await else { return Ok(Some(found)) };
        let page = page.map_err(failed)?;
        let last = page.next_token().is_none();
        found.extend(page.job_definitions.unwrap_or_default());
        if last {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Reached;

    fn fault(operation: &'static str, message: &str) -> Fault {
        let error = Error {
            service: "batch",
            operation,
            code: Some("ClientException".to_owned()),
            message: message.to_owned(),
            request_id: None,
            reached: Reached::Answered,
            retry_after: None,
        };
        Batch::classify(&error, Duration::ZERO)
    }

    #[test]
    fn the_message_tells() {
        let settling = Fault::Settling(Duration::from_secs(600));
        let fresh = Fault::Propagating(Duration::from_secs(120));
        let compute = "DeleteComputeEnvironment";
        for (operation, message, expected) in [
            ("CreateJobQueue", "Object already exists", Fault::Exists),
            ("UpdateJobQueue", "Cannot update, resource is being modified.", settling),
            (compute, "Cannot delete, resource is being modified.", settling),
            (compute, "Cannot delete, found existing JobQueue relationship", settling),
            (compute, "Compute environment x does not exist", Fault::Gone),
            ("UpdateJobQueue", "Job queue x does not exist", Fault::Gone),
            ("CreateJobQueue", "Compute environment x does not exist", Fault::Terminal),
            ("CreateComputeEnvironment", "arn:… is not authorized to perform: sts:AssumeRole", fresh),
            ("CreateComputeEnvironment", "Not authorized to perform sts:AssumeRole", fresh),
            (
                "CreateComputeEnvironment",
                "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
                fresh,
            ),
            (
                "RegisterJobDefinition",
                "User: arn:aws:iam::1:user/a is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/b",
                Fault::Terminal,
            ),
            (
                "CreateJobQueue",
                "Compute Environments must be created and valid before attaching to a job queue",
                fresh,
            ),
            (
                "UpdateComputeEnvironment",
                "Manually scaling down compute environment is not supported",
                settling,
            ),
            ("RegisterJobDefinition", "Error executing request, Exception : …", Fault::Terminal),
        ] {
            assert_eq!(fault(operation, message), expected, "{operation}: {message}");
        }
    }

    #[test]
    fn other_codes_are_read_as_everywhere() {
        let error = |code: &str| Error {
            code: Some(code.to_owned()),
            ..Error::malformed("batch", "DescribeJobQueues", "Rate exceeded")
        };
        assert_eq!(Batch::classify(&error("TooManyRequestsException"), Duration::ZERO), Fault::Throttled);
        assert_eq!(Batch::classify(&error("ServerException"), Duration::ZERO), Fault::Unknown);
    }
}
