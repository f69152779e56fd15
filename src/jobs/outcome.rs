//! How a job ended, in one line.

use std::fmt;

use aws_sdk_batch::types::{JobDetail, JobStatus};
use serde::Serialize;

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// From 1.
    pub number: usize,
    /// The program's exit code, if it ran.
    pub exit_code: Option<i32>,
    /// Why the container ended, such as `OutOfMemoryError: …`.
    pub reason: Option<String>,
    /// Why the attempt ended.
    pub status_reason: Option<String>,
}

impl Attempt {
    /// Whether the machine was taken away under it: a spot instance was reclaimed, or an environment shrank.
    pub fn lost_its_host(&self) -> bool {
        self.status_reason.as_deref().is_some_and(|reason| reason.starts_with("Host EC2"))
    }
}

/// How a job ended, or how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `SUCCEEDED`, `FAILED`, or how it stands.
    pub status: String,
    /// What Batch says about it.
    pub status_reason: Option<String>,
    /// Every attempt so far.
    pub attempts: Vec<Attempt>,
    /// Of an array: how many children have succeeded, failed, and are not over.
    pub children: Option<[u32; 3]>,
}

impl Outcome {
    /// Whether it succeeded.
    pub fn succeeded(&self) -> bool {
        self.status == JobStatus::Succeeded.as_str()
    }

    /// Whether nothing more will happen to it.
    pub fn over(&self) -> bool {
        self.succeeded() || self.status == JobStatus::Failed.as_str()
    }

    pub(super) fn of(detail: &JobDetail) -> Self {
        let text = |text: Option<&str>| text.map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned);
        let attempts = detail.attempts().iter().enumerate().map(|(index, attempt)| {
            let container = attempt.container();
            // Of a task with several containers, the first that went wrong tells most.
            let containers = || attempt.task_properties().iter().flat_map(|task| task.containers());
            let told = containers().find(|one| one.exit_code() != Some(0)).or_else(|| containers().next());
            Attempt {
                number: index + 1,
                exit_code: container
                    .and_then(|one| one.exit_code())
                    .or_else(|| told.and_then(|one| one.exit_code())),
                reason: text(
                    container.and_then(|one| one.reason()).or_else(|| told.and_then(|one| one.reason())),
                ),
                status_reason: text(attempt.status_reason()),
            }
        });
        let summary =
            detail.array_properties().filter(|array| array.size().is_some() && array.index().is_none());
        let count = |statuses: &[JobStatus]| -> u32 {
            let summary = summary.and_then(|array| array.status_summary());
            let counts = statuses.iter().filter_map(|status| summary?.get(status.as_str()));
            counts.map(|count| u32::try_from(*count).unwrap_or_default()).sum()
        };
        let children = summary.map(|array| {
            let size = u32::try_from(array.size().unwrap_or_default()).unwrap_or_default();
            let (succeeded, failed) = (count(&[JobStatus::Succeeded]), count(&[JobStatus::Failed]));
            [succeeded, failed, size.saturating_sub(succeeded + failed)]
        });
        Self {
            id: detail.job_id().unwrap_or_default().to_owned(),
            name: detail.job_name().unwrap_or_default().to_owned(),
            status: detail.status().map_or_else(String::new, |status| status.as_str().to_owned()),
            status_reason: text(detail.status_reason()),
            attempts: attempts.collect(),
            children,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} {}", self.name, self.status)?;
        if let Some([succeeded, failed, open]) = self.children {
            write!(f, ": {succeeded} of {} children succeeded", succeeded + failed + open)?;
            if failed > 0 {
                write!(f, ", {failed} failed")?;
            }
        }
        let mut said = None;
        if let Some(attempt) = self.attempts.last() {
            write!(f, ": attempt {}", attempt.number)?;
            match attempt.exit_code {
                Some(code) => write!(f, ", exit code {code}")?,
                None => f.write_str(", no exit code")?,
            }
            said = attempt.status_reason.as_deref();
            let reason = attempt.reason.as_deref().filter(|reason| Some(*reason) != said);
            for text in reason.into_iter().chain(said) {
                write!(f, ", {text}")?;
            }
            if attempt.lost_its_host() {
                f.write_str(
                    ", its host was taken away (a spot instance was reclaimed, or the environment shrank)",
                )?;
            }
        }
        match self.status_reason.as_deref().filter(|reason| Some(*reason) != said) {
            Some(reason) if self.attempts.is_empty() && self.children.is_none() => write!(f, ": {reason}"),
            Some(reason) => write!(f, "; {reason}"),
            None => Ok(()),
        }
    }
}
