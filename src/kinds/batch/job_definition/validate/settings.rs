//! Attempts, time, priority and nodes.

use std::collections::BTreeSet;

use super::Complaints;
use crate::kinds::batch::job_definition::Spec;
use crate::kinds::batch::types::job_settings::{ConsumableResources, NodeProperties, RetryStrategy};
use crate::kinds::batch::types::name;

pub(super) fn validate(spec: &Spec, found: &mut Complaints) {
    if let Some(retry) = &spec.retry_strategy {
        attempts(retry, found);
    }
    let resources = spec.consumable_resource_properties.as_ref();
    consumables("consumableResourceProperties", resources, found);
    if let Some(nodes) = &spec.node_properties {
        ranges(nodes, found);
        for (index, range) in nodes.node_range_properties.iter().enumerate() {
            let path = format!("nodeProperties.nodeRangeProperties[{index}].consumableResourceProperties");
            consumables(&path, range.consumable_resource_properties.as_ref(), found);
        }
    }
}

/// Each resource is taken once.
fn consumables(path: &str, resources: Option<&ConsumableResources>, found: &mut Complaints) {
    let mut seen = BTreeSet::new();
    let list = resources.map(|resources| resources.consumable_resource_list.as_slice()).unwrap_or_default();
    for (index, one) in list.iter().enumerate() {
        let name = one.consumable_resource.rsplit('/').next().unwrap_or_default();
        let path = format!("{path}.consumableResourceList[{index}].consumableResource");
        if !one.consumable_resource.contains("${") {
            if let Some(message) = name::invalid(name) {
                found.say(&path, message);
            }
            if !seen.insert(name) {
                found.say(path, format!("{name} is there twice: say how much of it once"));
            }
        }
    }
}

fn attempts(retry: &RetryStrategy, found: &mut Complaints) {
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
    }
}

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
    // <https://docs.aws.amazon.com/batch/latest/userguide/mnp-node-groups.html>
    if nodes.node_range_properties.len() > 5 {
        let message = format!("there are {}, and Batch takes 5 at most", nodes.node_range_properties.len());
        found.say("nodeProperties.nodeRangeProperties", message);
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
