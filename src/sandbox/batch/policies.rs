//! Scheduling policies: create, update, describe, list, delete. Known by ARN only.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Batch;
use super::error::{Result, invalid, refuse};
use super::page::page;
use super::request::{Fields, Object, fill, is_name, keep};

const KINDS: [&str; 2] = ["fairsharePolicy", "quotaSharePolicy"];

impl Batch {
    pub(super) fn create_scheduling_policy(&self, request: Object) -> Result<Value> {
        let name = request.required("name")?;
        if !is_name(name) {
            invalid!("Scheduling policy name should match a valid pattern.");
        }
        check(&request)?;
        let arn = self.settings().arn("scheduling-policy", name);
        self.with(|state, _| {
            if state.policies.contains_key(&arn) {
                refuse!("Object already exists");
            }
            let mut detail = keep(&request, &["name", "fairsharePolicy", "quotaSharePolicy", "tags"]);
            if !detail.contains_key("quotaSharePolicy") {
                fill(&mut detail, "fairsharePolicy", json!({}));
            }
            if let Some(Value::Object(fair)) = detail.get_mut("fairsharePolicy") {
                fill_fairshare(fair);
            }
            detail.insert("arn".into(), arn.as_str().into());
            fill(&mut detail, "tags", json!({}));
            state.policies.insert(arn.clone(), detail);
            Ok(json!({ "name": name, "arn": arn }))
        })
    }

    pub(super) fn update_scheduling_policy(&self, request: Object) -> Result<Value> {
        let arn = request.required("arn")?;
        check(&request)?;
        self.with(|state, _| {
            let Some(detail) = state.policies.get_mut(arn) else {
                refuse!("SchedulingPolicy {arn} not found.");
            };
            for kind in KINDS {
                if let Some(value) = request.get(kind) {
                    if !detail.contains_key(kind) {
                        invalid!("A scheduling policy can have either fairsharePolicy or quotaSharePolicy");
                    }
                    detail.insert(kind.into(), value.clone());
                }
            }
            if let Some(Value::Object(fair)) = detail.get_mut("fairsharePolicy") {
                fill_fairshare(fair);
            }
            Ok(json!({}))
        })
    }

    pub(super) fn describe_scheduling_policies(&self, request: Object) -> Result<Value> {
        let arns = request.texts("arns")?;
        if arns.is_empty() || arns.len() > 100 {
            invalid!("arns must hold between 1 and 100 items.");
        }
        self.with(|state, _| {
            let found: Vec<&Object> = arns.iter().filter_map(|arn| state.policies.get(arn)).collect();
            Ok(json!({ "schedulingPolicies": found }))
        })
    }

    pub(super) fn list_scheduling_policies(&self, request: Object) -> Result<Value> {
        self.with(|state, _| {
            let items = state.policies.keys().map(|arn| (arn.clone(), json!({ "arn": arn }))).collect();
            page(&request, "schedulingPolicies", items)
        })
    }

    pub(super) fn delete_scheduling_policy(&self, request: Object) -> Result<Value> {
        let arn = request.required("arn")?;
        self.with(|state, _| {
            if state.queues.values().any(|queue| queue.detail.shown("schedulingPolicyArn") == arn) {
                // AWS's exact words are not in public text; the rule is (API_DeleteSchedulingPolicy).
                refuse!("Cannot delete, found existing JobQueue relationship");
            }
            match state.policies.remove(arn) {
                Some(_) => Ok(json!({})),
                None => refuse!("SchedulingPolicy {arn} not found."),
            }
        })
    }
}

fn fill_fairshare(fair: &mut Object) {
    fill(fair, "shareDecaySeconds", 0);
    fill(fair, "computeReservation", 0);
    fill(fair, "shareDistribution", json!([]));
    if let Some(Value::Array(shares)) = fair.get_mut("shareDistribution") {
        for share in shares.iter_mut().filter_map(Value::as_object_mut) {
            fill(share, "weightFactor", 1.0);
        }
    }
}

fn check(request: &Object) -> Result<()> {
    if KINDS.iter().all(|kind| request.contains_key(*kind)) {
        invalid!("A scheduling policy can have either fairsharePolicy or quotaSharePolicy");
    }
    if let Some(quota) = request.object("quotaSharePolicy")?
        && quota.shown("idleResourceAssignmentStrategy") != "FIFO"
    {
        invalid!("Idle resource assignment strategy must be one of [FIFO].");
    }
    request.object("fairsharePolicy")?.map_or(Ok(()), check_fairshare)
}

fn check_fairshare(fair: &Object) -> Result<()> {
    if !(0..=604_800).contains(&fair.integer("shareDecaySeconds")?.unwrap_or(0)) {
        invalid!("shareDecaySeconds must be between 0 and 604800.");
    }
    if !(0..=99).contains(&fair.integer("computeReservation")?.unwrap_or(0)) {
        invalid!("computeReservation must be between 0 and 99.");
    }
    let shares = fair.list("shareDistribution")?.map_or(&[][..], Vec::as_slice);
    if shares.len() > 500 {
        invalid!("ShareDistribution size cannot be greater than 500.");
    }
    let mut seen = BTreeSet::new();
    let empty = Object::new();
    for share in shares {
        let share = share.as_object().unwrap_or(&empty);
        let id = share.required("shareIdentifier")?;
        let plain = id.strip_suffix('*').unwrap_or(id);
        let pattern = plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if id.len() > 255 || !pattern {
            invalid!("ShareIdentifier name should match a valid pattern.");
        }
        let weight = share.get("weightFactor").and_then(Value::as_f64).unwrap_or(1.0);
        if !(0.0001..=999.9999).contains(&weight) {
            invalid!("Weight factor should be between 0.0001 and 999.9999.");
        }
        if !seen.insert(id) {
            invalid!("Cannot have two or more identical shareIdentifiers.");
        }
    }
    for prefix in seen.iter().filter_map(|id| id.strip_suffix('*')) {
        if let Some(hit) =
            seen.iter().find(|id| id.starts_with(prefix) && id.strip_suffix('*') != Some(prefix))
        {
            invalid!("Share identifier {hit} matches another share identifier {prefix}*");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
