//! What EFS reports of a file system, in the manifest's words.

use aws_sdk_efs::types::{
    FileSystemDescription, IpAddressType, LifeCycleState, PerformanceMode,
    ReplicationConfigurationDescription, ReplicationOverwriteProtection, ReplicationStatus, Status,
};

use super::{
    BackupPolicy, Destination, FileSystem, LifecyclePolicy, MountTarget, MountTargetState, Outputs,
    Protection, Replication, Spec,
};
use crate::kind::prelude::*;
use crate::kinds::mirror::{Field, Part};
use crate::services::efs::{Details, MountTarget as Reported, Snapshot};

pub(super) fn live(
    reported: &FileSystemDescription,
    snapshot: &Snapshot,
    place: &Place,
) -> Option<Live<FileSystem>> {
    let id = reported.file_system_id();
    if reported.life_cycle_state == LifeCycleState::Deleted {
        return None;
    }
    let nothing = Details::default();
    let details = snapshot.details.get(id).unwrap_or(&nothing);
    let replication = snapshot.replications.get(id);
    let arn = place.arn("elasticfilesystem", &format!("file-system/{id}"));
    let outputs = Outputs {
        id: id.to_owned(),
        file_system_id: id.to_owned(),
        arn: arn.clone(),
        dns_name: format!("{id}.efs.{}.{}", place.region, place.dns_suffix()),
        size_in_bytes: reported.size_in_bytes().map(|size| size.value()).unwrap_or_default(),
        mount_targets: details.mount_targets.iter().map(state).collect(),
        replication_status: status(replication).map(|it| it.as_str().to_owned()),
    };
    let tags = own_tags(reported.tags().iter().map(|tag| (tag.key(), tag.value())));
    let live = Live::new(id, spec(reported, details, replication), outputs).with(arn, tags);
    Some(Live { readiness: readiness(reported, details, replication), ..live })
}

fn spec(
    reported: &FileSystemDescription,
    details: &Details,
    replication: Option<&ReplicationConfigurationDescription>,
) -> Spec {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Spec {
        mount_targets: details.mount_targets.iter().filter(|it| stays(it)).map(mount_target).collect(),
        performance_mode: Field::<PerformanceMode>::read(
            Some(&reported.performance_mode),
            Spec::default_performance_mode,
        ),
        encrypted: reported.encrypted().unwrap_or_default(),
        kms_key_id: text(reported.kms_key_id()),
        throughput_mode: Field::read(reported.throughput_mode(), Spec::default_throughput_mode),
        provisioned_throughput_in_mibps: reported.provisioned_throughput_in_mibps().filter(|it| *it > 0.0),
        availability_zone_name: text(reported.availability_zone_name()),
        lifecycle_policies: details.lifecycle.iter().map(LifecyclePolicy::of).collect(),
        backup_policy: details.backup.as_ref().map(|it| BackupPolicy { status: backup(it.status()) }),
        file_system_policy: details.policy.as_deref().map(Policy::parse),
        bypass_policy_lockout_safety_check: None,
        file_system_protection: protection(reported),
        replication_configuration: replication
            .filter(|_| is_kept(replication))
            .map(|it| Replication { destinations: it.destinations().iter().map(destination).collect() }),
    }
}

/// Of what AWS turns on or off, what it is about to be.
fn backup(status: &Status) -> String {
    let is_on = matches!(status, Status::Enabled | Status::Enabling);
    if is_on { Status::Enabled } else { Status::Disabled }.as_str().to_owned()
}

/// A replication holds what it overwrites as long as it lasts: that was said by `DISABLED`.
fn protection(reported: &FileSystemDescription) -> Protection {
    let said = reported.file_system_protection().and_then(|it| it.replication_overwrite_protection());
    let said = match said {
        Some(ReplicationOverwriteProtection::Replicating) => Some(&ReplicationOverwriteProtection::Disabled),
        said => said,
    };
    let read = Field::read(said, Protection::default_replication_overwrite_protection);
    Protection { replication_overwrite_protection: read }
}

/// One that goes is none any more, and one that AWS could not make has to be made anew.
fn stays(target: &Reported) -> bool {
    !matches!(
        target.described.life_cycle_state,
        LifeCycleState::Deleting | LifeCycleState::Deleted | LifeCycleState::Error
    )
}

fn mount_target(target: &Reported) -> MountTarget {
    let told = &target.described;
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let (ip_address, ipv6_address) = (text(told.ip_address()), text(told.ipv6_address()));
    let kind = match (&ip_address, &ipv6_address) {
        (Some(_), Some(_)) => IpAddressType::DualStack,
        (None, Some(_)) => IpAddressType::Ipv6Only,
        _ => IpAddressType::Ipv4Only,
    };
    MountTarget {
        subnet_id: told.subnet_id().to_owned(),
        security_groups: target.security_groups.clone(),
        ip_address_type: kind.as_str().to_owned(),
        ip_address,
        ipv6_address,
    }
}

fn state(target: &Reported) -> MountTargetState {
    MountTargetState {
        id: target.described.mount_target_id().to_owned(),
        subnet_id: target.described.subnet_id().to_owned(),
        state: target.described.life_cycle_state.as_str().to_owned(),
    }
}

fn destination(told: &aws_sdk_efs::types::Destination) -> Destination {
    Destination {
        region: Some(told.region().to_owned()),
        availability_zone_name: None,
        kms_key_id: None,
        file_system_id: Some(told.file_system_id().to_owned()),
        role_arn: told.role_arn().filter(|arn| !arn.is_empty()).map(str::to_owned),
    }
}

fn status(replication: Option<&ReplicationConfigurationDescription>) -> Option<&ReplicationStatus> {
    replication.and_then(|it| it.destinations().first()).map(|it| it.status())
}

fn is_kept(replication: Option<&ReplicationConfigurationDescription>) -> bool {
    status(replication).is_some_and(|status| *status != ReplicationStatus::Deleting)
}

/// It is ready once all of its mount targets stand: what names it can be mounted then. A replication that is held up is told by
/// its status: the file system works on.
fn readiness(
    reported: &FileSystemDescription,
    details: &Details,
    replication: Option<&ReplicationConfigurationDescription>,
) -> Readiness {
    match &reported.life_cycle_state {
        LifeCycleState::Available => {}
        LifeCycleState::Error => return Readiness::Failed("it is in the state error".to_owned()),
        state => return Readiness::Pending(format!("it is {}", state.as_str())),
    }
    let moving = details.mount_targets.iter().find(|it| {
        !matches!(
            it.described.life_cycle_state,
            LifeCycleState::Available | LifeCycleState::Error | LifeCycleState::Deleted
        )
    });
    if let Some(target) = moving {
        let told = &target.described;
        let (subnet, state) = (told.subnet_id(), told.life_cycle_state.as_str());
        return Readiness::Pending(format!("its mount target in {subnet} is {state}"));
    }
    match status(replication) {
        Some(ReplicationStatus::Enabling) => Readiness::Pending("its replication begins".to_owned()),
        Some(ReplicationStatus::Deleting) => Readiness::Pending("its replication ends".to_owned()),
        _ => Readiness::Ready,
    }
}
