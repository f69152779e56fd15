//! The calls that make, change and delete a file system and its mount targets.

use aws_sdk_efs::types::{
    BackupPolicy as SdkBackup, DestinationToCreate, LifeCycleState, Status, ThroughputMode,
};

use super::{Destination, FileSystem, MountTarget, MountTargetState, Spec};
use crate::kind::prelude::*;
use crate::kinds::mirror::Part;
use crate::services::efs::tag_list;

/// Makes it with its tags; what it has beside its own settings follows as an update, once it is available.
pub(super) async fn create(cx: &Cx<'_, FileSystem>, want: &Spec) -> Result<String> {
    let backup = want.backup_policy.as_ref().is_some_and(is_on);
    let call = cx.client.create_file_system().creation_token(cx.token);
    let call = call
        .performance_mode(want.performance_mode.as_str().into())
        .encrypted(want.encrypted)
        .set_kms_key_id(want.kms_key_id.clone())
        .throughput_mode(want.throughput_mode.as_str().into())
        .set_provisioned_throughput_in_mibps(want.provisioned_throughput_in_mibps)
        .set_availability_zone_name(want.availability_zone_name.clone())
        .backup(backup)
        .set_tags(Some(tag_list(cx.tags, "CreateFileSystem")?));
    let answer = call.send().await.map_err(failed)?;
    Ok(answer.file_system_id)
}

fn is_on(policy: &super::BackupPolicy) -> bool {
    policy.status == Status::Enabled.as_str()
}

/// Who may mount it is said before it can be mounted; what needs `elastic` throughput follows that, and goes before it goes.
pub(super) async fn update(
    cx: &Cx<'_, FileSystem>,
    live: &Live<FileSystem>,
    want: &Spec,
    diff: &Diff,
) -> Result<()> {
    let throughput = diff.touches("throughputMode") || diff.touches("provisionedThroughputInMibps");
    if throughput && want.throughput_mode == ThroughputMode::Elastic.as_str() {
        // It takes a moment, in which EFS takes nothing else.
        return put_throughput(cx, want).await;
    }
    if diff.touches("lifecyclePolicies") {
        let policies = want.lifecycle_policies.iter().map(Part::sdk).collect();
        let call = cx.client.put_lifecycle_configuration().file_system_id(cx.name);
        call.set_lifecycle_policies(Some(policies)).send().await.map_err(failed)?;
    }
    if diff.touches("backupPolicy") {
        put_backup(cx, want).await?;
    }
    if diff.touches("fileSystemPolicy") {
        put_policy(cx, want).await?;
    }
    if diff.touches("fileSystemProtection") {
        let protection = want.file_system_protection.replication_overwrite_protection.as_str();
        let call = cx.client.update_file_system_protection().file_system_id(cx.name);
        call.replication_overwrite_protection(protection.into()).send().await.map_err(failed)?;
    }
    if diff.touches("replicationConfiguration") {
        put_replication(cx, live, want).await?;
    }
    if diff.touches("mountTargets") {
        put_mount_targets(cx, live, want).await?;
    }
    if throughput {
        put_throughput(cx, want).await?;
    }
    Ok(())
}

async fn put_throughput(cx: &Cx<'_, FileSystem>, want: &Spec) -> Result<()> {
    let call = cx.client.update_file_system().file_system_id(cx.name);
    let call = call
        .throughput_mode(want.throughput_mode.as_str().into())
        .set_provisioned_throughput_in_mibps(want.provisioned_throughput_in_mibps);
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn put_backup(cx: &Cx<'_, FileSystem>, want: &Spec) -> Result<()> {
    let status =
        if want.backup_policy.as_ref().is_some_and(is_on) { Status::Enabled } else { Status::Disabled };
    let policy = SdkBackup::builder().status(status).build();
    let policy = policy.map_err(|error| Error::malformed("efs", "PutBackupPolicy", error.to_string()))?;
    let call = cx.client.put_backup_policy().file_system_id(cx.name);
    call.backup_policy(policy).send().await.map_err(failed)?;
    Ok(())
}

async fn put_policy(cx: &Cx<'_, FileSystem>, want: &Spec) -> Result<()> {
    let Some(policy) = &want.file_system_policy else {
        let call = cx.client.delete_file_system_policy().file_system_id(cx.name);
        call.send().await.map_err(failed)?;
        return Ok(());
    };
    let call = cx.client.put_file_system_policy().file_system_id(cx.name).policy(policy.text());
    let call = call.set_bypass_policy_lockout_safety_check(want.bypass_policy_lockout_safety_check);
    call.send().await.map_err(failed)?;
    Ok(())
}

/// One replication ends before another begins: what is there is ended now, and the next move begins the other.
async fn put_replication(cx: &Cx<'_, FileSystem>, live: &Live<FileSystem>, want: &Spec) -> Result<()> {
    if live.spec.replication_configuration.is_some() {
        let call = cx.client.delete_replication_configuration().source_file_system_id(cx.name);
        call.send().await.map_err(failed)?;
        return Ok(());
    }
    let Some(wanted) = &want.replication_configuration else { return Ok(()) };
    let destinations = wanted.destinations.iter().map(destination).collect();
    let call = cx.client.create_replication_configuration().source_file_system_id(cx.name);
    call.set_destinations(Some(destinations)).send().await.map_err(failed)?;
    Ok(())
}

fn destination(said: &Destination) -> DestinationToCreate {
    DestinationToCreate::builder()
        .set_region(said.region.clone())
        .set_availability_zone_name(said.availability_zone_name.clone())
        .set_kms_key_id(said.kms_key_id.clone())
        .set_file_system_id(said.file_system_id.clone())
        .set_role_arn(said.role_arn.clone())
        .build()
}

/// The mount targets of what is live that have to go: nobody wants them, or another one in their subnet.
pub(super) fn unwanted<'a>(
    live: &'a Spec,
    want: &'a Spec,
) -> impl Iterator<Item = &'a MountTarget> + use<'a> {
    live.mount_targets.iter().filter(|it| {
        let wanted = want.mount_targets.iter().find(|other| other.subnet_id == it.subnet_id);
        wanted.is_none_or(|wanted| is_another(it, wanted))
    })
}

