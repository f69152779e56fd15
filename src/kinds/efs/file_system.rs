//! `efs/FileSystem`: files that many jobs share, and where they can be mounted.

use aws_sdk_efs::types::{
    IpAddressType, LifecyclePolicy as SdkLifecyclePolicy, PerformanceMode, ReplicationOverwriteProtection,
    Status, ThroughputMode, TransitionToArchiveRules, TransitionToIaRules,
    TransitionToPrimaryStorageClassRules,
};

use crate::kind::prelude::*;
use crate::services::efs::{Efs, Snapshot};

mod check;
mod clashes;
mod observe;
mod policy;
#[cfg(test)]
mod tests;
mod write;

/// An EFS file system.
pub struct FileSystem;

/// What a manifest declares of a file system.
#[spec(default)]
pub struct Spec {
    /// Where it can be mounted: a network interface in one subnet of each zone. Jobs that name the file system by reference
    /// are registered once all of these stand.
    #[field(empty, keyed("subnetId"))]
    pub mount_targets: Vec<MountTarget>,
    /// `generalPurpose`, or `maxIO`: more operations at once, each of which takes longer; the older of the two.
    #[field(default = PerformanceMode::GeneralPurpose.as_str(), create_only, one_of(PerformanceMode::values()))]
    pub performance_mode: String,
    /// Whether files are encrypted where they lie.
    #[field(default, create_only)]
    pub encrypted: bool,
    /// The KMS key's ARN or id, not an alias; absent: EFS's own. Only of one that is `encrypted`.
    #[field(
        server,
        create_only,
        name_or_arn,
        length(..=2048),
        regex(KEY),
        refers("kms/Key.arn", "kms/Key.keyId")
    )]
    pub kms_key_id: Option<String>,
    /// `bursting`: it grows with what is stored. `elastic`: as much as is used. `provisioned`: what is said here. AWS takes
    /// one change a day.
    #[field(default = ThroughputMode::Bursting.as_str(), one_of(ThroughputMode::values()))]
    pub throughput_mode: String,
    /// How many MiB a second, of `provisioned`; at least 1, and as much as the region has.
    #[field(empty, range(1..))]
    pub provisioned_throughput_in_mibps: Option<f64>,
    /// The zone, of a One Zone file system, by name; absent: it is in all zones of the region.
    #[field(empty, create_only, length(1..=64))]
    pub availability_zone_name: Option<String>,
    /// When files move to a cheaper class of storage, and whether they come back; one transition an item.
    #[field(empty, set, length(..=3))]
    pub lifecycle_policies: Vec<LifecyclePolicy>,
    /// Whether AWS Backup keeps daily copies; absent: only of One Zone file systems.
    #[field(empty)]
    pub backup_policy: Option<BackupPolicy>,
    /// Who may mount it and how; absent: whoever reaches a mount target. It speaks of this file system alone: its statements
    /// name no `Resource`.
    #[field(empty)]
    pub file_system_policy: Option<Policy>,
    /// Whether a policy is taken that keeps whoever sets it from changing it again.
    #[field(server, write_only)]
    pub bypass_policy_lockout_safety_check: Option<bool>,
    /// Whether a replication may overwrite it.
    #[field(default)]
    pub file_system_protection: Protection,
    /// Where a copy of it is kept. Another destination begins another copy; the former one stays.
    #[field(empty)]
    pub replication_configuration: Option<Replication>,
}

/// A key by id or ARN: of an alias EFS tells the key that it stood for (service model, KmsKeyId).
const KEY: &str = "^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}|\
    arn:aws[-a-z]*:kms:[a-z0-9-]+:[0-9]{12}:key/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}))$";

/// The same, and aliases: what is sent and never told again.
const KEY_OR_ALIAS: &str = "^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}|\
    alias/[a-zA-Z0-9/_-]+|arn:aws[-a-z]*:kms:[a-z0-9-]+:[0-9]{12}:\
    (key/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})|alias/[a-zA-Z0-9/_-]+))$";

