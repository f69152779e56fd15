//! A job that is a pod on EKS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::{Complaints, figures, task, variables, volumes};
use crate::kinds::batch::types::eks::{EksContainer, EksMetadata, EksPod, EksProperties, EksVolume};

pub(super) fn validate(path: &str, properties: &EksProperties, found: &mut Complaints) {
    let pod = &properties.pod_properties;
    let path = format!("{path}.podProperties");
    let names: Vec<&str> = pod.containers.iter().map(|container| container.name.as_str()).collect();
    task::named(&path, "containers", &names, found);
    if pod.init_containers.len() > 10 {
        let message = format!("there are {}, and Batch takes 10 at most", pod.init_containers.len());
        found.say(format!("{path}.initContainers"), message);
    }
    let mut seen: BTreeSet<&str> = names.into_iter().collect();
    for (index, container) in pod.init_containers.iter().enumerate() {
        if !seen.insert(&container.name) {
            let message =
                format!("{} is there twice: each container of a pod has a name of its own", container.name);
            found.say(format!("{path}.initContainers[{index}].name"), message);
        }
    }
    for (list, containers) in [("containers", &pod.containers), ("initContainers", &pod.init_containers)] {
        for (index, one) in containers.iter().enumerate() {
            container(&format!("{path}.{list}[{index}]"), one, pod, found);
        }
    }
    let mut seen = BTreeSet::new();
    for (index, one) in pod.volumes.iter().enumerate() {
        let path = format!("{path}.volumes[{index}]");
        if !seen.insert(&one.name) {
            found.say(format!("{path}.name"), format!("{} is there twice: remove one", one.name));
        }
        volume(&path, one, found);
    }
    if let Some(metadata) = &pod.metadata {
        about(&format!("{path}.metadata"), metadata, found);
    }
}

fn container(path: &str, one: &EksContainer, pod: &EksPod, found: &mut Complaints) {
    let names = one.env.iter().map(|variable| (variable.name.as_str(), variable.value.as_str()));
    variables::environment(&format!("{path}.env"), "a secret volume of the pod", names, found);
    let known: BTreeSet<&str> = pod.volumes.iter().map(|volume| volume.name.as_str()).collect();
    let mounts = one.volume_mounts.iter().map(|mount| (mount.name.as_deref(), mount.mount_path.as_deref()));
    volumes::each(&format!("{path}.volumeMounts"), ("name", "mountPath"), mounts, &known, found);
    let Some(resources) = &one.resources else { return };
    for (list, figures) in [("limits", &resources.limits), ("requests", &resources.requests)] {
        for (kind, value) in figures.iter().filter(|(_, value)| !value.contains("${")) {
            if let Some(message) = wrong(kind, value) {
                found.say(format!("{path}.resources.{list}[\"{kind}\"]"), message);
            }
        }
    }
    together(&format!("{path}.resources"), &resources.limits, &resources.requests, found);
}

/// What is wrong with one figure.
/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_EksContainerResourceRequirements.html>
fn wrong(kind: &str, value: &str) -> Option<String> {
    match kind {
        "memory" => match value.strip_suffix("Mi").and_then(figures::whole) {
            None => Some(format!("memory {value:?} is not a whole number of Mi, such as \"1024Mi\"")),
            Some(memory) if memory < figures::LEAST_MEMORY => Some(format!("memory {value} is below 4Mi")),
            Some(_) => None,
        },
        "cpu" => {
            let quarters = figures::decimal(value).map(|number| number * 4.0);
            let fits = quarters.is_some_and(|quarters| quarters.fract() == 0.0);
            (!fits).then(|| format!("cpu {value:?} is not a multiple of 0.25, such as \"0.25\" or \"1\""))
        }
        "nvidia.com/gpu" => figures::whole(value)
            .is_none()
            .then(|| format!("nvidia.com/gpu {value:?} is not a whole number above 0")),
        _ => Some(format!("{kind} is nothing that Batch reserves: it knows cpu, memory and nvidia.com/gpu")),
    }
}

