//! How instances are placed, bought, watched and guarded.

use aws_sdk_ec2::types as sdk;

use crate::kind::prelude::*;
use crate::kinds::ec2::types::time::Time;

/// Specifies whether detailed monitoring is enabled for an instance.
#[spec(mirrors = sdk::LaunchTemplatesMonitoringRequest, told = sdk::LaunchTemplatesMonitoring)]
pub struct Monitoring {
    /// Specify true to enable detailed monitoring.
    #[field(empty)]
    pub enabled: Option<bool>,
}

/// Specifies the placement of an instance.
#[spec(mirrors = sdk::LaunchTemplatePlacementRequest, told = sdk::LaunchTemplatePlacement)]
pub struct Placement {
    /// The Availability Zone for the instance.
    #[field(empty)]
    pub availability_zone: Option<String>,
    /// The availability zone, by its id.
    #[field(empty)]
    pub availability_zone_id: Option<String>,
    /// The affinity setting for an instance on a Dedicated Host.
    #[field(empty)]
    pub affinity: Option<String>,
    /// The placement group of instances, by name; in place of `groupId`.
    #[field(empty, refers("ec2/PlacementGroup.name"))]
    pub group_name: Option<String>,
    /// The ID of the Dedicated Host for the instance.
    #[field(empty)]
    pub host_id: Option<String>,
    /// The tenancy of the instance.
    #[field(empty, one_of(sdk::Tenancy::values()))]
    pub tenancy: Option<String>,
    /// Reserved for future use.
    #[field(empty)]
    pub spread_domain: Option<String>,
    /// The ARN of the host resource group in which to launch the instances.
    #[field(empty)]
    pub host_resource_group_arn: Option<String>,
    /// The number of the partition the instance should launch in.
    #[field(empty)]
    pub partition_number: Option<i32>,
    /// The placement group of instances, by id; in place of `groupName`.
    #[field(empty, refers("ec2/PlacementGroup.id"))]
    pub group_id: Option<String>,
}

/// An elastic graphics accelerator.
#[spec(mirrors = sdk::ElasticGpuSpecification, told = sdk::ElasticGpuSpecificationResponse)]
pub struct ElasticGpu {
    /// The type, such as `eg1.medium`.
    #[field(empty)]
    pub r#type: Option<String>,
}

/// An elastic inference accelerator.
#[spec(mirrors = sdk::LaunchTemplateElasticInferenceAccelerator, told = sdk::LaunchTemplateElasticInferenceAcceleratorResponse)]
pub struct ElasticInferenceAccelerator {
    /// The type, such as `eia1.medium`.
    #[field(empty)]
    pub r#type: Option<String>,
    /// How many.
    #[field(empty, range(1..))]
    pub count: Option<i32>,
}

/// Specifies the market (purchasing) option for an instance.
#[spec(mirrors = sdk::LaunchTemplateInstanceMarketOptionsRequest, told = sdk::LaunchTemplateInstanceMarketOptions)]
pub struct MarketOptions {
    /// The market type.
    #[field(empty, one_of(sdk::MarketType::values()))]
    pub market_type: Option<String>,
    /// The options for Spot Instances.
    #[field(empty)]
    pub spot_options: Option<SpotMarketOptions>,
}

/// Specifies options for Spot Instances.
#[spec(mirrors = sdk::LaunchTemplateSpotMarketOptionsRequest, told = sdk::LaunchTemplateSpotMarketOptions)]
pub struct SpotMarketOptions {
    /// The maximum hourly price you're willing to pay for a Spot Instance.
    #[field(empty)]
    pub max_price: Option<String>,
    /// The Spot Instance request type.
    #[field(empty, one_of(sdk::SpotInstanceType::values()))]
    pub spot_instance_type: Option<String>,
    /// Deprecated by AWS.
    #[field(empty)]
    pub block_duration_minutes: Option<i32>,
    /// Until when the request holds, such as `2027-01-31T12:00:00Z`.
    #[field(empty)]
    pub valid_until: Option<Time>,
    /// The behavior when a Spot Instance is interrupted.
    #[field(empty, one_of(sdk::InstanceInterruptionBehavior::values()))]
    pub instance_interruption_behavior: Option<String>,
}

/// Specifies the credit option for CPU usage of a T2, T3, or T3a instance.
#[spec(mirrors = sdk::CreditSpecificationRequest, told = sdk::CreditSpecification)]
pub struct Credit {
    /// The credit option for CPU usage of a T instance.
    #[field(empty)]
    pub cpu_credits: Option<String>,
}

