//! Jobs that are not over: listed by queue and status, since ListJobs answers for one of each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_batch::Client;
use aws_sdk_batch::types::{JobDefinition, JobDetail, JobStatus, JobSummary};
use futures::{StreamExt, TryStreamExt, stream};

use super::durations;
use super::job_uses;
use super::preconditions::{listed_by, refused};
use crate::resource::{Definition, Job, Jobs, JobsOf, OWNER_TAG, Owner};
use crate::services::{Error, Result, failed};

/// How many lists are read at once, and how many ids DescribeJobs takes.
const AT_ONCE: usize = 8;
const DESCRIBED: usize = 100;

/// A thousand jobs may wait: one page of them tells what there is to tell, unless any of them may need what goes.
const FEW_PAGES: usize = 1;
/// So many pages hold ten thousand jobs. Who has more of them is told that not all were looked at.
const MANY_PAGES: usize = 100;
/// Parents of arrays are pending as long as their children run.
const PARENTS: usize = 20;

/// Where ListJobs looks.
#[derive(Clone)]
enum Of {
    Queue(String),
    Array { parent: String, queue: String },
}

struct Listed {
    queue: String,
    jobs: Vec<JobSummary>,
    more: bool,
}

/// The jobs of some queues, or of all of them, that are not over. A queue that is gone has none.
pub async fn unfinished(client: &Client, about: &JobsOf) -> Result<Jobs> {
    let queues: Vec<String> = match &about.queues {
        Some(queues) => queues.iter().cloned().collect(),
        None => all_queues(client).await?,
    };
    let running = [(JobStatus::Starting, usize::MAX), (JobStatus::Running, usize::MAX)];
    let pages = if about.needs { MANY_PAGES } else { FEW_PAGES };
    let waiting = [
        (JobStatus::Submitted, pages),
        (JobStatus::Pending, PARENTS.max(pages)),
        (JobStatus::Runnable, pages),
    ];
    let asked = |(status, _): &(JobStatus, usize)| about.waiting || *status == JobStatus::Pending;
    let statuses: Vec<_> = waiting.into_iter().filter(asked).chain(running.clone()).collect();
    let queues = queues.into_iter().map(Of::Queue).collect();
    let mut lists = list_all(client, queues, &statuses).await?;
    let parents = lists.iter().flat_map(|list| {
        let parents = list.jobs.iter().filter(|job| job.array_properties().is_some());
        parents
            .filter_map(|job| Some(Of::Array { parent: job.job_id()?.to_owned(), queue: list.queue.clone() }))
    });
    let parents = parents.collect();
    lists.extend(list_all(client, parents, &running).await?);
    if !about.waiting {
        lists.iter_mut().for_each(|list| list.jobs.retain(is_running));
    }
    let active = if about.needs { active(client).await? } else { BTreeMap::new() };
    // Of those that wait, one of each definition tells what all of them need.
    let mut known: BTreeSet<&str> = active.keys().map(String::as_str).collect();
    let jobs = lists.iter().flat_map(|list| list.jobs.iter());
    let described: Vec<&JobSummary> = jobs
        .filter(|job| {
            is_running(job) || (about.needs && job.job_definition().is_none_or(|it| known.insert(it)))
        })
        .collect();
    let ids = described.iter().filter_map(|job| job.job_id().map(str::to_owned)).collect();
    let details = describe(client, ids).await?;
    let mut needs: BTreeMap<String, BTreeSet<String>> =
        active.iter().map(|(arn, definition)| (arn.clone(), definition.needs.clone())).collect();
    for job in details.values() {
        if let Some(definition) = job.job_definition() {
            needs.entry(definition.to_owned()).or_insert_with(|| job_uses::of(job));
        }
    }
    let unbounded =
        |job: &&JobSummary| is_running(job) && job.job_id().and_then(|id| bound(details.get(id)?)).is_none();
    let asked = lists.iter().filter(|list| about.past && list.jobs.iter().any(|job| unbounded(&job)));
    let durations = durations::longest(client, asked.map(|list| list.queue.clone()).collect()).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut found = Jobs::default();
    for list in lists {
        if list.more {
            found.more_in.insert(list.queue.clone());
        }
        for job in list.jobs {
            let detail = job.job_id().and_then(|id| details.get(id));
            let mut read = read(&job, detail, &list.queue, now);
            read.past = before(&durations, &job);
            if about.needs {
                read.needs
                    .extend(job.job_definition().and_then(|it| needs.get(it)).into_iter().flatten().cloned());
            }
            found.list.push(read);
        }
    }
    // A job that moves on between two lists stands in both: what is further counts.
    found.list.sort_by(|a, b| (&a.name, &a.id, !a.is_running()).cmp(&(&b.name, &b.id, !b.is_running())));
    found.list.dedup_by(|b, a| a.id == b.id);
    found.definitions = active.into_values().collect();
    found.definitions.sort_by(|a, b| (&a.family, a.revision).cmp(&(&b.family, b.revision)));
    Ok(found)
}

