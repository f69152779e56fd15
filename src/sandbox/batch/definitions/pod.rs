//! What AWS Batch refuses about a pod on EKS. The rules are documented; AWS's words for them are not in public text.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_EksContainerResourceRequirements.html>,
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_EksPodProperties.html>

use std::collections::BTreeSet;

use crate::batch::error::{Result, invalid};
use crate::batch::request::{Fields, Object};

pub(super) fn check(eks: &Object) -> Result<()> {
    let empty = Object::new();
    let Some(pod) = eks.object("podProperties")? else { invalid!("podProperties is required.") };
    let containers = pod.list("containers")?.map_or(&[][..], Vec::as_slice);
    if containers.is_empty() || containers.len() > 10 {
        invalid!("containers must hold between 1 and 10 elements.");
    }
    let first = pod.list("initContainers")?.map_or(&[][..], Vec::as_slice);
    if first.len() > 10 {
        invalid!("initContainers can hold at most 10 elements.");
    }
    let volumes = pod.list("volumes")?.into_iter().flatten();
    let volumes: BTreeSet<&str> = volumes.filter_map(|volume| volume.get("name")?.as_str()).collect();
    let mut names = BTreeSet::new();
    for container in containers.iter().chain(first) {
        let container = container.as_object().unwrap_or(&empty);
        container.required("image")?;
        let name = container.text("name")?.unwrap_or("Default");
        if !names.insert(name) {
            invalid!("Each container in a pod must have a unique name: {name}.");
        }
        for mount in container.list("volumeMounts")?.into_iter().flatten() {
            let source = mount.as_object().unwrap_or(&empty).required("name")?;
            if !volumes.contains(source) {
                invalid!("volumeMounts names a volume that the pod does not have: {source}.");
            }
        }
        container.object("resources")?.map_or(Ok(()), resources)?;
    }
    Ok(())
}

fn resources(found: &Object) -> Result<()> {
    let empty = Object::new();
    let (limits, requests) =
        (found.object("limits")?.unwrap_or(&empty), found.object("requests")?.unwrap_or(&empty));
    for list in [limits, requests] {
        for kind in list.keys() {
            let value = list.required(kind)?;
            if !fits(kind, value) {
                invalid!("Value {value} for {kind} in resources is not valid.");
            }
        }
    }
    for kind in requests.keys().filter(|kind| limits.contains_key(*kind)) {
        let (limit, request) = (limits.shown(kind), requests.shown(kind));
        let number = |text: &str| text.parse::<f64>().unwrap_or_default();
        let agree = if kind == "cpu" { number(limit) >= number(request) } else { limit == request };
        if !agree {
            invalid!("{kind} in limits and requests do not agree.");
        }
    }
    Ok(())
}

fn fits(kind: &str, value: &str) -> bool {
    let whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    match kind {
        "memory" => value
            .strip_suffix("Mi")
            .is_some_and(|memory| whole(memory) && memory.parse::<u32>().is_ok_and(|memory| memory >= 4)),
        "cpu" => {
            let plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            plain && value.parse::<f64>().is_ok_and(|cpu| cpu > 0.0 && (cpu * 4.0).fract() == 0.0)
        }
        "nvidia.com/gpu" => whole(value) && value != "0",
        _ => false,
    }
}
