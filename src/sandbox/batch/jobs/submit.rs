//! SubmitJob: a definition and its overrides become one job, or an array of them.

use serde_json::{Map, Value, json};

use super::work::Work;
use super::{Array, Job, JobStatus};
use crate::batch::Batch;
use crate::batch::definitions;
use crate::batch::environments::{self, is_fargate, kind_of};
use crate::batch::error::{Result, invalid, refuse};
use crate::batch::queues;
use crate::batch::request::{Fields, Object, is_name, keep};
use crate::batch::state::{Managed, State, environments_of};

impl Batch {
    pub(in crate::batch) fn submit_job(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        let name = request.required("jobName")?;
        if !is_name(name) {
            invalid!("Job name should match valid pattern");
        }
        let answer = self.with(|state, now| {
            let (_, queue) = queues::find(state, request.required("jobQueue")?)?;
            if !queue.is_enabled() {
                // AWS's exact words are not in public text; a disabled queue takes no jobs (API_UpdateJobQueue).
                refuse!("Job queue {} is not in ENABLED state", queue.detail.shown("jobQueueName"));
            }
            let definition = definitions::find_active(state, request.required("jobDefinition")?)?;
            let mut facts = facts(&request, definition)?;
            check_shares(&request, queue)?;
            let work = Work::of(&mut facts)?;
            check_capability(state, queue, &work)?;
            let id = uuid::Uuid::new_v4().to_string();
            let arn = settings.arn("job", &id);
            let job = Job {
                id: id.clone(),
                arn: arn.clone(),
                name: name.to_owned(),
                queue: queue.detail.shown("jobQueueArn").to_owned(),
                sequence: 0,
                facts,
                work,
                array: None,
                waits_for: Vec::new(),
                status: JobStatus::Submitted,
                since: now,
                reason: None,
                created_at: now,
                started_at: None,
                stopped_at: None,
                environment: None,
                task: Object::new(),
                attempts: Vec::new(),
                launched: false,
                cancelled: false,
                terminated: false,
                host_lost: false,
            };
            let size = array_size(&request)?;
            let waits = dependencies(state, &request, size)?;
            insert(state, job, size, &waits);
            Ok(json!({ "jobArn": arn, "jobName": name, "jobId": id }))
        })?;
        self.schedule();
        Ok(answer)
    }
}