/// Service model, RoleArn.
const ROLE: &str = "^arn:(aws[a-zA-Z-]*)?:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@_/-]+$";

/// A network interface through which the file system is mounted.
#[spec]
pub struct MountTarget {
    /// The subnet. Jobs in any subnet of its zone mount through it.
    #[field(refers("ec2/Subnet.id"))]
    pub subnet_id: String,
    /// Who may talk to it, over TCP 2049; absent: the VPC's default group, or what it has.
    #[field(
        server,
        set,
        length(..=100),
        items_refer("ec2/SecurityGroup.id", "ec2/SecurityGroup.groupId", "ec2/Vpc.defaultSecurityGroupId")
    )]
    pub security_groups: Vec<String>,
    /// Which addresses it has.
    #[field(default = IpAddressType::Ipv4Only.as_str(), one_of(IpAddressType::values()))]
    pub ip_address_type: String,
    /// Its IPv4 address; absent: AWS chooses.
    #[field(server, length(7..=15))]
    pub ip_address: Option<String>,
    /// Its IPv6 address; absent: AWS chooses.
    #[field(server, length(3..=39))]
    pub ipv6_address: Option<String>,
}

/// When files move between classes of storage; one of these.
#[spec(mirrors = SdkLifecyclePolicy)]
pub struct LifecyclePolicy {
    /// After how long without access to Infrequent Access.
    #[serde(rename = "transitionToIA")]
    #[field(empty, one_of(TransitionToIaRules::values()))]
    pub transition_to_ia: Option<String>,
    /// After how long without access to Archive, later than to Infrequent Access; of `elastic` throughput.
    #[field(empty, one_of(TransitionToArchiveRules::values()))]
    pub transition_to_archive: Option<String>,
    /// Whether they come back when they are read.
    #[field(empty, one_of(TransitionToPrimaryStorageClassRules::values()))]
    pub transition_to_primary_storage_class: Option<String>,
}

/// Whether a file system is backed up.
#[spec]
pub struct BackupPolicy {
    /// `ENABLED` or `DISABLED`.
    #[field(one_of("ENABLED", "DISABLED"))]
    pub status: String,
}

/// Whether a replication may overwrite a file system.
#[spec(default)]
pub struct Protection {
    /// `ENABLED`: none may. `DISABLED`: it can be a destination, and is read-only as long as it is one.
    #[field(default = ReplicationOverwriteProtection::Enabled.as_str(), one_of("ENABLED", "DISABLED"))]
    pub replication_overwrite_protection: String,
}

/// Where a copy of a file system is kept.
#[spec]
pub struct Replication {
    /// The one place.
    #[field(required, length(1..=1))]
    pub destinations: Vec<Destination>,
}

/// The file system that a copy is kept in.
#[spec]
pub struct Destination {
    /// The region; absent: that of `fileSystemId`, or this one.
    #[field(server, length(1..=64), regex("^[a-z]{2}-((iso[a-z]{0,1}-)|(gov-)){0,1}[a-z]+-{0,1}[0-9]{0,1}$"))]
    pub region: Option<String>,
    /// The zone, for a copy of One Zone.
    #[field(server, write_only, length(1..=64))]
    pub availability_zone_name: Option<String>,
    /// The KMS key that encrypts the copy; absent: EFS's own.
    #[field(server, write_only, length(..=2048), regex(KEY_OR_ALIAS), refers("kms/Key.arn", "kms/Key.keyId"))]
    pub kms_key_id: Option<String>,
    /// A file system that is there, whose protection is `DISABLED`, by id, or by ARN in another account. **What it holds is
    /// overwritten.** Absent: EFS makes one, which is nobody's here.
    #[field(
        server,
        name_or_arn,
        length(..=128),
        regex(FILE_SYSTEM),
        refers("efs/FileSystem.id", "efs/FileSystem.fileSystemId")
    )]
    pub file_system_id: Option<String>,
    /// The role that EFS replicates with, to another account.
    #[field(empty, length(..=2048), regex(ROLE), refers("iam/Role.arn"))]
    pub role_arn: Option<String>,
}

