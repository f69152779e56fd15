//! What AWS Batch refuses about one container, whichever block of a job definition holds it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{fargate, volumes};
use crate::batch::error::{Result, invalid};
use crate::batch::request::{Fields, Object};

/// Where a container will run, which decides what it may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Ec2,
    Fargate,
}

/// Checks image, environment and resource requirements.
pub(super) fn container(found: &Object, platform: Platform) -> Result<()> {
    let image = found.required("image")?;
    if image.len() > 255 {
        invalid!("image must not be longer than 255 characters.");
    }
    // The characters are those of API_ContainerProperties, and the @ of a digest; the words are not AWS's.
    if !image.chars().all(|c| c.is_ascii_alphanumeric() || "-_:./#@".contains(c)) {
        invalid!("image should match a valid pattern.");
    }
    environment(found)?;
    user(found)?;
    if platform == Platform::Fargate {
        fargate::container(found)?;
    }
    Ok(())
}

/// Checks one whole `containerProperties` block, with its resources and roles.
pub(super) fn properties(found: &Object, platform: Platform) -> Result<()> {
    container(found, platform)?;
    let wanted = requirements(found, platform)?;
    volumes::check(found, found.text("jobRoleArn")?)?;
    volumes::mounted(found, found)?;
    let vcpu = wanted.get("VCPU").copied().or_else(|| found.get("vcpus").and_then(Value::as_f64));
    let memory = wanted.get("MEMORY").copied().or_else(|| found.get("memory").and_then(Value::as_f64));
    let Some(vcpu) = vcpu else { invalid!("vCPU is required.") };
    let Some(memory) = memory else { invalid!("Memory is required.") };
    if platform == Platform::Fargate {
        if wanted.contains_key("GPU") {
            invalid!("GPU is not applicable for Fargate.");
        }
        if found.text("executionRoleArn")?.unwrap_or_default().is_empty() {
            invalid!("executionRoleArn is required for Fargate jobs.");
        }
        return fargate::size(vcpu, memory as i64);
    }
    for name in ["networkConfiguration", "fargatePlatformConfiguration"] {
        if found.contains_key(name) {
            invalid!("{name} not applicable for EC2.");
        }
    }
    if memory < 4.0 {
        invalid!("Memory must be at least 4 MiB, got {memory}.");
    }
    Ok(())
}

/// The resource requirements by type, as numbers. Off Fargate all of them are whole, and written so: Batch refuses `1.0`
/// (kestra-io/plugin-aws#504).
pub(super) fn requirements(found: &Object, platform: Platform) -> Result<BTreeMap<String, f64>> {
    let mut wanted = BTreeMap::new();
    let empty = Object::new();
    for item in found.list("resourceRequirements")?.into_iter().flatten() {
        let item = item.as_object().unwrap_or(&empty);
        let (kind, value) = (item.required("type")?, item.required("value")?);
        if !matches!(kind, "VCPU" | "MEMORY" | "GPU") {
            invalid!("{kind} is not a valid resource type. Valid types: [GPU, MEMORY, VCPU]");
        }
        let parts = kind == "VCPU" && (platform == Platform::Fargate || value.starts_with("0."));
        let Some(number) = figure(value, parts) else {
            invalid!(
                "Value {value} for type {kind} in resourceRequirement is not valid. Please provide a numeric value."
            );
        };
        if number < 1.0 && platform == Platform::Ec2 {
            invalid!("vCPU must be at least 1, got {value}.");
        }
        if wanted.insert(kind.to_owned(), number).is_some() {
            invalid!("Cannot provide duplicates in resourceRequirements.");
        }
    }
    for (legacy, kind) in [("vcpus", "VCPU"), ("memory", "MEMORY")] {
        if found.contains_key(legacy) && wanted.contains_key(kind) {
            invalid!(
                "Cannot provide both {legacy} in containerProperties {legacy} and resourceRequirement {kind}."
            );
        }
    }
    Ok(wanted)
}

/// A number above nought, in digits; with `parts` also behind a point.
fn figure(text: &str, parts: bool) -> Option<f64> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = match text.split_once('.') {
        Some((whole, part)) => parts && digits(whole) && digits(part),
        None => digits(text),
    };
    text.parse().ok().filter(|number| plain && *number > 0.0)
}

/// A user, or a user and a group: <https://github.com/nextflow-io/nextflow/discussions/2900>.
fn user(found: &Object) -> Result<()> {
    let Some(user) = found.text("user")? else { return Ok(()) };
    let is_name = |name: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        name.len() <= 31 && name.starts_with(plain) && name.chars().all(|c| plain(c) || c == '-')
    };
    match user.split(':').count() <= 2 && user.split(':').all(is_name) {
        true => Ok(()),
        false => invalid!("User '{user}' does not match regex"),
    }
}

/// Checks the names of environment variables; `AWS_BATCH…` is AWS's own.
fn environment(found: &Object) -> Result<()> {
    let empty = Object::new();
    for variable in found.list("environment")?.into_iter().flatten() {
        let name = variable.as_object().unwrap_or(&empty).text("name")?.unwrap_or_default();
        if name.is_empty() {
            invalid!("Environment variable name is required.");
        }
        if name.starts_with("AWS_BATCH") {
            invalid!("Environment variable names cannot start with AWS_BATCH: {name}.");
        }
    }
    Ok(())
}