/// What is said as limit and as request is the same; of CPUs the limit may be higher.
fn together(
    path: &str,
    limits: &BTreeMap<String, String>,
    requests: &BTreeMap<String, String>,
    found: &mut Complaints,
) {
    for (kind, request) in requests.iter().filter(|(_, request)| !request.contains("${")) {
        let Some(limit) = limits.get(kind).filter(|limit| !limit.contains("${")) else { continue };
        let place = format!("{path}.requests[\"{kind}\"]");
        match (kind.as_str(), figures::decimal(limit), figures::decimal(request)) {
            ("cpu", Some(most), Some(least)) if most < least => {
                found.say(place, format!("cpu {request} is more than the limit, {limit}"));
            }
            ("cpu", ..) => {}
            _ if limit != request => {
                found.say(
                    place,
                    format!(
                        "{kind} {request} is not the limit, {limit}: Batch takes one figure, make them equal"
                    ),
                );
            }
            _ => {}
        }
    }
}

fn volume(path: &str, volume: &EksVolume, found: &mut Complaints) {
    let sources = [
        volume.host_path.is_some(),
        volume.empty_dir.is_some(),
        volume.secret.is_some(),
        volume.persistent_volume_claim.is_some(),
    ];
    if sources.iter().filter(|said| **said).count() != 1 {
        found.say(path, "needs exactly one source: hostPath, emptyDir, secret or persistentVolumeClaim");
    }
    let size = volume.empty_dir.as_ref().and_then(|folder| folder.size_limit.as_deref());
    if let Some(size) = size.filter(|size| !size.contains("${") && !QUANTITY.is_match(size)) {
        let message = format!("{size:?} is no quantity of Kubernetes, such as \"1024Mi\"");
        found.say(format!("{path}.emptyDir.sizeLimit"), message);
    }
}

/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_EksMetadata.html>
fn about(path: &str, metadata: &EksMetadata, found: &mut Complaints) {
    if let Some(namespace) = metadata.namespace.as_deref()
        && (namespace == "default" || namespace.starts_with("kube"))
    {
        let message = format!("{namespace:?} is refused by Batch: give jobs a namespace of their own");
        found.say(format!("{path}.namespace"), message);
    }
    for (key, value) in &metadata.labels {
        if !KEY.is_match(key) || !(value.is_empty() || LABEL.is_match(value)) {
            let message = format!(
                "label {key:?}: name and value have up to 63 letters, digits, -, _ and . each, and begin and end with a letter or digit"
            );
            found.say(format!("{path}.labels[\"{key}\"]"), message);
        }
    }
    for (key, value) in &metadata.annotations {
        if !KEY.is_match(key) || value.len() > 255 {
            let message = format!("annotation {key:?}: the name has up to 63 characters, the value 255");
            found.say(format!("{path}.annotations[\"{key}\"]"), message);
        }
    }
}

/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static QUANTITY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|m|k|M|G|T|P|E)?$").expect("the pattern of a quantity")
});

/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>
#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$").expect("the pattern of a label's value")
});

/// The key of a label or annotation: perhaps a prefix that is a domain, and a name.
#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
        .expect("the pattern of a key")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_pod_are_those_of_batch() {
        for (kind, value) in
            [("memory", "1024Mi"), ("cpu", "0.25"), ("cpu", "1"), ("cpu", "2.5"), ("nvidia.com/gpu", "1")]
        {
            assert_eq!(wrong(kind, value), None, "{kind} {value}");
        }
        for (kind, value) in [
            ("memory", "1Gi"),
            ("memory", "1.5Mi"),
            ("memory", "512"),
            ("memory", "2Mi"),
            ("cpu", "0.3"),
            ("cpu", "250m"),
            ("cpu", "NaN"),
            ("nvidia.com/gpu", "0.5"),
            ("amd.com/gpu", "1"),
        ] {
            assert!(wrong(kind, value).is_some(), "{kind} {value}");
        }
    }

    #[test]
    fn keys_and_quantities_are_those_of_kubernetes() {
        for key in ["app", "app.kubernetes.io/name", "a_b-c.d"] {
            assert!(KEY.is_match(key), "{key}");
        }
        for key in ["", "-a", "a/b/c", &"x".repeat(64)] {
            assert!(!KEY.is_match(key), "{key}");
        }
        assert!(QUANTITY.is_match("8Mi") && QUANTITY.is_match("1.5Gi") && !QUANTITY.is_match("8 MB"));
    }
}
