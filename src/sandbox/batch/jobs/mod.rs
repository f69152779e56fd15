//! Jobs: what one is, and how it is shown. `submit` makes them, `schedule` moves them, `run` runs them.

mod blocked;
mod list;
mod logs;
mod process;
mod retry;
mod run;
mod schedule;
mod stop;
mod submit;
mod work;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Batch;
use super::error::{Result, invalid};
use super::request::{Fields, Object};
use super::state::State;

pub(super) use list::matches;
pub(super) use run::{Run, Runs};
use work::Work;

/// One job: a single one, the parent of an array, or a child of one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub id: String,
    pub arn: String,
    pub name: String,
    /// The queue's ARN.
    pub queue: String,
    /// The order of submission.
    pub sequence: u64,
    /// What DescribeJobs answers and never changes.
    pub facts: Object,
    pub work: Work,
    pub array: Option<Array>,
    /// Ids of the jobs that must succeed before.
    pub waits_for: Vec<String>,
    pub status: JobStatus,
    /// When it came into that status.
    pub since: u64,
    pub reason: Option<String>,
    pub created_at: u64,
    pub started_at: Option<u64>,
    pub stopped_at: Option<u64>,
    /// ARN of the compute environment it was placed on.
    pub environment: Option<String>,
    /// The task of the current or last attempt: what its container shows beyond the facts.
    pub task: Object,
    pub attempts: Vec<Value>,
    /// Whether the current attempt has been handed to a process.
    pub launched: bool,
    pub cancelled: bool,
    pub terminated: bool,
    /// Whether its instance was taken away under it.
    pub host_lost: bool,
}

/// A job's part in an array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Array {
    Parent { size: u64 },
    Child { parent: String, index: u64, size: u64 },
}

/// A job's status as the API spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum JobStatus {
    Submitted,
    Pending,
    Runnable,
    Starting,
    Running,
    Succeeded,
    Failed,
}

impl JobStatus {
    pub const ALL: [Self; 7] = [
        Self::Submitted,
        Self::Pending,
        Self::Runnable,
        Self::Starting,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
    ];

    /// The status as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Pending => "PENDING",
            Self::Runnable => "RUNNABLE",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl Job {
    /// Whether it takes up room on this compute environment.
    pub fn occupies(&self, environment: &str) -> bool {
        self.is_at_work() && self.environment.as_deref() == Some(environment)
    }

    pub fn is_at_work(&self) -> bool {
        matches!(self.status, JobStatus::Starting | JobStatus::Running)
    }

    pub fn is_parent(&self) -> bool {
        matches!(self.array, Some(Array::Parent { .. }))
    }

    /// Enters a status.
    pub fn enter(&mut self, status: JobStatus, now: u64) {
        (self.status, self.since) = (status, now);
        if status.is_over() {
            self.stopped_at = Some(now);
        }
    }

    /// Ends without (another) attempt.
    pub fn fail(&mut self, reason: &str, now: u64) {
        self.reason = Some(reason.to_owned());
        self.enter(JobStatus::Failed, now);
    }
}

impl State {
    /// The children of an array job, by index.
    pub fn children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a Job> {
        let size = match self.jobs.get(parent).map(|job| &job.array) {
            Some(Some(Array::Parent { size })) => *size,
            _ => 0,
        };
        (0..size).filter_map(move |index| self.jobs.get(&format!("{parent}:{index}")))
    }

    /// How many children are in each status.
    fn summary(&self, parent: &str) -> Object {
        let mut summary: Object =
            JobStatus::ALL.iter().map(|status| (status.as_str().to_owned(), json!(0))).collect();
        for child in self.children(parent) {
            if let Some(count) = summary.get_mut(child.status.as_str()) {
                *count = json!(count.as_u64().unwrap_or_default() + 1);
            }
        }
        summary
    }

    /// The array block of a job, if it is part of one.
    fn array_of(&self, job: &Job) -> Option<Value> {
        Some(match job.array.as_ref()? {
            Array::Parent { size } => json!({ "size": size, "statusSummary": self.summary(&job.id) }),
            Array::Child { index, size, .. } => json!({ "size": size, "index": index }),
        })
    }

    /// What DescribeJobs answers.
    fn described(&self, job: &Job) -> Value {
        let mut shown = job.facts.clone();
        let values = [
            ("jobArn", json!(job.arn)),
            ("jobId", json!(job.id)),
            ("jobName", json!(job.name)),
            ("jobQueue", json!(job.queue)),
            ("status", json!(job.status.as_str())),
            ("statusReason", json!(job.reason)),
            ("createdAt", json!(job.created_at)),
            ("startedAt", json!(job.started_at)),
            ("stoppedAt", json!(job.stopped_at)),
            ("attempts", json!(job.attempts)),
            ("isCancelled", json!(job.cancelled)),
            ("isTerminated", json!(job.terminated)),
            ("arrayProperties", json!(self.array_of(job))),
        ];
        shown.extend(
            values
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.into(), value)),
        );
        if !job.is_parent() {
            job.work.show_task(&mut shown, &job.task);
        }
        Value::Object(shown)
    }
}

impl Batch {
    pub(super) fn describe_jobs(&self, request: Object) -> Result<Value> {
        let wanted = request.texts("jobs")?;
        if wanted.len() > 100 {
            invalid!("Maximum number of jobs supported is  100");
        }
        self.with(|state, _| {
            let found = wanted.iter().filter_map(|id| state.jobs.get(super::arn::name_of(id)));
            let jobs: Vec<Value> = found.map(|job| state.described(job)).collect();
            Ok(json!({ "jobs": jobs }))
        })
    }
}

#[cfg(test)]
mod tests;
