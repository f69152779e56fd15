//! Consumable resources, and what jobs take of them.
//!
//! "Once a job goes to the STARTING state, the consumed resources will be subtracted from the available quantity"; of one that is
//! NON_REPLENISHABLE also from the total, for good:
//! <https://docs.aws.amazon.com/batch/latest/userguide/resource-aware-scheduling-how-to-check-resources-check-resources.html>.
//! AWS's exact words for refusals are not in public text; the rules are those of the API reference.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Batch;
use super::arn::name_of;
use super::definitions::span;
use super::error::{Result, invalid, refuse};
use super::jobs::{Job, matches};
use super::page::page;
use super::request::{Fields, Object, fill, is_name, keep};
use super::state::State;

const TYPES: [&str; 2] = ["REPLENISHABLE", "NON_REPLENISHABLE"];

impl Batch {
    pub(super) fn create_consumable_resource(&self, request: Object) -> Result<Value> {
        let name = request.required("consumableResourceName")?;
        if !is_name(name) {
            invalid!("Consumable resource name should match a valid pattern.");
        }
        if request.integer("totalQuantity")?.is_some_and(|total| total < 0) {
            invalid!("totalQuantity must be non-negative.");
        }
        if request.text("resourceType")?.is_some_and(|of| !TYPES.contains(&of)) {
            invalid!("resourceType must be one of [{}].", TYPES.join(", "));
        }
        let arn = self.settings().arn("consumable-resource", name);
        self.with(|state, now| {
            if state.consumables.contains_key(name) {
                refuse!("Object already exists");
            }
            let mut detail =
                keep(&request, &["consumableResourceName", "totalQuantity", "resourceType", "tags"]);
            fill(&mut detail, "totalQuantity", 0);
            fill(&mut detail, "resourceType", "REPLENISHABLE");
            fill(&mut detail, "tags", json!({}));
            detail.insert("consumableResourceArn".into(), arn.into());
            detail.insert("createdAt".into(), now.into());
            let answer = keep(&detail, &["consumableResourceName", "consumableResourceArn"]);
            state.consumables.insert(name.to_owned(), detail);
            Ok(Value::Object(answer))
        })
    }

    pub(super) fn update_consumable_resource(&self, request: Object) -> Result<Value> {
        let reference = request.required("consumableResource")?;
        let quantity = request.integer("quantity")?.unwrap_or_default();
        if quantity < 0 {
            invalid!("quantity must be non-negative.");
        }
        self.with(|state, _| {
            let detail = found(state, reference)?;
            let total = detail.integer("totalQuantity")?.unwrap_or_default();
            let total = match request.text("operation")?.unwrap_or("SET") {
                "SET" => quantity,
                "ADD" => total.saturating_add(quantity),
                "REMOVE" if quantity <= total => total - quantity,
                "REMOVE" => invalid!("quantity is more than there is."),
                other => invalid!("operation {other} is not valid. Valid values: [SET, ADD, REMOVE]"),
            };
            detail.insert("totalQuantity".into(), total.into());
            let shown = ["consumableResourceName", "consumableResourceArn", "totalQuantity"];
            Ok(Value::Object(keep(detail, &shown)))
        })
    }

    pub(super) fn describe_consumable_resource(&self, request: Object) -> Result<Value> {
        let reference = request.required("consumableResource")?;
        self.with(|state, _| {
            let detail = found(state, reference)?.clone();
            Ok(Value::Object(state.with_quantities(detail)))
        })
    }

    pub(super) fn list_consumable_resources(&self, request: Object) -> Result<Value> {
        let names = filtered(&request, "CONSUMABLE_RESOURCE_NAME")?;
        self.with(|state, _| {
            let shown = |detail: &Object| {
                let detail = state.with_quantities(detail.clone());
                let members = [
                    "consumableResourceArn",
                    "consumableResourceName",
                    "totalQuantity",
                    "inUseQuantity",
                    "resourceType",
                ];
                Value::Object(keep(&detail, &members))
            };
            let listed = state.consumables.iter().filter(|(name, _)| passes(&names, name));
            let items = listed.map(|(name, detail)| (name.clone(), shown(detail))).collect();
            page(&request, "consumableResources", items)
        })
    }

    pub(super) fn list_jobs_by_consumable_resource(&self, request: Object) -> Result<Value> {
        let reference = request.required("consumableResource")?;
        let (names, statuses) = (filtered(&request, "JOB_NAME")?, filtered(&request, "JOB_STATUS")?);
        self.with(|state, _| {
            let name = found(state, reference)?.shown("consumableResourceName").to_owned();
            let listed = state.jobs.values().filter_map(|job| {
                let quantity = *needs(&job.facts).get(&name)?;
                let is_listed = passes(&names, &job.name) && passes(&statuses, job.status.as_str());
                is_listed.then(|| (job.id.clone(), summary(job, quantity)))
            });
            let items = listed.collect();
            page(&request, "jobs", items)
        })
    }

