//! What a job runs: taken once, at submission, from its definition and the overrides.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::batch::definitions::span;
use crate::batch::error::{Result, refuse};
use crate::batch::request::{Fields, Object};

/// The one container that a job runs, with what is needed to place it.
///
/// Of a task with several containers it is the first essential one, of a multi-node job the main node's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::batch) struct Work {
    pub image: String,
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    pub vcpus: f64,
    pub memory: f64,
    /// Whether it asks for Fargate.
    pub fargate: bool,
    pub log: Log,
    /// How often it is tried.
    pub attempts: usize,
    /// The `evaluateOnExit` rules.
    pub rules: Vec<Value>,
    /// Seconds that one attempt may take.
    pub timeout: Option<u64>,
    /// Where in the job's description the container stands, as a JSON pointer.
    at: String,
}

/// Where its output goes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::batch) struct Log {
    /// Nothing if another driver than `awslogs` takes it.
    pub group: Option<String>,
    pub prefix: Option<String>,
    /// Whether the group is created if it isn't there.
    pub create: bool,
}

/// The group that jobs without a log configuration write to.
const DEFAULT_GROUP: &str = "/aws/batch/job";

impl Work {
    /// Reads the work out of a job's facts, in which overrides are already merged, and puts parameters in.
    pub fn of(facts: &mut Object) -> Result<Self> {
        let Some(at) = place(facts) else {
            refuse!("The job definition holds nothing that the sandbox can run");
        };
        let parameters = facts.object("parameters")?.cloned().unwrap_or_default();
        let fargate = facts.texts("platformCapabilities")?.iter().any(|one| one == "FARGATE");
        let strategy = facts.object("retryStrategy")?.cloned().unwrap_or_default();
        let timeout = facts.object("timeout")?.and_then(|one| one.get("attemptDurationSeconds"));
        let timeout = timeout.and_then(Value::as_u64);
        let Some(container) = pointed(facts, &at) else {
            refuse!("The job definition holds nothing that the sandbox can run");
        };
        substitute(container, &parameters)?;
        let mut command = container.texts("command")?;
        command.extend(container.texts("args")?);
        let number = |name: &str| container.get(name).and_then(Value::as_f64).unwrap_or_default();
        let requirement = |kind: &str, legacy: &str| {
            let items = container.get("resourceRequirements").and_then(Value::as_array);
            let item = items.into_iter().flatten().find(|item| item["type"] == kind);
            let value = item.and_then(|item| item["value"].as_str()).and_then(|value| value.parse().ok());
            value.unwrap_or_else(|| number(legacy))
        };
        Ok(Self {
            image: container.shown("image").to_owned(),
            command,
            environment: environment(container),
            vcpus: requirement("VCPU", "vcpus"),
            memory: requirement("MEMORY", "memory"),
            fargate,
            log: log(container),
            attempts: strategy.get("attempts").and_then(Value::as_u64).map_or(1, |count| count as usize),
            rules: strategy.list("evaluateOnExit")?.cloned().unwrap_or_default(),
            timeout,
            at,
        })
    }

    /// Adds what the current task knows to the place in the description where the container stands.
    pub fn show_task(&self, shown: &mut Object, task: &Object) {
        if self.at.starts_with("/nodeProperties") {
            return;
        }
        if let Some(container) = pointed(shown, &self.at) {
            container.extend(task.clone());
            if self.at == "/container" && !container.contains_key("networkInterfaces") {
                container.insert("networkInterfaces".into(), json!([]));
            }
        }
    }
}

/// Where the container stands that will be run.
fn place(facts: &Object) -> Option<String> {
    if facts.contains_key("container") {
        return Some("/container".into());
    }
    if let Some(containers) =
        at(facts, "/ecsProperties/taskProperties/0/containers").and_then(Value::as_array)
    {
        let essential = containers.iter().position(|one| one["essential"] != false).unwrap_or_default();
        return Some(format!("/ecsProperties/taskProperties/0/containers/{essential}"));
    }
    if facts.contains_key("eksProperties") {
        return Some("/eksProperties/podProperties/containers/0".into());
    }
    let nodes = facts.get("nodeProperties")?;
    let main = usize::try_from(nodes["mainNode"].as_u64()?).ok()?;
    let count = nodes["numNodes"].as_i64()?;
    let holds = |range: &Value| {
        span(range["targetNodes"].as_str().unwrap_or_default(), count).is_ok_and(|span| span.contains(&main))
    };
    let range = nodes["nodeRangeProperties"].as_array()?.iter().position(holds)?;
    let range = format!("/nodeProperties/nodeRangeProperties/{range}");
    ["container", "ecsProperties/taskProperties/0/containers/0", "eksProperties/podProperties/containers/0"]
        .iter()
        .map(|inner| format!("{range}/{inner}"))
        .find(|path| at(facts, path).is_some())
}

fn at<'a>(facts: &'a Object, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.strip_prefix('/')?, ""));
    let value = facts.get(first)?;
    if rest.is_empty() { Some(value) } else { value.pointer(&format!("/{rest}")) }
}

fn pointed<'a>(facts: &'a mut Object, path: &str) -> Option<&'a mut Object> {
    let path = path.strip_prefix('/')?;
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let value = facts.get_mut(first)?;
    let value = if rest.is_empty() { value } else { value.pointer_mut(&format!("/{rest}"))? };
    value.as_object_mut()
}

/// Replaces each `Ref::name` of the command by its parameter.
fn substitute(container: &mut Object, parameters: &Object) -> Result<()> {
    for list in ["command", "args"] {
        for word in container.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(name) = word.as_str().and_then(|text| text.strip_prefix("Ref::")) else { continue };
            match parameters.get(name) {
                Some(value) => *word = value.clone(),
                None => refuse!("Unable to substitute value. No parameter found for reference {name}"),
            }
        }
    }
    Ok(())
}

fn environment(container: &Object) -> BTreeMap<String, String> {
    let variables = container.get("environment").or_else(|| container.get("env")).and_then(Value::as_array);
    let pair = |one: &Value| Some((one["name"].as_str()?.to_owned(), one["value"].as_str()?.to_owned()));
    variables.into_iter().flatten().filter_map(pair).collect()
}

fn log(container: &Object) -> Log {
    let configuration = container.get("logConfiguration").and_then(Value::as_object);
    let driver = configuration.map_or("awslogs", |one| one.shown("logDriver"));
    if driver != "awslogs" {
        return Log::default();
    }
    let options = configuration.and_then(|one| one.get("options")).and_then(Value::as_object);
    let option = |name: &str| options.and_then(|options| options.get(name)).and_then(Value::as_str);
    let group = option("awslogs-group");
    Log {
        group: Some(group.unwrap_or(DEFAULT_GROUP).to_owned()),
        prefix: option("awslogs-stream-prefix").map(str::to_owned),
        create: matches!(group, None | Some(DEFAULT_GROUP)) || option("awslogs-create-group") == Some("true"),
    }
}