/// Service model, FileSystemId.
pub(super) const FILE_SYSTEM: &str =
    "^(arn:aws[-a-z]*:elasticfilesystem:[-0-9a-z:]+:file-system/fs-[0-9a-f]{8,40}|fs-[0-9a-f]{8,40})$";

/// What AWS assigns to a file system.
#[outputs]
pub struct Outputs {
    /// Its id: `fs-…`.
    pub id: String,
    /// The same, as CloudFormation calls it.
    pub file_system_id: String,
    /// Its ARN.
    pub arn: String,
    /// The name by which instances mount it: `<id>.efs.<region>.amazonaws.com`.
    pub dns_name: String,
    /// How many bytes it holds, as far as EFS has counted: hours late.
    pub size_in_bytes: i64,
    /// Its mount targets, those that go among them.
    #[serde(default)]
    pub mount_targets: Vec<MountTargetState>,
    /// How its replication does, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_status: Option<String>,
}

/// What AWS says of a mount target.
#[outputs]
pub struct MountTargetState {
    /// Its id: `fsmt-…`.
    pub id: String,
    /// Its subnet.
    pub subnet_id: String,
    /// Its state, as AWS calls it.
    pub state: String,
}

/// Properties of AWS::EFS::FileSystem and members of the API that are left as they are, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("fileSystemTags", "metadata.tags"),
    ("replicationConfiguration.destinations.status", "AWS says it: the output `replicationStatus`"),
    ("replicationConfiguration.destinations.statusMessage", "AWS says it"),
];

const SYSTEMS: &[On] = &[On::Regional("elasticfilesystem", "file-system/*")];

impl Kind for FileSystem {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Efs;
    type Seen = ();

    const NAME: &'static str = "efs/FileSystem";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str =
        "An EFS file system: files that many jobs share, and the subnets in which it can be mounted.";
    const CLOUDFORMATION: &'static str = "AWS::EFS::FileSystem";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = GRANTS;
    const IDENTITY: Identity = Identity::Assigned;
    const HOLDS_DATA: bool = true;
    const EXAMPLE: &'static str = include_str!("file_system.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        check::check(spec)
    }

    fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, id, beside)
    }

    /// Backups are on by themselves of One Zone file systems, and off of others (CreateFileSystem, Backup).
    fn normalise(spec: &mut Spec, _place: &Place) {
        let said = spec.backup_policy.take();
        spec.backup_policy = match (spec.availability_zone_name.is_some(), said) {
            (true, None) => Some(BackupPolicy { status: Status::Enabled.as_str().to_owned() }),
            (false, Some(said)) if said.status == Status::Disabled.as_str() => None,
            (_, said) => said,
        };
        spec.file_system_policy.iter_mut().for_each(policy::without_own_resource);
    }

    fn effect(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        let (effect, reason) = strongest(changes, Self::IDENTITY);
        if matches!(effect, Effect::Replace(_)) {
            // The new one is made beside the old one, whose network interfaces stay for as long.
            return match write::kept_addresses(live, want).next() {
                Some(address) => {
                    let what = format!(
                        "{reason}, and the file system that is there holds {address} until it goes: leave the address \
                         out of mountTargets, or name another"
                    );
                    (Effect::Impossible(what), Reason::default())
                }
                None => (effect, reason),
            };
        }
        let cut: Vec<&str> = write::unwanted(live, want).map(|it| it.subnet_id.as_str()).collect();
        match cut.as_slice() {
            [] => (effect, reason),
            subnets => {
                let subnets = subnets.join(", ");
                let what = format!(
                    "the mount target in {subnets} goes: what mounts the file system through it is cut off"
                );
                (effect, Reason(what))
            }
        }
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.file_systems.values().filter_map(|it| observe::live(it, snapshot, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        write::create(cx, want).await
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, live, want, diff).await
    }

    /// EFS counts hours late ("eventually consistent": FileSystemDescription, SizeInBytes). Nothing can have been written only
    /// to one that it has not counted yet and that nobody can mount.
    async fn data(_cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<Option<&'static str>> {
        let untouched = live.outputs.size_in_bytes == 0 && live.outputs.mount_targets.is_empty();
        Ok((!untouched).then_some("files, some of which EFS may not have counted yet"))
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        write::delete(cx, live).await
    }
}

