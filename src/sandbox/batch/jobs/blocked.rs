//! Jobs that are stuck in RUNNABLE: the reason they show, and the queue's actions against it.
//!
//! <https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html>

use serde_json::Value;

use super::{Job, JobStatus};
use crate::batch::queues;
use crate::batch::request::{Fields, Object};
use crate::batch::state::{State, Status, environments_of};

const TOO_SMALL: &str = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue cannot meet \
     the CPU requirement of the job.";
const ALL_INVALID: &str = "ACTION_REQUIRED - CE(s) associated with the job queue are invalid.";

impl State {
    /// Why no compute environment of its queue will ever take this job, as AWS Batch tells it.
    pub(super) fn blocked(&self, job: &Job) -> Option<&'static str> {
        let (_, queue) = queues::find(self, &job.queue).ok()?;
        let names = environments_of(queue);
        let all = || names.iter().filter_map(|name| self.environments.get(name));
        if all().all(|one| one.life.status == Status::Invalid) {
            return Some(ALL_INVALID);
        }
        let small = all().all(|one| most(&one.detail).is_some_and(|most| most < job.work.vcpus));
        small.then_some(TOO_SMALL)
    }

    /// When and why the queue's time limits cancel a job that is stuck.
    pub(super) fn limit(&self, job: &Job) -> Option<(u64, String)> {
        let stuck = job.reason.as_deref().filter(|_| job.status == JobStatus::Runnable)?;
        let (_, queue) = queues::find(self, &job.queue).ok()?;
        let actions = queue.detail.list("jobStateTimeLimitActions").ok()??;
        let meant = actions.iter().filter_map(Value::as_object).filter(|action| {
            let reason = action.shown("reason");
            stuck.split(" - ").next() == Some(reason)
        });
        let limit = |action: &Object| {
            let seconds = u64::try_from(action.integer("maxTimeSeconds").ok()??).ok()?;
            let reason =
                format!("Canceled by JobStateTimeLimit action due to reason: {}", action.shown("reason"));
            Some((job.since + seconds * 1000, reason))
        };
        meant.filter_map(limit).min()
    }
}

/// The most vCPUs an environment ever has; unmanaged ones have no limit.
pub(super) fn most(detail: &Object) -> Option<f64> {
    detail.get("computeResources")?.get("maxvCpus")?.as_f64()
}