/// The ACTIVE revisions of the account, by their ARNs.
async fn active(client: &Client) -> Result<BTreeMap<String, Definition>> {
    let all = super::read_account(client, usize::MAX).await?.unwrap_or_default();
    let read = |it: JobDefinition| {
        let owner = it.tags().and_then(|tags| tags.get(OWNER_TAG)).cloned().map(Owner);
        let family = it.job_definition_name().unwrap_or_default().to_owned();
        let revision = it.revision().and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
        let arn = it.job_definition_arn().unwrap_or_default().to_owned();
        (arn, Definition { family, revision, owner, needs: job_uses::of_definition(&it) })
    };
    Ok(all.into_iter().map(read).collect())
}

/// The code of our own refusal, beside AWS's.
const UNFINISHED: &str = "UnfinishedJobs";
/// The same of a queue that takes no further jobs: those that are left end.
pub(super) const JOBS_END: &str = "JobsEnd";

/// Fails if a queue has jobs that are not over: they would end with it. `is_open`: it still takes further ones.
pub async fn refuse_with_jobs(client: &Client, queue: &str, is_open: bool) -> Result<()> {
    let queues = Some(BTreeSet::from([queue.to_owned()]));
    let about = JobsOf { queues, waiting: true, past: false, needs: false };
    let jobs = unfinished(client, &about).await?.list;
    let Some(first) = jobs.first() else { return Ok(()) };
    let (count, named) = (jobs.len(), format!("{} ({})", first.name, first.id));
    let message = match is_open {
        true => format!("by now it has jobs that are not over, {named} among {count}: plan again"),
        false => format!("its jobs come to their end first, {named} among {count}"),
    };
    let code = if is_open { UNFINISHED } else { JOBS_END };
    Err(refused("DeleteJobQueue", code, message))
}

/// The code of our own refusal, beside AWS's.
const WOULD_CUT_OFF: &str = "WouldCutOff";

/// Fails if jobs run on an environment that an update would cut off. `cluster`: the name of its ECS cluster; `given`: how
/// many seconds jobs get to end, none if they are ended at once.
pub async fn refuse_to_cut_off(
    client: &Client,
    environment: &str,
    cluster: Option<&str>,
    given: Option<u64>,
) -> Result<()> {
    let queues = listed_by(client, environment).await?;
    if queues.is_empty() {
        return Ok(());
    }
    let about = JobsOf { queues: Some(queues), waiting: false, past: given.is_some(), needs: false };
    let jobs = unfinished(client, &about).await?;
    let cut_off: Vec<Job> = jobs
        .list
        .into_iter()
        .filter(|job| job.is_running() && job.runs_in(cluster).unwrap_or(true))
        .filter(|job| given.is_none_or(|given| job.may_outlast(given)))
        .collect();
    let Some(first) = cut_off.first() else { return Ok(()) };
    let (named, count) = (format!("{} ({})", first.name, first.id), cut_off.len());
    let message = format!("by now jobs run on it that would be cut off, {named} among {count}: plan again");
    Err(refused("UpdateComputeEnvironment", WOULD_CUT_OFF, message))
}

fn is_running(job: &JobSummary) -> bool {
    matches!(job.status(), Some(JobStatus::Starting | JobStatus::Running))
}

async fn all_queues(client: &Client) -> Result<Vec<String>> {
    let mut queues = client.describe_job_queues().into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(queue) = queues.next().await {
        let queue = queue.map_err(failed)?;
        found.extend(queue.job_queue_arn);
    }
    Ok(found)
}

