//! What a managed compute environment launches.

use crate::kind::prelude::*;
use aws_sdk_batch::types as sdk;

/// The outputs that a list of subnets may name.
const SUBNETS: &[&str] = &["ec2/Subnet.id"];
/// The outputs that a list of security groups may name.
const GROUPS: &[&str] =
    &["ec2/SecurityGroup.id", "ec2/SecurityGroup.groupId", "ec2/Vpc.defaultSecurityGroupId"];
/// The outputs that an instance role may name.
const PROFILES: &[&str] = &["iam/InstanceProfile.arn", "iam/InstanceProfile.name"];
/// The outputs that name a launch template.
const TEMPLATE_IDS: &[&str] = &["ec2/LaunchTemplate.id"];
/// The outputs that give a launch template's version.
const TEMPLATE_VERSIONS: &[&str] = &["ec2/LaunchTemplate.latestVersion", "ec2/LaunchTemplate.defaultVersion"];

/// A type or family of instances, or one of Batch's words.
const INSTANCES: &str = r"^(optimal|default_x86_64|default_arm64|[a-z][a-z0-9-]*(\.[a-z0-9-]+)?)$";

/// A version's number, or one of the two words.
const VERSION: &str = r"^([0-9]+|\$Latest|\$Default|)$";

/// Eight characters, as ids once had, or seventeen.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>
const TEMPLATE_ID: &str = "^lt-[0-9a-f]{8,17}$";
const IMAGE_ID: &str = "^ami-[0-9a-f]{8,17}$";

/// What a managed compute environment launches: instances of EC2, or tasks of Fargate.
#[spec(mirrors = sdk::ComputeResource)]
pub struct ComputeResources {
    /// `EC2`, `SPOT`, `FARGATE`, `FARGATE_SPOT` or `ECS_MANAGED_INSTANCES`.
    #[field(one_of(sdk::CrType::values()))]
    pub r#type: String,
    /// How instance types are chosen. Absent: `BEST_FIT` where Batch runs jobs on ECS with EC2 or Spot. With `BEST_FIT` nothing
    /// that shapes instances can be updated in place.
    #[field(server, one_of(sdk::CrAllocationStrategy::values()))]
    pub allocation_strategy: Option<String>,
    /// The vCPUs that are kept running also without jobs; not with Fargate.
    #[field(default, range(0..))]
    pub minv_cpus: i32,
    /// The vCPUs that are never exceeded.
    #[field(range(1..))]
    pub maxv_cpus: i32,
    /// The vCPUs to start with. Batch moves the number from then on: it is sent on create and never compared.
    #[field(server, range(0..), runtime_owned)]
    pub desiredv_cpus: Option<i32>,
    /// Instance types or families, or `optimal`; of one architecture. Their order means something only to the ordered strategies.
    #[field(empty, inner(regex(INSTANCES)))]
    pub instance_types: Vec<String>,
    /// The AMI for all instances; `ec2Configuration` says it by type of image.
    #[field(empty, regex(IMAGE_ID))]
    pub image_id: Option<String>,
    /// The subnets that instances or tasks are launched into; 16 at most on Fargate.
    #[field(empty, set, items_refer(SUBNETS))]
    pub subnets: Vec<String>,
    /// The security groups of instances or tasks; 5 at most.
    #[field(empty, set, items_refer(GROUPS))]
    pub security_group_ids: Vec<String>,
    /// The EC2 key pair for logging in to instances.
    #[field(empty)]
    pub ec2_key_pair: Option<String>,
    /// The instance profile of instances, by name or ARN (not the role's).
    #[field(empty, name_or_arn, refers(PROFILES))]
    pub instance_role: Option<String>,
    /// Tags of the instances themselves. A change to them replaces instances.
    #[field(empty)]
    pub tags: BTreeMap<String, String>,
    /// The placement group of instances, by name.
    #[field(empty, refers("ec2/PlacementGroup.name"))]
    pub placement_group: Option<String>,
    /// The most that is paid for Spot, in percent of the on-demand price, 1 to 100; absent: 100.
    #[field(empty, range(0..=100))]
    pub bid_percentage: Option<i32>,
    /// The role of the Spot fleet; needed with `BEST_FIT` only.
    #[field(empty, create_only, name_or_arn, refers("iam/Role.arn"))]
    pub spot_iam_fleet_role: Option<String>,
    /// The launch template of instances. What this environment says wins over what the template says.
    #[field(empty)]
    pub launch_template: Option<LaunchTemplate>,
    /// The type of image, by type of instance; at most two entries. Absent: Batch chooses.
    #[field(server, keyed("imageType"))]
    pub ec2_configuration: Vec<Ec2Configuration>,
    /// How Batch scales down.
    #[field(empty)]
    pub scaling_policy: Option<ScalingPolicy>,
    /// How ECS managed instances are launched.
    #[field(empty)]
    pub managed_instances_provider: Option<ManagedInstancesProvider>,
    /// Tags of what ECS managed instances launches; 50 at most.
    #[field(empty)]
    pub capacity_tags: BTreeMap<String, String>,
    /// Whether an update that replaces instances also moves them to Batch's newest AMI.
    #[field(default, beside, write_only)]
    pub update_to_latest_image_version: bool,
}

