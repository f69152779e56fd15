//! What `UpdateComputeEnvironment` changes, and when AWS lets it.
//!
//! <https://docs.aws.amazon.com/batch/latest/userguide/infrastructure-updates.html>

use serde_json::{Value, json};

use super::check::{self, NOT_FOR_FARGATE};
use super::{entry, find, has_instances, is_fargate, named, refuse_moving};
use crate::batch::arn::is_service_linked;
use crate::batch::clock::millis;
use crate::batch::error::{Result, invalid, refuse};
use crate::batch::request::{Fields, Object};
use crate::batch::state::{Life, Status};
use crate::batch::{Batch, Settings, model};

/// Compute resources whose change replaces the instances.
const INFRASTRUCTURE: [&str; 12] = [
    "allocationStrategy",
    "bidPercentage",
    "ec2Configuration",
    "ec2KeyPair",
    "imageId",
    "instanceRole",
    "instanceTypes",
    "launchTemplate",
    "placementGroup",
    "securityGroupIds",
    "subnets",
    "tags",
];

/// The strategies between which an infrastructure update can move.
const UPDATABLE: [&str; 3] =
    ["BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"];

impl Batch {
    pub(in crate::batch) async fn update_compute_environment(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        model::check(&request)?;
        let reference = request.required("computeEnvironment")?;
        let (before, after) = self.with(|state, _| {
            let (_, environment) = find(state, reference)?;
            refuse_moving(environment, "update")?;
            Ok((environment.detail.clone(), updated(&environment.detail, &request, &settings)?))
        })?;
        let fault = self.fault_of(&after).await?;
        let cut_off = replaces_instances(&before, &request, &after)
            && after
                .object("updatePolicy")?
                .is_some_and(|policy| policy.get("terminateJobsOnUpdate") == Some(&true.into()));
        let arn = before.shown("computeEnvironmentArn").to_owned();
        let answer = self.with(|state, now| {
            let (name, environment) = find(state, reference)?;
            refuse_moving(environment, "update")?;
            if environment.detail != before {
                // Tags may have changed meanwhile; anything else would have been a transition.
                refuse!("Cannot update, resource is being modified.");
            }
            let environment = entry(state, &name)?;
            environment.detail = after;
            environment.life = Life::begin(Status::Updating, now + millis(settings.transition), fault);
            Ok(named(&environment.detail))
        })?;
        if cut_off {
            self.take_hosts(&arn);
        }
        Ok(answer)
    }
}

/// Whether an update is one of the infrastructure: instances are replaced, not only added or taken away.
fn replaces_instances(before: &Object, request: &Object, after: &Object) -> bool {
    let resources = |detail: &Object| detail.get("computeResources").cloned().unwrap_or_default();
    let (old, new) = (resources(before), resources(after));
    let refreshed =
        request.get("computeResources").is_some_and(|one| one["updateToLatestImageVersion"] == true);
    let changed = INFRASTRUCTURE.iter().chain(&["type"]).any(|name| old[*name] != new[*name]);
    has_instances(before) && (refreshed || changed)
}

/// The environment as the request leaves it.
fn updated(before: &Object, request: &Object, settings: &Settings) -> Result<Object> {
    let mut after = before.clone();
    if let Some(state) = request.text("state")? {
        check::one_of("state", state, &["ENABLED", "DISABLED"])?;
        after.insert("state".into(), state.into());
    }
    if let Some(count) = request.integer("unmanagedvCpus")? {
        if before.shown("type") == "MANAGED" {
            invalid!("unmanagedvCpus is not applicable for managed Compute Environments");
        }
        after.insert("unmanagedvCpus".into(), count.into());
    }
    if let Some(role) = request.text("serviceRole")? {
        let role = settings.role_arn(role);
        if is_service_linked(before.shown("serviceRole")) != is_service_linked(&role) {
            invalid!("Compute Environment cannot be changed between service role and service-linked role");
        }
        after.insert("serviceRole".into(), role.into());
    }
    for name in ["context", "ecsSettings"] {
        if let Some(value) = request.get(name) {
            after.insert(name.into(), value.clone());
        }
    }
    merge_within(&mut after, "updatePolicy", request.object("updatePolicy")?);
    if let Some(minutes) =
        after.object("updatePolicy")?.and_then(|policy| policy.get("jobExecutionTimeoutMinutes"))
        && !minutes.as_i64().is_some_and(|minutes| (1..=7200).contains(&minutes))
    {
        invalid!("jobExecutionTimeoutMinutes must be between 1 and 7200.");
    }
    merge_within(&mut after, "eksConfiguration", request.object("eksConfiguration")?);
    if let Some(change) = request.object("computeResources")? {
        let Some(old) = before.object("computeResources")? else {
            invalid!("computeResources must not be provided for an UNMANAGED compute environment");
        };
        let merged =
            if is_fargate(before) { fargate(old, change)? } else { instances(before, request, old, change)? };
        check::resources(&merged, before.contains_key("eksConfiguration"))?;
        after.insert("computeResources".into(), Value::Object(merged));
    }
    Ok(after)
}

