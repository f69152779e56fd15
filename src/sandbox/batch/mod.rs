//! AWS Batch, served natively: environments, queues, definitions and policies with AWS's rules, and jobs that really run.
//!
//! The API is that of 2016-08-10 (rest-json). States take time, unsafe deletions are refused in AWS's own words,
//! updates merge, listings have pages, defaults are filled in. Requests for other parts of the service fail loudly.

mod arn;
mod clock;
mod consumables;
mod definitions;
mod environments;
mod error;
mod jobs;
mod model;
mod page;
mod policies;
mod programs;
mod queues;
mod request;
mod services;
mod state;
mod tags;
mod upstream;
mod world;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, header};
use serde_json::Value;
use tokio::sync::Notify;

pub use arn::partition_of;
pub use clock::Clock;
pub use programs::Programs;
pub use state::QueueMoment;
pub use upstream::Upstream;
pub use world::World;

use error::{Result, refuse};
use request::Fields;
use state::State;

/// How the service behaves; all of it may be changed while it runs.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Settings {
    /// The account that answers.
    pub account: String,
    /// The region that answers.
    pub region: String,
    /// The region's partition, first in every ARN.
    pub partition: String,
    /// Time that CREATING, UPDATING and DELETING take; zero: the next call sees the final state.
    pub transition: Duration,
    /// Time that a job spends in each of SUBMITTED, PENDING, RUNNABLE and STARTING, at least.
    pub job_step: Duration,
    /// How many deletions of a compute environment are refused although its last queue has left.
    pub relationship_lag: u32,
    /// How many looks at a queue still show it UPDATING after its update was done.
    pub updating_looks: u32,
    /// How long after it was first named a service role can't be assumed yet, so that the environment is INVALID.
    pub role_propagation: Duration,
    /// The program that keeps a job's processes together, if there is one.
    #[serde(skip)]
    pub keeper: Option<PathBuf>,
    /// How many jobs run at once at most, each a process of this machine: the others wait in RUNNABLE, as for room.
    pub processes: usize,
    /// How often ECS refuses the cluster of a new environment, as it does at its first use in an account.
    pub first_clusters: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new("123456789012", "us-east-1")
    }
}

impl Settings {
    /// An account and region where everything happens at once.
    pub fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
            partition: partition_of(region).into(),
            transition: Duration::ZERO,
            job_step: Duration::ZERO,
            relationship_lag: 0,
            updating_looks: 0,
            role_propagation: Duration::ZERO,
            keeper: None,
            processes: 256,
            first_clusters: 0,
        }
    }
}

/// The Batch service. Clones share one state.
#[derive(Clone)]
pub struct Batch {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Mutex<Settings>,
    state: Mutex<State>,
    clock: Clock,
    world: Arc<dyn World>,
    upstream: Upstream,
    programs: Mutex<Programs>,
    /// Tells the scheduler that something has changed.
    wake: Arc<Notify>,
    runs: Mutex<jobs::Runs>,
}

impl Batch {
    /// A service without any resource that asks `upstream` for roles and networks, and runs jobs by `programs`.
    pub fn new(settings: Settings, upstream: Upstream, programs: Programs) -> Self {
        let world = Arc::new(upstream.world(&settings));
        Self::with_world(settings, upstream, programs, world, Clock::running())
    }

