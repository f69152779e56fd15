//! A job of several containers on ECS.

use std::collections::BTreeMap;

use aws_sdk_batch::types as sdk;

use super::container::{
    EphemeralStorage, LinuxParameters, LogConfiguration, MountPoint, Network, RepositoryCredentials,
    ResourceRequirement, RuntimePlatform, Secret, USER, Ulimit, Variable, Volume,
};
use crate::field;
use crate::kinds::mirror::mirror;

/// The platform that Fargate takes by itself.
pub fn latest() -> String {
    "LATEST".to_owned()
}

mirror! {
    /// A job of several containers.
    pub struct EcsProperties = sdk::EcsProperties {
        /// The task: exactly one.
        required task_properties: Vec<EcsTask>,
    }

    /// Containers that run together.
    pub struct EcsTask = sdk::EcsTaskProperties {
        /// The containers: 1 to 10, one of them essential.
        #[schemars(transform = field::keyed("name"))]
        required containers: Vec<TaskContainer>,
        /// The disk of a task of Fargate; absent: 20 GiB.
        empty ephemeral_storage: Option<EphemeralStorage>,
        /// The role that fetches images and secrets, and writes the logs; needed on Fargate.
        #[schemars(transform = field::refers(&["iam/Role.arn"]))]
        empty execution_role_arn: Option<String>,
        /// The version of Fargate's platform.
        default platform_version: String = latest(),
        /// What processes share between containers: `host`, `task` or `none`; not on Fargate.
        #[schemars(transform = field::one_of(&["host", "none", "task"]))]
        empty ipc_mode: Option<String>,
        /// The role that the job's programs work with.
        #[schemars(transform = field::refers(&["iam/Role.arn"]))]
        empty task_role_arn: Option<String>,
        /// Which processes containers see: `host` or `task`; absent: their own.
        #[schemars(transform = field::one_of(&["host", "task"]))]
        empty pid_mode: Option<String>,
        /// Whether a task of Fargate gets a public address.
        empty network_configuration: Option<Network>,
        /// The operating system and processor of a task of Fargate.
        empty runtime_platform: Option<RuntimePlatform>,
        /// Volumes that the containers mount.
        #[schemars(transform = field::keyed("name"))]
        empty volumes: Vec<Volume>,
        /// Whether one may open a shell in the containers.
        flag enable_execute_command: bool,
        /// The network of managed instances: `host`.
        #[schemars(transform = field::one_of(&["host"]))]
        server network_mode: Option<String>,
    }

    /// One container of a task.
    pub struct TaskContainer = sdk::TaskContainerProperties {
        /// Its name; needed where a task has several.
        default name: String,
        /// The image; `${image.<name>}` is one that is pinned by its digest.
        #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_:./#@-]*$"))]
        required image: String,
        /// The command and its arguments; `Ref::name` is a parameter.
        empty command: Vec<String>,
        /// Containers that come first.
        #[schemars(transform = field::keyed("containerName"))]
        empty depends_on: Vec<ContainerDependency>,
        /// Environment variables. What is secret belongs into `secrets`.
        #[schemars(transform = field::keyed("name"), transform = field::sensitive)]
        empty environment: Vec<Variable>,
        /// Whether the job ends when this container does.
        default essential: bool = true,
        /// How logs are routed.
        empty firelens_configuration: Option<Firelens>,
        /// What is special to Linux.
        empty linux_parameters: Option<LinuxParameters>,
        /// Where output goes.
        empty log_configuration: Option<LogConfiguration>,
        /// Where volumes appear.
        #[schemars(transform = field::keyed("containerPath"))]
        empty mount_points: Vec<MountPoint>,
        /// Whether the container has the powers of the host's root; not on Fargate.
        flag privileged: bool,
        /// Whether the container may not write to its own file system.
        flag readonly_root_filesystem: bool,
        /// How a private registry is asked for the image.
        empty repository_credentials: Option<RepositoryCredentials>,
        /// vCPUs, memory and GPUs.
        #[schemars(transform = field::keyed("type"))]
        empty resource_requirements: Vec<ResourceRequirement>,
        /// Values that Batch fetches when the job starts.
        #[schemars(transform = field::keyed("name"))]
        empty secrets: Vec<Secret>,
        /// Limits of the operating system; not on Fargate.
        #[schemars(transform = field::keyed("name"))]
        empty ulimits: Vec<Ulimit>,
        /// The user inside the container, perhaps with a group: `user`, `user:group`.
        #[schemars(regex(pattern = USER))]
        empty user: Option<String>,
        /// How long others are waited for, in seconds: from 2, on Fargate to 120.
        #[schemars(range(min = 2))]
        empty start_timeout: Option<i32>,
        /// How long the container may take to stop, in seconds: from 2, on Fargate to 120.
        #[schemars(range(min = 2))]
        empty stop_timeout: Option<i32>,
    }

    /// A container that comes first.
    pub struct ContainerDependency = sdk::TaskContainerDependency {
        /// Its name.
        required container_name: String,
        /// What has to be true of it: `START`, `COMPLETE` or `SUCCESS`.
        #[schemars(transform = field::one_of(&["COMPLETE", "START", "SUCCESS"]))]
        required condition: String,
    }

    /// How logs are routed.
    pub struct Firelens = sdk::FirelensConfiguration {
        /// `fluentd` or `fluentbit`.
        #[schemars(transform = field::one_of(sdk::FirelensConfigurationType::values()))]
        required r#type: String,
        /// The router's options.
        #[schemars(transform = field::free)]
        empty options: BTreeMap<String, String>,
    }
}