/// One status after the other, in the order that jobs go through them: a job that moves on meanwhile stands in two lists,
/// where reading all at once could find it in none.
async fn list_all(client: &Client, of: Vec<Of>, statuses: &[(JobStatus, usize)]) -> Result<Vec<Listed>> {
    let lists: Vec<Vec<Listed>> = stream::iter(of)
        .map(|of| async move {
            let mut lists = Vec::new();
            for (status, pages) in statuses {
                lists.push(list(client, of.clone(), status.clone(), *pages).await?);
            }
            Ok::<_, Error>(lists)
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(lists.into_iter().flatten().collect())
}

async fn list(client: &Client, of: Of, status: JobStatus, most: usize) -> Result<Listed> {
    let call = client.list_jobs().job_status(status);
    let (call, queue) = match of {
        Of::Queue(queue) => (call.job_queue(&queue), queue),
        Of::Array { parent, queue } => (call.array_job_id(parent), queue),
    };
    let mut listed = Listed { queue, jobs: Vec::new(), more: false };
    let mut pages = call.into_paginator().send();
    for number in 1.. {
        let page = match pages.next().await {
            None => break,
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                let error = failed(error);
                if is_gone(&error) {
                    break;
                }
                return Err(error);
            }
        };
        listed.more = page.next_token().is_some_and(|token| !token.is_empty());
        listed.jobs.extend(page.job_summary_list.unwrap_or_default());
        if !listed.more || number >= most {
            break;
        }
    }
    Ok(listed)
}

fn is_gone(error: &Error) -> bool {
    error.is("ClientException") && error.message.contains("does not exist")
}

async fn describe(client: &Client, ids: Vec<String>) -> Result<BTreeMap<String, JobDetail>> {
    let chunks: Vec<Vec<String>> = ids.chunks(DESCRIBED).map(<[String]>::to_vec).collect();
    let read: Vec<Vec<JobDetail>> = stream::iter(chunks)
        .map(|ids| async move {
            let answer = client.describe_jobs().set_jobs(Some(ids)).send().await;
            Ok::<_, Error>(answer.map_err(failed)?.jobs.unwrap_or_default())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(read.into_iter().flatten().filter_map(|job| Some((job.job_id()?.to_owned(), job))).collect())
}

/// A job as a plan sees it. `now`: seconds since 1970; times of Batch are in milliseconds.
fn read(job: &JobSummary, detail: Option<&JobDetail>, queue: &str, now: u64) -> Job {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let started = job.started_at().and_then(|at| u64::try_from(at / 1000).ok()).filter(|at| *at > 0);
    Job {
        id: text(job.job_id()),
        name: text(job.job_name()),
        queue: queue.to_owned(),
        status: text(job.status().map(JobStatus::as_str)),
        cluster: detail.and_then(cluster),
        elapsed: started.map(|at| now.saturating_sub(at)),
        timeout: detail.and_then(bound),
        past: None,
        definition: job.job_definition().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned),
        needs: detail.map(job_uses::of).unwrap_or_default(),
    }
}

/// After how many seconds Batch ends an attempt.
fn bound(detail: &JobDetail) -> Option<u64> {
    u64::try_from(detail.timeout()?.attempt_duration_seconds()?).ok()
}

/// How long the longest of its kind took before.
fn before(past: &BTreeMap<String, u64>, job: &JobSummary) -> Option<u64> {
    past.get(durations::family(job.job_definition()?)).copied().filter(|_| is_running(job))
}

/// The cluster of its task or instance, as the ARN of either names it.
fn cluster(detail: &JobDetail) -> Option<String> {
    let container = detail.container();
    let tasks = detail.ecs_properties().map(|ecs| ecs.task_properties()).unwrap_or_default();
    let arns = [
        container.and_then(|container| container.task_arn()),
        container.and_then(|container| container.container_instance_arn()),
        tasks.iter().find_map(|task| task.task_arn()),
        tasks.iter().find_map(|task| task.container_instance_arn()),
    ];
    arns.into_iter().flatten().find_map(|arn| {
        let mut parts = arn.rsplit('/');
        let (_, cluster, kind) = (parts.next()?, parts.next()?, parts.next()?);
        kind.ends_with(":task")
            .then_some(())
            .or_else(|| kind.ends_with(":container-instance").then_some(()))?;
        Some(cluster.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_batch::types::ContainerDetail;

    use super::*;

    #[test]
    fn the_cluster_is_read_from_task_or_instance() {
        let of = |container: ContainerDetail| cluster(&JobDetail::builder().container(container).build());
        let task = |arn: &str| of(ContainerDetail::builder().task_arn(arn).build());
        let instance = |arn: &str| of(ContainerDetail::builder().container_instance_arn(arn).build());
        let place = "arn:aws:ecs:eu-west-1:123456789012";
        assert_eq!(task(&format!("{place}:task/AWSBatch-a-1/0f")), Some("AWSBatch-a-1".to_owned()));
        assert_eq!(
            instance(&format!("{place}:container-instance/AWSBatch-a-1/0f")),
            Some("AWSBatch-a-1".to_owned())
        );
        assert_eq!(task(&format!("{place}:task/0f")), None, "the old form does not tell");
        assert_eq!(of(ContainerDetail::builder().build()), None);
    }
}
