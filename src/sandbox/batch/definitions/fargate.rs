//! What Fargate runs: pairs of vCPU and memory, and the fields it has no use for.
//!
//! Sizes: <https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html>

use serde_json::Value;

use crate::batch::error::{Result, invalid};
use crate::batch::request::{Fields, Object};

/// vCPU in 1/100; smallest and largest memory and the step between, in MiB.
const SIZES: [(u32, i64, i64, i64); 10] = [
    (25, 512, 1_024, 512),
    (25, 2_048, 2_048, 1),
    (50, 1_024, 4_096, 1_024),
    (100, 2_048, 8_192, 1_024),
    (200, 4_096, 16_384, 1_024),
    (400, 8_192, 30_720, 1_024),
    (800, 16_384, 61_440, 4_096),
    (1_600, 32_768, 122_880, 8_192),
    (3_200, 61_440, 122_880, 61_440),
    (3_200, 249_856, 249_856, 1),
];

/// Refuses a pair that Fargate does not offer.
pub(super) fn size(vcpu: f64, memory: i64) -> Result<()> {
    let fits = SIZES.iter().any(|(hundredths, least, most, step)| {
        let known = (vcpu * 100.0 - f64::from(*hundredths)).abs() < 1e-6;
        known && (*least..=*most).contains(&memory) && (memory - least) % step == 0
    });
    match fits {
        true => Ok(()),
        false => invalid!("Fargate resource requirements ({vcpu:.2} vCPU, {memory} MiB) not valid."),
    }
}

/// Refuses what a container on Fargate may not have. Messages: public preflight rules, measured on AWS.
pub(super) fn container(found: &Object) -> Result<()> {
    if found.get("privileged") == Some(&Value::Bool(true)) {
        invalid!("Fargate requires that the ‘privileged’ setting be ‘false’ at the container level.");
    }
    let full = |name: &str| found.list(name).map(|list| list.is_some_and(|list| !list.is_empty()));
    if full("ulimits")? {
        invalid!("ulimits is not applicable for Fargate.");
    }
    for name in ["vcpus", "memory", "instanceType"] {
        if found.contains_key(name) {
            invalid!("{name} is not applicable for Fargate.");
        }
    }
    if let Some(linux) = found.object("linuxParameters")? {
        for name in ["devices", "sharedMemorySize", "tmpfs", "maxSwap", "swappiness"] {
            let set =
                linux.get(name).is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()));
            if set {
                invalid!("linuxParameter.{name} is not allowed for Fargate.");
            }
        }
    }
    if let Some(log) = found.object("logConfiguration")? {
        let driver = log.shown("logDriver");
        if !matches!(driver, "awslogs" | "splunk" | "awsfirelens") {
            invalid!("Log driver for Fargate is not valid: {driver}");
        }
    }
    if let Some(storage) = found.object("ephemeralStorage")?
        && !storage.integer("sizeInGiB")?.is_some_and(|size| (21..=200).contains(&size))
    {
        // API_EphemeralStorage; the words are not AWS's.
        invalid!("ephemeralStorage must be between 21 and 200 GiB.");
    }
    for volume in found.list("volumes")?.into_iter().flatten() {
        if volume.pointer("/host/sourcePath").is_some() {
            invalid!("host is not applicable for Fargate.");
        }
    }
    Ok(())
}
