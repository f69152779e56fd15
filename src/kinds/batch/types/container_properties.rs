//! A job of one container.

use crate::kind::prelude::*;
use aws_sdk_batch::types as sdk;

use super::container::{
    EphemeralStorage, FargatePlatform, LinuxParameters, LogConfiguration, MountPoint, Network,
    RepositoryCredentials, ResourceRequirement, RuntimePlatform, Secret, USER, Ulimit, Variable, Volume,
};

/// The container of a job.
#[spec(mirrors = sdk::ContainerProperties)]
pub struct ContainerProperties {
    /// The image; `${image.<name>}` is one that is pinned by its digest.
    #[field(length(1..=255), regex(r"^[A-Za-z0-9_:./#@-]*$"))]
    pub image: String,
    /// Formerly the vCPUs; say `resourceRequirements`.
    #[field(empty, range(0..))]
    pub vcpus: Option<i32>,
    /// Formerly the memory, in MiB; say `resourceRequirements`.
    #[field(empty, range(0..))]
    pub memory: Option<i32>,
    /// The command and its arguments; `Ref::name` is a parameter.
    #[field(empty)]
    pub command: Vec<String>,
    /// The role that the job's program works with.
    #[field(empty, refers("iam/Role.arn"))]
    pub job_role_arn: Option<String>,
    /// The role that fetches the image and the secrets, and writes the logs; needed on Fargate.
    #[field(empty, refers("iam/Role.arn"))]
    pub execution_role_arn: Option<String>,
    /// Volumes that the container mounts.
    #[field(empty, keyed("name"))]
    pub volumes: Vec<Volume>,
    /// Environment variables. What is secret belongs into `secrets`.
    #[field(empty, keyed("name"), sensitive)]
    pub environment: Vec<Variable>,
    /// Where volumes appear.
    #[field(empty, keyed("containerPath"))]
    pub mount_points: Vec<MountPoint>,
    /// Whether the container may not write to its own file system.
    #[field(flag)]
    pub readonly_root_filesystem: bool,
    /// Whether the container has the powers of the host's root; not on Fargate.
    #[field(flag)]
    pub privileged: bool,
    /// Limits of the operating system; not on Fargate.
    #[field(empty, keyed("name"))]
    pub ulimits: Vec<Ulimit>,
    /// The user inside the container, perhaps with a group: `user`, `user:group`.
    #[field(empty, regex(USER))]
    pub user: Option<String>,
    /// The instance type of a multi-node job.
    #[field(empty)]
    pub instance_type: Option<String>,
    /// vCPUs, memory and GPUs.
    #[field(empty, keyed("type"))]
    pub resource_requirements: Vec<ResourceRequirement>,
    /// What is special to Linux.
    #[field(empty)]
    pub linux_parameters: Option<LinuxParameters>,
    /// Where output goes; absent on Fargate: the log group `/aws/batch/job`.
    #[field(empty)]
    pub log_configuration: Option<LogConfiguration>,
    /// Values that Batch fetches when the job starts.
    #[field(empty, keyed("name"))]
    pub secrets: Vec<Secret>,
    /// Whether a task of Fargate gets a public address.
    #[field(empty)]
    pub network_configuration: Option<Network>,
    /// The platform of a task of Fargate.
    #[field(empty)]
    pub fargate_platform_configuration: Option<FargatePlatform>,
    /// Whether one may open a shell in the container.
    #[field(flag)]
    pub enable_execute_command: bool,
    /// The disk of a task of Fargate; absent: 20 GiB.
    #[field(empty)]
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// The operating system and processor of a task of Fargate.
    #[field(empty)]
    pub runtime_platform: Option<RuntimePlatform>,
    /// How a private registry is asked for the image.
    #[field(empty)]
    pub repository_credentials: Option<RepositoryCredentials>,
}
