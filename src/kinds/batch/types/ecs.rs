//! A job of several containers on ECS.

use crate::kind::prelude::*;
use aws_sdk_batch::types as sdk;

use super::container::{
    EphemeralStorage, LinuxParameters, LogConfiguration, MountPoint, Network, RepositoryCredentials,
    ResourceRequirement, RuntimePlatform, Secret, USER, Ulimit, Variable, Volume,
};

/// The platform that Fargate takes by itself.
pub const LATEST: &str = "LATEST";

/// A job of several containers.
#[spec(mirrors = sdk::EcsProperties)]
pub struct EcsProperties {
    /// The task: exactly one.
    #[field(required)]
    pub task_properties: Vec<EcsTask>,
}

/// Containers that run together.
#[spec(mirrors = sdk::EcsTaskProperties)]
pub struct EcsTask {
    /// The containers: 1 to 10, one of them essential.
    #[field(required, keyed("name"))]
    pub containers: Vec<TaskContainer>,
    /// The disk of a task of Fargate; absent: 20 GiB.
    #[field(empty)]
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// The role that fetches images and secrets, and writes the logs; needed on Fargate.
    #[field(empty, refers("iam/Role.arn"))]
    pub execution_role_arn: Option<String>,
    /// The version of Fargate's platform.
    #[field(default = LATEST)]
    pub platform_version: String,
    /// What processes share between containers: `host`, `task` or `none`; not on Fargate.
    #[field(empty, one_of("host", "none", "task"))]
    pub ipc_mode: Option<String>,
    /// The role that the job's programs work with.
    #[field(empty, refers("iam/Role.arn"))]
    pub task_role_arn: Option<String>,
    /// Which processes containers see: `host` or `task`; absent: their own.
    #[field(empty, one_of("host", "task"))]
    pub pid_mode: Option<String>,
    /// Whether a task of Fargate gets a public address.
    #[field(empty)]
    pub network_configuration: Option<Network>,
    /// The operating system and processor of a task of Fargate.
    #[field(empty)]
    pub runtime_platform: Option<RuntimePlatform>,
    /// Volumes that the containers mount.
    #[field(empty, keyed("name"))]
    pub volumes: Vec<Volume>,
    /// Whether one may open a shell in the containers.
    #[field(flag)]
    pub enable_execute_command: bool,
    /// The network of managed instances: `host`.
    #[field(server, one_of("host"))]
    pub network_mode: Option<String>,
}

/// One container of a task.
#[spec(mirrors = sdk::TaskContainerProperties)]
pub struct TaskContainer {
    /// Its name; needed where a task has several.
    #[field(default)]
    pub name: String,
    /// The image; `${image.<name>}` is one that is pinned by its digest.
    #[field(length(1..=255), regex(r"^[A-Za-z0-9_:./#@-]*$"))]
    pub image: String,
    /// The command and its arguments; `Ref::name` is a parameter.
    #[field(empty)]
    pub command: Vec<String>,
    /// Containers that come first.
    #[field(empty, keyed("containerName"))]
    pub depends_on: Vec<ContainerDependency>,
    /// Environment variables. What is secret belongs into `secrets`.
    #[field(empty, keyed("name"), sensitive)]
    pub environment: Vec<Variable>,
    /// Whether the job ends when this container does.
    #[field(default = true)]
    pub essential: bool,
    /// How logs are routed.
    #[field(empty)]
    pub firelens_configuration: Option<Firelens>,
    /// What is special to Linux.
    #[field(empty)]
    pub linux_parameters: Option<LinuxParameters>,
    /// Where output goes.
    #[field(empty)]
    pub log_configuration: Option<LogConfiguration>,
    /// Where volumes appear.
    #[field(empty, keyed("containerPath"))]
    pub mount_points: Vec<MountPoint>,
    /// Whether the container has the powers of the host's root; not on Fargate.
    #[field(flag)]
    pub privileged: bool,
    /// Whether the container may not write to its own file system.
    #[field(flag)]
    pub readonly_root_filesystem: bool,
    /// How a private registry is asked for the image.
    #[field(empty)]
    pub repository_credentials: Option<RepositoryCredentials>,
    /// vCPUs, memory and GPUs.
    #[field(empty, keyed("type"))]
    pub resource_requirements: Vec<ResourceRequirement>,
    /// Values that Batch fetches when the job starts.
    #[field(empty, keyed("name"))]
    pub secrets: Vec<Secret>,
    /// Limits of the operating system; not on Fargate.
    #[field(empty, keyed("name"))]
    pub ulimits: Vec<Ulimit>,
    /// The user inside the container, perhaps with a group: `user`, `user:group`.
    #[field(empty, regex(USER))]
    pub user: Option<String>,
    /// How long others are waited for, in seconds: from 2, on Fargate to 120.
    #[field(empty, range(2..))]
    pub start_timeout: Option<i32>,
    /// How long the container may take to stop, in seconds: from 2, on Fargate to 120.
    #[field(empty, range(2..))]
    pub stop_timeout: Option<i32>,
}

/// A container that comes first.
#[spec(mirrors = sdk::TaskContainerDependency)]
pub struct ContainerDependency {
    /// Its name.
    pub container_name: String,
    /// What has to be true of it: `START`, `COMPLETE` or `SUCCESS`.
    #[field(one_of("COMPLETE", "START", "SUCCESS"))]
    pub condition: String,
}

/// How logs are routed.
#[spec(mirrors = sdk::FirelensConfiguration)]
pub struct Firelens {
    /// `fluentd` or `fluentbit`.
    #[field(one_of(sdk::FirelensConfigurationType::values()))]
    pub r#type: String,
    /// The router's options.
    #[field(empty, free)]
    pub options: BTreeMap<String, String>,
}
