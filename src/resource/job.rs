//! Jobs, as far as a change to what they run on concerns them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Owner;

/// A job that is not over yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The ARN of its queue.
    pub queue: String,
    /// `SUBMITTED`, `PENDING`, `RUNNABLE`, `STARTING` or `RUNNING`.
    pub status: String,
    /// The name of the ECS cluster that it runs in, where AWS tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// For how many seconds it has been running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed: Option<u64>,
    /// After how many seconds Batch itself ends an attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// How many seconds the longest of its definition took that succeeded lately; asked for where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past: Option<u64>,
    /// Its definition, such as `payments:7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// The ARNs of the roles that it acts as, and the log groups that it writes to; asked for where it matters.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<String>,
}

impl Job {
    /// Whether it has a machine.
    pub fn is_running(&self) -> bool {
        matches!(self.status.as_str(), "STARTING" | "RUNNING")
    }

    /// Whether it may run for longer than so many seconds from now on, as far as can be told. Its own time-out says how long it
    /// takes at most; of one without, what others of its definition took, and how long it has been running itself.
    pub fn may_outlast(&self, seconds: u64) -> bool {
        let elapsed = self.elapsed.unwrap_or_default();
        let left = |of: u64| of.saturating_sub(elapsed) > seconds;
        match self.timeout {
            Some(timeout) => left(timeout),
            None => elapsed > seconds || self.past.is_some_and(left),
        }
    }

    /// Whether it runs in this cluster; `None` if that can't be told.
    pub fn runs_in(&self, cluster: Option<&str>) -> Option<bool> {
        Some(self.cluster.as_deref()? == cluster?)
    }
}

/// Which jobs are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsOf {
    /// The ARNs of their queues; `None`: every queue of the account.
    pub queues: Option<BTreeSet<String>>,
    /// Also those that have no machine yet.
    pub waiting: bool,
    /// Also how long others of their definitions took before.
    pub past: bool,
    /// Also what they act as and write to; of those that wait all, not a page. And which definitions are ACTIVE.
    pub needs: bool,
}

/// An ACTIVE revision of a job definition, whoever registered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// Its family.
    pub family: String,
    /// Its number.
    pub revision: u64,
    /// Who owns it, by its tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The ARNs of the roles that its jobs act as, and the log groups that they write to.
    pub needs: BTreeSet<String>,
}

/// The jobs that were asked for, in order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    /// The jobs.
    pub list: Vec<Job>,
    /// The queues, by ARN, in which more jobs wait than are listed here.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub more_in: BTreeSet<String>,
    /// The definitions of the account, by name and number; asked for where it matters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<Definition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_says_more_than_what_others_took() {
        let job = |elapsed, timeout, past| Job {
            id: String::new(),
            name: String::new(),
            queue: String::new(),
            status: "RUNNING".to_owned(),
            cluster: None,
            elapsed,
            timeout,
            past,
            definition: None,
            needs: BTreeSet::new(),
        };
        for (elapsed, timeout, past, outlasts) in [
            (None, None, None, false),
            (Some(1800), None, None, false),
            (Some(1801), None, None, true),
            (Some(60), None, Some(1860), false),
            (Some(60), None, Some(1861), true),
            (Some(1801), None, Some(60), true),
            (Some(60), Some(21_600), None, true),
            (None, Some(21_600), None, true),
            (Some(60), Some(1860), Some(9000), false),
            (Some(3000), Some(3600), None, false),
            (Some(4000), Some(3600), None, false),
        ] {
            let job = job(elapsed, timeout, past);
            assert_eq!(job.may_outlast(1800), outlasts, "{job:?}");
        }
    }
}