    pub(super) fn delete_consumable_resource(&self, request: Object) -> Result<Value> {
        let reference = request.required("consumableResource")?;
        self.with(|state, _| {
            let name = found(state, reference)?.shown("consumableResourceName").to_owned();
            state.consumables.remove(&name);
            Ok(json!({}))
        })
    }
}

/// Finds a resource by name or ARN.
fn found<'a>(state: &'a mut State, reference: &str) -> Result<&'a mut Object> {
    let held = state.consumables.get_mut(name_of(reference));
    match held.filter(|it| !reference.starts_with("arn:") || it.shown("consumableResourceArn") == reference) {
        Some(detail) => Ok(detail),
        None => refuse!("Consumable resource {reference} does not exist"),
    }
}

fn summary(job: &Job, quantity: i64) -> Value {
    let mut shown = keep(&job.facts, &["shareIdentifier", "consumableResourceProperties"]);
    let values = [
        ("jobArn", json!(job.arn)),
        ("jobQueueArn", json!(job.queue)),
        ("jobName", json!(job.name)),
        ("jobDefinitionArn", json!(job.facts.shown("jobDefinition"))),
        ("jobStatus", json!(job.status.as_str())),
        ("quantity", json!(quantity)),
        ("statusReason", json!(job.reason)),
        ("startedAt", json!(job.started_at)),
        ("createdAt", json!(job.created_at)),
    ];
    let there = values.into_iter().filter(|(_, value)| !value.is_null());
    shown.extend(there.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(shown)
}

/// The values of a filter, if there is one.
fn filtered(request: &Object, name: &str) -> Result<Option<Vec<String>>> {
    let filters = request.list("filters")?.into_iter().flatten().filter_map(Value::as_object);
    let mut found = filters.filter(|filter| filter.shown("name") == name);
    found.next().map(|filter| filter.texts("values")).transpose()
}

/// Whatever the case.
fn passes(patterns: &Option<Vec<String>>, text: &str) -> bool {
    let fits = |pattern: &String| matches(&pattern.to_lowercase(), &text.to_lowercase());
    patterns.as_ref().is_none_or(|patterns| patterns.iter().any(fits))
}

/// What a job takes of each resource; of one with several nodes, what all of them take.
fn needs(facts: &Object) -> BTreeMap<String, i64> {
    let mut needs = BTreeMap::new();
    let mut add = |owner: &Value, times: i64| {
        let listed = owner["consumableResourceProperties"]["consumableResourceList"].as_array();
        for one in listed.into_iter().flatten() {
            let name = name_of(one["consumableResource"].as_str().unwrap_or_default());
            let quantity = one["quantity"].as_i64().unwrap_or_default();
            *needs.entry(name.to_owned()).or_default() += quantity.saturating_mul(times);
        }
    };
    add(&Value::Object(keep(facts, &["consumableResourceProperties"])), 1);
    let nodes = facts.get("nodeProperties").unwrap_or(&Value::Null);
    let count = nodes["numNodes"].as_i64().unwrap_or_default();
    for range in nodes["nodeRangeProperties"].as_array().into_iter().flatten() {
        let nodes = span(range["targetNodes"].as_str().unwrap_or_default(), count);
        add(range, nodes.map_or(1, |nodes| i64::try_from(nodes.count()).unwrap_or(1)));
    }
    needs
}

impl State {
    /// What jobs at work hold of a resource.
    fn in_use(&self, name: &str) -> i64 {
        let busy = self.jobs.values().filter(|job| job.is_at_work() && !job.is_parent());
        busy.filter_map(|job| needs(&job.facts).get(name).copied()).sum()
    }

    fn available(&self, detail: &Object) -> i64 {
        let total = detail.integer("totalQuantity").ok().flatten().unwrap_or_default();
        match detail.shown("resourceType") {
            // What is held is no part of the total any more.
            "NON_REPLENISHABLE" => total,
            _ => total - self.in_use(detail.shown("consumableResourceName")),
        }
    }

    fn with_quantities(&self, mut detail: Object) -> Object {
        let (in_use, available) =
            (self.in_use(detail.shown("consumableResourceName")), self.available(&detail));
        detail.insert("inUseQuantity".into(), in_use.into());
        detail.insert("availableQuantity".into(), available.max(0).into());
        detail
    }

    /// Whether there is enough of everything that a job takes.
    pub(super) fn is_supplied(&self, job: &Job) -> bool {
        let enough = |(name, quantity): (String, i64)| {
            self.consumables.get(&name).is_some_and(|detail| self.available(detail) >= quantity)
        };
        needs(&job.facts).into_iter().all(enough)
    }

    /// Takes from what is not replenished, as a job starts.
    pub(super) fn use_up(&mut self, id: &str) {
        let Some(job) = self.jobs.get(id) else { return };
        for (name, quantity) in needs(&job.facts) {
            let Some(detail) = self.consumables.get_mut(&name) else { continue };
            if detail.shown("resourceType") == "NON_REPLENISHABLE" {
                let total = detail.integer("totalQuantity").ok().flatten().unwrap_or_default();
                detail.insert("totalQuantity".into(), (total - quantity).into());
            }
        }
    }
}

#[cfg(test)]
mod tests;
