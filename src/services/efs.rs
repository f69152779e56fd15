//! Elastic File System.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_efs::Client;
use aws_sdk_efs::types::{
    AccessPointDescription, BackupPolicy, FileSystemDescription, LifecyclePolicy, MountTargetDescription,
    ReplicationConfigurationDescription, Tag,
};

use super::{Error, Fault, Result, Scope, Service, TagRules, Target, error, failed, settings};
use crate::resource::Tags;

mod read;

/// Elastic File System.
pub struct Efs;

/// What was read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// File systems, by id.
    pub file_systems: BTreeMap<String, FileSystemDescription>,
    /// What is asked for each file system that is ours or declared, by its id.
    pub details: BTreeMap<String, Details>,
    /// Replications, by the id of the file system that is replicated.
    pub replications: BTreeMap<String, ReplicationConfigurationDescription>,
    /// Access points, by id.
    pub access_points: BTreeMap<String, AccessPointDescription>,
}

/// What no list says of a file system.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// Its mount targets.
    pub mount_targets: Vec<MountTarget>,
    /// When files move between classes of storage.
    pub lifecycle: Vec<LifecyclePolicy>,
    /// Whether it is backed up; `None`: that was never said.
    pub backup: Option<BackupPolicy>,
    /// Its policy, as JSON text; `None`: there is none.
    pub policy: Option<String>,
}

/// A mount target.
#[derive(Debug, Clone)]
pub struct MountTarget {
    /// What the list says of it.
    pub described: MountTargetDescription,
    /// Its security groups; none of one that has no network interface yet, or none any more.
    pub security_groups: Vec<String>,
}

/// A mount target comes and goes within a minute or two, a file system within seconds.
const WORKS: Fault = Fault::Settling(Duration::from_secs(600));
/// What was made a moment ago is not seen everywhere yet.
const YOUNG: Fault = Fault::Propagating(Duration::from_secs(120));

impl Service for Efs {
    const NAME: &'static str = "efs";
    const IN_ARNS: &'static str = "elasticfilesystem";
    // EFS's pattern of TagKey and TagValue: <https://docs.aws.amazon.com/efs/latest/ug/API_Tag.html>.
    const TAGS: TagRules = TagRules::common("EFS");
    // <https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html>, the errors of each operation.
    const FAULTS: &'static [(&'static str, Fault)] = &[
        ("FileSystemNotFound", Fault::Gone),
        ("AccessPointNotFound", Fault::Gone),
        ("MountTargetNotFound", Fault::Gone),
        ("ReplicationNotFound", Fault::Gone),
        ("FileSystemAlreadyExists", Fault::Exists),
        ("AccessPointAlreadyExists", Fault::Exists),
        // The mount target that has to go first is on its way.
        ("FileSystemInUse", WORKS),
        ("MountTargetConflict", WORKS),
        ("IpAddressInUse", Fault::Settling(Duration::from_secs(120))),
        ("IncorrectFileSystemLifeCycleState", WORKS),
        ("IncorrectMountTargetState", WORKS),
        ("SubnetNotFound", YOUNG),
        ("SecurityGroupNotFound", YOUNG),
        // "The service timed out trying to fulfill the request, and the client should try the call again."
        ("DependencyTimeout", Fault::Unknown),
        // A day has to pass between two changes of the throughput: no waiting mends that.
        ("TooManyRequests", Fault::Terminal),
    ];
    type Client = Client;
    type Snapshot = Snapshot;

    fn client(config: &SdkConfig) -> Client {
        Client::from_conf(settings!(aws_sdk_efs, config).build())
    }

    async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
        read::read(client, scope).await
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        if !set.is_empty() {
            let call = client.tag_resource().resource_id(target.physical);
            call.set_tags(Some(tag_list(set, "TagResource")?)).send().await.map_err(failed)?;
        }
        if !unset.is_empty() {
            let call = client.untag_resource().resource_id(target.physical);
            call.set_tag_keys(Some(unset.to_vec())).send().await.map_err(failed)?;
        }
        Ok(())
    }

    fn hint(message: &str) -> Option<&'static str> {
        // UpdateFileSystem, TooManyRequests.
        let day = message.contains("24 hours") || message.contains("once a day");
        day.then_some(
            "EFS takes one change of the throughput mode, and one decrease, a day: apply again tomorrow",
        )
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        match error.code.as_deref() {
            // A principal that was made a moment ago is not seen everywhere yet (hashicorp/terraform-provider-aws,
            // internal/service/efs/file_system_policy.go).
            Some("InvalidPolicyException") if error.message.contains("invalid Principal") => YOUNG,
            // The file system that an access point is made for has been made before it.
            Some("FileSystemNotFound") if error.operation == "CreateAccessPoint" => YOUNG,
            _ => error::of_code(Self::FAULTS, error),
        }
    }
}

/// Tags as EFS's calls take them. `operation`: the call that they are for.
pub fn tag_list(tags: &Tags, operation: &'static str) -> Result<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::malformed("efs", operation, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of EFS's service model.
    #[test]
    fn errors_are_told_apart() {
        for (operation, code, message, fault) in [
            ("DeleteFileSystem", "FileSystemNotFound", "", Fault::Gone),
            ("CreateAccessPoint", "FileSystemNotFound", "", YOUNG),
            ("DeleteFileSystem", "FileSystemInUse", "", WORKS),
            ("CreateFileSystem", "FileSystemAlreadyExists", "", Fault::Exists),
            ("CreateMountTarget", "MountTargetConflict", "", WORKS),
            ("CreateMountTarget", "SubnetNotFound", "", YOUNG),
            ("CreateMountTarget", "NoFreeAddressesInSubnet", "", Fault::Terminal),
            ("PutLifecycleConfiguration", "IncorrectFileSystemLifeCycleState", "", WORKS),
            (
                "PutFileSystemPolicy",
                "InvalidPolicyException",
                "Policy contains invalid Principal block",
                YOUNG,
            ),
            ("PutFileSystemPolicy", "InvalidPolicyException", "malformed", Fault::Terminal),
            ("UpdateFileSystem", "TooManyRequests", "", Fault::Terminal),
            ("CreateFileSystem", "ThrottlingException", "", Fault::Throttled),
            ("DeleteMountTarget", "DependencyTimeout", "", Fault::Unknown),
        ] {
            let error = Error { code: Some(code.to_owned()), ..Error::malformed("efs", operation, message) };
            assert_eq!(Efs::classify(&error, Duration::ZERO), fault, "{operation} {code}");
        }
    }
}