fn merge_within(after: &mut Object, name: &str, change: Option<&Object>) {
    let Some(change) = change else { return };
    let held = after.entry(name).or_insert_with(|| json!({}));
    if let Some(held) = held.as_object_mut() {
        held.extend(change.clone());
    }
}

/// Fargate takes `maxvCpus`, subnets and security groups; empty lists are ignored.
fn fargate(old: &Object, change: &Object) -> Result<Object> {
    if let Some(field) = NOT_FOR_FARGATE.iter().find(|field| change.contains_key(**field)) {
        invalid!("{field} is not applicable for Fargate.");
    }
    if change.text("type")?.is_some_and(|kind| kind != old.shown("type")) {
        invalid!("type cannot be updated for Fargate compute environments.");
    }
    let mut merged = old.clone();
    for (name, value) in change.iter().filter(|(name, _)| *name != "updateToLatestImageVersion") {
        if !value.as_array().is_some_and(Vec::is_empty) {
            merged.insert(name.clone(), value.clone());
        }
    }
    Ok(merged)
}

/// EC2 and Spot: scaling fields at any time, the others only where instances may be replaced.
fn instances(before: &Object, request: &Object, old: &Object, change: &Object) -> Result<Object> {
    let mut merged = old.clone();
    for (name, value) in change.iter().filter(|(name, _)| *name != "updateToLatestImageVersion") {
        if unsets(name, value) {
            merged.remove(name);
        } else {
            merged.insert(name.clone(), value.clone());
        }
    }
    super::fill_resources(&mut merged, before.contains_key("eksConfiguration"));
    // Batch itself starts what a higher minimum asks for.
    let least = merged.integer("minvCpus")?.unwrap_or_default();
    if !change.contains_key("desiredvCpus") && merged.integer("desiredvCpus")? < Some(least) {
        merged.insert("desiredvCpus".into(), least.into());
    }
    let (current, wanted) = (old.integer("desiredvCpus")?, change.integer("desiredvCpus")?);
    if wanted.is_some() && before.contains_key("eksConfiguration") {
        // The rule: API_ComputeResourceUpdate, desiredvCpus; AWS's words are not in public text.
        invalid!("desiredvCpus must not be specified for EKS compute environments.");
    }
    let below = |wanted: Option<i64>| wanted.zip(current).is_some_and(|(wanted, current)| wanted < current);
    if below(wanted) || below(change.integer("maxvCpus")?) {
        refuse!(
            "Manually scaling down compute environment is not supported. Disconnecting job queues from \
             compute environment will cause it to scale-down to minvCpus."
        );
    }
    let mut after = before.clone();
    after.insert("computeResources".into(), Value::Object(merged.clone()));
    if replaces_instances(before, request, &after) {
        may_replace_instances(before, request, old, &merged)?;
    }
    Ok(merged)
}

/// AWS's words for these refusals are not in public text; the rules are (infrastructure updates).
fn may_replace_instances(before: &Object, request: &Object, old: &Object, merged: &Object) -> Result<()> {
    if request.contains_key("serviceRole") {
        invalid!("serviceRole cannot be updated together with settings that need an infrastructure update");
    }
    if !is_service_linked(before.shown("serviceRole")) {
        invalid!(
            "Infrastructure update is only supported for compute environments that use the service-linked role"
        );
    }
    let strategies = [old.shown("allocationStrategy"), merged.shown("allocationStrategy")];
    if let Some(strategy) = strategies.iter().find(|strategy| !UPDATABLE.contains(strategy)) {
        invalid!("Infrastructure update is not supported with allocation strategy {strategy}");
    }
    if !matches!(merged.shown("type"), "EC2" | "SPOT") {
        invalid!("type can only be updated between EC2 and SPOT.");
    }
    Ok(())
}

/// Whether a value means "not set any more": empty text, list or object, or nothing to bid.
fn unsets(name: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) if name == "launchTemplate" => ["launchTemplateId", "launchTemplateName"]
            .iter()
            .any(|member| members.get(*member).and_then(Value::as_str) == Some("")),
        Value::Object(members) => members.is_empty(),
        Value::Number(number) => name == "bidPercentage" && number.as_i64() == Some(0),
        _ => false,
    }
}