/// A launch template, by id or by name.
#[spec(mirrors = sdk::LaunchTemplateSpecification)]
pub struct LaunchTemplate {
    /// Its id.
    #[field(server, regex(TEMPLATE_ID), refers(TEMPLATE_IDS))]
    pub launch_template_id: Option<String>,
    /// Its name.
    #[field(server, refers("ec2/LaunchTemplate.name"))]
    pub launch_template_name: Option<String>,
    /// A version's number, `$Latest` or `$Default`. Batch looks at the two words only when it launches a new
    /// infrastructure: a newer template goes unnoticed. Refer to the template's `latestVersion` instead.
    #[field(default = "$Default", refers(TEMPLATE_VERSIONS), regex(VERSION))]
    pub version: String,
    /// Other templates for some types of instances; 10 at most.
    #[field(empty)]
    pub overrides: Vec<LaunchTemplateOverride>,
    /// The form of the user data, where nodes join an EKS cluster.
    #[field(server, one_of(sdk::UserdataType::values()))]
    pub userdata_type: Option<String>,
}

/// Another launch template for some types of instances.
#[spec(mirrors = sdk::LaunchTemplateSpecificationOverride)]
pub struct LaunchTemplateOverride {
    /// Its id.
    #[field(server, regex(TEMPLATE_ID), refers(TEMPLATE_IDS))]
    pub launch_template_id: Option<String>,
    /// Its name.
    #[field(server, refers("ec2/LaunchTemplate.name"))]
    pub launch_template_name: Option<String>,
    /// A version's number, `$Latest` or `$Default`.
    #[field(default = "$Default", refers(TEMPLATE_VERSIONS), regex(VERSION))]
    pub version: String,
    /// The instance types or families that use it.
    #[field(empty, set)]
    pub target_instance_types: Vec<String>,
    /// The form of the user data, where nodes join an EKS cluster.
    #[field(server, one_of(sdk::UserdataType::values()))]
    pub userdata_type: Option<String>,
}

/// The image of one type of instances.
#[spec(mirrors = sdk::Ec2Configuration, unsaid = [batch_image_status])]
pub struct Ec2Configuration {
    /// Such as `ECS_AL2023`, `ECS_AL2023_NVIDIA`, `EKS_AL2023`. Batch takes no new environments with `ECS_AL2`.
    #[field(length(1..=256))]
    pub image_type: String,
    /// The AMI; absent: the one that Batch provides.
    #[field(empty, length(1..=256), regex(IMAGE_ID))]
    pub image_id_override: Option<String>,
    /// The version of Kubernetes, where nodes join an EKS cluster.
    #[field(server, length(1..=256))]
    pub image_kubernetes_version: Option<String>,
}

/// How Batch scales down.
#[spec(mirrors = sdk::ComputeScalingPolicy)]
pub struct ScalingPolicy {
    /// How long an idle instance stays, in minutes: 20 to 10080, or 0 for at once.
    #[field(default, range(0..=10080))]
    pub min_scale_down_delay_minutes: i32,
}

/// How ECS managed instances are launched.
#[spec(mirrors = sdk::ManagedInstancesProvider)]
pub struct ManagedInstancesProvider {
    /// Which tags instances inherit: `CAPACITY_PROVIDER` or `NONE`.
    #[field(server, one_of("CAPACITY_PROVIDER", "NONE"))]
    pub propagate_tags: Option<String>,
    /// The role with which ECS manages the instances.
    #[field(empty, refers("iam/Role.arn"))]
    pub infrastructure_role_arn: Option<String>,
    /// What is launched.
    #[field(empty)]
    pub instance_launch_template: Option<InstanceLaunchTemplate>,
    /// How ECS saves on instances.
    #[field(server)]
    pub infrastructure_optimization: Option<InfrastructureOptimization>,
}