    /// The same with a given surrounding and clock, for tests that need neither network nor time.
    pub fn with_world(
        settings: Settings,
        upstream: Upstream,
        programs: Programs,
        world: Arc<dyn World>,
        clock: Clock,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                settings: Mutex::new(settings),
                state: Mutex::default(),
                clock,
                world,
                upstream,
                programs: Mutex::new(programs),
                wake: Arc::default(),
                runs: Mutex::default(),
            }),
        }
    }

    /// The present settings.
    pub fn settings(&self) -> Settings {
        lock(&self.shared.settings).clone()
    }

    /// Changes the settings from the next call on; transitions under way keep their end.
    pub fn set_settings(&self, settings: Settings) {
        *lock(&self.shared.settings) = settings;
        self.shared.wake.notify_one();
    }

    /// Runs jobs with this image by a local program; see [`Programs::map`].
    pub fn map_image(&self, image: &str, program: PathBuf, args: Vec<String>) {
        lock(&self.shared.programs).map(image, program, args);
    }

    /// Everything the service holds, for [`Batch::restore`].
    pub fn snapshot(&self) -> Value {
        self.with(|state, _| Ok(serde_json::to_value(&*state).unwrap_or_default())).unwrap_or_default()
    }

    /// Puts a snapshot back. Processes of the present are killed; jobs that were running then start anew.
    pub fn restore(&self, snapshot: Value) -> std::result::Result<(), serde_json::Error> {
        let mut state: State = serde_json::from_value(snapshot)?;
        self.drop_runs();
        state.requeue_interrupted(self.shared.clock.now());
        *lock(&self.shared.state) = state;
        self.schedule();
        Ok(())
    }

    /// Forgets everything, as a new account would look; settings and programs stay.
    pub fn reset(&self) {
        self.drop_runs();
        *lock(&self.shared.state) = State::default();
    }

    /// How every queue looked at every instant, oldest first.
    pub fn queue_history(&self) -> Vec<QueueMoment> {
        self.with(|state, _| Ok(state.history.clone())).unwrap_or_default()
    }

    /// Answers one rest-json request. Never fails: what goes wrong is in the answer.
    pub async fn handle(&self, method: &Method, path_and_query: &str, body: &[u8]) -> Response<Bytes> {
        let answer = self.answer(method, path_and_query, body).await;
        if *method == Method::POST && answer.is_ok() {
            self.shared.wake.notify_one();
        }
        let (status, exception, body) = match &answer {
            Ok(body) => (http::StatusCode::OK, None, body.clone()),
            Err(error) => {
                let (status, exception, body) = error.parts();
                (status, Some(exception), body)
            }
        };
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        if let Ok(id) = uuid::Uuid::new_v4().to_string().parse() {
            headers.insert("x-amzn-requestid", id);
        }
        if let Some(exception) = exception {
            headers.insert("x-amzn-errortype", http::HeaderValue::from_static(exception));
        }
        response
    }

    async fn answer(&self, method: &Method, path_and_query: &str, body: &[u8]) -> Result<Value> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let request = request::parse(body)?;
        if let Some(arn) = path.strip_prefix("/v1/tags/") {
            return self.tags(method, arn, query, &request);
        }
        if let Some(tags) = request.object("tags")? {
            tags::check(tags)?;
        }
        match path.strip_prefix("/v1/").unwrap_or_default() {
            "createcomputeenvironment" => self.create_compute_environment(request).await,
            "updatecomputeenvironment" => self.update_compute_environment(request).await,
            "deletecomputeenvironment" => self.delete_compute_environment(request).await,
            "describecomputeenvironments" => self.describe_compute_environments(request),
            "createjobqueue" => self.create_job_queue(request),
            "updatejobqueue" => self.update_job_queue(request),
            "deletejobqueue" => self.delete_job_queue(request),
            "describejobqueues" => self.describe_job_queues(request),
            "registerjobdefinition" => self.register_job_definition(request),
            "deregisterjobdefinition" => self.deregister_job_definition(request),
            "describejobdefinitions" => self.describe_job_definitions(request),
            "createschedulingpolicy" => self.create_scheduling_policy(request),
            "updateschedulingpolicy" => self.update_scheduling_policy(request),
            "deleteschedulingpolicy" => self.delete_scheduling_policy(request),
            "describeschedulingpolicies" => self.describe_scheduling_policies(request),
            "listschedulingpolicies" => self.list_scheduling_policies(request),
            "createconsumableresource" => self.create_consumable_resource(request),
            "updateconsumableresource" => self.update_consumable_resource(request),
            "deleteconsumableresource" => self.delete_consumable_resource(request),
            "describeconsumableresource" => self.describe_consumable_resource(request),
            "listconsumableresources" => self.list_consumable_resources(request),
            "listjobsbyconsumableresource" => self.list_jobs_by_consumable_resource(request),
            "createserviceenvironment" => self.create_service_environment(request),
            "updateserviceenvironment" => self.update_service_environment(request),
            "deleteserviceenvironment" => self.delete_service_environment(request),
            "describeserviceenvironments" => self.describe_service_environments(request),
            "submitjob" => self.submit_job(request),
            "describejobs" => self.describe_jobs(request),
            "listjobs" => self.list_jobs(request),
            "canceljob" => self.cancel_job(request),
            "terminatejob" => self.terminate_job(request),
            "canceljobs" => self.stop_many(request, false),
            "terminatejobs" => self.stop_many(request, true),
            "getjobqueuesnapshot" => self.get_job_queue_snapshot(request),
            other => refuse!("{method} {other}: this operation of AWS Batch is not served by the sandbox"),
        }
    }

    /// Kills every job's processes and waits until they are gone. Nothing is started afterwards.
    pub async fn shutdown(&self) {
        let mut running = {
            let mut runs = lock(&self.shared.runs);
            runs.closed = true;
            std::mem::take(&mut runs.running)
        };
        self.shared.wake.notify_one();
        running.values_mut().for_each(jobs::Run::revoke);
        futures::future::join_all(running.into_values().map(jobs::Run::gone)).await;
    }

    /// Works on the state as it is at this moment, and writes down what that did to the queues.
    fn with<T>(&self, work: impl FnOnce(&mut State, u64) -> Result<T>) -> Result<T> {
        let lag = lock(&self.shared.settings).relationship_lag;
        let mut state = lock(&self.shared.state);
        let now = self.shared.clock.now();
        state.settle(now, lag);
        let result = work(&mut state, now);
        state.observe(now);
        result
    }

    fn world(&self) -> Arc<dyn World> {
        Arc::clone(&self.shared.world)
    }
}

/// A panic while the lock was held leaves plain data behind, which stays usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
