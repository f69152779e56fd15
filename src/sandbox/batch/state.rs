//! What the service holds, how its states move with time, and what every queue looked like at every instant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definitions::Family;
use super::jobs::Job;
use super::request::{Fields, Object};

/// Everything the service knows. Keys are names, for policies ARNs, for jobs ids.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct State {
    pub environments: BTreeMap<String, Managed>,
    pub queues: BTreeMap<String, Managed>,
    pub definitions: BTreeMap<String, Family>,
    pub policies: BTreeMap<String, Object>,
    #[serde(default)]
    pub services: BTreeMap<String, Managed>,
    #[serde(default)]
    pub consumables: BTreeMap<String, Object>,
    pub jobs: BTreeMap<String, Job>,
    /// Counts submissions, so that jobs have an order that ids do not give.
    pub submitted: u64,
    /// When each role was first named, in milliseconds since 1970.
    pub roles: BTreeMap<String, u64>,
    /// How often ECS was asked for a cluster and has refused it.
    #[serde(default)]
    pub refused_clusters: u32,
    pub history: Vec<QueueMoment>,
}

/// A compute environment or queue: what it shows, and where it is in its life.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Managed {
    pub detail: Object,
    pub life: Life,
    /// How many more deletions are refused although the last queue has left.
    pub lingering: u32,
}

/// Where a resource is on its way between states that take time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Life {
    pub status: Status,
    pub reason: String,
    /// When the present transition ends.
    until: Option<u64>,
    /// Why the transition will end in `INVALID`, if it will.
    fault: Option<String>,
    /// How many looks at it are still to come before the transition ends, however late it is.
    #[serde(default)]
    pub looks: u32,
}

/// A status as the API spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    Creating,
    Updating,
    Deleting,
    Valid,
    Invalid,
}

impl Status {
    /// The status as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Valid => "VALID",
            Self::Invalid => "INVALID",
        }
    }
}

impl Life {
    /// Enters a transition that ends at `until`, in `INVALID` if there is a fault.
    pub fn begin(status: Status, until: u64, fault: Option<String>) -> Self {
        Self { status, reason: String::new(), until: Some(until), fault, looks: 0 }
    }

    /// Whether a transition is under way.
    pub fn is_moving(&self) -> bool {
        self.until.is_some()
    }

    /// When the present transition ends; nobody knows as long as looks at it are to come.
    pub fn due(&self) -> Option<u64> {
        self.until.filter(|_| self.looks == 0)
    }

    /// Ends the transition. Returns false if the resource is gone with it.
    fn end(&mut self, healthy: &str) -> bool {
        self.until = None;
        match self.fault.take() {
            Some(fault) => (self.status, self.reason) = (Status::Invalid, fault),
            None if self.status == Status::Deleting => return false,
            None => (self.status, self.reason) = (Status::Valid, healthy.to_owned()),
        }
        true
    }
}

impl Managed {
    /// A resource that has just been created and is not ready before `until`.
    pub fn created(detail: Object, until: u64, fault: Option<String>) -> Self {
        Self { detail, life: Life::begin(Status::Creating, until, fault), lingering: 0 }
    }

    /// What Describe answers.
    pub fn shown(&self) -> Value {
        let mut detail = self.detail.clone();
        detail.insert("status".into(), self.life.status.as_str().into());
        if !self.life.reason.is_empty() {
            detail.insert("statusReason".into(), self.life.reason.as_str().into());
        }
        Value::Object(detail)
    }

    /// What Describe answers of what has a status and no reason for it.
    pub fn shown_without_reason(&self) -> Value {
        let status = self.life.status.as_str();
        let status = [("status".to_owned(), status.into())];
        Value::Object(self.detail.clone().into_iter().chain(status).collect())
    }

    /// Whether its `state` is `ENABLED`.
    pub fn is_enabled(&self) -> bool {
        self.detail.shown("state") == "ENABLED"
    }
}

