//! The form in which AWS Batch gives a job definition back: with empty lists, lower-case actions, no empty variables.

use serde_json::{Value, json};

use crate::batch::request::{Fields, Object, fill, keep};

const STORED: [&str; 14] = [
    "jobDefinitionName",
    "type",
    "parameters",
    "schedulingPriority",
    "containerProperties",
    "nodeProperties",
    "retryStrategy",
    "propagateTags",
    "timeout",
    "tags",
    "platformCapabilities",
    "eksProperties",
    "ecsProperties",
    "consumableResourceProperties",
];

/// What is kept of a register request.
pub(super) fn stored(request: &Object) -> Object {
    let mut detail = keep(request, &STORED);
    fill(&mut detail, "tags", json!({}));
    fill(&mut detail, "parameters", json!({}));
    let is_eks = detail.contains_key("eksProperties");
    detail.insert("containerOrchestrationType".into(), if is_eks { "EKS" } else { "ECS" }.into());
    if !is_eks && detail.shown("type") == "container" {
        fill(&mut detail, "platformCapabilities", json!(["EC2"]));
    }
    let is_fargate =
        detail.texts("platformCapabilities").is_ok_and(|all| all.iter().any(|one| one == "FARGATE"));
    if let Some(Value::Object(strategy)) = detail.get_mut("retryStrategy") {
        retry(strategy);
    }
    blocks(&mut detail, is_fargate);
    if let Some(ranges) =
        detail.get_mut("nodeProperties").and_then(|nodes| nodes.get_mut("nodeRangeProperties"))
    {
        each(ranges, |range| blocks(range, false));
    }
    detail
}

/// AWS answers retry actions in lower case and an empty list for no rules.
pub(in crate::batch) fn retry(strategy: &mut Object) {
    fill(strategy, "evaluateOnExit", json!([]));
    if let Some(rules) = strategy.get_mut("evaluateOnExit") {
        each(rules, |rule| {
            let action = rule.shown("action").to_ascii_lowercase();
            rule.insert("action".into(), action.into());
        });
    }
}

fn blocks(holder: &mut Object, is_fargate: bool) {
    for name in ["containerProperties", "container"] {
        if let Some(Value::Object(found)) = holder.get_mut(name) {
            container(found);
            if is_fargate {
                fill(found, "fargatePlatformConfiguration", json!({ "platformVersion": "LATEST" }));
            }
        }
    }
    if let Some(tasks) = holder.get_mut("ecsProperties").and_then(|ecs| ecs.get_mut("taskProperties")) {
        each(tasks, |task| {
            fill(task, "volumes", json!([]));
            if let Some(containers) = task.get_mut("containers") {
                each(containers, |one| {
                    container(one);
                    fill(one, "essential", true);
                    one.remove("volumes");
                    fill(one, "dependsOn", json!([]));
                });
            }
        });
    }
}

fn container(found: &mut Object) {
    for name in
        ["command", "volumes", "environment", "mountPoints", "ulimits", "resourceRequirements", "secrets"]
    {
        fill(found, name, json!([]));
    }
    if let Some(Value::Array(variables)) = found.get_mut("environment") {
        // Variables without a value are not kept, and neither is their order.
        variables
            .retain(|one| one.get("value").and_then(Value::as_str).is_some_and(|value| !value.is_empty()));
        variables.reverse();
    }
    if let Some(Value::Object(log)) = found.get_mut("logConfiguration") {
        fill(log, "options", json!({}));
        fill(log, "secretOptions", json!([]));
    }
    if let Some(Value::Object(linux)) = found.get_mut("linuxParameters") {
        fill(linux, "devices", json!([]));
        fill(linux, "tmpfs", json!([]));
        for (list, inner) in [("devices", "permissions"), ("tmpfs", "mountOptions")] {
            if let Some(items) = linux.get_mut(list) {
                each(items, |item| fill(item, inner, json!([])));
            }
        }
    }
}

fn each(list: &mut Value, mut change: impl FnMut(&mut Object)) {
    list.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut).for_each(&mut change);
}
