//! ListJobs with its filters, and GetJobQueueSnapshot.

use serde_json::{Value, json};

use super::{Array, Job, JobStatus};
use crate::sandbox::batch::Batch;
use crate::sandbox::batch::arn::name_of;
use crate::sandbox::batch::error::{Result, invalid};
use crate::sandbox::batch::page::page;
use crate::sandbox::batch::queues;
use crate::sandbox::batch::request::{Fields, Object, keep};
use crate::sandbox::batch::state::State;

impl Batch {
    pub(in crate::sandbox::batch) fn list_jobs(&self, request: Object) -> Result<Value> {
        let filters = filters(&request)?;
        let status = request.text("jobStatus")?;
        if let Some(status) = status.filter(|status| JobStatus::ALL.iter().all(|one| one.as_str() != *status))
        {
            invalid!("jobStatus {status} is not valid.");
        }
        // Without a status only running jobs are listed; with filters the status does not count.
        let status = filters.is_empty().then(|| status.unwrap_or("RUNNING"));
        self.with(|state, _| {
            let scope = scope(state, &request)?;
            let chosen = state.jobs.values().filter(|job| {
                scope.holds(job)
                    && status.is_none_or(|status| job.status.as_str() == status)
                    && filters.iter().all(|filter| filter.passes(job))
            });
            let items = chosen.map(|job| (format!("{:012}", job.sequence), summary(state, job)));
            let mut items: Vec<_> = items.collect();
            items.sort_by(|(a, _), (b, _)| a.cmp(b));
            page(&request, "jobSummaryList", items)
        })
    }

    pub(in crate::sandbox::batch) fn get_job_queue_snapshot(&self, request: Object) -> Result<Value> {
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
}

impl Scope {
    fn holds(&self, job: &Job) -> bool {
        match (self, &job.array) {
            (Self::Queue(arn), array) => job.queue == *arn && !matches!(array, Some(Array::Child { .. })),
            (Self::Array(id), Some(Array::Child { parent, .. })) => parent == id,
            (Self::Array(_), _) => false,
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
        // Nodes are not shown as jobs of their own.
        ["multiNodeJobId"] => Ok(Scope::Array(String::new())),
        _ => invalid!("Exactly one of jobQueue, arrayJobId and multiNodeJobId must be provided."),
    }
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
}

impl Filter {
    fn passes(&self, job: &Job) -> bool {
        match self {
            Self::Name(patterns) => patterns.iter().any(|pattern| matches(pattern, &job.name)),
            Self::Definition(patterns) => {
                let arn = job.facts.shown("jobDefinition");
                let short = name_of(arn);
                let family = short.rsplit_once(':').map_or(short, |(family, _)| family);
                patterns.iter().any(|one| one == arn || matches(one, short) || matches(one, family))
            }
            Self::CreatedBefore(at) => job.created_at < *at,
            Self::CreatedAfter(at) => job.created_at > *at,
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
            other => invalid!("Filter {other} is not valid."),
        });
    }
    Ok(filters)
}

/// Compares without case; a trailing `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => text == pattern,
    }
}
