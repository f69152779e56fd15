//! One attempt of a job as a local process: its environment, its output, its end.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::process::Processes;
use super::retry::Ending;
use super::{Job, JobStatus, logs};
use crate::batch::arn::name_of;
use crate::batch::request::{Fields, Object, fill, keep};
use crate::batch::state::State;
use crate::batch::{Batch, lock};

/// Time between SIGTERM and SIGKILL; AWS gives 30 seconds.
const GRACE: Duration = Duration::from_secs(2);
/// How long anybody waits for the last lines of a job.
const PATIENCE: Duration = Duration::from_secs(5);
/// What ECS says of a container that ended by itself, well or not.
const EXITED: &str = "Essential container in task exited";

/// The attempts under way.
#[derive(Default)]
pub(in crate::batch) struct Runs {
    pub running: BTreeMap<String, Run>,
    /// Whether the scheduler is there.
    pub scheduling: bool,
    /// Whether nothing may be started any more.
    pub closed: bool,
    /// Counts attempts, so that one which was taken back is not mistaken for the next.
    launched: u64,
}

/// An attempt under way. Without it the processes are killed and nothing is reported.
pub(in crate::batch) struct Run {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    number: u64,
}

impl Run {
    /// Has the processes killed.
    pub fn revoke(&mut self) {
        self.stop.take();
    }

