//! What a managed compute environment launches.

use std::collections::BTreeMap;

use aws_sdk_batch::types as sdk;

use crate::field;
use crate::kinds::mirror::mirror;

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

mirror! {
    /// What a managed compute environment launches: instances of EC2, or tasks of Fargate.
    pub struct ComputeResources = sdk::ComputeResource {
        /// `EC2`, `SPOT`, `FARGATE`, `FARGATE_SPOT` or `ECS_MANAGED_INSTANCES`.
        #[schemars(transform = field::one_of(sdk::CrType::values()))]
        required r#type: String,
        /// How instance types are chosen. Absent: `BEST_FIT` where Batch runs jobs on ECS with EC2 or Spot. With `BEST_FIT` nothing
        /// that shapes instances can be updated in place.
        #[schemars(transform = field::one_of(sdk::CrAllocationStrategy::values()))]
        server allocation_strategy: Option<String>,
        /// The vCPUs that are kept running also without jobs; not with Fargate.
        #[schemars(range(min = 0))]
        default minv_cpus: i32,
        /// The vCPUs that are never exceeded.
        #[schemars(range(min = 1))]
        required maxv_cpus: i32,
        /// The vCPUs to start with. Batch moves the number from then on: it is sent on create and never compared.
        #[schemars(range(min = 0), transform = field::runtime_owned)]
        server desiredv_cpus: Option<i32>,
        /// Instance types or families, or `optimal`; of one architecture. Their order means something only to the ordered strategies.
        #[schemars(inner(regex(pattern = INSTANCES)))]
        empty instance_types: Vec<String>,
        /// The AMI for all instances; `ec2Configuration` says it by type of image.
        #[schemars(regex(pattern = IMAGE_ID))]
        empty image_id: Option<String>,
        /// The subnets that instances or tasks are launched into; 16 at most on Fargate.
        #[schemars(transform = field::set, transform = field::items_refer(SUBNETS))]
        empty subnets: Vec<String>,
        /// The security groups of instances or tasks; 5 at most.
        #[schemars(transform = field::set, transform = field::items_refer(GROUPS))]
        empty security_group_ids: Vec<String>,
        /// The EC2 key pair for logging in to instances.
        empty ec2_key_pair: Option<String>,
        /// The instance profile of instances, by name or ARN (not the role's).
        #[schemars(transform = field::name_or_arn, transform = field::refers(PROFILES))]
        empty instance_role: Option<String>,
        /// Tags of the instances themselves. A change to them replaces instances.
        empty tags: BTreeMap<String, String>,
        /// The placement group of instances.
        empty placement_group: Option<String>,
        /// The most that is paid for Spot, in percent of the on-demand price, 1 to 100; absent: 100.
        #[schemars(range(min = 0, max = 100))]
        empty bid_percentage: Option<i32>,
        /// The role of the Spot fleet; needed with `BEST_FIT` only.
        #[schemars(transform = field::create_only, transform = field::name_or_arn, transform = field::refers(&["iam/Role.arn"]))]
        empty spot_iam_fleet_role: Option<String>,
        /// The launch template of instances. What this environment says wins over what the template says.
        empty launch_template: Option<LaunchTemplate>,
        /// The type of image, by type of instance; at most two entries. Absent: Batch chooses.
        #[schemars(transform = field::keyed("imageType"))]
        server ec2_configuration: Vec<Ec2Configuration>,
        /// How Batch scales down.
        empty scaling_policy: Option<ScalingPolicy>,
        /// How ECS managed instances are launched.
        empty managed_instances_provider: Option<ManagedInstancesProvider>,
        /// Tags of what ECS managed instances launches; 50 at most.
        empty capacity_tags: BTreeMap<String, String>,
    }
    beside {
        /// Whether an update that replaces instances also moves them to Batch's newest AMI.
        #[schemars(transform = field::write_only)]
        default update_to_latest_image_version: bool,
    }

    /// A launch template, by id or by name.
    pub struct LaunchTemplate = sdk::LaunchTemplateSpecification {
        /// Its id.
        #[schemars(regex(pattern = TEMPLATE_ID), transform = field::refers(TEMPLATE_IDS))]
        server launch_template_id: Option<String>,
        /// Its name.
        #[schemars(transform = field::refers(&["ec2/LaunchTemplate.name"]))]
        server launch_template_name: Option<String>,
        /// A version's number, `$Latest` or `$Default`. Batch looks at the two words only when it launches a new
        /// infrastructure: a newer template goes unnoticed. Refer to the template's `latestVersion` instead.
        #[schemars(transform = field::refers(TEMPLATE_VERSIONS))]
        #[schemars(regex(pattern = VERSION))]
        default version: String = "$Default".to_owned(),
        /// Other templates for some types of instances; 10 at most.
        empty overrides: Vec<LaunchTemplateOverride>,
        /// The form of the user data, where nodes join an EKS cluster.
        #[schemars(transform = field::one_of(sdk::UserdataType::values()))]
        server userdata_type: Option<String>,
    }

    /// Another launch template for some types of instances.
    pub struct LaunchTemplateOverride = sdk::LaunchTemplateSpecificationOverride {
        /// Its id.
        #[schemars(regex(pattern = TEMPLATE_ID), transform = field::refers(TEMPLATE_IDS))]
        server launch_template_id: Option<String>,
        /// Its name.
        #[schemars(transform = field::refers(&["ec2/LaunchTemplate.name"]))]
        server launch_template_name: Option<String>,
        /// A version's number, `$Latest` or `$Default`.
        #[schemars(transform = field::refers(TEMPLATE_VERSIONS))]
        #[schemars(regex(pattern = VERSION))]
        default version: String = "$Default".to_owned(),
        /// The instance types or families that use it.
        #[schemars(transform = field::set)]
        empty target_instance_types: Vec<String>,
        /// The form of the user data, where nodes join an EKS cluster.
        #[schemars(transform = field::one_of(sdk::UserdataType::values()))]
        server userdata_type: Option<String>,
    }

    /// The image of one type of instances.
    pub struct Ec2Configuration = sdk::Ec2Configuration {
        /// Such as `ECS_AL2023`, `ECS_AL2023_NVIDIA`, `EKS_AL2023`. Batch takes no new environments with `ECS_AL2`.
        #[schemars(length(min = 1, max = 256))]
        required image_type: String,
        /// The AMI; absent: the one that Batch provides.
        #[schemars(length(min = 1, max = 256), regex(pattern = IMAGE_ID))]
        empty image_id_override: Option<String>,
        /// The version of Kubernetes, where nodes join an EKS cluster.
        #[schemars(length(min = 1, max = 256))]
        server image_kubernetes_version: Option<String>,
    }
    unsaid { batch_image_status }

    /// How Batch scales down.
    pub struct ScalingPolicy = sdk::ComputeScalingPolicy {
        /// How long an idle instance stays, in minutes: 20 to 10080, or 0 for at once.
        #[schemars(range(min = 0, max = 10080))]
        default min_scale_down_delay_minutes: i32,
    }

    /// How ECS managed instances are launched.
    pub struct ManagedInstancesProvider = sdk::ManagedInstancesProvider {
        /// Which tags instances inherit: `CAPACITY_PROVIDER` or `NONE`.
        #[schemars(transform = field::one_of(&["CAPACITY_PROVIDER", "NONE"]))]
        server propagate_tags: Option<String>,
        /// The role with which ECS manages the instances.
        #[schemars(transform = field::refers(&["iam/Role.arn"]))]
        empty infrastructure_role_arn: Option<String>,
        /// What is launched.
        empty instance_launch_template: Option<InstanceLaunchTemplate>,
        /// How ECS saves on instances.
        server infrastructure_optimization: Option<InfrastructureOptimization>,
    }

    /// What ECS managed instances launches.
    pub struct InstanceLaunchTemplate = sdk::InstanceLaunchTemplate {
        /// The instance profile.
        #[schemars(transform = field::refers(&["iam/InstanceProfile.arn"]))]
        empty ec2_instance_profile_arn: Option<String>,
        /// Where instances are launched.
        empty network_configuration: Option<ManagedInstancesNetwork>,
        /// Which instances may be chosen.
        empty instance_requirements: Option<InstanceRequirements>,
        /// How capacity is bought: `ON_DEMAND`, `SPOT` or `RESERVED`.
        #[schemars(transform = field::create_only, transform = field::one_of(&["ON_DEMAND", "RESERVED", "SPOT"]))]
        server capacity_option_type: Option<String>,
        /// The instances' volume.
        server storage_configuration: Option<ManagedInstancesStorage>,
        /// How closely CloudWatch watches: `BASIC` or `DETAILED`.
        #[schemars(transform = field::one_of(&["BASIC", "DETAILED"]))]
        server monitoring: Option<String>,
        /// Whether only FIPS-validated cryptography is used.
        #[schemars(transform = field::create_only)]
        default fips_enabled: bool,
        /// Which capacity reservations are used.
        empty capacity_reservations: Option<CapacityReservations>,
        /// Whether instances see their tags in their metadata.
        default instance_metadata_tags_propagation: bool,
        /// Whether the instances' own disks are used.
        empty local_storage_configuration: Option<LocalStorage>,
    }

    /// Where ECS managed instances are launched.
    pub struct ManagedInstancesNetwork = sdk::ManagedInstancesNetworkConfiguration {
        /// The subnets.
        #[schemars(transform = field::set, transform = field::items_refer(SUBNETS))]
        empty subnets: Vec<String>,
        /// The security groups.
        #[schemars(transform = field::set, transform = field::items_refer(GROUPS))]
        empty security_groups: Vec<String>,
    }

    /// Which instances ECS managed instances may choose.
    pub struct InstanceRequirements = sdk::InstanceRequirementsRequest {
        /// Instance types, with wildcards.
        #[schemars(transform = field::set)]
        empty allowed_instance_types: Vec<String>,
    }

    /// The volume of ECS managed instances.
    pub struct ManagedInstancesStorage = sdk::ManagedInstancesStorageConfiguration {
        /// Its size, in GiB.
        #[serde(rename = "storageSizeGiB")]
        #[schemars(range(min = 1))]
        server storage_size_gib: Option<i32>,
    }

    /// Which capacity reservations ECS managed instances use.
    pub struct CapacityReservations = sdk::CapacityReservationRequest {
        /// The resource group that holds the reservations.
        empty reservation_group_arn: Option<String>,
        /// How reservations are used: `RESERVATIONS_ONLY`, `RESERVATIONS_FIRST` or `RESERVATIONS_EXCLUDED`.
        #[schemars(transform = field::one_of(&["RESERVATIONS_EXCLUDED", "RESERVATIONS_FIRST", "RESERVATIONS_ONLY"]))]
        server reservation_preference: Option<String>,
    }

    /// Whether the own disks of ECS managed instances are used.
    pub struct LocalStorage = sdk::ManagedInstancesLocalStorageConfiguration {
        /// Whether they are.
        default use_local_storage: bool,
    }

    /// How ECS saves on managed instances.
    pub struct InfrastructureOptimization = sdk::InfrastructureOptimization {
        /// How long an idle instance stays, in seconds, 0 to 3600; -1: for ever.
        #[schemars(range(min = -1, max = 3600))]
        server scale_in_after: Option<i32>,
    }
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
