//! Service environments: create, update, describe, delete; and the queues on them.
//!
//! The life cycle is that of compute environments: "you must first set its state to DISABLED … and disassociate it from any job
//! queues" (<https://docs.aws.amazon.com/batch/latest/APIReference/API_DeleteServiceEnvironment.html>). AWS's exact words for
//! refusals are not in public text. Jobs of SageMaker are not served.

use serde_json::{Value, json};

use super::Batch;
use super::arn::name_of;
use super::clock::millis;
use super::environments::refuse_moving;
use super::error::{Result, invalid, refuse};
use super::page::page;
use super::request::{Fields, Object, fill, is_name, keep};
use super::state::{Life, Managed, State, Status};

pub(super) const SAGEMAKER: &str = "SAGEMAKER_TRAINING";

impl Batch {
    pub(super) fn create_service_environment(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        let name = request.required("serviceEnvironmentName")?.to_owned();
        if !is_name(&name) {
            invalid!("Service Environment name should match a valid pattern.");
        }
        if request.required("serviceEnvironmentType")? != SAGEMAKER {
            invalid!("serviceEnvironmentType must be one of [{SAGEMAKER}].");
        }
        let mut detail = keep(
            &request,
            &["serviceEnvironmentName", "serviceEnvironmentType", "state", "capacityLimits", "tags"],
        );
        fill(&mut detail, "state", "ENABLED");
        fill(&mut detail, "tags", json!({}));
        check(&detail)?;
        detail.insert("serviceEnvironmentArn".into(), settings.arn("service-environment", &name).into());
        self.with(|state, now| {
            if state.services.contains_key(&name) {
                refuse!("Object already exists");
            }
            let answer = named(&detail);
            state.services.insert(name, Managed::created(detail, now + millis(settings.transition), None));
            Ok(answer)
        })
    }

    pub(super) fn update_service_environment(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        let reference = request.required("serviceEnvironment")?;
        self.with(|state, now| {
            let environment = found(state, reference)?;
            refuse_moving(environment, "update")?;
            let mut detail = environment.detail.clone();
            detail.extend(keep(&request, &["state", "capacityLimits"]));
            check(&detail)?;
            let answer = named(&detail);
            environment.detail = detail;
            environment.life = Life::begin(Status::Updating, now + millis(settings.transition), None);
            Ok(answer)
        })
    }

    pub(super) fn describe_service_environments(&self, request: Object) -> Result<Value> {
        let wanted = request.texts("serviceEnvironments")?;
        self.with(|state, _| {
            let chosen = state.services.iter().filter(|(name, one)| {
                let arn = one.detail.shown("serviceEnvironmentArn");
                wanted.is_empty() || wanted.iter().any(|want| want == *name || want == arn)
            });
            let items = chosen.map(|(name, one)| (name.clone(), one.shown_without_reason())).collect();
            page(&request, "serviceEnvironments", items)
        })
    }

    pub(super) fn delete_service_environment(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        let reference = request.required("serviceEnvironment")?;
        self.with(|state, now| {
            let held = found(state, reference)?;
            refuse_moving(held, "delete")?;
            if held.is_enabled() {
                refuse!("Cannot delete, service environment must be in DISABLED state");
            }
            let arn = held.detail.shown("serviceEnvironmentArn").to_owned();
            if state.queues.values().any(|queue| service_of(&queue.detail) == arn) {
                refuse!("Cannot delete, found existing JobQueue relationship");
            }
            let until = now + millis(settings.transition);
            found(state, reference)?.life = Life::begin(Status::Deleting, until, None);
            Ok(json!({}))
        })
    }
}

/// Finds a service environment by name or ARN.
fn found<'a>(state: &'a mut State, reference: &str) -> Result<&'a mut Managed> {
    let held = state.services.get_mut(name_of(reference));
    match held
        .filter(|it| !reference.starts_with("arn:") || it.detail.shown("serviceEnvironmentArn") == reference)
    {
        Some(environment) => Ok(environment),
        None => refuse!("Service environment {reference} does not exist"),
    }
}

/// The service environment that a queue names.
fn service_of(queue: &Object) -> &str {
    let first = queue.get("serviceEnvironmentOrder").and_then(|order| order.get(0));
    first.and_then(|entry| entry["serviceEnvironment"].as_str()).unwrap_or_default()
}

/// What a queue is to show of the service environment that it asks for: one at most, and that is valid.
pub(super) fn order(state: &mut State, request: &Object) -> Result<Value> {
    if request.list("computeEnvironmentOrder")?.is_some_and(|order| !order.is_empty()) {
        invalid!("A job queue can have either serviceEnvironmentOrder or computeEnvironmentOrder.");
    }
    let entries = request.list("serviceEnvironmentOrder")?.map_or(&[][..], Vec::as_slice);
    let [Value::Object(entry)] = entries else {
        invalid!("Only 1 service environment is allowed in job queue request.");
    };
    let Some(position) = entry.integer("order")? else { invalid!("order is required.") };
    let environment = found(state, entry.required("serviceEnvironment")?);
    let Some(environment) = environment.ok().filter(|it| it.life.status == Status::Valid) else {
        invalid!("Service Environments must be created and valid before attaching them to a job queue");
    };
    let arn = environment.detail.shown("serviceEnvironmentArn");
    Ok(json!([{ "order": position, "serviceEnvironment": arn }]))
}

fn check(detail: &Object) -> Result<()> {
    if !matches!(detail.shown("state"), "ENABLED" | "DISABLED") {
        invalid!("state {} is not valid. Valid values: [ENABLED, DISABLED]", detail.shown("state"));
    }
    let limits = detail.list("capacityLimits")?.map_or(&[][..], Vec::as_slice);
    if limits.is_empty() {
        invalid!("capacityLimits is required.");
    }
    let empty = Object::new();
    for limit in limits {
        let limit = limit.as_object().unwrap_or(&empty);
        let unit = limit.required("capacityUnit")?;
        if unit != "NUM_INSTANCES" && !unit.starts_with("ml.") {
            invalid!("capacityUnit {unit} is not valid.");
        }
        if limit.integer("maxCapacity")?.is_none_or(|most| most < 0) {
            invalid!("maxCapacity must be non-negative.");
        }
    }
    Ok(())
}

fn named(detail: &Object) -> Value {
    Value::Object(keep(detail, &["serviceEnvironmentName", "serviceEnvironmentArn"]))
}

#[cfg(test)]
mod tests;
