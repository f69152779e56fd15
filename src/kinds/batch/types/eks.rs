//! A job that is a pod on EKS.

use aws_sdk_batch::types as sdk;

use crate::field;
use crate::kind::prelude::*;

/// What Kubernetes takes as a DNS subdomain name.
const SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$";

/// A job that is a pod.
#[spec(mirrors = sdk::EksProperties)]
pub struct EksProperties {
    /// The pod.
    pub pod_properties: EksPod,
}

/// A pod.
#[spec(mirrors = sdk::EksPodProperties)]
pub struct EksPod {
    /// The service account that the pod runs as.
    #[field(empty)]
    pub service_account_name: Option<String>,
    /// Whether the pod has the host's address.
    #[field(default = true)]
    pub host_network: bool,
    /// How names are looked up: `Default`, `ClusterFirst` or `ClusterFirstWithHostNet`; absent: it follows from `hostNetwork`.
    #[field(server, one_of("ClusterFirst", "ClusterFirstWithHostNet", "Default"))]
    pub dns_policy: Option<String>,
    /// Secrets of Kubernetes for private registries.
    #[field(empty, keyed("name"))]
    pub image_pull_secrets: Vec<ImagePullSecret>,
    /// The containers: 1 to 10.
    #[field(required, keyed("name"))]
    pub containers: Vec<EksContainer>,
    /// Containers that run to their end before the others start, in order; 10 at most.
    #[field(empty)]
    pub init_containers: Vec<EksContainer>,
    /// Volumes that the containers mount.
    #[field(empty, keyed("name"))]
    pub volumes: Vec<EksVolume>,
    /// What is said about the pod.
    #[field(empty)]
    pub metadata: Option<EksMetadata>,
    /// Whether containers see each other's processes.
    #[field(flag)]
    pub share_process_namespace: bool,
}

/// A secret of Kubernetes for a private registry.
#[spec(mirrors = sdk::ImagePullSecret)]
pub struct ImagePullSecret {
    /// Its name.
    #[field(regex(SUBDOMAIN))]
    pub name: String,
}

/// One container of a pod.
#[spec(mirrors = sdk::EksContainer)]
pub struct EksContainer {
    /// Its name.
    #[field(default = "Default")]
    pub name: String,
    /// The image; `${image.<name>}` is one that is pinned by its digest.
    #[field(length(1..))]
    pub image: String,
    /// When the image is fetched: `Always`, `IfNotPresent` or `Never`; absent: it follows from the image's tag.
    #[field(server, one_of("Always", "IfNotPresent", "Never"))]
    pub image_pull_policy: Option<String>,
    /// The entry point; absent: the image's.
    #[field(empty)]
    pub command: Vec<String>,
    /// The arguments; absent: the image's.
    #[field(empty)]
    pub args: Vec<String>,
    /// Environment variables.
    #[field(empty, keyed("name"), sensitive)]
    pub env: Vec<EksVariable>,
    /// CPUs, memory and GPUs.
    #[field(empty)]
    pub resources: Option<EksResources>,
    /// Where volumes appear.
    #[field(empty, keyed("mountPath"))]
    pub volume_mounts: Vec<EksVolumeMount>,
    /// What the container may do.
    #[field(empty)]
    pub security_context: Option<EksSecurityContext>,
}

/// An environment variable. Its value is masked wherever it is shown.
#[spec(mirrors = sdk::EksContainerEnvironmentVariable)]
#[schemars(transform = field::sensitive)]
pub struct EksVariable {
    /// Its name; not one that begins with `AWS_BATCH`.
    pub name: String,
    /// Its value. Batch keeps no variable whose value is empty.
    #[field(default, sensitive)]
    pub value: String,
}

/// CPUs, memory and GPUs of a container.
#[spec(mirrors = sdk::EksContainerResourceRequirements)]
pub struct EksResources {
    /// The most it gets: `memory` (whole, with `Mi`), `cpu` (a multiple of 0.25), `nvidia.com/gpu` (whole).
    #[field(empty)]
    pub limits: BTreeMap<String, String>,
    /// The least it gets: of memory and GPUs the same as `limits`, of CPUs no more.
    #[field(empty)]
    pub requests: BTreeMap<String, String>,
}