/// How one queue looked from one instant on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueMoment {
    /// Milliseconds since 1970.
    pub at: u64,
    /// The queue's name.
    pub queue: String,
    /// `ENABLED` or `DISABLED`.
    pub state: String,
    /// `CREATING`, `UPDATING`, `DELETING`, `VALID`, `INVALID`, or `DELETED` once it is gone.
    pub status: String,
    /// The compute environments in the queue's order: name, state, status.
    pub environments: Vec<(String, String, String)>,
}

impl State {
    /// Ends every transition that is due, in the order of time, and writes down what the queues looked like meanwhile.
    pub fn settle(&mut self, now: u64, relationship_lag: u32) {
        self.services.retain(|_, one| one.life.due().is_none_or(|at| at > now) || one.life.end(""));
        while let Some((at, is_queue, name)) = self.next_due().filter(|(at, ..)| *at <= now) {
            let (resources, healthy) = if is_queue {
                (&mut self.queues, "JobQueue Healthy")
            } else {
                (&mut self.environments, "ComputeEnvironment Healthy")
            };
            let stays = resources.get_mut(&name).is_some_and(|resource| resource.life.end(healthy));
            if !stays && let Some(gone) = resources.remove(&name).filter(|_| is_queue) {
                self.linger(&environments_of(&gone), relationship_lag);
            }
            self.observe(at);
        }
    }

    /// When the next transition ends.
    pub fn next_due(&self) -> Option<(u64, bool, String)> {
        let queues = self.queues.iter().map(|(name, queue)| (queue.life.due(), true, name));
        let environments = self.environments.iter().map(|(name, one)| (one.life.due(), false, name));
        queues
            .chain(environments)
            .filter_map(|(due, is_queue, name)| due.map(|at| (at, is_queue, name.clone())))
            .min()
    }

    /// Notes that a queue has left these environments: their deletion is refused a few times more.
    pub fn linger(&mut self, environments: &[String], relationship_lag: u32) {
        for name in environments {
            if let Some(environment) = self.environments.get_mut(name) {
                environment.lingering = relationship_lag;
            }
        }
    }

    /// Appends how each queue looks now, where that differs from before.
    pub fn observe(&mut self, at: u64) {
        let mut moments: Vec<QueueMoment> =
            self.queues.iter().map(|(name, queue)| self.moment(at, name, queue)).collect();
        let gone = self.history.iter().rev().filter(|past| !self.queues.contains_key(&past.queue));
        let gone: BTreeMap<&str, &QueueMoment> = gone.fold(BTreeMap::new(), |mut newest, past| {
            newest.entry(past.queue.as_str()).or_insert(past);
            newest
        });
        moments.extend(gone.into_values().map(|past| QueueMoment {
            at,
            status: "DELETED".into(),
            environments: Vec::new(),
            ..past.clone()
        }));
        for moment in moments {
            let before = self.history.iter().rev().find(|past| past.queue == moment.queue);
            if before.is_none_or(|before| QueueMoment { at, ..before.clone() } != moment) {
                self.history.push(moment);
            }
        }
    }

    fn moment(&self, at: u64, name: &str, queue: &Managed) -> QueueMoment {
        let environments = environments_of(queue)
            .into_iter()
            .map(|name| match self.environments.get(&name) {
                Some(one) => {
                    (name, one.detail.shown("state").to_owned(), one.life.status.as_str().to_owned())
                }
                None => (name, "DISABLED".to_owned(), "DELETED".to_owned()),
            })
            .collect();
        QueueMoment {
            at,
            queue: name.to_owned(),
            state: queue.detail.shown("state").to_owned(),
            status: queue.life.status.as_str().to_owned(),
            environments,
        }
    }
}

/// The names of a queue's compute environments, in its order.
pub(super) fn environments_of(queue: &Managed) -> Vec<String> {
    let order = queue.detail.get("computeEnvironmentOrder").and_then(Value::as_array);
    order
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("computeEnvironment").and_then(Value::as_str))
        .map(|arn| super::arn::name_of(arn).to_owned())
        .collect()
}
