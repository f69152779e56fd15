//! Plan + cloud → report: a ready queue of steps, and one loop that does all the waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::plan::{Action, Change, Due, Plan, StepId, Verb};
use crate::resource::{Observed, Parallel, ResourceId};
use crate::services::Error as CallError;
use crate::value::reference::{self, Reference};
use serde::{Deserialize, Serialize};

mod backoff;
mod drain;
mod duplicates;
mod executor;
mod held;
mod poll;
mod propagation;
mod reach;
mod recheck;
mod settle;
mod shutdown;
mod steady;

pub use executor::execute;
pub use shutdown::{Shutdown, Stop};

/// How much at once, and how patiently.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Steps that run at once.
    pub steps: usize,
    /// Steps of one service that run at once.
    pub per_service: usize,
    /// How long after a call the first look follows; each further look waits half as long again.
    pub poll: Duration,
    /// The longest wait between two looks.
    pub slowest_poll: Duration,
    /// How long one step may take.
    pub step_timeout: Duration,
    /// How long a role that was made or changed may take until it is seen everywhere (aws-semantics §1.4).
    pub propagation: Duration,
}

impl Limits {
    /// What an environment says of how much is done at once.
    pub fn of(parallel: &Parallel) -> Self {
        Self { steps: parallel.steps, per_service: parallel.steps_per_service, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: Parallel::default().steps,
            per_service: Parallel::default().steps_per_service,
            poll: Duration::from_millis(250),
            slowest_poll: Duration::from_secs(10),
            step_timeout: Duration::from_secs(30 * 60),
            propagation: Duration::from_secs(120),
        }
    }
}

/// What happens while a plan is executed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "event")]
pub enum Event {
    /// A step began.
    Started {
        /// Its number.
        step: StepId,
    },
    /// A step waits for AWS.
    Waiting {
        /// Its number.
        step: StepId,
        /// What for.
        why: String,
    },
    /// A step is done.
    Finished {
        /// Its number.
        step: StepId,
    },
    /// A step is left to a later apply.
    Postponed {
        /// Its number.
        step: StepId,
        /// Why.
        why: String,
    },
    /// A step failed.
    Failed {
        /// Its number.
        step: StepId,
        /// Why.
        failure: Failure,
    },
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What AWS answered, or what did not come true.
    pub message: String,
    /// AWS's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// AWS's request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// `service:Operation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether the live resource has moved since the plan was made.
    #[serde(default)]
    pub stale: bool,
    /// Whether its time was up.
    #[serde(default)]
    pub timed_out: bool,
}

impl Failure {
    /// A failure that no call answered.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: None,
            request_id: None,
            operation: None,
            stale: false,
            timed_out: false,
        }
    }
}

impl From<&CallError> for Failure {
    fn from(error: &CallError) -> Self {
        Self {
            code: error.code.clone(),
            request_id: error.request_id.clone(),
            operation: Some(format!("{}:{}", error.service, error.operation)),
            ..Self::new(error.message.clone())
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Outcome {
    /// It is as the step wanted it.
    Done,
    /// It failed.
    Failed(Failure),
    /// A step that it waits for failed.
    Blocked {
        /// That step.
        by: StepId,
    },
    /// It is left to a later apply, which is as it should be (D20).
    Postponed {
        /// What has to end first.
        why: String,
    },
    /// The run was stopped in its midst: the next one goes on.
    Unfinished {
        /// What it waited for.
        why: String,
    },
    /// The run was stopped before its turn.
    NotStarted,
}

/// What became of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Each step's outcome, by its number.
    pub outcomes: BTreeMap<StepId, Outcome>,
    /// Whether the run was stopped.
    pub interrupted: bool,
    /// What AWS assigned to all that there is now, as far as this run saw it.
    pub known: BTreeMap<ResourceId, BTreeMap<String, serde_json::Value>>,
}

impl Report {
    /// Whether every step is done, or left to a later apply.
    pub fn complete(&self) -> bool {
        self.outcomes.values().all(|outcome| matches!(outcome, Outcome::Done | Outcome::Postponed { .. }))
    }

    /// Whether a change is left to a later apply, at its end at least (D20).
    pub fn is_later(&self, plan: &Plan, change: &Change) -> bool {
        let postponed = |id: &StepId| matches!(self.outcomes.get(id), Some(Outcome::Postponed { .. }));
        let mut steps = plan.steps.iter().filter(|step| step.resource == change.id);
        change.action == Action::Delete && steps.any(|step| removes(step.verb) && postponed(&step.id))
    }

    /// What was due and is deleted now, each with its name in AWS: the changes of the plan do not speak of it (D20).
    pub fn collected<'p>(&self, plan: &'p Plan) -> Vec<&'p Due> {
        let gone = |due: &Due| {
            let mut steps = plan.steps.iter().filter(|step| {
                step.resource == due.id && step.physical == due.physical && removes(step.verb)
            });
            steps.any(|step| self.outcomes.get(&step.id) == Some(&Outcome::Done))
        };
        plan.due.iter().filter(|due| gone(due)).collect()
    }

    /// How many steps are done.
    pub fn done(&self) -> usize {
        self.outcomes.values().filter(|outcome| **outcome == Outcome::Done).count()
    }

    /// The steps that failed.
    pub fn failures(&self) -> impl Iterator<Item = (StepId, &Failure)> {
        self.outcomes.iter().filter_map(|(step, outcome)| match outcome {
            Outcome::Failed(failure) => Some((*step, failure)),
            _ => None,
        })
    }
}

/// The outputs that are known: first what was observed, then what each step made.
#[derive(Debug, Default)]
pub(crate) struct Known(pub(crate) BTreeMap<ResourceId, BTreeMap<String, serde_json::Value>>);

impl Known {
    pub(crate) fn of(observed: &Observed, remade: &BTreeSet<ResourceId>) -> Self {
        // What this plan makes anew is not known until it is made.
        let current = observed.resources.iter().filter(|(id, _)| !remade.contains(*id));
        Self(
            current
                .filter_map(|(id, seen)| Some((id.clone(), seen.current.as_ref()?.outputs.clone())))
                .collect(),
        )
    }

    pub(crate) fn learn(&mut self, id: &ResourceId, outputs: BTreeMap<String, serde_json::Value>) {
        self.0.insert(id.clone(), outputs);
    }

    pub(crate) fn resolve(&self, document: &serde_json::Value) -> serde_json::Value {
        reference::resolve(document, &|reference| match reference {
            Reference::Output { id, output } => crate::plan::output_text(self.0.get(id)?.get(output)?),
            Reference::Image(_) | Reference::Existing { .. } | Reference::Zone(_) => None,
        })
    }
}

/// Whether a verb ends with the resource gone.
pub(crate) fn removes(verb: Verb) -> bool {
    matches!(verb, Verb::Delete | Verb::Deregister)
}
