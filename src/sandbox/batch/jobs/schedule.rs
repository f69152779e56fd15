//! Moving jobs from SUBMITTED to STARTING: dependencies, room on compute environments, priorities.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::blocked::most;
use super::retry::Ending;
use super::{Array, Job, JobStatus};
use crate::batch::clock::millis;
use crate::batch::request::Fields;
use crate::batch::state::{State, Status, environments_of};
use crate::batch::{Batch, Settings, Shared, lock};

impl Batch {
    /// Has the scheduler look at the jobs, starting it if it does not run yet.
    pub(in crate::batch) fn schedule(&self) {
        {
            let mut runs = lock(&self.shared.runs);
            if !runs.scheduling && !runs.closed && tokio::runtime::Handle::try_current().is_ok() {
                runs.scheduling = true;
                let wake = Arc::clone(&self.shared.wake);
                tokio::spawn(follow(Arc::downgrade(&self.shared), wake));
            }
        }
        self.shared.wake.notify_one();
    }

    /// Moves every job as far as it can go at this moment. Returns when to look again, if time alone moves one.
    fn advance(&self) -> Option<u64> {
        let settings = self.settings();
        let (ready, next) = self
            .with(|state, now| {
                while state.advance_jobs(now, &settings) {}
                Ok((state.take_ready(now, &settings), state.next_look(now, &settings)))
            })
            .unwrap_or_default();
        for id in ready {
            self.launch(id);
        }
        next
    }
}

/// The scheduler: looks whenever something has changed or a time has come, as long as the service lives.
async fn follow(shared: Weak<Shared>, wake: Arc<tokio::sync::Notify>) {
    loop {
        let Some(batch) = shared.upgrade().map(|shared| Batch { shared }) else { return };
        if lock(&batch.shared.runs).closed {
            return;
        }
        let next = batch.advance();
        let clock = batch.shared.clock.clone();
        drop(batch);
        match next {
            Some(at) => tokio::select! {
                () = wake.notified() => {}
                () = clock.reach(at) => {}
            },
            None => wake.notified().await,
        }
    }
}

impl State {
    /// Makes one pass over all jobs. Returns whether anything moved.
    fn advance_jobs(&mut self, now: u64, settings: &Settings) -> bool {
        let mut ids: Vec<(i64, u64, String)> = self
            .jobs
            .values()
            .filter(|job| !job.status.is_over() && !job.launched)
            .map(|job| (-self.priority(job), job.sequence, job.id.clone()))
            .collect();
        ids.sort();
        let mut used = self.used();
        let mut running = self.jobs.values().filter(|job| job.is_at_work()).count();
        let mut moved = false;
        for (_, _, id) in ids {
            let Some(job) = self.jobs.get(&id) else { continue };
            let rested = job.since + millis(settings.job_step) <= now;
            let waits = job.status == JobStatus::Runnable && running >= settings.processes;
            let step = match (job.is_parent(), waits) {
                (true, _) => self.parent_step(job),
                (_, true) => None,
                _ => self.step(job, rested, now, &used),
            };
            let Some(step) = step else { continue };
            moved = true;
            if matches!(step, Step::On(_)) {
                self.use_up(&id);
            }
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            match step {
                Step::To(status) => job.enter(status, now),
                Step::On(environment) => {
                    *used.entry(environment.clone()).or_default() += job.work.vcpus;
                    running += 1;
                    job.environment = Some(environment);
                    job.reason = None;
                    job.enter(JobStatus::Starting, now);
                }
                Step::Fail(reason) => job.fail(&reason, now),
                Step::Cancel(reason) => {
                    job.cancelled = true;
                    job.fail(&reason, now);
                }
                Step::Note(reason) => job.reason = reason.map(str::to_owned),
            }
        }
        moved
    }

    fn step(&self, job: &Job, rested: bool, now: u64, used: &Used) -> Option<Step> {
        match job.status {
            JobStatus::Submitted if rested => Some(Step::To(JobStatus::Pending)),
            JobStatus::Pending => {
                let waits = || job.waits_for.iter().map(|id| self.jobs.get(id).map(|one| one.status));
                if waits().any(|status| matches!(status, None | Some(JobStatus::Failed))) {
                    return Some(Step::Fail("Dependent Job failed".into()));
                }
                let met = waits().all(|status| status == Some(JobStatus::Succeeded));
                (met && rested).then_some(Step::To(JobStatus::Runnable))
            }
            JobStatus::Runnable if rested => {
                let room = self.room(job, used).filter(|_| self.is_supplied(job));
                room.map(Step::On).or_else(|| self.stuck(job, now))
            }
            _ => None,
        }
    }

    /// An array job is pending as long as its children are at work.
    fn parent_step(&self, job: &Job) -> Option<Step> {
        let (mut over, mut failed, mut begun) = (true, false, false);
        for child in self.children(&job.id) {
            over &= child.status.is_over();
            failed |= child.status == JobStatus::Failed;
            begun |= child.status != JobStatus::Submitted;
        }
        match (over, failed) {
            (true, true) => Some(Step::Fail("Array Child Job failed".into())),
            (true, false) => Some(Step::To(JobStatus::Succeeded)),
            _ => (begun && job.status == JobStatus::Submitted).then_some(Step::To(JobStatus::Pending)),
        }
    }

