//! Whether an attempt that did not succeed is followed by another one.

use serde_json::Value;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub exit_code: Option<i32>,
    /// The container's reason.
    pub reason: Option<String>,
    /// The task's reason, shown as the attempt's status reason.
    pub status_reason: String,
    /// False for what AWS never retries: time-outs.
    pub retryable: bool,
}

impl Ending {
    pub fn is_success(&self) -> bool {
        self.exit_code == Some(0) && self.retryable
    }

    /// The first rule of `evaluateOnExit` that matches decides; none, and the job is retried.
    /// <https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html>
    pub fn calls_for_retry(&self, rules: &[Value]) -> bool {
        let code = self.exit_code.map(|code| code.to_string());
        let facts = [
            ("onExitCode", code.as_deref()),
            ("onReason", self.reason.as_deref()),
            ("onStatusReason", Some(self.status_reason.as_str())),
        ];
        let applies = |rule: &&Value| {
            facts.iter().all(|(name, fact)| match rule[*name].as_str() {
                None => true,
                Some(pattern) => matches(pattern, fact.unwrap_or_default()),
            })
        };
        let rule = rules.iter().find(applies);
        self.retryable
            && rule
                .is_none_or(|rule| rule["action"].as_str().is_some_and(|a| a.eq_ignore_ascii_case("retry")))
    }
}

/// A trailing `*` stands for anything, as in AWS's patterns; without it the whole text must be the same.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.to_lowercase().starts_with(&prefix.to_lowercase()),
        None => text.eq_ignore_ascii_case(pattern),
    }
}
