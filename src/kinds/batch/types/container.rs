//! Parts that containers share, whether of a single container, an ECS task or a node.

use aws_sdk_batch::types as sdk;

use crate::field;
use crate::kind::prelude::*;

/// The outputs that a secret's source may name.
const SECRETS: &[&str] = &["secretsmanager/Secret.arn", "ssm/Parameter.arn", "ssm/Parameter.name"];

/// A user, or a user and a group, as Batch takes them
/// (<https://github.com/nextflow-io/nextflow/discussions/2900> quotes its answer).
pub const USER: &str = "^[a-z0-9_][a-z0-9_-]{0,30}(:[a-z0-9_][a-z0-9_-]{0,30})?$";

/// The limits of <https://docs.aws.amazon.com/batch/latest/APIReference/API_Ulimit.html>.
const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// The systems of <https://docs.aws.amazon.com/batch/latest/APIReference/API_RuntimePlatform.html>.
const SYSTEMS: &[&str] = &[
    "LINUX",
    "WINDOWS_SERVER_2019_CORE",
    "WINDOWS_SERVER_2019_FULL",
    "WINDOWS_SERVER_2022_CORE",
    "WINDOWS_SERVER_2022_FULL",
];

/// EFS's own patterns: <https://docs.aws.amazon.com/efs/latest/ug/API_FileSystemDescription.html> and
/// <https://docs.aws.amazon.com/efs/latest/ug/API_AccessPointDescription.html>.
const FILE_SYSTEM: &str =
    "^(arn:aws[-a-z]*:elasticfilesystem:[-0-9a-z:]+:file-system/fs-[0-9a-f]{8,40}|fs-[0-9a-f]{8,40})$";
const ACCESS_POINT: &str =
    "^(arn:aws[-a-z]*:elasticfilesystem:[-0-9a-z:]+:access-point/fsap-[0-9a-f]{8,40}|fsap-[0-9a-f]{8,40})$";

/// An environment variable. Its value is masked wherever it is shown.
#[spec(mirrors = sdk::KeyValuePair)]
#[schemars(transform = field::sensitive)]
pub struct Variable {
    /// Its name; not one that begins with `AWS_BATCH`.
    pub name: String,
    /// Its value; not empty: Batch keeps no such variable.
    #[field(default, sensitive)]
    pub value: String,
}

/// A value that Batch fetches when the job starts.
#[spec(mirrors = sdk::Secret)]
pub struct Secret {
    /// The environment variable, or the log driver's option, that gets it.
    pub name: String,
    /// The ARN of a secret (with `:key::` for one key of it), or the name or ARN of a parameter.
    #[field(name_or_arn, refers(SECRETS))]
    pub value_from: String,
}

/// How much of something a container gets.
#[spec(mirrors = sdk::ResourceRequirement)]
pub struct ResourceRequirement {
    /// `VCPU`, `MEMORY` or `GPU`.
    #[field(one_of(sdk::ResourceType::values()))]
    pub r#type: String,
    /// vCPUs, MiB or GPUs: a whole number, written as one (`"1"`). Fargate takes certain pairs of vCPUs and memory only, and
    /// there parts of a vCPU (`"0.25"`).
    #[field(numeric)]
    pub value: String,
}

/// Where a volume appears inside a container.
#[spec(mirrors = sdk::MountPoint)]
pub struct MountPoint {
    /// The path in the container.
    #[field(empty)]
    pub container_path: Option<String>,
    /// Whether the container may not write to it.
    #[field(flag)]
    pub read_only: bool,
    /// The volume's name.
    #[field(empty)]
    pub source_volume: Option<String>,
}

/// A limit of the operating system.
#[spec(mirrors = sdk::Ulimit)]
pub struct Ulimit {
    /// Such as `nofile`.
    #[field(one_of(ULIMITS))]
    pub name: String,
    /// What the process may raise the limit to.
    pub hard_limit: i32,
    /// The limit.
    pub soft_limit: i32,
}

/// A volume that containers mount. Without a source it is an empty folder of the host.
#[spec(mirrors = sdk::Volume)]
pub struct Volume {
    /// Its name: letters, digits, `-` and `_`.
    #[field(regex("^[A-Za-z0-9_-]{1,255}$"))]
    pub name: String,
    /// A folder of the host.
    #[field(empty)]
    pub host: Option<Host>,
    /// An EFS file system.
    #[field(empty)]
    pub efs_volume_configuration: Option<EfsVolume>,
    /// An S3 Files file system.
    #[field(empty)]
    pub s3files_volume_configuration: Option<S3FilesVolume>,
}

/// A folder of the host.
#[spec(mirrors = sdk::Host)]
pub struct Host {
    /// Its path; absent: Docker chooses one, and removes it when the container ends.
    #[field(empty)]
    pub source_path: Option<String>,
}

/// An EFS file system.
#[spec(mirrors = sdk::EfsVolumeConfiguration)]
pub struct EfsVolume {
    /// Its id.
    #[field(length(1..), regex(FILE_SYSTEM), refers("efs/FileSystem.id", "efs/FileSystem.fileSystemId"))]
    pub file_system_id: String,
    /// The folder that is mounted as root; to be left out, or `/`, with an access point.
    #[field(default = "/", length(..=4096))]
    pub root_directory: String,
    /// Whether traffic is encrypted: `ENABLED` (needed with an access point, and with `iam`) or `DISABLED`.
    #[field(default = "DISABLED", one_of(sdk::EfsTransitEncryption::values()))]
    pub transit_encryption: String,
    /// The port of encrypted traffic (`transitEncryption`), 0 to 65535; absent: EFS chooses.
    #[field(empty, range(0..=65535))]
    pub transit_encryption_port: Option<i32>,
    /// How access is granted.
    #[field(empty)]
    pub authorization_config: Option<EfsAuthorization>,
}

