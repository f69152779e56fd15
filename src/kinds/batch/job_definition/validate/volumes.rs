//! Volumes, and where containers mount them.

use std::collections::BTreeSet;

use super::Complaints;
use crate::kinds::batch::types::container::{EfsVolume, MountPoint, Volume};

/// Volumes of a job; `role` is the role that the job works with, and `named` the field that names it.
pub(super) fn validate(
    path: &str,
    volumes: &[Volume],
    role: Option<&str>,
    named: &str,
    found: &mut Complaints,
) {
    let mut seen = BTreeSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}.volumes[{index}]");
        if !seen.insert(&volume.name) {
            found.say(format!("{path}.name"), format!("{} is there twice: remove one", volume.name));
        }
        let sources = [
            volume.host.as_ref().is_some_and(|host| host.source_path.is_some()),
            volume.efs_volume_configuration.is_some(),
            volume.s3files_volume_configuration.is_some(),
        ];
        if sources.iter().filter(|said| **said).count() > 1 {
            found.say(&path, "has several sources: keep one of host, efsVolumeConfiguration and s3filesVolumeConfiguration");
        }
        if let Some(volume) = &volume.efs_volume_configuration {
            let role = role.filter(|role| !role.is_empty());
            efs(&format!("{path}.efsVolumeConfiguration"), volume, role.is_some(), named, found);
        }
    }
}

/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_EFSVolumeConfiguration.html> and `API_EFSAuthorizationConfig`.
fn efs(path: &str, volume: &EfsVolume, has_role: bool, named: &str, found: &mut Complaints) {
    let authorization = volume.authorization_config.as_ref();
    let point = authorization.and_then(|it| it.access_point_id.as_deref()).is_some_and(|id| !id.is_empty());
    let iam = authorization.is_some_and(|it| it.iam == "ENABLED");
    let root = volume.root_directory.as_str();
    if point && !matches!(root, "" | "/") && !root.contains("${") {
        let message = format!(
            "with an access point the root is the access point's own: remove rootDirectory ({root}), or set it to /"
        );
        found.say(format!("{path}.rootDirectory"), message);
    }
    if volume.transit_encryption == "DISABLED" {
        let with = match (point, iam) {
            (true, _) => Some("an access point"),
            (false, true) => Some("iam ENABLED"),
            (false, false) => None,
        };
        if let Some(with) = with {
            let message = format!("{with} needs encryption in transit: set transitEncryption to ENABLED");
            found.say(format!("{path}.transitEncryption"), message);
        } else if volume.transit_encryption_port.is_some_and(|port| port != 0) {
            let message = "is the port of encrypted traffic: set transitEncryption to ENABLED, or remove it";
            found.say(format!("{path}.transitEncryptionPort"), message);
        }
    }
    if iam && !has_role {
        let message = format!("iam ENABLED lets the job's role in, and there is none: say {named}");
        found.say(format!("{path}.authorizationConfig.iam"), message);
    }
}

/// Each mount point names a volume that there is, and a place of its own.
pub(super) fn mounts(path: &str, mounts: &[MountPoint], volumes: &[Volume], found: &mut Complaints) {
    let names: BTreeSet<&str> = volumes.iter().map(|volume| volume.name.as_str()).collect();
    let points = mounts.iter().map(|mount| (mount.source_volume.as_deref(), mount.container_path.as_deref()));
    each(&format!("{path}.mountPoints"), ("sourceVolume", "containerPath"), points, &names, found);
}

/// The same of containers of any sort: `fields` are the names of a mount's volume and of its place.
pub(super) fn each<'a>(
    path: &str,
    (volume, place): (&str, &str),
    mounts: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
    volumes: &BTreeSet<&str>,
    found: &mut Complaints,
) {
    let mut seen = BTreeSet::new();
    for (index, (source, target)) in mounts.enumerate() {
        let path = format!("{path}[{index}]");
        match source.filter(|source| !source.is_empty()) {
            None => found.say(format!("{path}.{volume}"), format!("{volume} is missing: name a volume")),
            Some(source) if source.contains("${") || volumes.contains(source) => {}
            Some(source) => found.say(
                format!("{path}.{volume}"),
                format!("there is no volume {source}: declare it in volumes"),
            ),
        }
        match target.filter(|target| !target.is_empty()) {
            None => found.say(format!("{path}.{place}"), format!("{place} is missing: say where it appears")),
            Some(target) if !seen.insert(target) => {
                found.say(format!("{path}.{place}"), format!("{target} is there twice: remove one"));
            }
            Some(_) => {}
        }
    }
}
