//! A job that is a pod on EKS.

use std::collections::BTreeMap;

use aws_sdk_batch::types as sdk;

use crate::field;
use crate::kinds::mirror::mirror;

/// What Kubernetes takes as a DNS subdomain name.
const SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$";

mirror! {
    /// A job that is a pod.
    pub struct EksProperties = sdk::EksProperties {
        /// The pod.
        required pod_properties: EksPod,
    }

    /// A pod.
    pub struct EksPod = sdk::EksPodProperties {
        /// The service account that the pod runs as.
        empty service_account_name: Option<String>,
        /// Whether the pod has the host's address.
        default host_network: bool = true,
        /// How names are looked up: `Default`, `ClusterFirst` or `ClusterFirstWithHostNet`; absent: it follows from `hostNetwork`.
        #[schemars(transform = field::one_of(&["ClusterFirst", "ClusterFirstWithHostNet", "Default"]))]
        server dns_policy: Option<String>,
        /// Secrets of Kubernetes for private registries.
        #[schemars(transform = field::keyed("name"))]
        empty image_pull_secrets: Vec<ImagePullSecret>,
        /// The containers: 1 to 10.
        #[schemars(transform = field::keyed("name"))]
        required containers: Vec<EksContainer>,
        /// Containers that run to their end before the others start, in order; 10 at most.
        empty init_containers: Vec<EksContainer>,
        /// Volumes that the containers mount.
        #[schemars(transform = field::keyed("name"))]
        empty volumes: Vec<EksVolume>,
        /// What is said about the pod.
        empty metadata: Option<EksMetadata>,
        /// Whether containers see each other's processes.
        flag share_process_namespace: bool,
    }

    /// A secret of Kubernetes for a private registry.
    pub struct ImagePullSecret = sdk::ImagePullSecret {
        /// Its name.
        #[schemars(regex(pattern = SUBDOMAIN))]
        required name: String,
    }

    /// One container of a pod.
    pub struct EksContainer = sdk::EksContainer {
        /// Its name.
        default name: String = "Default".to_owned(),
        /// The image; `${image.<name>}` is one that is pinned by its digest.
        #[schemars(length(min = 1))]
        required image: String,
        /// When the image is fetched: `Always`, `IfNotPresent` or `Never`; absent: it follows from the image's tag.
        #[schemars(transform = field::one_of(&["Always", "IfNotPresent", "Never"]))]
        server image_pull_policy: Option<String>,
        /// The entry point; absent: the image's.
        empty command: Vec<String>,
        /// The arguments; absent: the image's.
        empty args: Vec<String>,
        /// Environment variables.
        #[schemars(transform = field::keyed("name"), transform = field::sensitive)]
        empty env: Vec<EksVariable>,
        /// CPUs, memory and GPUs.
        empty resources: Option<EksResources>,
        /// Where volumes appear.
        #[schemars(transform = field::keyed("mountPath"))]
        empty volume_mounts: Vec<EksVolumeMount>,
        /// What the container may do.
        empty security_context: Option<EksSecurityContext>,
    }

    /// An environment variable. Its value is masked wherever it is shown.
    #[schemars(transform = field::sensitive)]
    pub struct EksVariable = sdk::EksContainerEnvironmentVariable {
        /// Its name; not one that begins with `AWS_BATCH`.
        required name: String,
        /// Its value. Batch keeps no variable whose value is empty.
        #[schemars(transform = field::sensitive)]
        default value: String,
    }

    /// CPUs, memory and GPUs of a container.
    pub struct EksResources = sdk::EksContainerResourceRequirements {
        /// The most it gets: `memory` (whole, with `Mi`), `cpu` (a multiple of 0.25), `nvidia.com/gpu` (whole).
        empty limits: BTreeMap<String, String>,
        /// The least it gets: of memory and GPUs the same as `limits`, of CPUs no more.
        empty requests: BTreeMap<String, String>,
    }

    /// Where a volume appears inside a container.
    pub struct EksVolumeMount = sdk::EksContainerVolumeMount {
        /// The volume's name.
        empty name: Option<String>,
        /// The path in the container.
        empty mount_path: Option<String>,
        /// The folder of the volume; absent: its root.
        empty sub_path: Option<String>,
        /// Whether the container may not write to it.
        flag read_only: bool,
    }

    /// What a container may do.
    pub struct EksSecurityContext = sdk::EksContainerSecurityContext {
        /// The user id; absent: the image's.
        #[schemars(range(min = 0))]
        empty run_as_user: Option<i64>,
        /// The group id; absent: the image's.
        #[schemars(range(min = 0))]
        empty run_as_group: Option<i64>,
        /// Whether it has the powers of the host's root.
        flag privileged: bool,
        /// Whether a process may gain more power than its parent.
        flag allow_privilege_escalation: bool,
        /// Whether the container may not write to its own file system.
        flag read_only_root_filesystem: bool,
        /// Whether root is refused.
        flag run_as_non_root: bool,
    }

    /// A volume of a pod.
    pub struct EksVolume = sdk::EksVolume {
        /// Its name, as a DNS subdomain: lower-case letters, digits, `-` and `.`.
        #[schemars(regex(pattern = SUBDOMAIN))]
        required name: String,
        /// A folder of the host.
        empty host_path: Option<EksHostPath>,
        /// An empty folder that lives as long as the pod.
        empty empty_dir: Option<EksEmptyDir>,
        /// A secret of Kubernetes.
        empty secret: Option<EksSecret>,
        /// A persistent volume claim.
        empty persistent_volume_claim: Option<EksVolumeClaim>,
    }

    /// A folder of the host.
    pub struct EksHostPath = sdk::EksHostPath {
        /// Its path.
        empty path: Option<String>,
    }

    /// An empty folder that lives as long as the pod.
    pub struct EksEmptyDir = sdk::EksEmptyDir {
        /// `Memory`, or absent for the host's disk.
        #[schemars(transform = field::one_of(&["", "Memory"]))]
        empty medium: Option<String>,
        /// The most it may hold, such as `1024Mi`.
        #[schemars(length(min = 1, max = 256))]
        empty size_limit: Option<String>,
    }

    /// A secret of Kubernetes.
    pub struct EksSecret = sdk::EksSecret {
        /// Its name.
        #[schemars(regex(pattern = SUBDOMAIN))]
        required secret_name: String,
        /// Whether the pod starts without it.
        flag optional: bool,
    }

    /// A persistent volume claim.
    pub struct EksVolumeClaim = sdk::EksPersistentVolumeClaim {
        /// Its name.
        #[schemars(regex(pattern = SUBDOMAIN))]
        required claim_name: String,
        /// Whether it is mounted for reading only.
        flag read_only: bool,
    }

    /// What is said about a pod.
    pub struct EksMetadata = sdk::EksMetadata {
        /// Labels.
        empty labels: BTreeMap<String, String>,
        /// Annotations.
        empty annotations: BTreeMap<String, String>,
        /// The namespace; absent: the compute environment's. Not `default`, and not one that begins with `kube`.
        #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
        empty namespace: Option<String>,
    }
}