    /// The first compute environment of the queue's order that is enabled, valid and has room.
    fn room(&self, job: &Job, used: &Used) -> Option<String> {
        let queue = self.queues.values().find(|queue| queue.detail.shown("jobQueueArn") == job.queue)?;
        if queue.life.status == Status::Deleting {
            return None;
        }
        environments_of(queue).into_iter().find_map(|name| {
            let environment = self.environments.get(&name)?;
            if !environment.is_enabled() || environment.life.status != Status::Valid {
                return None;
            }
            let arn = environment.detail.shown("computeEnvironmentArn");
            let most = most(&environment.detail).unwrap_or(f64::MAX);
            (used.get(arn).copied().unwrap_or_default() + job.work.vcpus <= most).then(|| arn.to_owned())
        })
    }

    /// A job without room: the queue's time limit ends it, or it tells why it is stuck.
    fn stuck(&self, job: &Job, now: u64) -> Option<Step> {
        if let Some((_, reason)) = self.limit(job).filter(|(at, _)| *at <= now) {
            return Some(Step::Cancel(reason));
        }
        let reason = self.blocked(job);
        (job.reason.as_deref() != reason).then_some(Step::Note(reason))
    }

    /// The vCPUs in use on each compute environment.
    fn used(&self) -> Used {
        let busy = self.jobs.values().filter_map(|job| {
            let environment = job.environment.as_deref()?;
            job.occupies(environment).then(|| (environment.to_owned(), job.work.vcpus))
        });
        busy.fold(Used::new(), |mut used, (environment, vcpus)| {
            *used.entry(environment).or_default() += vcpus;
            used
        })
    }

    fn priority(&self, job: &Job) -> i64 {
        let queue = self.queues.values().find(|queue| queue.detail.shown("jobQueueArn") == job.queue);
        queue.and_then(|queue| queue.detail.integer("priority").ok().flatten()).unwrap_or_default()
    }

    /// The jobs whose time in STARTING is over; they count as launched from here on.
    fn take_ready(&mut self, now: u64, settings: &Settings) -> Vec<String> {
        let ready = self.jobs.values_mut().filter(|job| {
            job.status == JobStatus::Starting && !job.launched && job.since + millis(settings.job_step) <= now
        });
        ready
            .map(|job| {
                job.launched = true;
                job.id.clone()
            })
            .collect()
    }

    /// When time alone may move a job: at the end of a step, or of a transition that jobs wait for.
    fn next_look(&self, now: u64, settings: &Settings) -> Option<u64> {
        let waiting =
            self.jobs.values().filter(|job| !job.status.is_over() && !job.launched && !job.is_parent());
        let steps = waiting.clone().map(|job| job.since + millis(settings.job_step));
        let limits = waiting.clone().filter_map(|job| self.limit(job)).map(|(at, _)| at);
        let transition = waiting.clone().next().and_then(|_| self.next_due()).map(|(at, ..)| at);
        steps.chain(limits).chain(transition).filter(|at| *at > now).min()
    }

    /// Ends an attempt: the job is over, or waits for its next attempt.
    pub(super) fn end_attempt(&mut self, id: &str, mut ending: Ending, now: u64) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.launched = false;
        if std::mem::take(&mut job.host_lost) {
            ending.exit_code = None;
            ending.status_reason = "Host EC2 (instance i-00000000000000000) terminated.".into();
        }
        if let Some(code) = ending.exit_code {
            job.task.insert("exitCode".into(), code.into());
        }
        if let Some(reason) = &ending.reason {
            job.task.insert("reason".into(), reason.as_str().into());
        }
        job.attempts.push(job.attempt(&ending, now));
        if job.terminated {
            // The reason is the caller's, set when the job was terminated.
            job.enter(JobStatus::Failed, now);
            return;
        }
        job.reason = Some(ending.status_reason.clone());
        if ending.is_success() {
            job.enter(JobStatus::Succeeded, now);
        } else if job.attempts.len() < job.work.attempts && ending.calls_for_retry(&job.work.rules) {
            job.environment = None;
            job.enter(JobStatus::Runnable, now);
        } else {
            job.enter(JobStatus::Failed, now);
        }
    }

    /// After a restore: attempts that were under way begin anew.
    pub(in crate::batch) fn requeue_interrupted(&mut self, now: u64) {
        for job in self.jobs.values_mut().filter(|job| job.launched) {
            job.launched = false;
            job.environment = None;
            job.enter(JobStatus::Runnable, now);
        }
    }

    /// The index and size of an array child.
    pub(super) fn place_in_array(job: &Job) -> Option<(u64, u64)> {
        match job.array {
            Some(Array::Child { index, size, .. }) => Some((index, size)),
            _ => None,
        }
    }
}

/// vCPUs by the ARN of a compute environment.
type Used = BTreeMap<String, f64>;

/// What happens next to a job.
enum Step {
    To(JobStatus),
    On(String),
    Fail(String),
    Cancel(String),
    Note(Option<&'static str>),
}