/// What can't be changed: its addresses. What is not said is whatever it has.
fn is_another(live: &MountTarget, want: &MountTarget) -> bool {
    let differs = |live: &Option<String>, want: &Option<String>| want.is_some() && live != want;
    live.ip_address_type != want.ip_address_type
        || differs(&live.ip_address, &want.ip_address)
        || differs(&live.ipv6_address, &want.ipv6_address)
}

/// The addresses that are asked for and that the live mount targets have.
pub(super) fn kept_addresses<'a>(
    live: &'a Spec,
    want: &'a Spec,
) -> impl Iterator<Item = &'a String> + use<'a> {
    let all = |it: &'a MountTarget| it.ip_address.iter().chain(&it.ipv6_address);
    let held = move |address: &&String| live.mount_targets.iter().flat_map(all).any(|it| it == *address);
    want.mount_targets.iter().flat_map(all).filter(held)
}

/// A zone has one mount target: those that go, go first. What a zone still holds keeps the next one waiting.
async fn put_mount_targets(cx: &Cx<'_, FileSystem>, live: &Live<FileSystem>, want: &Spec) -> Result<()> {
    let going: Vec<&str> = unwanted(&live.spec, want).map(|it| it.subnet_id.as_str()).collect();
    let states = || live.outputs.mount_targets.iter();
    let broken = |it: &&MountTargetState| it.state == LifeCycleState::Error.as_str();
    let goes = |it: &&MountTargetState| going.contains(&it.subnet_id.as_str());
    for target in states().filter(|it| broken(it) || goes(it)) {
        delete_mount_target(cx, &target.id).await?;
    }
    for wanted in &want.mount_targets {
        let stands = live.spec.mount_targets.iter().find(|it| it.subnet_id == wanted.subnet_id);
        match stands.filter(|it| !is_another(it, wanted)) {
            Some(stands) => put_groups(cx, live, stands, wanted).await?,
            // The next look shows what goes, and waits for it.
            None if going.is_empty() && !states().any(|it| broken(&it)) => {
                create_mount_target(cx, wanted).await?
            }
            None => {}
        }
    }
    Ok(())
}

async fn create_mount_target(cx: &Cx<'_, FileSystem>, want: &MountTarget) -> Result<()> {
    let call = cx.client.create_mount_target().file_system_id(cx.name).subnet_id(&want.subnet_id);
    let call = call
        .set_ip_address(want.ip_address.clone())
        .set_ipv6_address(want.ipv6_address.clone())
        .ip_address_type(want.ip_address_type.as_str().into())
        .set_security_groups(Some(want.security_groups.clone()).filter(|groups| !groups.is_empty()));
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn put_groups(
    cx: &Cx<'_, FileSystem>,
    live: &Live<FileSystem>,
    stands: &MountTarget,
    want: &MountTarget,
) -> Result<()> {
    let set = |groups: &[String]| groups.iter().cloned().collect::<std::collections::BTreeSet<_>>();
    let state = live.outputs.mount_targets.iter().find(|it| it.subnet_id == stands.subnet_id);
    let differ = set(&stands.security_groups) != set(&want.security_groups);
    if let Some(state) = state.filter(|_| differ && !want.security_groups.is_empty()) {
        let call = cx.client.modify_mount_target_security_groups().mount_target_id(&state.id);
        call.set_security_groups(Some(want.security_groups.clone())).send().await.map_err(failed)?;
    }
    Ok(())
}

async fn delete_mount_target(cx: &Cx<'_, FileSystem>, id: &str) -> Result<()> {
    cx.client.delete_mount_target().mount_target_id(id).send().await.map_err(failed)?;
    Ok(())
}

/// Its replication and its mount targets go first, all at once; then it goes itself.
pub(super) async fn delete(cx: &Cx<'_, FileSystem>, live: &Live<FileSystem>) -> Result<()> {
    cx.refuse_data(live, "DeleteFileSystem").await?;
    let replicated = live.spec.replication_configuration.is_some();
    if replicated {
        let call = cx.client.delete_replication_configuration().source_file_system_id(cx.name);
        call.send().await.map_err(failed)?;
    }
    for target in &live.outputs.mount_targets {
        delete_mount_target(cx, &target.id).await?;
    }
    if !replicated && live.outputs.mount_targets.is_empty() {
        cx.client.delete_file_system().file_system_id(cx.name).send().await.map_err(failed)?;
    }
    Ok(())
}