/// Specifies the CPU options for an instance.
#[spec(mirrors = sdk::LaunchTemplateCpuOptionsRequest, told = sdk::LaunchTemplateCpuOptions)]
pub struct CpuOptions {
    /// The number of CPU cores for the instance.
    #[field(empty)]
    pub core_count: Option<i32>,
    /// The number of threads per CPU core.
    #[field(empty)]
    pub threads_per_core: Option<i32>,
    /// Indicates whether to enable the instance for AMD SEV-SNP.
    #[field(empty, one_of(sdk::AmdSevSnpSpecification::values()))]
    pub amd_sev_snp: Option<String>,
    /// Indicates whether the instance is enabled for nested virtualization.
    #[field(empty, one_of(sdk::NestedVirtualizationSpecification::values()))]
    pub nested_virtualization: Option<String>,
}

/// Specifies an instance's Capacity Reservation targeting option.
#[spec(mirrors = sdk::LaunchTemplateCapacityReservationSpecificationRequest, told = sdk::LaunchTemplateCapacityReservationSpecificationResponse)]
pub struct CapacityReservation {
    /// Indicates the instance's Capacity Reservation preferences.
    #[field(empty, one_of(sdk::CapacityReservationPreference::values()))]
    pub capacity_reservation_preference: Option<String>,
    /// Information about the target Capacity Reservation or Capacity Reservation group.
    #[field(empty)]
    pub capacity_reservation_target: Option<CapacityReservationTarget>,
}

/// Specifies a target Capacity Reservation.
#[spec(mirrors = sdk::CapacityReservationTarget, told = sdk::CapacityReservationTargetResponse)]
pub struct CapacityReservationTarget {
    /// The ID of the Capacity Reservation in which to run the instance.
    #[field(empty)]
    pub capacity_reservation_id: Option<String>,
    /// The ARN of the Capacity Reservation resource group in which to run the instance.
    #[field(empty)]
    pub capacity_reservation_resource_group_arn: Option<String>,
}

/// Specifies a license configuration for an instance.
#[spec(mirrors = sdk::LaunchTemplateLicenseConfigurationRequest, told = sdk::LaunchTemplateLicenseConfiguration)]
pub struct LicenseConfiguration {
    /// The Amazon Resource Name (ARN) of the license configuration.
    #[field(empty)]
    pub license_configuration_arn: Option<String>,
}

/// Specifies whether your instance is configured for hibernation.
#[spec(mirrors = sdk::LaunchTemplateHibernationOptionsRequest, told = sdk::LaunchTemplateHibernationOptions)]
pub struct HibernationOptions {
    /// If you set this parameter to true, the instance is enabled for hibernation.
    #[field(empty)]
    pub configured: Option<bool>,
}

/// The metadata options for the instance.
#[spec(mirrors = sdk::LaunchTemplateInstanceMetadataOptionsRequest, told = sdk::LaunchTemplateInstanceMetadataOptions, unsaid = [state])]
pub struct MetadataOptions {
    /// Indicates whether IMDSv2 is required.
    #[field(server, one_of(sdk::LaunchTemplateHttpTokensState::values()))]
    pub http_tokens: Option<String>,
    /// The desired HTTP PUT response hop limit for instance metadata requests.
    #[field(server)]
    pub http_put_response_hop_limit: Option<i32>,
    /// Enables or disables the HTTP metadata endpoint on your instances.
    #[field(server, one_of(sdk::LaunchTemplateInstanceMetadataEndpointState::values()))]
    pub http_endpoint: Option<String>,
    /// Enables or disables the IPv6 endpoint for the instance metadata service.
    #[field(server, one_of(sdk::LaunchTemplateInstanceMetadataProtocolIpv6::values()))]
    pub http_protocol_ipv6: Option<String>,
    /// Set to enabled to allow access to instance tags from the instance metadata.
    #[field(server, one_of(sdk::LaunchTemplateInstanceMetadataTagsState::values()))]
    pub instance_metadata_tags: Option<String>,
}

/// Indicates whether the instance is enabled for AWS Nitro Enclaves.
#[spec(mirrors = sdk::LaunchTemplateEnclaveOptionsRequest, told = sdk::LaunchTemplateEnclaveOptions)]
pub struct EnclaveOptions {
    /// If this parameter is set to true, the instance is enabled for AWS Nitro Enclaves; otherwise, it is not enabled
    /// for AWS Nitro Enclaves.
    #[field(empty)]
    pub enabled: Option<bool>,
}

/// The maintenance options of your instance.
#[spec(mirrors = sdk::LaunchTemplateInstanceMaintenanceOptionsRequest, told = sdk::LaunchTemplateInstanceMaintenanceOptions)]
pub struct MaintenanceOptions {
    /// Disables the automatic recovery behavior of your instance or sets it to default.
    #[field(empty, one_of(sdk::LaunchTemplateAutoRecoveryState::values()))]
    pub auto_recovery: Option<String>,
}

/// Who manages instances.
#[spec(mirrors = sdk::OperatorRequest, told = sdk::OperatorResponse, unsaid = [managed, hidden_by_default])]
pub struct Operator {
    /// The service, such as `ecs.amazonaws.com`.
    #[field(empty)]
    pub principal: Option<String>,
}
