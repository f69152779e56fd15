//! What AWS Batch refuses about volumes. The rules are documented; AWS's words for them are not in public text.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_EFSVolumeConfiguration.html>,
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_EFSAuthorizationConfig.html>, aws/aws-cdk#10683.

use std::collections::BTreeSet;

use crate::batch::error::{Result, invalid};
use crate::batch::request::{Fields, Object};

/// Checks the volumes of a container or task; `role` is the one that its program works with.
pub(super) fn check(holder: &Object, role: Option<&str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    let empty = Object::new();
    for volume in holder.list("volumes")?.into_iter().flatten() {
        let volume = volume.as_object().unwrap_or(&empty);
        let name = volume.required("name")?;
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if name.len() > 255 || !plain {
            invalid!("Volume name {name} should match a valid pattern.");
        }
        if !seen.insert(name) {
            invalid!("Duplicate volume name {name}.");
        }
        volume.object("efsVolumeConfiguration")?.map_or(Ok(()), |efs| file_system(efs, role))?;
    }
    Ok(())
}

fn file_system(efs: &Object, role: Option<&str>) -> Result<()> {
    let empty = Object::new();
    efs.required("fileSystemId")?;
    let authorization = efs.object("authorizationConfig")?.unwrap_or(&empty);
    let point = !authorization.shown("accessPointId").is_empty();
    let iam = authorization.shown("iam") == "ENABLED";
    let encrypted = efs.shown("transitEncryption") == "ENABLED";
    if point && !matches!(efs.shown("rootDirectory"), "" | "/") {
        invalid!(
            "When using an EFS access point, the root directory must either be set to \"/\" or be omitted."
        );
    }
    if (point || iam) && !encrypted {
        invalid!("EFS access points and IAM authorization require transit encryption to be ENABLED.");
    }
    if efs.integer("transitEncryptionPort")?.is_some_and(|port| port != 0) && !encrypted {
        invalid!("transitEncryptionPort requires transit encryption to be ENABLED.");
    }
    if iam && role.unwrap_or_default().is_empty() {
        invalid!("EFS IAM authorization requires that a job role is specified.");
    }
    Ok(())
}

/// Checks that a container mounts volumes that its holder has.
pub(super) fn mounted(container: &Object, holder: &Object) -> Result<()> {
    let volumes = holder.list("volumes")?.into_iter().flatten();
    let names: BTreeSet<&str> = volumes.filter_map(|volume| volume.get("name")?.as_str()).collect();
    let empty = Object::new();
    for mount in container.list("mountPoints")?.into_iter().flatten() {
        let source = mount.as_object().unwrap_or(&empty).required("sourceVolume")?;
        if !names.contains(source) {
            // As ECS words it.
            invalid!("Unknown volume '{source}'.");
        }
    }
    Ok(())
}