/// What ECS managed instances launches.
#[spec(mirrors = sdk::InstanceLaunchTemplate)]
pub struct InstanceLaunchTemplate {
    /// The instance profile.
    #[field(empty, refers("iam/InstanceProfile.arn"))]
    pub ec2_instance_profile_arn: Option<String>,
    /// Where instances are launched.
    #[field(empty)]
    pub network_configuration: Option<ManagedInstancesNetwork>,
    /// Which instances may be chosen.
    #[field(empty)]
    pub instance_requirements: Option<InstanceRequirements>,
    /// How capacity is bought: `ON_DEMAND`, `SPOT` or `RESERVED`.
    #[field(server, create_only, one_of("ON_DEMAND", "RESERVED", "SPOT"))]
    pub capacity_option_type: Option<String>,
    /// The instances' volume.
    #[field(server)]
    pub storage_configuration: Option<ManagedInstancesStorage>,
    /// How closely CloudWatch watches: `BASIC` or `DETAILED`.
    #[field(server, one_of("BASIC", "DETAILED"))]
    pub monitoring: Option<String>,
    /// Whether only FIPS-validated cryptography is used.
    #[field(default, create_only)]
    pub fips_enabled: bool,
    /// Which capacity reservations are used.
    #[field(empty)]
    pub capacity_reservations: Option<CapacityReservations>,
    /// Whether instances see their tags in their metadata.
    #[field(default)]
    pub instance_metadata_tags_propagation: bool,
    /// Whether the instances' own disks are used.
    #[field(empty)]
    pub local_storage_configuration: Option<LocalStorage>,
}

/// Where ECS managed instances are launched.
#[spec(mirrors = sdk::ManagedInstancesNetworkConfiguration)]
pub struct ManagedInstancesNetwork {
    /// The subnets.
    #[field(empty, set, items_refer(SUBNETS))]
    pub subnets: Vec<String>,
    /// The security groups.
    #[field(empty, set, items_refer(GROUPS))]
    pub security_groups: Vec<String>,
}

/// Which instances ECS managed instances may choose.
#[spec(mirrors = sdk::InstanceRequirementsRequest)]
pub struct InstanceRequirements {
    /// Instance types, with wildcards.
    #[field(empty, set)]
    pub allowed_instance_types: Vec<String>,
}

/// The volume of ECS managed instances.
#[spec(mirrors = sdk::ManagedInstancesStorageConfiguration)]
pub struct ManagedInstancesStorage {
    /// Its size, in GiB.
    #[serde(rename = "storageSizeGiB")]
    #[field(server, range(1..))]
    pub storage_size_gib: Option<i32>,
}

/// Which capacity reservations ECS managed instances use.
#[spec(mirrors = sdk::CapacityReservationRequest)]
pub struct CapacityReservations {
    /// The resource group that holds the reservations.
    #[field(empty)]
    pub reservation_group_arn: Option<String>,
    /// How reservations are used: `RESERVATIONS_ONLY`, `RESERVATIONS_FIRST` or `RESERVATIONS_EXCLUDED`.
    #[field(server, one_of("RESERVATIONS_EXCLUDED", "RESERVATIONS_FIRST", "RESERVATIONS_ONLY"))]
    pub reservation_preference: Option<String>,
}

/// Whether the own disks of ECS managed instances are used.
#[spec(mirrors = sdk::ManagedInstancesLocalStorageConfiguration)]
pub struct LocalStorage {
    /// Whether they are.
    #[field(default)]
    pub use_local_storage: bool,
}

/// How ECS saves on managed instances.
#[spec(mirrors = sdk::InfrastructureOptimization)]
pub struct InfrastructureOptimization {
    /// How long an idle instance stays, in seconds, 0 to 3600; -1: for ever.
    #[field(server, range(-1..=3600))]
    pub scale_in_after: Option<i32>,
}
impl ComputeResources {
    /// Whether Batch launches instances of EC2 by itself.
    pub fn has_instances(&self) -> bool {
        matches!(self.r#type.as_str(), "EC2" | "SPOT")
    }

    /// Whether Batch launches tasks of Fargate.
    pub fn is_fargate(&self) -> bool {
        matches!(self.r#type.as_str(), "FARGATE" | "FARGATE_SPOT")
    }

    /// Whether the order of instance types means something.
    pub fn is_ordered(&self) -> bool {
        self.allocation_strategy
            .as_deref()
            .is_some_and(|strategy| strategy.ends_with("_ORDERED") || strategy.ends_with("_PRIORITIZED"))
    }
}