/// EFS makes and removes the network interfaces of mount targets with the caller's rights (CreateMountTarget, DeleteMountTarget,
/// ModifyMountTargetSecurityGroups, DescribeMountTargetSecurityGroups), and its own role with the first of them
/// (<https://docs.aws.amazon.com/efs/latest/ug/using-service-linked-roles.html>).
const GRANTS: Grants = Grants {
    read: &[
        Grant::any(actions![elasticfilesystem: DescribeFileSystems DescribeReplicationConfigurations]),
        Grant::on(
            actions![elasticfilesystem: DescribeBackupPolicy DescribeFileSystemPolicy DescribeLifecycleConfiguration
                DescribeMountTargetSecurityGroups DescribeMountTargets],
            SYSTEMS,
        ),
        Grant::any(actions![ec2: DescribeNetworkInterfaceAttribute]),
    ],
    write: &[
        Grant::any(actions![elasticfilesystem: CreateFileSystem]).when(When::OwnerWritten),
        Grant::on(actions![elasticfilesystem: TagResource], SYSTEMS).when(When::TaggedBy(&["CreateFileSystem"])),
        Grant::on(
            actions![elasticfilesystem: CreateMountTarget DeleteFileSystem DeleteFileSystemPolicy DeleteMountTarget
                DeleteReplicationConfiguration ModifyMountTargetSecurityGroups PutBackupPolicy PutFileSystemPolicy
                PutLifecycleConfiguration TagResource UntagResource UpdateFileSystem UpdateFileSystemProtection],
            SYSTEMS,
        )
        .when(When::Owned),
        Grant::any(actions![ec2: DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets]),
        Grant::on(actions![ec2: DeleteNetworkInterface], &[On::Regional("ec2", "network-interface/*")]),
        Grant::on(
            actions![ec2: CreateNetworkInterface ModifyNetworkInterfaceAttribute],
            &[
                On::Regional("ec2", "network-interface/*"),
                On::Regional("ec2", "security-group/*"),
                On::Regional("ec2", "subnet/*"),
            ],
        ),
        Grant::on(
            actions![iam: CreateServiceLinkedRole],
            &[On::Iam("role/aws-service-role/elasticfilesystem.amazonaws.com/*")],
        )
        .when(When::LinkedTo("elasticfilesystem.amazonaws.com"))
        .given(Given::Has(&["mountTargets", "replicationConfiguration"])),
        // With a key of one's own, which may be another account's.
        // <https://docs.aws.amazon.com/efs/latest/ug/encryption-at-rest.html>
        Grant::any(actions![kms: CreateGrant DescribeKey GenerateDataKeyWithoutPlaintext])
            .when(When::Via("elasticfilesystem"))
            .given(Given::Has(&["kmsKeyId"])),
        // <https://docs.aws.amazon.com/efs/latest/ug/efs-replication.html>, required permissions: what EFS makes there carries no
        // tag of ours.
        Grant::on(actions![elasticfilesystem: CreateReplicationConfiguration], SYSTEMS)
            .given(Given::Has(&["replicationConfiguration"])),
        Grant::pass_role(&["elasticfilesystem.amazonaws.com"]).given(Given::Has(&["replicationConfiguration"])),
    ],
};
