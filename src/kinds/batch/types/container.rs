//! Parts that containers share, whether of a single container, an ECS task or a node.

use std::collections::BTreeMap;

use aws_sdk_batch::types as sdk;

use crate::field;
use crate::kinds::mirror::mirror;

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

mirror! {
    /// An environment variable. Its value is masked wherever it is shown.
    #[schemars(transform = field::sensitive)]
    pub struct Variable = sdk::KeyValuePair {
        /// Its name; not one that begins with `AWS_BATCH`.
        required name: String,
        /// Its value; not empty: Batch keeps no such variable.
        #[schemars(transform = field::sensitive)]
        default value: String,
    }

    /// A value that Batch fetches when the job starts.
    pub struct Secret = sdk::Secret {
        /// The environment variable, or the log driver's option, that gets it.
        required name: String,
        /// The ARN of a secret (with `:key::` for one key of it), or the name or ARN of a parameter.
        #[schemars(transform = field::name_or_arn, transform = field::refers(SECRETS))]
        required value_from: String,
    }

    /// How much of something a container gets.
    pub struct ResourceRequirement = sdk::ResourceRequirement {
        /// `VCPU`, `MEMORY` or `GPU`.
        #[schemars(transform = field::one_of(sdk::ResourceType::values()))]
        required r#type: String,
        /// vCPUs, MiB or GPUs: a whole number, written as one (`"1"`). Fargate takes certain pairs of vCPUs and memory only, and
        /// there parts of a vCPU (`"0.25"`).
        #[schemars(transform = field::numeric)]
        required value: String,
    }

    /// Where a volume appears inside a container.
    pub struct MountPoint = sdk::MountPoint {
        /// The path in the container.
        empty container_path: Option<String>,
        /// Whether the container may not write to it.
        flag read_only: bool,
        /// The volume's name.
        empty source_volume: Option<String>,
    }

    /// A limit of the operating system.
    pub struct Ulimit = sdk::Ulimit {
        /// Such as `nofile`.
        #[schemars(transform = field::one_of(ULIMITS))]
        required name: String,
        /// What the process may raise the limit to.
        required hard_limit: i32,
        /// The limit.
        required soft_limit: i32,
    }

    /// A volume that containers mount. Without a source it is an empty folder of the host.
    pub struct Volume = sdk::Volume {
        /// Its name: letters, digits, `-` and `_`.
        #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,255}$"))]
        required name: String,
        /// A folder of the host.
        empty host: Option<Host>,
        /// An EFS file system.
        empty efs_volume_configuration: Option<EfsVolume>,
        /// An S3 Files file system.
        empty s3files_volume_configuration: Option<S3FilesVolume>,
    }

    /// A folder of the host.
    pub struct Host = sdk::Host {
        /// Its path; absent: Docker chooses one, and removes it when the container ends.
        empty source_path: Option<String>,
    }

    /// An EFS file system.
    pub struct EfsVolume = sdk::EfsVolumeConfiguration {
        /// Its id.
        #[schemars(length(min = 1), regex(pattern = FILE_SYSTEM), transform = field::refers(&["efs/FileSystem.id"]))]
        required file_system_id: String,
        /// The folder that is mounted as root; to be left out, or `/`, with an access point.
        #[schemars(length(max = 4096))]
        default root_directory: String = "/".to_owned(),
        /// Whether traffic is encrypted: `ENABLED` (needed with an access point, and with `iam`) or `DISABLED`.
        #[schemars(transform = field::one_of(sdk::EfsTransitEncryption::values()))]
        default transit_encryption: String = "DISABLED".to_owned(),
        /// The port of encrypted traffic (`transitEncryption`), 0 to 65535; absent: EFS chooses.
        #[schemars(range(min = 0, max = 65535))]
        empty transit_encryption_port: Option<i32>,
        /// How access is granted.
        empty authorization_config: Option<EfsAuthorization>,
    }

    /// How access to an EFS file system is granted.
    pub struct EfsAuthorization = sdk::EfsAuthorizationConfig {
        /// The access point.
        #[schemars(regex(pattern = ACCESS_POINT), transform = field::refers(&["efs/AccessPoint.id"]))]
        empty access_point_id: Option<String>,
        /// Whether the job's role counts: `ENABLED` (with encryption in transit, and with such a role) or `DISABLED`.
        #[schemars(transform = field::one_of(sdk::EfsAuthorizationConfigIam::values()))]
        default iam: String = "DISABLED".to_owned(),
    }

    /// An S3 Files file system.
    pub struct S3FilesVolume = sdk::S3FilesVolumeConfiguration {
        /// Its ARN.
        #[schemars(length(min = 1))]
        required file_system_arn: String,
        /// The folder that is mounted as root.
        default root_directory: String = "/".to_owned(),
        /// The port of encrypted traffic.
        #[schemars(range(min = 0, max = 65535))]
        empty transit_encryption_port: Option<i32>,
        /// The access point.
        empty access_point_arn: Option<String>,
    }

    /// What is special to Linux.
    pub struct LinuxParameters = sdk::LinuxParameters {
        /// Devices of the host that the container sees; not on Fargate.
        #[schemars(transform = field::keyed("hostPath"))]
        empty devices: Vec<Device>,
        /// Whether an init process forwards signals and reaps processes.
        flag init_process_enabled: bool,
        /// The size of `/dev/shm`, in MiB; not on Fargate.
        #[schemars(range(min = 1))]
        empty shared_memory_size: Option<i32>,
        /// File systems in memory; not on Fargate.
        #[schemars(transform = field::keyed("containerPath"))]
        empty tmpfs: Vec<Tmpfs>,
        /// How much swap the container may use, in MiB; not on Fargate.
        #[schemars(range(min = 0))]
        empty max_swap: Option<i32>,
        /// How readily pages are swapped, 0 to 100; needs `maxSwap`; not on Fargate.
        #[schemars(range(min = 0, max = 100))]
        empty swappiness: Option<i32>,
    }

    /// A device of the host.
    pub struct Device = sdk::Device {
        /// Its path on the host.
        #[schemars(length(min = 1))]
        required host_path: String,
        /// Its path in the container; absent: the same.
        empty container_path: Option<String>,
        /// `READ`, `WRITE`, `MKNOD`; absent: all three.
        #[schemars(transform = field::set, transform = field::items_one_of(sdk::DeviceCgroupPermission::values()))]
        empty permissions: Vec<String>,
    }

    /// A file system in memory.
    pub struct Tmpfs = sdk::Tmpfs {
        /// Its path in the container.
        #[schemars(length(min = 1))]
        required container_path: String,
        /// Its size, in MiB.
        #[schemars(range(min = 1))]
        required size: i32,
        /// Options of mounting, such as `ro` or `noexec`.
        #[schemars(transform = field::set)]
        empty mount_options: Vec<String>,
    }

    /// Where the container's output goes.
    pub struct LogConfiguration = sdk::LogConfiguration {
        /// The driver; on Fargate `awslogs` or `splunk`.
        #[schemars(transform = field::one_of(sdk::LogDriver::values()))]
        required log_driver: String,
        /// The driver's options, such as `awslogs-group`.
        #[schemars(transform = field::free)]
        empty options: BTreeMap<String, String>,
        /// Options that are secrets.
        #[schemars(transform = field::keyed("name"))]
        empty secret_options: Vec<Secret>,
    }

    /// Whether a task of Fargate gets a public address.
    pub struct Network = sdk::NetworkConfiguration {
        /// `ENABLED` or `DISABLED`. Without one, a private subnet needs a way to the registry.
        #[schemars(transform = field::one_of(sdk::AssignPublicIp::values()))]
        default assign_public_ip: String = "DISABLED".to_owned(),
    }

    /// The platform of a task of Fargate.
    pub struct FargatePlatform = sdk::FargatePlatformConfiguration {
        /// A version such as `1.4.0`, or `LATEST`.
        default platform_version: String = "LATEST".to_owned(),
    }

    /// The disk of a task of Fargate.
    pub struct EphemeralStorage = sdk::EphemeralStorage {
        /// Its size, in GiB: 21 to 200.
        #[serde(rename = "sizeInGiB")]
        #[schemars(range(min = 21, max = 200))]
        required size_in_gib: i32,
    }

    /// The operating system and processor of a task of Fargate.
    pub struct RuntimePlatform = sdk::RuntimePlatform {
        /// Such as `LINUX`, `WINDOWS_SERVER_2022_CORE`.
        #[schemars(transform = field::one_of(SYSTEMS))]
        default operating_system_family: String = "LINUX".to_owned(),
        /// `X86_64` or `ARM64`.
        #[schemars(transform = field::one_of(&["ARM64", "X86_64"]))]
        default cpu_architecture: String = "X86_64".to_owned(),
    }

    /// How a private registry is asked for the image.
    pub struct RepositoryCredentials = sdk::RepositoryCredentials {
        /// The ARN of the secret with the registry's user name and password.
        #[schemars(length(min = 1), transform = field::refers(&["secretsmanager/Secret.arn"]))]
        required credentials_parameter: String,
    }
}
