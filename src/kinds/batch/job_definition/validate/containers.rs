//! One container on ECS: of a job by itself, of a node, or of a task.

use std::collections::BTreeSet;

use super::figures;
use super::variables;
use super::volumes;
use super::{Complaints, Platform};
use crate::kinds::batch::types::container::{
    LinuxParameters, LogConfiguration, MountPoint, ResourceRequirement, Secret, Tmpfs, Ulimit, Variable,
    Volume,
};
use crate::kinds::batch::types::container_properties::ContainerProperties;
use crate::kinds::batch::types::ecs::TaskContainer;

/// What single containers and those of a task have in common.
pub(super) struct Shared<'a> {
    environment: &'a [Variable],
    secrets: &'a [Secret],
    mounts: &'a [MountPoint],
    linux: Option<&'a LinuxParameters>,
    log: Option<&'a LogConfiguration>,
    ulimits: &'a [Ulimit],
    requirements: &'a [ResourceRequirement],
}

impl<'a> From<&'a ContainerProperties> for Shared<'a> {
    fn from(container: &'a ContainerProperties) -> Self {
        Self {
            environment: &container.environment,
            secrets: &container.secrets,
            mounts: &container.mount_points,
            linux: container.linux_parameters.as_ref(),
            log: container.log_configuration.as_ref(),
            ulimits: &container.ulimits,
            requirements: &container.resource_requirements,
        }
    }
}

impl<'a> From<&'a TaskContainer> for Shared<'a> {
    fn from(container: &'a TaskContainer) -> Self {
        Self {
            environment: &container.environment,
            secrets: &container.secrets,
            mounts: &container.mount_points,
            linux: container.linux_parameters.as_ref(),
            log: container.log_configuration.as_ref(),
            ulimits: &container.ulimits,
            requirements: &container.resource_requirements,
        }
    }
}

/// The container of a job or of a node, with its volumes.
pub(super) fn single(
    path: &str,
    container: &ContainerProperties,
    platform: Platform,
    found: &mut Complaints,
) {
    shared(path, &container.into(), &container.volumes, platform, found);
    volumes::validate(path, &container.volumes, container.job_role_arn.as_deref(), "jobRoleArn", found);
    let of = |kind: &str| container.resource_requirements.iter().any(|one| one.r#type == kind);
    for (name, kind, older) in [("vcpus", "VCPU", container.vcpus), ("memory", "MEMORY", container.memory)] {
        // Batch itself reports nought for none.
        let older = older.filter(|number| *number != 0);
        match older {
            Some(_) if of(kind) => {
                found.say(
                    format!("{path}.{name}"),
                    format!("resourceRequirements say {kind} already: remove {name}"),
                );
            }
            Some(number) if platform == Platform::Fargate => {
                let instead = format!(
                    "is not known to FARGATE: say {{type: {kind}, value: \"{number}\"}} in resourceRequirements"
                );
                found.say(format!("{path}.{name}"), instead);
            }
            Some(number) if kind == "MEMORY" && number < figures::LEAST_MEMORY => {
                found.say(format!("{path}.{name}"), format!("{number} is below 4 MiB: it is given in MiB"));
            }
            Some(_) => {}
            None if of(kind) => {}
            None => figures::missing(path, kind, found),
        }
    }
}

/// What every container on ECS has to get right.
pub(super) fn shared(
    path: &str,
    one: &Shared<'_>,
    volumes: &[Volume],
    platform: Platform,
    found: &mut Complaints,
) {
    let names = one.environment.iter().map(|variable| (variable.name.as_str(), variable.value.as_str()));
    variables::environment(&format!("{path}.environment"), &format!("{path}.secrets"), names, found);
    for (index, variable) in one.environment.iter().enumerate().filter(|(_, it)| it.value.is_empty()) {
        let message =
            format!("Batch keeps no variable without a value: give {} one, or remove it", variable.name);
        found.say(format!("{path}.environment[{index}].value"), message);
    }
    variables::secrets(&format!("{path}.secrets"), one.secrets, found);
    let plain: BTreeSet<&str> = one.environment.iter().map(|variable| variable.name.as_str()).collect();
    for (index, secret) in one.secrets.iter().enumerate().filter(|(_, it)| plain.contains(it.name.as_str())) {
        let message = format!("{} is in environment, too: remove one", secret.name);
        found.say(format!("{path}.secrets[{index}].name"), message);
    }
    if let Some(log) = one.log {
        variables::secrets(&format!("{path}.logConfiguration.secretOptions"), &log.secret_options, found);
    }
    figures::requirements(path, one.requirements, platform, found);
    volumes::mounts(path, one.mounts, volumes, found);
    let mut seen = BTreeSet::new();
    for (index, limit) in one.ulimits.iter().enumerate() {
        let path = format!("{path}.ulimits[{index}]");
        if !seen.insert(&limit.name) {
            found.say(format!("{path}.name"), format!("{} is there twice: remove one", limit.name));
        }
        // -1 is no limit at all.
        if limit.hard_limit >= 0 && (limit.soft_limit > limit.hard_limit || limit.soft_limit < 0) {
            let message = format!("{} is above hardLimit ({})", limit.soft_limit, limit.hard_limit);
            found.say(format!("{path}.softLimit"), message);
        }
    }
    if let Some(linux) = one.linux {
        special(&format!("{path}.linuxParameters"), linux, found);
    }
}

fn special(path: &str, linux: &LinuxParameters, found: &mut Complaints) {
    if linux.swappiness.is_some() && linux.max_swap.is_none() {
        found
            .say(format!("{path}.swappiness"), "is ignored by Batch without maxSwap: say both, or remove it");
    }
    let mut seen = BTreeSet::new();
    for (index, tmpfs) in linux.tmpfs.iter().enumerate() {
        let path = format!("{path}.tmpfs[{index}]");
        if !seen.insert(&tmpfs.container_path) {
            found.say(
                format!("{path}.containerPath"),
                format!("{} is there twice: remove one", tmpfs.container_path),
            );
        }
        mount_options(&path, tmpfs, found);
    }
}

/// The options of <https://docs.aws.amazon.com/batch/latest/APIReference/API_Tmpfs.html>; the last six have a value.
const MOUNT_OPTIONS: &[&str] = &[
    "defaults",
    "ro",
    "rw",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "exec",
    "noexec",
    "sync",
    "async",
    "dirsync",
    "remount",
    "mand",
    "nomand",
    "atime",
    "noatime",
    "diratime",
    "nodiratime",
    "bind",
    "rbind",
    "unbindable",
    "runbindable",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
    "mode",
    "uid",
    "gid",
    "nr_inodes",
    "nr_blocks",
    "mpol",
];

fn mount_options(path: &str, tmpfs: &Tmpfs, found: &mut Complaints) {
    for (index, option) in tmpfs.mount_options.iter().enumerate() {
        let name = option.split('=').next().unwrap_or(option);
        if !option.contains("${") && !MOUNT_OPTIONS.contains(&name) {
            let message =
                format!("{option:?} is no option that Batch takes: it takes {}", MOUNT_OPTIONS.join(", "));
            found.say(format!("{path}.mountOptions[{index}]"), message);
        }
    }
}