/// What DescribeJobs will show: the definition's fields with the submission's over them.
fn facts(request: &Object, definition: &Object) -> Result<Object> {
    let mut facts = keep(
        definition,
        &[
            "parameters",
            "retryStrategy",
            "timeout",
            "propagateTags",
            "platformCapabilities",
            "ecsProperties",
            "eksProperties",
            "nodeProperties",
            "schedulingPriority",
            "consumableResourceProperties",
        ],
    );
    facts.insert("jobDefinition".into(), definition.shown("jobDefinitionArn").into());
    if let Some(container) = definition.get("containerProperties") {
        facts.insert("container".into(), container.clone());
    }
    for (from, to) in [
        ("shareIdentifier", "shareIdentifier"),
        ("schedulingPriorityOverride", "schedulingPriority"),
        ("propagateTags", "propagateTags"),
        ("timeout", "timeout"),
        ("dependsOn", "dependsOn"),
    ] {
        if let Some(value) = request.get(from) {
            facts.insert(to.into(), value.clone());
        }
    }
    request.object("timeout")?.map_or(Ok(()), definitions::timeout)?;
    if let Some(strategy) = request.object("retryStrategy")? {
        definitions::retry(strategy)?;
        let mut strategy = strategy.clone();
        definitions::filled_retry(&mut strategy);
        facts.insert("retryStrategy".into(), Value::Object(strategy));
    }
    let mut tags = request.object("tags")?.cloned().unwrap_or_default();
    if facts.get("propagateTags") == Some(&Value::Bool(true)) {
        for (key, value) in definition.object("tags")?.into_iter().flatten() {
            tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    facts.insert("tags".into(), Value::Object(tags));
    let parameters = facts.entry("parameters").or_insert_with(|| json!({}));
    if let Some((held, new)) = parameters.as_object_mut().zip(request.object("parameters")?) {
        held.extend(new.clone());
    }
    if let Some(list) =
        request.get("consumableResourcePropertiesOverride").and_then(|it| it.get("consumableResourceList"))
    {
        let change = Object::from_iter([("consumableResourceList".to_owned(), list.clone())]);
        let held = facts.entry("consumableResourceProperties").or_insert_with(|| json!({}));
        if let Some(held) = held.as_object_mut() {
            override_container(held, &change);
        }
    }
    override_containers(&mut facts, request)?;
    Ok(facts)
}

/// Puts each override over the container it is meant for.
fn override_containers(facts: &mut Object, request: &Object) -> Result<()> {
    if let Some(change) = request.object("containerOverrides")? {
        let Some(Value::Object(container)) = facts.get_mut("container") else {
            invalid!("containerOverrides is only applicable to jobs with containerProperties.");
        };
        override_container(container, change);
    }
    for (name, task) in
        [("ecsPropertiesOverride", "taskProperties"), ("eksPropertiesOverride", "podProperties")]
    {
        let Some(change) = request.object(name)? else { continue };
        let block = name.trim_end_matches("Override");
        let Some(held) = facts.get_mut(block).and_then(|block| block.get_mut(task)) else {
            invalid!("{name} is only applicable to jobs with {block}.");
        };
        let held = if held.is_array() { held.get_mut(0) } else { Some(held) };
        let held = held.and_then(|held| held.get_mut("containers")).and_then(Value::as_array_mut);
        let changes = change.get(task).map(|task| task.get(0).unwrap_or(task));
        let changes = changes.and_then(|one| one.get("containers")).and_then(Value::as_array);
        let Some(held) = held else { continue };
        for change in changes.into_iter().flatten().filter_map(Value::as_object) {
            let meant =
                |one: &&mut Object| !change.contains_key("name") || one.get("name") == change.get("name");
            if let Some(container) = held.iter_mut().filter_map(Value::as_object_mut).find(meant) {
                override_container(container, change);
            }
        }
    }
    Ok(())
}

fn override_container(container: &mut Object, change: &Object) {
    for (name, value) in change {
        let key = match name.as_str() {
            "environment" | "env" => "name",
            "resourceRequirements" => "type",
            "consumableResourceList" => "consumableResource",
            _ => {
                container.insert(name.clone(), value.clone());
                continue;
            }
        };
        let held = container.entry(name.clone()).or_insert_with(|| json!([]));
        let (Some(held), Some(new)) = (held.as_array_mut(), value.as_array()) else { continue };
        for item in new {
            held.retain(|one| one.get(key) != item.get(key));
            held.push(item.clone());
        }
    }
}

fn check_shares(request: &Object, queue: &Managed) -> Result<()> {
    let fair = !queue.detail.shown("schedulingPolicyArn").is_empty();
    let shares =
        request.contains_key("shareIdentifier") || request.contains_key("schedulingPriorityOverride");
    if shares && !fair {
        refuse!(
            "Job with shareIdentifier or schedulingPriority can onlybe submitted to job queue with fair share \
             scheduling policy."
        );
    }
    if fair && !request.contains_key("shareIdentifier") {
        refuse!(
            "shareIdentifier must be provided for jobs in a job queue with fair share scheduling policy."
        );
    }
    Ok(())
}

fn check_capability(state: &State, queue: &Managed, work: &Work) -> Result<()> {
    let runs = |name: &String| {
        let environment = environments::find(state, name).ok().map(|(_, one)| &one.detail);
        environment.is_none_or(|detail| kind_of(detail).is_empty() || is_fargate(detail) == work.fargate)
    };
    if environments_of(queue).iter().any(runs) {
        return Ok(());
    }
    let capability = if work.fargate { "FARGATE" } else { "EC2" };
    refuse!(
        "Job Queue is attached to Compute Environment that can not run Jobs with capability {capability}."
    )
}

fn array_size(request: &Object) -> Result<Option<u64>> {
    let Some(size) = request.object("arrayProperties")?.and_then(|array| array.get("size")) else {
        return Ok(None);
    };
    match size.as_u64() {
        Some(size @ 2..=10_000) => Ok(Some(size)),
        _ => invalid!("Array size must be between 2 and 10000."),
    }
}

/// What a job waits for.
enum Waits {
    /// The whole job.
    On(String),
    /// The child of the same index.
    Pairwise(String),
    /// The child before.
    InSequence,
}

fn dependencies(state: &State, request: &Object, size: Option<u64>) -> Result<Vec<Waits>> {
    let items = request.list("dependsOn")?.map_or(&[][..], Vec::as_slice);
    if items.len() > 20 {
        invalid!("A job can depend upon a maximum of 20 jobs.");
    }
    let empty = Map::new();
    let mut waits = Vec::new();
    for item in items {
        let item = item.as_object().unwrap_or(&empty);
        let id = item.text("jobId")?;
        if let Some(id) = id.filter(|id| !state.jobs.contains_key(*id)) {
            invalid!("Job {id} in dependsOn does not exist.");
        }
        waits.push(match (item.text("type")?, id, size) {
            (None, Some(id), _) => Waits::On(id.to_owned()),
            (Some("SEQUENTIAL"), None, Some(_)) => Waits::InSequence,
            (Some("N_TO_N"), Some(id), Some(size)) => {
                match state.jobs.get(id).map(|job| &job.array) {
                    Some(Some(Array::Parent { size: other })) if *other == size => {}
                    _ => invalid!("N_TO_N dependency needs an array job of the same size: {id}."),
                }
                Waits::Pairwise(id.to_owned())
            }
            (Some("SEQUENTIAL" | "N_TO_N"), ..) => {
                invalid!("SEQUENTIAL is for array jobs without jobId, N_TO_N for array jobs with jobId.")
            }
            _ => invalid!("dependsOn needs a jobId, or a type on array jobs."),
        });
    }
    Ok(waits)
}

/// Stores the job, and the children if it is an array.
fn insert(state: &mut State, mut job: Job, size: Option<u64>, waits: &[Waits]) {
    state.submitted += 1;
    job.sequence = state.submitted;
    let whole = |wait: &Waits| match wait {
        Waits::On(id) | Waits::Pairwise(id) => Some(id.clone()),
        Waits::InSequence => None,
    };
    let Some(size) = size else {
        job.waits_for = waits.iter().filter_map(whole).collect();
        state.jobs.insert(job.id.clone(), job);
        return;
    };
    for index in 0..size {
        state.submitted += 1;
        let mut child = job.clone();
        child.id = format!("{}:{index}", job.id);
        child.arn = format!("{}:{index}", job.arn);
        child.sequence = state.submitted;
        child.array = Some(Array::Child { parent: job.id.clone(), index, size });
        child.waits_for = waits
            .iter()
            .filter_map(|wait| match wait {
                Waits::On(id) => Some(id.clone()),
                Waits::Pairwise(id) => Some(format!("{id}:{index}")),
                Waits::InSequence => index.checked_sub(1).map(|before| format!("{}:{before}", job.id)),
            })
            .collect();
        state.jobs.insert(child.id.clone(), child);
    }
    job.array = Some(Array::Parent { size });
    state.jobs.insert(job.id.clone(), job);
}
