//! CancelJob, TerminateJob, and what the deletion of a queue does to its jobs.

use serde_json::{Value, json};

use super::{Job, JobStatus};
use crate::batch::Batch;
use crate::batch::arn::name_of;
use crate::batch::error::{Result, refuse};
use crate::batch::request::{Fields, Object};
use crate::batch::state::State;

impl Batch {
    /// Ends a job that has not started; one that has is left alone, as on AWS.
    pub(in crate::batch) fn cancel_job(&self, request: Object) -> Result<Value> {
        self.stop(&request, false)
    }

    /// Ends a job wherever it is.
    pub(in crate::batch) fn terminate_job(&self, request: Object) -> Result<Value> {
        self.stop(&request, true)
    }

    /// CancelJobs and TerminateJobs: what goes wrong with one job is told for that one.
    pub(in crate::batch) fn stop_many(&self, request: Object, also_running: bool) -> Result<Value> {
        let jobs = request.texts("jobs")?;
        let reason = request.required("reason")?;
        let (mut successful, mut errors) = (Vec::new(), Vec::new());
        for job in jobs {
            let one = json!({ "jobId": job, "reason": reason });
            match self.stop(&one.as_object().cloned().unwrap_or_default(), also_running) {
                Ok(_) => successful.push(job),
                Err(error) => {
                    errors
                        .push(json!({ "job": job, "code": "ClientException", "message": error.to_string() }));
                }
            }
        }
        Ok(json!({ "successful": successful, "errors": errors }))
    }

    fn stop(&self, request: &Object, also_running: bool) -> Result<Value> {
        let id = name_of(request.required("jobId")?);
        let reason = request.required("reason")?;
        let running = self.with(|state, now| {
            if !state.jobs.contains_key(id) {
                refuse!("Job {id} does not exist");
            }
            let mut ids: Vec<String> = state.children(id).map(|child| child.id.clone()).collect();
            ids.push(id.to_owned());
            Ok(state.end_jobs(&ids, reason, also_running, now))
        })?;
        self.signal(&running);
        Ok(json!({}))
    }

    /// Takes the instances away from the jobs that run on an environment; what happens to them is up to their retries.
    pub(in crate::batch) fn take_hosts(&self, environment: &str) {
        let running = self.with(|state, _| {
            let hit = state.jobs.values_mut().filter(|job| job.launched && job.occupies(environment));
            let lost = hit.map(|job| {
                job.host_lost = true;
                job.id.clone()
            });
            Ok(lost.collect::<Vec<_>>())
        });
        self.signal(&running.unwrap_or_default());
    }

    /// Ends every job of a queue that is going away.
    pub(in crate::batch) fn end_jobs_of_queue(&self, arn: &str, reason: &str) {
        let running = self.with(|state, now| {
            let ids: Vec<String> =
                state.jobs.values().filter(|job| job.queue == arn).map(|job| job.id.clone()).collect();
            Ok(state.end_jobs(&ids, reason, true, now))
        });
        self.signal(&running.unwrap_or_default());
    }
}

impl State {
    /// Ends those of the jobs that can be ended at once, and returns the ids of those whose processes must be told.
    fn end_jobs(&mut self, ids: &[String], reason: &str, also_running: bool, now: u64) -> Vec<String> {
        let mut running = Vec::new();
        for id in ids {
            let Some(job) = self.jobs.get_mut(id).filter(|job| !job.status.is_over()) else { continue };
            if job.is_parent() {
                // It ends with its last child; the marks show at once.
                mark(job, also_running);
            } else if job.launched && also_running {
                mark(job, true);
                job.reason = Some(reason.to_owned());
                running.push(id.clone());
            } else if also_running || job.status < JobStatus::Starting {
                mark(job, also_running);
                job.fail(reason, now);
            }
        }
        running
    }
}

fn mark(job: &mut Job, terminated: bool) {
    if terminated {
        job.terminated = true;
    } else {
        job.cancelled = true;
    }
}
