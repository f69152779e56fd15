//! The reads of EFS: lists of file systems, replications and access points, then what no list says of ours.

use std::collections::BTreeMap;

use aws_sdk_efs::Client;
use aws_sdk_efs::types::{
    AccessPointDescription, FileSystemDescription, LifeCycleState, MountTargetDescription,
    ReplicationConfigurationDescription,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Details, MountTarget, Snapshot};
use crate::resource::OWNER_TAG;
use crate::services::{AT_ONCE, Error, Result, Scope, failed};

const FILE_SYSTEM: &str = "efs/FileSystem";
const ACCESS_POINT: &str = "efs/AccessPoint";

/// Reads whatever kind the scope wants, all at once; what is asked for one file system at a time follows its list.
pub(super) async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
    let systems = async {
        let file_systems = file_systems(client, scope).await?;
        let details = details(client, scope, &file_systems).await?;
        Ok::<_, Error>((file_systems, details))
    };
    let (systems, replications, access_points) =
        futures::try_join!(systems, replications(client, scope), access_points(client, scope))?;
    let (mut file_systems, details) = systems;
    // Between two calls one may go.
    let (there, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
        details.into_iter().partition(|(_, details)| details.is_some());
    file_systems.retain(|id, _| !gone.contains_key(id));
    let details = there.into_iter().filter_map(|(id, details)| Some((id, details?))).collect();
    Ok(Snapshot { file_systems, details, replications, access_points })
}

/// The ids that a poll asks for; `None` for the whole list. A poll for what has no id yet looks at all that is there.
fn asked<'a>(scope: &'a Scope, kind: &str, prefix: &str) -> Option<Vec<&'a str>> {
    let ids: Vec<&str> = scope.names(kind).collect();
    (scope.only && scope.kind.is_none() && ids.iter().all(|id| id.starts_with(prefix))).then_some(ids)
}

async fn file_systems(client: &Client, scope: &Scope) -> Result<BTreeMap<String, FileSystemDescription>> {
    if !scope.wants(FILE_SYSTEM) {
        return Ok(BTreeMap::new());
    }
    let one = |id: &str| {
        let call = client.describe_file_systems().file_system_id(id);
        async move { unless(call.send().await.map_err(failed), "FileSystemNotFound") }
    };
    let found: Vec<FileSystemDescription> = match asked(scope, FILE_SYSTEM, "fs-") {
        Some(ids) => {
            let answers = futures::future::try_join_all(ids.into_iter().map(one)).await?;
            answers.into_iter().flatten().flat_map(|answer| answer.file_systems.unwrap_or_default()).collect()
        }
        None => {
            let pages = client.describe_file_systems().into_paginator().items().send();
            pages.collect::<std::result::Result<_, _>>().await.map_err(failed)?
        }
    };
    Ok(found.into_iter().map(|it| (it.file_system_id.clone(), it)).collect())
}

/// Access points come with all that there is to know of them.
async fn access_points(client: &Client, scope: &Scope) -> Result<BTreeMap<String, AccessPointDescription>> {
    if !scope.wants(ACCESS_POINT) {
        return Ok(BTreeMap::new());
    }
    let one = |id: &str| {
        let call = client.describe_access_points().access_point_id(id);
        async move { unless(call.send().await.map_err(failed), "AccessPointNotFound") }
    };
    let found: Vec<AccessPointDescription> = match asked(scope, ACCESS_POINT, "fsap-") {
        Some(ids) => {
            let answers = futures::future::try_join_all(ids.into_iter().map(one)).await?;
            answers
                .into_iter()
                .flatten()
                .flat_map(|answer| answer.access_points.unwrap_or_default())
                .collect()
        }
        None => {
            let pages = client.describe_access_points().into_paginator().items().send();
            pages.collect::<std::result::Result<_, _>>().await.map_err(failed)?
        }
    };
    Ok(found.into_iter().filter_map(|it| Some((it.access_point_id.clone()?, it))).collect())
}

