//! A job of one container.

use aws_sdk_batch::types as sdk;

use super::container::{
    EphemeralStorage, FargatePlatform, LinuxParameters, LogConfiguration, MountPoint, Network,
    RepositoryCredentials, ResourceRequirement, RuntimePlatform, Secret, USER, Ulimit, Variable, Volume,
};
use crate::field;
use crate::kinds::mirror::mirror;

mirror! {
    /// The container of a job.
    pub struct ContainerProperties = sdk::ContainerProperties {
        /// The image; `${image.<name>}` is one that is pinned by its digest.
        #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_:./#@-]*$"))]
        required image: String,
        /// Formerly the vCPUs; say `resourceRequirements`.
        #[schemars(range(min = 0))]
        empty vcpus: Option<i32>,
        /// Formerly the memory, in MiB; say `resourceRequirements`.
        #[schemars(range(min = 0))]
        empty memory: Option<i32>,
        /// The command and its arguments; `Ref::name` is a parameter.
        empty command: Vec<String>,
        /// The role that the job's program works with.
        #[schemars(transform = field::refers(&["iam/Role.arn"]))]
        empty job_role_arn: Option<String>,
        /// The role that fetches the image and the secrets, and writes the logs; needed on Fargate.
        #[schemars(transform = field::refers(&["iam/Role.arn"]))]
        empty execution_role_arn: Option<String>,
        /// Volumes that the container mounts.
        #[schemars(transform = field::keyed("name"))]
        empty volumes: Vec<Volume>,
        /// Environment variables. What is secret belongs into `secrets`.
        #[schemars(transform = field::keyed("name"), transform = field::sensitive)]
        empty environment: Vec<Variable>,
        /// Where volumes appear.
        #[schemars(transform = field::keyed("containerPath"))]
        empty mount_points: Vec<MountPoint>,
        /// Whether the container may not write to its own file system.
        flag readonly_root_filesystem: bool,
        /// Whether the container has the powers of the host's root; not on Fargate.
        flag privileged: bool,
        /// Limits of the operating system; not on Fargate.
        #[schemars(transform = field::keyed("name"))]
        empty ulimits: Vec<Ulimit>,
        /// The user inside the container, perhaps with a group: `user`, `user:group`.
        #[schemars(regex(pattern = USER))]
        empty user: Option<String>,
        /// The instance type of a multi-node job.
        empty instance_type: Option<String>,
        /// vCPUs, memory and GPUs.
        #[schemars(transform = field::keyed("type"))]
        empty resource_requirements: Vec<ResourceRequirement>,
        /// What is special to Linux.
        empty linux_parameters: Option<LinuxParameters>,
        /// Where output goes; absent on Fargate: the log group `/aws/batch/job`.
        empty log_configuration: Option<LogConfiguration>,
        /// Values that Batch fetches when the job starts.
        #[schemars(transform = field::keyed("name"))]
        empty secrets: Vec<Secret>,
        /// Whether a task of Fargate gets a public address.
        empty network_configuration: Option<Network>,
        /// The platform of a task of Fargate.
        empty fargate_platform_configuration: Option<FargatePlatform>,
        /// Whether one may open a shell in the container.
        flag enable_execute_command: bool,
        /// The disk of a task of Fargate; absent: 20 GiB.
        empty ephemeral_storage: Option<EphemeralStorage>,
        /// The operating system and processor of a task of Fargate.
        empty runtime_platform: Option<RuntimePlatform>,
        /// How a private registry is asked for the image.
        empty repository_credentials: Option<RepositoryCredentials>,
    }
}
