//! What all commands that talk to AWS begin with: manifests, the right account, one observation, a plan.

use std::collections::BTreeMap;

use super::{Connection, Error, Globals, Output, Result};
use crate::cloud::{self, Aws, Cloud, Scope};
use crate::execute;
use crate::github::is_commit;
use crate::kinds::KINDS;
use crate::manifest;
use crate::plan::{Guard, Plan};
use crate::render::json::Calls;
use crate::resource::{self, Desired, Observed, ResourceId};
use crate::services::{self, Concurrency};
use crate::value::existing;

/// Which environment, and what the command line adds to its manifests.
#[derive(Debug, Clone, clap::Args)]
pub struct Choices {
    /// The environment: a folder of the manifests that holds an environment.yaml
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// The digest of an image, as NAME=REPOSITORY@sha256:DIGEST
    #[arg(long = "image", value_name = "NAME=REF", value_parser = pair)]
    pub images: Vec<(String, String)>,
    /// Replaces a variable of environment.yaml; the value is read as YAML
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    pub variables: Vec<(String, String)>,
}

impl Choices {
    /// An environment as its manifests say.
    pub fn of(environment: impl Into<String>) -> Self {
        Self { environment: environment.into(), images: Vec::new(), variables: Vec::new() }
    }

    /// Reads the manifests. Calls nothing.
    pub fn load(&self, globals: &Globals) -> Result<Desired> {
        self.load_with(globals, false)
    }

    /// What a text with references stands for, as the one output of the environment.
    pub fn output(&self, globals: &Globals, asked: &str) -> Result<BTreeMap<String, resource::Output>> {
        let options = manifest::Options { output: Some(asked.to_owned()), ..self.options() };
        Ok(manifest::load(&globals.manifests, &self.environment, &options)?.outputs)
    }

    fn options(&self) -> manifest::Options {
        manifest::Options {
            images: self.images.iter().cloned().collect(),
            variables: self.variables.iter().cloned().collect(),
            ..manifest::Options::default()
        }
    }

    /// The same; of a `destroy`, an environment may declare nothing.
    fn load_with(&self, globals: &Globals, may_be_empty: bool) -> Result<Desired> {
        let options = manifest::Options { may_be_empty, ..self.options() };
        Ok(manifest::load(&globals.manifests, &self.environment, &options)?)
    }
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// Resources that may be deleted, whose jobs may be cut off, and that the plan is about.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Allowed {
    /// Allows this deletion, as <service>/<Kind>/<name>
    #[arg(long = "allow-delete", value_name = "RESOURCE")]
    pub delete: Vec<ResourceId>,
    /// Allows cutting off its jobs, as <service>/<Kind>/<name>
    #[arg(long = "allow-interrupt", value_name = "RESOURCE")]
    pub interrupt: Vec<ResourceId>,
    /// Nothing but this resource and what it needs; nothing is deleted then. May be given again
    #[arg(long = "only", value_name = "RESOURCE")]
    pub only: Vec<ResourceId>,
}

impl Allowed {
    /// For the planner.
    pub fn guard(&self) -> Guard {
        let only = (!self.only.is_empty()).then(|| self.only.iter().cloned().collect());
        Guard {
            allow_delete: self.delete.iter().cloned().collect(),
            allow_interrupt: self.interrupt.iter().cloned().collect(),
            only,
            ..Guard::default()
        }
    }

    /// The same for an environment; a resource that it does not declare cannot be planned alone.
    pub fn within(&self, desired: &Desired, out: &Output) -> Result<Guard> {
        if let Some(id) = self.only.iter().find(|id| !desired.resources.contains_key(id)) {
            let names: Vec<String> = desired.resources.keys().map(ToString::to_string).collect();
            let near = manifest::did_you_mean(&id.to_string(), names.iter().map(String::as_str));
            let help = near.unwrap_or_else(|| format!("resources are: {}", names.join(", ")));
            return Err(Error::with_help(format!("{id} is not declared in {}", desired.environment), help));
        }
        if !self.only.is_empty() {
            out.talk("only a part of the environment is planned: what else differs is not shown");
        }
        Ok(self.guard())
    }
}

/// How much is done at once.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct AtOnce {
    /// At most so many steps at once; `limits.parallel` in environment.yaml says the rest
    #[arg(long = "parallel", value_name = "STEPS", value_parser = steps)]
    pub steps: Option<usize>,
}

fn steps(text: &str) -> std::result::Result<usize, String> {
    text.parse().ok().filter(|steps| (1..=100).contains(steps)).ok_or_else(|| "expected 1 to 100".to_owned())
}

/// An environment and the AWS that it lives in.
pub struct Session {
    /// What is declared.
    pub desired: Desired,
    /// AWS.
    pub aws: Aws,
    /// How it is reached.
    pub connection: Connection,
    /// The ARN of whoever runs this.
    identity: String,
    /// How much is done at once, and how patiently.
    pub limits: execute::Limits,
}

impl Session {
    /// Reads the manifests, reaches AWS, and makes sure that it is the right account.
    pub async fn open(globals: &Globals, choices: &Choices, out: &Output) -> Result<Self> {
        Self::of(globals, choices.load(globals)?, out).await
    }