/// How access to an EFS file system is granted.
#[spec(mirrors = sdk::EfsAuthorizationConfig)]
pub struct EfsAuthorization {
    /// The access point.
    #[field(empty, regex(ACCESS_POINT), refers("efs/AccessPoint.id", "efs/AccessPoint.accessPointId"))]
    pub access_point_id: Option<String>,
    /// Whether the job's role counts: `ENABLED` (with encryption in transit, and with such a role) or `DISABLED`.
    #[field(default = "DISABLED", one_of(sdk::EfsAuthorizationConfigIam::values()))]
    pub iam: String,
}

/// An S3 Files file system.
#[spec(mirrors = sdk::S3FilesVolumeConfiguration)]
pub struct S3FilesVolume {
    /// Its ARN.
    #[field(length(1..))]
    pub file_system_arn: String,
    /// The folder that is mounted as root.
    #[field(default = "/")]
    pub root_directory: String,
    /// The port of encrypted traffic.
    #[field(empty, range(0..=65535))]
    pub transit_encryption_port: Option<i32>,
    /// The access point.
    #[field(empty)]
    pub access_point_arn: Option<String>,
}

/// What is special to Linux.
#[spec(mirrors = sdk::LinuxParameters)]
pub struct LinuxParameters {
    /// Devices of the host that the container sees; not on Fargate.
    #[field(empty, keyed("hostPath"))]
    pub devices: Vec<Device>,
    /// Whether an init process forwards signals and reaps processes.
    #[field(flag)]
    pub init_process_enabled: bool,
    /// The size of `/dev/shm`, in MiB; not on Fargate.
    #[field(empty, range(1..))]
    pub shared_memory_size: Option<i32>,
    /// File systems in memory; not on Fargate.
    #[field(empty, keyed("containerPath"))]
    pub tmpfs: Vec<Tmpfs>,
    /// How much swap the container may use, in MiB; not on Fargate.
    #[field(empty, range(0..))]
    pub max_swap: Option<i32>,
    /// How readily pages are swapped, 0 to 100; needs `maxSwap`; not on Fargate.
    #[field(empty, range(0..=100))]
    pub swappiness: Option<i32>,
}

/// A device of the host.
#[spec(mirrors = sdk::Device)]
pub struct Device {
    /// Its path on the host.
    #[field(length(1..))]
    pub host_path: String,
    /// Its path in the container; absent: the same.
    #[field(empty)]
    pub container_path: Option<String>,
    /// `READ`, `WRITE`, `MKNOD`; absent: all three.
    #[field(empty, set, items_one_of(sdk::DeviceCgroupPermission::values()))]
    pub permissions: Vec<String>,
}

/// A file system in memory.
#[spec(mirrors = sdk::Tmpfs)]
pub struct Tmpfs {
    /// Its path in the container.
    #[field(length(1..))]
    pub container_path: String,
    /// Its size, in MiB.
    #[field(range(1..))]
    pub size: i32,
    /// Options of mounting, such as `ro` or `noexec`.
    #[field(empty, set)]
    pub mount_options: Vec<String>,
}

/// Where the container's output goes.
#[spec(mirrors = sdk::LogConfiguration)]
pub struct LogConfiguration {
    /// The driver; on Fargate `awslogs` or `splunk`.
    #[field(one_of(sdk::LogDriver::values()))]
    pub log_driver: String,
    /// The driver's options, such as `awslogs-group`.
    #[field(empty, free)]
    pub options: BTreeMap<String, String>,
    /// Options that are secrets.
    #[field(empty, keyed("name"))]
    pub secret_options: Vec<Secret>,
}

/// Whether a task of Fargate gets a public address.
#[spec(mirrors = sdk::NetworkConfiguration)]
pub struct Network {
    /// `ENABLED` or `DISABLED`. Without one, a private subnet needs a way to the registry.
    #[field(default = "DISABLED", one_of(sdk::AssignPublicIp::values()))]
    pub assign_public_ip: String,
}

/// The platform of a task of Fargate.
#[spec(mirrors = sdk::FargatePlatformConfiguration)]
pub struct FargatePlatform {
    /// A version such as `1.4.0`, or `LATEST`.
    #[field(default = "LATEST")]
    pub platform_version: String,
}

/// The disk of a task of Fargate.
#[spec(mirrors = sdk::EphemeralStorage)]
pub struct EphemeralStorage {
    /// Its size, in GiB: 21 to 200.
    #[serde(rename = "sizeInGiB")]
    #[field(range(21..=200))]
    pub size_in_gib: i32,
}

/// The operating system and processor of a task of Fargate.
#[spec(mirrors = sdk::RuntimePlatform)]
pub struct RuntimePlatform {
    /// Such as `LINUX`, `WINDOWS_SERVER_2022_CORE`.
    #[field(default = "LINUX", one_of(SYSTEMS))]
    pub operating_system_family: String,
    /// `X86_64` or `ARM64`.
    #[field(default = "X86_64", one_of("ARM64", "X86_64"))]
    pub cpu_architecture: String,
}

/// How a private registry is asked for the image.
#[spec(mirrors = sdk::RepositoryCredentials)]
pub struct RepositoryCredentials {
    /// The ARN of the secret with the registry's user name and password.
    #[field(length(1..), refers("secretsmanager/Secret.arn"))]
    pub credentials_parameter: String,
}
