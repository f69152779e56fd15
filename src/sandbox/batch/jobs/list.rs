//! ListJobs with its filters, and GetJobQueueSnapshot.
//!
//! Filters, their order and which go with a status: <https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html>.

use serde_json::{Value, json};

use super::{Array, Job, JobStatus};
use crate::batch::Batch;
use crate::batch::arn::name_of;
use crate::batch::error::{Result, invalid};
use crate::batch::page::page;
use crate::batch::queues;
use crate::batch::request::{Fields, Object, keep};
use crate::batch::state::State;

impl Batch {
    pub(in crate::batch) fn list_jobs(&self, request: Object) -> Result<Value> {
        let filters = filters(&request)?;
        let status = request.text("jobStatus")?;
        if let Some(status) = status.filter(|status| JobStatus::ALL.iter().all(|one| one.as_str() != *status))
        {
            invalid!("jobStatus {status} is not valid.");
        }
        // Without a status only running jobs are listed; with filters the status does not count, but for that by share.
        let status = match filters.as_slice() {
            [] => Some(status.unwrap_or("RUNNING")),
            [Filter::Share(_)] => status,
            _ => None,
        };
        self.with(|state, _| {
            let scope = scope(state, &request)?;
            let chosen = state.jobs.values().filter(|job| {
                scope.holds(job)
                    && status.is_none_or(|status| job.status.as_str() == status)
                    && filters.iter().all(|filter| filter.passes(job))
            });
            // The key is what a page goes on from: with filters the newest come first.
            let place = |job: &Job| if filters.is_empty() { job.sequence } else { u64::MAX - job.sequence };
            let shown = |job: &Job| match scope {
                Scope::Nodes(_) => nodes(state, job),
                _ => vec![summary(state, job)],
            };
            let mut items: Vec<_> = chosen
                .flat_map(|job| {
                    let each = (0..).zip(shown(job));
                    each.map(move |(nth, shown): (u32, _)| (format!("{:020}-{nth:04}", place(job)), shown))
                })
                .collect();
            items.sort_by(|(a, _), (b, _)| a.cmp(b));
            page(&request, "jobSummaryList", items)
        })
    }

    pub(in crate::batch) fn get_job_queue_snapshot(&self, request: Object) -> Result<Value> {
        let reference = request.required("jobQueue")?;
        self.with(|state, now| {
            let (_, queue) = queues::find(state, reference)?;
            let arn = queue.detail.shown("jobQueueArn");
            let waits =
                |job: &&Job| job.queue == arn && job.status == JobStatus::Runnable && !job.is_parent();
            let mut waiting: Vec<&Job> = state.jobs.values().filter(waits).collect();
            waiting.sort_by_key(|job| job.sequence);
            let front: Vec<Value> = waiting
                .iter()
                .take(100)
                .map(|job| json!({ "jobArn": job.arn, "earliestTimeAtPosition": job.since }))
                .collect();
            Ok(json!({ "frontOfQueue": { "jobs": front, "lastUpdatedAt": now } }))
        })
    }
}

/// Which jobs a listing is about.
enum Scope {
    Queue(String),
    Array(String),
    Nodes(String),
}

impl Scope {
    fn holds(&self, job: &Job) -> bool {
        match (self, &job.array) {
            (Self::Queue(arn), array) => job.queue == *arn && !matches!(array, Some(Array::Child { .. })),
            (Self::Array(id), Some(Array::Child { parent, .. })) => parent == id,
            (Self::Array(_), _) => false,
            (Self::Nodes(id), _) => job.id == *id,
        }
    }
}

fn scope(state: &State, request: &Object) -> Result<Scope> {
    let names = ["jobQueue", "arrayJobId", "multiNodeJobId"];
    let given: Vec<&str> = names.into_iter().filter(|name| request.contains_key(*name)).collect();
    match given.as_slice() {
        ["jobQueue"] => {
            let (_, queue) = queues::find(state, request.required("jobQueue")?)?;
            Ok(Scope::Queue(queue.detail.shown("jobQueueArn").to_owned()))
        }
        ["arrayJobId"] => Ok(Scope::Array(request.required("arrayJobId")?.to_owned())),
        ["multiNodeJobId"] => Ok(Scope::Nodes(request.required("multiNodeJobId")?.to_owned())),
        _ => invalid!("Exactly one of jobQueue, arrayJobId and multiNodeJobId must be provided."),
    }
}

