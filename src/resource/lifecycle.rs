//! Our own settings of how a resource lives and ends.

use serde::{Deserialize, Serialize};

/// What becomes of a resource's data when the resource is to be deleted (D22).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnDelete {
    /// Deleting is refused while it holds data.
    #[default]
    Refuse,
    /// It is emptied first.
    Empty,
    /// It stays in AWS, without our ownership tags.
    Retain,
}

/// What jobs of a definition run on, where its spec does not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunsOn {
    /// The queues that its jobs are sent to, as `batch/JobQueue/<name>`: the jobs have to fit each. Absent: any that is declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<String>,
    /// What its image is built for, where the spec can't say it: on instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
}

/// What an image is built for, in ECS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Architecture {
    /// Graviton's.
    #[serde(rename = "ARM64")]
    Arm64,
    /// Intel's and AMD's.
    #[serde(rename = "X86_64")]
    X86,
}

/// How a compute environment's changes are carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    /// In place where AWS allows it, else blue/green.
    #[default]
    Auto,
    /// In place or not at all.
    InPlace,
    /// A new generation beside the old one for whatever would replace instances.
    BlueGreen,
}

/// Our own settings of how a resource lives, from `metadata.lifecycle` (D2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Lifecycle {
    /// How changes are carried out.
    pub strategy: Strategy,
    /// How many job definition revisions stay ACTIVE; at least 2.
    #[schemars(range(min = 2))]
    pub keep_revisions: Option<u32>,
    /// How long an apply waits for an old generation's jobs to finish, such as `90s`, `30m` or `2h`; `0s` for not at all.
    /// Absent: half an hour. What takes longer is left to a later apply.
    pub drain_timeout: Option<String>,
}

impl Lifecycle {
    /// How many seconds an apply waits for an old generation's jobs; half an hour where nothing is said.
    pub fn drain_seconds(&self) -> u64 {
        self.drain_timeout.as_deref().and_then(seconds).unwrap_or(30 * 60)
    }
}

/// The seconds of a time span such as `90s`, `30m` or `2h`.
pub fn seconds(span: &str) -> Option<u64> {
    let (number, unit) = span.split_at_checked(span.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(u64::from(number.parse::<u32>().ok()?) * unit)
}