    /// The same for `destroy`: manifests that declare nothing are no mistake then.
    pub async fn open_to_destroy(globals: &Globals, choices: &Choices, out: &Output) -> Result<Self> {
        Self::of(globals, choices.load_with(globals, true)?, out).await
    }

    /// The same of manifests that are read already.
    pub async fn of(globals: &Globals, desired: Desired, out: &Output) -> Result<Self> {
        let connection = Connection::open(globals, &desired.place, out).await?;
        Self::on(desired, connection).await
    }

    /// The same on a connection that is there already.
    pub async fn on(desired: Desired, connection: Connection) -> Result<Self> {
        let identity = connection.check_account(&desired).await?;
        let aws = Aws::new(connection.config(), desired.place.clone(), commit());
        let parallel = &desired.limits.parallel;
        let (reads, writes) = (parallel.reads_per_service, parallel.writes_per_service);
        connection.calls().limit(Concurrency { reads, writes });
        let limits = execute::Limits::of(parallel);
        Ok(Self { desired, aws, connection, identity, limits })
    }

    /// The same, with so many steps at once.
    #[must_use]
    pub fn at_once(mut self, steps: Option<usize>) -> Self {
        self.limits.steps = steps.unwrap_or(self.limits.steps);
        self.limits.per_service = self.limits.per_service.min(self.limits.steps);
        self
    }

    /// Reads what AWS has, of what concerns the environment.
    pub async fn observe(&self) -> Result<Observed> {
        let read = self.aws.observe(&Scope::of(&self.desired)).await;
        read.map_err(Error::aws(format!("read what AWS has of {}", self.desired.environment)))
    }

    /// The same for a plan: what it stands on has to be there. Nothing that is destroyed stands on anything.
    async fn observe_for(&self, guard: &Guard) -> Result<Observed> {
        if guard.destroy {
            return self.observe_alone().await;
        }
        let observed = self.observe().await?;
        looked_up(&self.desired, &observed)?;
        Ok(observed)
    }

    /// The same without what is looked up: for commands that need none of it.
    pub async fn observe_alone(&self) -> Result<Observed> {
        let scope = Scope { existing: BTreeMap::new(), zones: false, ..Scope::of(&self.desired) };
        let read = self.aws.observe(&scope).await;
        read.map_err(Error::aws(format!("read what AWS has of {}", self.desired.environment)))
    }

    /// Observes, and plans.
    pub async fn plan(&self, guard: &Guard) -> Result<(Plan, Observed)> {
        let (observed, guard) = (self.observe_for(guard).await?, self.guarded(guard));
        self.planned(cloud::plan(&self.aws, &self.desired, observed, KINDS, &guard).await)
    }

    /// The same once more, right before the first write: what is as it was is planned as it was.
    pub async fn plan_again(&self, guard: &Guard, made: (Plan, &Observed)) -> Result<(Plan, Observed)> {
        let (observed, guard) = (self.observe_for(guard).await?, self.guarded(guard));
        self.planned(cloud::plan_again(&self.aws, &self.desired, observed, KINDS, &guard, made).await)
    }

    /// Whoever came in by a role that the environment has for GitHub is held to that (D36).
    fn guarded(&self, guard: &Guard) -> Guard {
        Guard { caller: assumed_role(&self.identity).map(str::to_owned), ..guard.clone() }
    }

    fn planned(&self, made: services::Result<(Plan, Observed)>) -> Result<(Plan, Observed)> {
        let (plan, observed) = made.map_err(Error::aws("read the jobs that the plan may cut off"))?;
        let Calls { calls, depth } = self.calls();
        tracing::info!(calls, depth, changes = plan.changes.len(), steps = plan.steps.len(), "planned");
        Ok((plan, observed))
    }

    /// The calls of this command so far.
    pub fn calls(&self) -> Calls {
        let counter = self.connection.calls();
        Calls { calls: counter.count(), depth: counter.depth() }
    }

    /// What is declared, and what AWS has of it now: for commands that look once, at what has to be there, and end.
    pub async fn looked(self) -> Result<(Desired, Observed)> {
        let observed = self.observe().await;
        self.connection.close().await;
        let observed = observed?;
        looked_up(&self.desired, &observed)?;
        Ok((self.desired, observed))
    }

    /// Stops the sandbox that was made for the command.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

/// An error if something that is looked up is not there, or is several.
fn looked_up(desired: &Desired, observed: &Observed) -> Result<()> {
    match existing::unfound(desired, &observed.surroundings) {
        none if none.is_empty() => Ok(()),
        unfound => Err(Error::Unfound(unfound)),
    }
}

/// The role of `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
fn assumed_role(identity: &str) -> Option<&str> {
    identity.split_once(":assumed-role/")?.1.split('/').next()
}

/// The commit that is applied, as CI names it; it becomes a tag of what is created or changed.
fn commit() -> Option<String> {
    std::env::var("GITHUB_SHA").ok().filter(|commit| is_commit(commit))
}
