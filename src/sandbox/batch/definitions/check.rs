//! What AWS Batch refuses about a job definition before it stores a revision.
//!
//! Messages that AWS wraps in "Error executing request" are those that public preflight rules and the Terraform
//! provider's acceptance tests quote; the others are marked.

use serde_json::Value;

use super::container::{self, Platform};
use super::{fargate, pod, volumes};
use crate::batch::error::{Result, invalid};
use crate::batch::request::{Fields, Object, is_name};

/// The largest job definition, in bytes of JSON.
const LARGEST: usize = 24 * 1024;

/// Checks a whole register request.
pub(super) fn registration(request: &Object) -> Result<()> {
    if !is_name(request.required("jobDefinitionName")?) {
        invalid!("jobDefinitionName should match valid pattern");
    }
    if serde_json::to_vec(request).map_or(0, |bytes| bytes.len()) > LARGEST {
        invalid!("Job definition size cannot be greater than 24 KiB.");
    }
    let platform = platform(request)?;
    match request.required("type")? {
        "container" => {
            if request.contains_key("nodeProperties") {
                invalid!("nodeProperties is not applicable for job definitions of type container.");
            }
            blocks(request, platform)?;
        }
        "multinode" => multinode(request, platform)?,
        other => invalid!("type {other} is not valid. Valid values: [container, multinode]"),
    }
    request.object("retryStrategy")?.map_or(Ok(()), retry)?;
    request.object("timeout")?.map_or(Ok(()), timeout)?;
    match request.integer("schedulingPriority")? {
        None | Some(0..=9999) => Ok(()),
        Some(_) => invalid!("schedulingPriority must be between 0 and 9999."),
    }
}

fn platform(request: &Object) -> Result<Platform> {
    let capabilities = request.texts("platformCapabilities")?;
    for one in &capabilities {
        if !matches!(one.as_str(), "EC2" | "FARGATE" | "MANAGED_INSTANCES") {
            invalid!("Capability {one} is not valid. Valid capabilities: [FARGATE, EC2, MANAGED_INSTANCES]");
        }
    }
    if request.contains_key("eksProperties") && !capabilities.is_empty() {
        invalid!("platformCapabilities is not applicable for EKS jobs.");
    }
    Ok(if capabilities.iter().any(|one| one == "FARGATE") { Platform::Fargate } else { Platform::Ec2 })
}

/// Exactly one of the blocks that say what runs.
fn blocks(found: &Object, platform: Platform) -> Result<()> {
    let container = found.object("containerProperties")?.or(found.object("container")?);
    let (ecs, eks) = (found.object("ecsProperties")?, found.object("eksProperties")?);
    match (container, ecs, eks) {
        (Some(_), Some(_), _) => invalid!("Cannot use both ECS containerProperties and ecsProperties"),
        (Some(_), _, Some(_)) => invalid!("Cannot use both ECS containerProperties and eksProperties"),
        (_, Some(_), Some(_)) => invalid!("Cannot use both ecsProperties and eksProperties"),
        (Some(container), None, None) => container::properties(container, platform),
        (None, Some(ecs), None) => tasks(ecs, platform),
        (None, None, Some(eks)) => pod::check(eks),
        (None, None, None) => {
            invalid!("One of containerProperties, ecsProperties or eksProperties must be provided.")
        }
    }
}

fn tasks(ecs: &Object, platform: Platform) -> Result<()> {
    let empty = Object::new();
    let tasks = ecs.list("taskProperties")?.map_or(&[][..], Vec::as_slice);
    let [task] = tasks else { invalid!("taskProperties must hold exactly one element.") };
    let task = task.as_object().unwrap_or(&empty);
    let containers = task.list("containers")?.map_or(&[][..], Vec::as_slice);
    if containers.is_empty() || containers.len() > 10 {
        invalid!("containers must hold between 1 and 10 elements.");
    }
    let (mut vcpu, mut memory) = (0.0, 0.0);
    for one in containers {
        let one = one.as_object().unwrap_or(&empty);
        container::container(one, platform)?;
        let wanted = container::requirements(one, platform)?;
        volumes::mounted(one, task)?;
        vcpu += wanted.get("VCPU").copied().unwrap_or_default();
        memory += wanted.get("MEMORY").copied().unwrap_or_default();
    }
    volumes::check(task, task.text("taskRoleArn")?)?;
    if platform == Platform::Fargate {
        if task.text("executionRoleArn")?.unwrap_or_default().is_empty() {
            invalid!("executionRoleArn is required for Fargate jobs.");
        }
        fargate::size(vcpu, memory as i64)?;
    }
    Ok(())
}