    /// Waits until the processes are gone and the rest of their output is written, but not for ever.
    pub async fn gone(mut self) {
        if tokio::time::timeout(PATIENCE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Batch {
    /// Starts the job's next attempt in the background.
    pub(super) fn launch(&self, id: String) {
        let mut runs = lock(&self.shared.runs);
        if runs.closed {
            return;
        }
        runs.launched += 1;
        let number = runs.launched;
        let (stop, stopped) = oneshot::channel();
        let batch = self.clone();
        let key = id.clone();
        let task = tokio::spawn(async move { batch.attempt(id, number, stopped).await });
        runs.running.insert(key, Run { stop: Some(stop), task, number });
    }

    /// Asks the processes of these jobs to end.
    pub(super) fn signal(&self, ids: &[String]) {
        let mut runs = lock(&self.shared.runs);
        for id in ids {
            if let Some(stop) = runs.running.get_mut(id).and_then(|run| run.stop.take()) {
                let _ = stop.send(());
            }
        }
        drop(runs);
        self.shared.wake.notify_one();
    }

    /// Kills all processes; their attempts are not reported.
    pub(in crate::batch) fn drop_runs(&self) {
        lock(&self.shared.runs).running.clear();
    }

    async fn attempt(&self, id: String, number: u64, mut stopped: oneshot::Receiver<()>) {
        let Some(ending) = self.run(&id, &mut stopped).await else { return };
        {
            let mut runs = lock(&self.shared.runs);
            if runs.running.get(&id).is_none_or(|run| run.number != number) {
                return;
            }
            runs.running.remove(&id);
        }
        let ended = self.with(|state, now| {
            state.end_attempt(&id, ending, now);
            Ok(())
        });
        tracing::debug!(job = id, ok = ended.is_ok(), "a job's attempt has ended");
        self.shared.wake.notify_one();
    }

    /// Runs one attempt to its end; nothing if it was taken back.
    async fn run(&self, id: &str, stopped: &mut oneshot::Receiver<()>) -> Option<Ending> {
        let task = uuid::Uuid::new_v4().simple().to_string();
        let job = self.with(|state, _| Ok(state.begin_attempt(id, &task, &self.settings()))).ok()??;
        if job.terminated {
            // Somebody was quicker than the process.
            return Some(failed_to_start(&job, "Task was stopped before it started".into()));
        }
        let Some((program, arguments)) = self.program(&job.work.image) else {
            return Some(unpullable(&job));
        };
        let writer = match self.open_log(&job).await {
            Ok(writer) => writer,
            Err(ending) => return Some(ending),
        };
        let environment = self.environment(&job);
        let keeper = self.settings().keeper;
        let started = Processes::start(keeper.as_deref(), &program, |command| {
            command.args(arguments).args(&job.work.command).env_clear().envs(environment);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        });
        let mut processes = match started.await {
            Ok(processes) => processes,
            Err(error) => return Some(unstartable(&job, &error)),
        };
        let (lines, received) = tokio::sync::mpsc::channel::<logs::Held>(1024);
        let inlet = logs::Inlet::new(lines, self.shared.clock.clone());
        let writer = tokio::spawn(writer.write(self, received));
        let (out, errors) = processes.outputs();
        let readers = [
            out.map(|pipe| tokio::spawn(inlet.clone().read(pipe))),
            errors.map(|pipe| tokio::spawn(inlet.clone().read(pipe))),
        ];
        drop(inlet);
        let began = self.with(|state, now| Ok(state.began(id, now))).unwrap_or_default();
        let ending = self.watch(&job, began, &mut processes, stopped).await;
        // What the leader left behind would hold the pipes open.
        drop(processes);
        for mut reader in readers.into_iter().flatten() {
            // Somebody who left the group may hold a pipe open; a container would have ended with its leader.
            if tokio::time::timeout(PATIENCE, &mut reader).await.is_err() {
                reader.abort();
            }
        }
        let _ = writer.await;
        ending
    }

    /// Waits for the process, its time-out or somebody's wish to end it.
    async fn watch(
        &self,
        job: &Job,
        began: u64,
        processes: &mut Processes,
        stopped: &mut oneshot::Receiver<()>,
    ) -> Option<Ending> {
        let limit = job.work.timeout.map(|seconds| began + seconds * 1000);
        let clock = self.shared.clock.clone();
        let deadline = async move {
            match limit {
                Some(at) => clock.reach(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            code = processes.ended() => Some(exited(code)),
            asked = stopped => match asked {
                Ok(()) => Some(exited(end_gracefully(processes).await)),
                Err(_) => {
                    processes.kill().await;
                    None
                }
            },
            () = deadline => Some(Ending {
                status_reason: "Job attempt duration exceeded timeout".into(),
                retryable: false,
                ..exited(end_gracefully(processes).await)
            }),
        }
    }

    fn program(&self, image: &str) -> Option<(std::path::PathBuf, Vec<String>)> {
        let programs = lock(&self.shared.programs);
        programs.find(image).map(|(program, args)| (program.clone(), args.to_vec()))
    }

    async fn open_log(&self, job: &Job) -> Result<LogWriter, Ending> {
        let Some(group) = job.work.log.group.clone() else { return Ok(LogWriter(None)) };
        let stream = job.task.shown("logStreamName").to_owned();
        match self.world().open_stream(&group, &stream, job.work.log.create).await {
            Ok(()) => Ok(LogWriter(Some((group, stream)))),
            Err(error) => {
                let reason = format!(
                    "ResourceInitializationError: failed to validate logger args: create stream has been retried \
                     1 times: failed to create Cloudwatch log stream: {error} : exit status 1"
                );
                Err(failed_to_start(job, reason))
            }
        }
    }

    /// The variables of the job's process: the definition's, AWS Batch's, and where AWS is.
    fn environment(&self, job: &Job) -> BTreeMap<String, String> {
        let settings = self.settings();
        let upstream = &self.shared.upstream;
        let mut variables: BTreeMap<String, String> = ["PATH", "TMPDIR", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok().map(|value| ((*name).to_owned(), value)))
            .collect();
        let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        set("AWS_REGION", &settings.region);
        set("AWS_DEFAULT_REGION", &settings.region);
        set("AWS_ENDPOINT_URL", &upstream.jobs);
        set("AWS_ACCESS_KEY_ID", &upstream.access_key_id);
        set("AWS_SECRET_ACCESS_KEY", &upstream.secret_access_key);
        set("AWS_EC2_METADATA_DISABLED", "true");
        set("AWS_EXECUTION_ENV", if job.work.fargate { "AWS_ECS_FARGATE" } else { "AWS_ECS_EC2" });
        for (name, value) in &job.work.environment {
            set(name, value);
        }
        set("AWS_BATCH_JOB_ID", &job.id);
        set("AWS_BATCH_JOB_ATTEMPT", &(job.attempts.len() + 1).to_string());
        set("AWS_BATCH_JQ_NAME", name_of(&job.queue));
        set("AWS_BATCH_CE_NAME", name_of(job.environment.as_deref().unwrap_or_default()));
        if let Some((index, size)) = State::place_in_array(job) {
            set("AWS_BATCH_JOB_ARRAY_INDEX", &index.to_string());
            set("AWS_BATCH_JOB_ARRAY_SIZE", &size.to_string());
        }
        variables
    }
}

/// The stream that a job's lines go to, if any.
struct LogWriter(Option<(String, String)>);

impl LogWriter {
    fn write(
        self,
        batch: &Batch,
        mut lines: tokio::sync::mpsc::Receiver<logs::Held>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let world = batch.world();
        async move {
            match self.0 {
                Some((group, stream)) => logs::write(world, group, stream, lines).await,
                None => while lines.recv().await.is_some() {},
            }
        }
    }
}

impl State {
    /// Gives the job a new task and returns it as it is now.
    fn begin_attempt(&mut self, id: &str, task: &str, settings: &super::super::Settings) -> Option<Job> {
        let environment = self.jobs.get(id)?.environment.clone()?;
        let detail = self.environments.get(name_of(&environment)).map(|one| &one.detail);
        let cluster = detail.map_or("", |detail| name_of(detail.shown("ecsClusterArn"))).to_owned();
        let job = self.jobs.get_mut(id)?;
        let definition = name_of(job.facts.shown("jobDefinition"));
        let family = definition.rsplit_once(':').map_or(definition, |(family, _)| family);
        let prefix = job.work.log.prefix.as_deref().unwrap_or(family);
        let mut container = Object::new();
        container.insert("taskArn".into(), settings.ecs_arn(&format!("task/{cluster}/{task}")).into());
        if !job.work.fargate {
            let instance = settings.ecs_arn(&format!("container-instance/{cluster}/{task}"));
            container.insert("containerInstanceArn".into(), instance.into());
        } else {
            // <https://docs.aws.amazon.com/batch/latest/APIReference/API_NetworkInterface.html>: a Fargate task has one of its own.
            let address = format!("10.0.{}.{}", job.sequence / 250 % 250, 4 + job.sequence % 250);
            let id = uuid::Uuid::new_v4().to_string();
            let own = json!([{ "attachmentId": id, "privateIpv4Address": address }]);
            container.insert("networkInterfaces".into(), own);
        }
        if job.work.log.group.is_some() {
            container.insert("logStreamName".into(), format!("{prefix}/default/{task}").into());
        }
        job.task = container;
        Some(job.clone())
    }

    /// Notes that the process runs; returns since when.
    fn began(&mut self, id: &str, now: u64) -> u64 {
        if let Some(job) = self.jobs.get_mut(id).filter(|job| job.status == JobStatus::Starting) {
            job.started_at = Some(now);
            job.enter(JobStatus::Running, now);
        }
        now
    }
}

impl Job {
    /// The attempt that has just ended, as DescribeJobs lists it.
    pub(super) fn attempt(&self, ending: &Ending, now: u64) -> Value {
        let shown =
            ["taskArn", "containerInstanceArn", "logStreamName", "exitCode", "reason", "networkInterfaces"];
        let mut container = keep(&self.task, &shown);
        fill(&mut container, "networkInterfaces", json!([]));
        let mut attempt = Object::new();
        attempt.insert("container".into(), container.into());
        attempt.insert("statusReason".into(), ending.status_reason.as_str().into());
        attempt.insert("stoppedAt".into(), now.into());
        if let Some(started) = self.started_at.filter(|_| self.status == JobStatus::Running) {
            attempt.insert("startedAt".into(), started.into());
        }
        attempt.into()
    }
}

/// Asks the processes to end, and kills them if they do not. Answers the exit code.
async fn end_gracefully(processes: &mut Processes) -> Option<i32> {
    processes.terminate();
    match tokio::time::timeout(GRACE, processes.ended()).await {
        Ok(code) => code,
        Err(_) => processes.kill().await,
    }
}

fn exited(exit_code: Option<i32>) -> Ending {
    Ending { exit_code, reason: None, status_reason: EXITED.into(), retryable: true }
}

fn unpullable(job: &Job) -> Ending {
    let image = &job.work.image;
    let reason = if job.work.fargate {
        format!(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: \
             {image}: not found"
        )
    } else {
        format!(
            "CannotPullContainerError: Error response from daemon: manifest for {image} not found: manifest unknown: \
             Requested image not found"
        )
    };
    failed_to_start(job, reason)
}

fn unstartable(job: &Job, error: &std::io::Error) -> Ending {
    failed_to_start(job, format!("CannotStartContainerError: Error response from daemon: {error}"))
}

/// On Fargate the task's reason says why, on EC2 the container's.
fn failed_to_start(job: &Job, reason: String) -> Ending {
    let status_reason = if job.work.fargate { reason.clone() } else { "Task failed to start".into() };
    Ending { exit_code: None, reason: Some(reason), status_reason, retryable: true }
}