/// The nodes of a multi-node job: each has the job's id with its index, and here the job's own status, for one process
/// stands for all of them (<https://docs.aws.amazon.com/batch/latest/APIReference/API_NodePropertiesSummary.html>).
fn nodes(state: &State, job: &Job) -> Vec<Value> {
    let number = |name: &str| job.facts.get("nodeProperties").and_then(|nodes| nodes[name].as_u64());
    let (count, main) = (number("numNodes").unwrap_or_default(), number("mainNode").unwrap_or_default());
    let of = |index: u64| {
        let mut shown = summary(state, job);
        shown["jobId"] = json!(format!("{}#{index}", job.id));
        shown["jobArn"] = json!(format!("{}#{index}", job.arn));
        shown["nodeProperties"] =
            json!({ "isMainNode": index == main, "numNodes": count, "nodeIndex": index });
        shown
    };
    (0..count).map(of).collect()
}

fn summary(state: &State, job: &Job) -> Value {
    let mut shown = keep(&job.facts, &["jobDefinition", "shareIdentifier"]);
    let values = [
        ("jobArn", json!(job.arn)),
        ("jobId", json!(job.id)),
        ("jobName", json!(job.name)),
        ("status", json!(job.status.as_str())),
        ("statusReason", json!(job.reason)),
        ("createdAt", json!(job.created_at)),
        ("startedAt", json!(job.started_at)),
        ("stoppedAt", json!(job.stopped_at)),
        ("isCancelled", json!(job.cancelled)),
        ("isTerminated", json!(job.terminated)),
        ("arrayProperties", json!(state.array_of(job))),
    ];
    shown.extend(
        values.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.into(), value)),
    );
    if job.status.is_over() && !job.is_parent() {
        shown.insert("container".into(), Value::Object(keep(&job.task, &["exitCode", "reason"])));
    }
    Value::Object(shown)
}

/// One of ListJobs' filters.
enum Filter {
    Name(Vec<String>),
    Definition(Vec<String>),
    CreatedBefore(u64),
    CreatedAfter(u64),
    Share(Vec<String>),
}

impl Filter {
    fn passes(&self, job: &Job) -> bool {
        match self {
            // Whatever the case.
            Self::Name(patterns) => {
                patterns.iter().any(|pattern| matches(&pattern.to_lowercase(), &job.name.to_lowercase()))
            }
            Self::Definition(patterns) => {
                let arn = job.facts.shown("jobDefinition");
                let short = name_of(arn);
                let family = short.rsplit_once(':').map_or(short, |(family, _)| family);
                patterns.iter().any(|one| one == arn || matches(one, family))
            }
            Self::CreatedBefore(at) => job.created_at < *at,
            Self::CreatedAfter(at) => job.created_at > *at,
            Self::Share(shares) => shares.iter().any(|share| share == job.facts.shown("shareIdentifier")),
        }
    }
}

fn filters(request: &Object) -> Result<Vec<Filter>> {
    let empty = Object::new();
    let mut filters = Vec::new();
    for filter in request.list("filters")?.into_iter().flatten() {
        let filter = filter.as_object().unwrap_or(&empty);
        let values = filter.texts("values")?;
        let time = || match values.first().and_then(|value| value.parse().ok()) {
            Some(time) => Ok(time),
            None => invalid!("Filter values of times must be milliseconds since 1970."),
        };
        filters.push(match filter.required("name")? {
            "JOB_NAME" => Filter::Name(values),
            "JOB_DEFINITION" => Filter::Definition(values),
            "BEFORE_CREATED_AT" => Filter::CreatedBefore(time()?),
            "AFTER_CREATED_AT" => Filter::CreatedAfter(time()?),
            "SHARE_IDENTIFIER" => Filter::Share(values),
            other => invalid!("Filter {other} is not valid."),
        });
    }
    if filters.len() > 1 {
        // "Only one filter can be used at a time"; AWS's words for the refusal are not in public text.
        invalid!("Only one filter can be used at a time.");
    }
    Ok(filters)
}

/// A trailing `*` stands for anything.
pub(in crate::batch) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => text == pattern,
    }
}