/// Where a volume appears inside a container.
#[spec(mirrors = sdk::EksContainerVolumeMount)]
pub struct EksVolumeMount {
    /// The volume's name.
    #[field(empty)]
    pub name: Option<String>,
    /// The path in the container.
    #[field(empty)]
    pub mount_path: Option<String>,
    /// The folder of the volume; absent: its root.
    #[field(empty)]
    pub sub_path: Option<String>,
    /// Whether the container may not write to it.
    #[field(flag)]
    pub read_only: bool,
}

/// What a container may do.
#[spec(mirrors = sdk::EksContainerSecurityContext)]
pub struct EksSecurityContext {
    /// The user id; absent: the image's.
    #[field(empty, range(0..))]
    pub run_as_user: Option<i64>,
    /// The group id; absent: the image's.
    #[field(empty, range(0..))]
    pub run_as_group: Option<i64>,
    /// Whether it has the powers of the host's root.
    #[field(flag)]
    pub privileged: bool,
    /// Whether a process may gain more power than its parent.
    #[field(flag)]
    pub allow_privilege_escalation: bool,
    /// Whether the container may not write to its own file system.
    #[field(flag)]
    pub read_only_root_filesystem: bool,
    /// Whether root is refused.
    #[field(flag)]
    pub run_as_non_root: bool,
}

/// A volume of a pod.
#[spec(mirrors = sdk::EksVolume)]
pub struct EksVolume {
    /// Its name, as a DNS subdomain: lower-case letters, digits, `-` and `.`.
    #[field(regex(SUBDOMAIN))]
    pub name: String,
    /// A folder of the host.
    #[field(empty)]
    pub host_path: Option<EksHostPath>,
    /// An empty folder that lives as long as the pod.
    #[field(empty)]
    pub empty_dir: Option<EksEmptyDir>,
    /// A secret of Kubernetes.
    #[field(empty)]
    pub secret: Option<EksSecret>,
    /// A persistent volume claim.
    #[field(empty)]
    pub persistent_volume_claim: Option<EksVolumeClaim>,
}

/// A folder of the host.
#[spec(mirrors = sdk::EksHostPath)]
pub struct EksHostPath {
    /// Its path.
    #[field(empty)]
    pub path: Option<String>,
}

/// An empty folder that lives as long as the pod.
#[spec(mirrors = sdk::EksEmptyDir)]
pub struct EksEmptyDir {
    /// `Memory`, or absent for the host's disk.
    #[field(empty, one_of("", "Memory"))]
    pub medium: Option<String>,
    /// The most it may hold, such as `1024Mi`.
    #[field(empty, length(1..=256))]
    pub size_limit: Option<String>,
}

/// A secret of Kubernetes.
#[spec(mirrors = sdk::EksSecret)]
pub struct EksSecret {
    /// Its name.
    #[field(regex(SUBDOMAIN))]
    pub secret_name: String,
    /// Whether the pod starts without it.
    #[field(flag)]
    pub optional: bool,
}

/// A persistent volume claim.
#[spec(mirrors = sdk::EksPersistentVolumeClaim)]
pub struct EksVolumeClaim {
    /// Its name.
    #[field(regex(SUBDOMAIN))]
    pub claim_name: String,
    /// Whether it is mounted for reading only.
    #[field(flag)]
    pub read_only: bool,
}

/// What is said about a pod.
#[spec(mirrors = sdk::EksMetadata)]
pub struct EksMetadata {
    /// Labels.
    #[field(empty)]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[field(empty)]
    pub annotations: BTreeMap<String, String>,
    /// The namespace; absent: the compute environment's. Not `default`, and not one that begins with `kube`.
    #[field(empty, regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub namespace: Option<String>,
}
