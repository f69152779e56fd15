//! What one apply may do at most, from `limits` in environment.yaml.

use serde::{Deserialize, Serialize};

/// Limits on what one apply may delete (D22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// At most this many deletes of one kind in one apply, without a word for each.
    pub deletes_per_kind: u32,
    /// At most this many deletes in one apply, of all kinds.
    pub deletes: u32,
    /// At most this share of what the environment has, in percent: however little it has.
    #[schemars(range(max = 100))]
    pub deletes_percent: u32,
    /// How much an apply does at once.
    pub parallel: Parallel,
}

/// How much an apply does at once. AWS limits calls by account and service: who shares the account may want less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Parallel {
    /// Steps at once; `--parallel` says otherwise for one run.
    #[schemars(range(min = 1, max = 100))]
    pub steps: usize,
    /// Steps of one service at once.
    #[schemars(range(min = 1, max = 100))]
    pub steps_per_service: usize,
    /// Calls of one service at once that only look.
    #[schemars(range(min = 1, max = 100))]
    pub reads_per_service: usize,
    /// Calls of one service at once that may change something.
    #[schemars(range(min = 1, max = 100))]
    pub writes_per_service: usize,
}

impl Default for Parallel {
    fn default() -> Self {
        Self { steps: 12, steps_per_service: 6, reads_per_service: 32, writes_per_service: 8 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { deletes_per_kind: 3, deletes: 10, deletes_percent: 50, parallel: Parallel::default() }
    }
}