fn multinode(request: &Object, platform: Platform) -> Result<()> {
    if platform == Platform::Fargate {
        invalid!("Fargate does not support MNP jobs");
    }
    if let Some(name) = ["containerProperties", "ecsProperties", "eksProperties"]
        .iter()
        .find(|name| request.contains_key(**name))
    {
        invalid!("{name} is not applicable for job definitions of type multinode.");
    }
    let Some(nodes) = request.object("nodeProperties")? else { invalid!("nodeProperties is required.") };
    let count = nodes.integer("numNodes")?.unwrap_or_default();
    let Some(main) = nodes.integer("mainNode")? else { invalid!("mainNode is required.") };
    if count < 1 || main < 0 || main >= count {
        invalid!("mainNode must be lower than numNodes.");
    }
    let ranges = nodes.list("nodeRangeProperties")?.map_or(&[][..], Vec::as_slice);
    if ranges.is_empty() {
        invalid!("nodeRangeProperties is required.");
    }
    let empty = Object::new();
    let mut covered = vec![false; usize::try_from(count).unwrap_or_default()];
    for range in ranges {
        let range = range.as_object().unwrap_or(&empty);
        for node in span(range.required("targetNodes")?, count)? {
            if let Some(slot) = covered.get_mut(node) {
                *slot = true;
            }
        }
        blocks(range, platform)?;
    }
    match covered.iter().all(|slot| *slot) {
        true => Ok(()),
        false => invalid!("nodeRangeProperties must cover all nodes."),
    }
}

/// The nodes that `2`, `0:3`, `:3` or `4:` means.
pub(in crate::batch) fn span(text: &str, count: i64) -> Result<std::ops::RangeInclusive<usize>> {
    let (from, to) = text.split_once(':').unwrap_or((text, text));
    let end = |side: &str, open: i64| if side.is_empty() { Some(open) } else { side.parse().ok() };
    match end(from, 0).zip(end(to, count - 1)) {
        Some((from, to)) if 0 <= from && from <= to && to < count => {
            Ok(usize::try_from(from).unwrap_or(0)..=usize::try_from(to).unwrap_or(0))
        }
        _ => invalid!("targetNodes {text} is not valid for {count} nodes."),
    }
}

/// Checks a retry strategy, of a definition or of a submission.
pub(in crate::batch) fn retry(strategy: &Object) -> Result<()> {
    let rules = strategy.list("evaluateOnExit")?.map_or(&[][..], Vec::as_slice);
    match strategy.integer("attempts")? {
        None => invalid!("RetryAttempts must be provided with retry strategy."),
        Some(1..=10) => {}
        Some(_) => invalid!("RetryAttempts must be between 1 and 10."),
    }
    if rules.len() > 5 {
        invalid!("evaluateOnExit can hold at most 5 elements.");
    }
    let empty = Object::new();
    for rule in rules {
        let rule = rule.as_object().unwrap_or(&empty);
        let action = rule.required("action")?;
        if !matches!(action.to_ascii_uppercase().as_str(), "RETRY" | "EXIT") {
            invalid!("action {action} is not valid. Valid values: [RETRY, EXIT]");
        }
        let code = rule.text("onExitCode")?.unwrap_or("*");
        let digits = code.strip_suffix('*').unwrap_or(code);
        if !digits.chars().all(|c| c.is_ascii_digit()) {
            invalid!("onExitCode {code} should match a valid pattern.");
        }
        for name in ["onReason", "onStatusReason"] {
            let text = rule.text(name)?.unwrap_or_default();
            if text.len() > 512 {
                invalid!("{name} must not be longer than 512 characters.");
            }
            // API_EvaluateOnExit; the words are not AWS's.
            let plain =
                |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || matches!(c, '.' | ':');
            if !text.strip_suffix('*').unwrap_or(text).chars().all(plain) {
                invalid!("{name} {text} should match a valid pattern.");
            }
        }
    }
    Ok(())
}

/// Checks a time-out, of a definition or of a submission.
pub(in crate::batch) fn timeout(timeout: &Object) -> Result<()> {
    match timeout.get("attemptDurationSeconds").and_then(Value::as_i64) {
        Some(60..) => Ok(()),
        _ => invalid!("AttemptDurationSeconds in Timeout must be at least 60 seconds."),
    }
}
