//! Attempts, time, priority and nodes.

use std::sync::LazyLock;

use regex::Regex;

use super::Complaints;
use crate::kinds::batch::job_definition::Spec;
use crate::kinds::batch::types::job_settings::{NodeProperties, RetryStrategy};

pub(super) fn validate(spec: &Spec, found: &mut Complaints) {
    if let Some(retry) = &spec.retry_strategy {
        attempts(retry, found);
    }
    let seconds = spec.timeout.as_ref().and_then(|timeout| timeout.attempt_duration_seconds);
    if let Some(seconds) = seconds.filter(|seconds| *seconds < 60) {
        found.say("timeout.attemptDurationSeconds", format!("{seconds} is below 60 seconds"));
    }
    if let Some(priority) = spec.scheduling_priority.filter(|priority| !(0..=9999).contains(priority)) {
        found.say("schedulingPriority", format!("{priority} is not between 0 and 9999"));
    }
    if let Some(nodes) = &spec.node_properties {
        ranges(nodes, found);
    }
}

fn attempts(retry: &RetryStrategy, found: &mut Complaints) {
    if let Some(attempts) = retry.attempts.filter(|attempts| !(1..=10).contains(attempts)) {
        found.say("retryStrategy.attempts", format!("{attempts} is not between 1 and 10"));
    }
    if retry.attempts.is_none() && !retry.evaluate_on_exit.is_empty() {
        found.say("retryStrategy.attempts", "evaluateOnExit needs a number of attempts, 1 to 10");
    }
    if retry.evaluate_on_exit.len() > 5 {
        found.say("retryStrategy.evaluateOnExit", "5 entries at most");
    }
    for (index, entry) in retry.evaluate_on_exit.iter().enumerate() {
        let path = format!("retryStrategy.evaluateOnExit[{index}]");
        if !["RETRY", "EXIT"].contains(&entry.action.to_ascii_uppercase().as_str()) {
            found.say(format!("{path}.action"), format!("{:?} is neither RETRY nor EXIT", entry.action));
        }
        let patterns = [
            ("onStatusReason", &entry.on_status_reason, &*REASON, "letters, digits, `.`, `:` and blanks"),
            ("onReason", &entry.on_reason, &*REASON, "letters, digits, `.`, `:` and blanks"),
            ("onExitCode", &entry.on_exit_code, &*EXIT_CODE, "digits"),
        ];
        for (field, pattern, allowed, of) in patterns {
            if pattern
                .as_ref()
                .is_some_and(|text| !text.contains("${") && (text.len() > 512 || !allowed.is_match(text)))
            {
                found.say(
                    format!("{path}.{field}"),
                    format!("is made of {of}, with a `*` at its end if at all; 512 at most"),
                );
            }
        }
    }
}

#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static REASON: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[0-9A-Za-z.:\s]*\*?$").expect("the pattern of a reason"));

#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static EXIT_CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[0-9]*\*?$").expect("the pattern of an exit code"));

/// Each node is in a range; the leader exists.
fn ranges(nodes: &NodeProperties, found: &mut Complaints) {
    if !(1..=1000).contains(&nodes.num_nodes) {
        found.say("nodeProperties.numNodes", format!("{} is not between 1 and 1000", nodes.num_nodes));
        return;
    }
    if !(0..nodes.num_nodes).contains(&nodes.main_node) {
        let message =
            format!("{} is not a node: they are numbered from 0 to {}", nodes.main_node, nodes.num_nodes - 1);
        found.say("nodeProperties.mainNode", message);
    }
    let mut covered = vec![false; usize::try_from(nodes.num_nodes).unwrap_or_default()];
    for (index, range) in nodes.node_range_properties.iter().enumerate() {
        match parse(&range.target_nodes, nodes.num_nodes) {
            Some((first, last)) => {
                let (first, last) = (usize::try_from(first).unwrap_or(0), usize::try_from(last).unwrap_or(0));
                covered.iter_mut().take(last + 1).skip(first).for_each(|node| *node = true);
            }
            None => found.say(
                format!("nodeProperties.nodeRangeProperties[{index}].targetNodes"),
                format!(
                    "{:?} is not a range such as `0:3`, `4:` or `:` within {} nodes",
                    range.target_nodes, nodes.num_nodes
                ),
            ),
        }
    }
    if let Some(node) = covered.iter().position(|covered| !covered) {
        found.say("nodeProperties.nodeRangeProperties", format!("node {node} is in no range"));
    }
}

/// The first and the last node of `2`, `0:3`, `4:`, `:5` or `:`.
fn parse(text: &str, nodes: i32) -> Option<(i32, i32)> {
    let number = |text: &str, absent: i32| match text.trim() {
        "" => Some(absent),
        digits => digits.parse::<i32>().ok(),
    };
    let (first, last) = match text.split_once(':') {
        Some((first, last)) => (number(first, 0)?, number(last, nodes - 1)?),
        None => (text.trim().parse().ok()?, text.trim().parse().ok()?),
    };
    (0 <= first && first <= last && last < nodes).then_some((first, last))
}