/// All of the region at once: asked for one file system that is not replicated, EFS answers with an error.
async fn replications(
    client: &Client,
    scope: &Scope,
) -> Result<BTreeMap<String, ReplicationConfigurationDescription>> {
    if !scope.wants(FILE_SYSTEM) || scope.kind.is_some() {
        return Ok(BTreeMap::new());
    }
    let pages = client.describe_replication_configurations().into_paginator().items().send();
    let all: Vec<_> = pages.collect::<std::result::Result<_, _>>().await.map_err(failed)?;
    // What is replicated hither from another region is that one's.
    let here = |it: &ReplicationConfigurationDescription| {
        it.source_file_system_region() == scope.place.region
            && it.source_file_system_owner_id().is_none_or(|owner| owner == scope.place.account)
    };
    Ok(all.into_iter().filter(here).map(|it| (it.source_file_system_id.clone(), it)).collect())
}

/// What no list says of the file systems that are declared or ours; `None` of one that has gone since it was listed.
async fn details(
    client: &Client,
    scope: &Scope,
    file_systems: &BTreeMap<String, FileSystemDescription>,
) -> Result<BTreeMap<String, Option<Details>>> {
    let is_ours = |it: &FileSystemDescription| {
        it.tags().iter().any(|tag| tag.key() == OWNER_TAG && tag.value() == scope.owner.0)
            || scope.names(FILE_SYSTEM).any(|name| name == it.file_system_id())
    };
    // Who looks at the kind asks only whether there is one.
    let stays = |it: &FileSystemDescription| it.life_cycle_state != LifeCycleState::Deleting;
    let ours = file_systems.values().filter(|it| scope.kind.is_none() && is_ours(it) && stays(it));
    let ids: Vec<String> = ours.map(|it| it.file_system_id.clone()).collect();
    stream::iter(ids)
        .map(|id| async move {
            let details = unless(details_of(client, &id).await, "FileSystemNotFound")?;
            Ok::<_, Error>((id, details))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn details_of(client: &Client, id: &str) -> Result<Details> {
    let lifecycle = async {
        let call = client.describe_lifecycle_configuration().file_system_id(id);
        call.send().await.map_err(failed)
    };
    let backup = async {
        let call = client.describe_backup_policy().file_system_id(id);
        unless(call.send().await.map_err(failed), "PolicyNotFound")
    };
    let policy = async {
        let call = client.describe_file_system_policy().file_system_id(id);
        unless(call.send().await.map_err(failed), "PolicyNotFound")
    };
    let (mount_targets, lifecycle, backup, policy) =
        futures::try_join!(mount_targets(client, id), lifecycle, backup, policy)?;
    Ok(Details {
        mount_targets,
        lifecycle: lifecycle.lifecycle_policies.unwrap_or_default(),
        backup: backup.and_then(|answer| answer.backup_policy),
        policy: policy.and_then(|answer| answer.policy),
    })
}

async fn mount_targets(client: &Client, file_system: &str) -> Result<Vec<MountTarget>> {
    let pages = client.describe_mount_targets().file_system_id(file_system);
    let listed: Vec<MountTargetDescription> =
        pages.into_paginator().items().send().collect::<std::result::Result<_, _>>().await.map_err(failed)?;
    let found: Vec<Option<MountTarget>> = stream::iter(listed)
        .map(|described| with_groups(client, described))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// A mount target has groups for as long as it has a network interface (DescribeMountTargetSecurityGroups); `None` of one
/// that has gone since it was listed.
async fn with_groups(client: &Client, mut described: MountTargetDescription) -> Result<Option<MountTarget>> {
    let has_interface =
        matches!(described.life_cycle_state, LifeCycleState::Available | LifeCycleState::Updating);
    if !has_interface {
        return Ok(Some(MountTarget { described, security_groups: Vec::new() }));
    }
    let call = client.describe_mount_target_security_groups().mount_target_id(described.mount_target_id());
    match call.send().await.map_err(failed) {
        Ok(answer) => Ok(Some(MountTarget { described, security_groups: answer.security_groups })),
        Err(error) if error.is("MountTargetNotFound") => Ok(None),
        // It began to go since it was listed.
        Err(error) if error.is("IncorrectMountTargetState") => {
            described.life_cycle_state = LifeCycleState::Updating;
            Ok(Some(MountTarget { described, security_groups: Vec::new() }))
        }
        Err(error) => Err(error),
    }
}

/// The answer, or `None` if AWS says that there is none.
fn unless<T>(answer: Result<T>, code: &str) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is(code) => Ok(None),
        Err(error) => Err(error),
    }
}
