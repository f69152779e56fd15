//! What instances are launched with: volumes, tags, and what stands in files of its own.

use aws_sdk_ec2::types as sdk;

use super::network::{
    NetworkInterface, NetworkPerformanceOptions, PrivateDnsNameOptions, SecondaryInterface,
};
use super::options::*;
use super::requirements::InstanceRequirements;
use crate::kind::prelude::*;

/// A family and a size: AWS has new ones each month.
const INSTANCE_TYPE: &str = r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$";

/// What instances are launched with.
#[spec(mirrors = sdk::RequestLaunchTemplateData, told = sdk::ResponseLaunchTemplateData)]
pub struct Data {
    /// The ID of the kernel.
    #[field(empty)]
    pub kernel_id: Option<String>,
    /// Indicates whether the instance is optimized for Amazon EBS I/O.
    #[field(empty)]
    pub ebs_optimized: Option<bool>,
    /// The instance profile; Batch takes that of its environment instead.
    #[field(empty)]
    pub iam_instance_profile: Option<IamInstanceProfile>,
    /// The volumes of instances.
    #[field(empty, keyed("deviceName"))]
    pub block_device_mappings: Vec<BlockDeviceMapping>,
    /// The network interfaces for the instance.
    #[field(empty)]
    pub network_interfaces: Vec<NetworkInterface>,
    /// The AMI, by id or as `resolve:ssm:<parameter>`.
    #[field(empty)]
    pub image_id: Option<String>,
    /// The type of instances; Batch takes those of its environment instead.
    #[field(empty, regex(INSTANCE_TYPE))]
    pub instance_type: Option<String>,
    /// The name of the key pair.
    #[field(empty)]
    pub key_name: Option<String>,
    /// The monitoring for the instance.
    #[field(empty)]
    pub monitoring: Option<Monitoring>,
    /// The placement for the instance.
    #[field(empty)]
    pub placement: Option<Placement>,
    /// The ID of the RAM disk.
    #[field(empty)]
    pub ram_disk_id: Option<String>,
    /// Indicates whether termination protection is enabled for the instance.
    #[field(empty)]
    pub disable_api_termination: Option<bool>,
    /// Indicates whether an instance stops or terminates when you initiate shutdown from the instance (using the
    /// operating system command for system shutdown).
    #[field(empty, one_of(sdk::ShutdownBehavior::values()))]
    pub instance_initiated_shutdown_behavior: Option<String>,
    /// What instances do when they start: in clear, or in base64 as AWS keeps it. Batch takes MIME multipart archives
    /// only.
    #[field(empty, sensitive)]
    pub user_data: Option<String>,
    /// The tags of what is launched; those of the template itself are metadata.tags.
    #[field(empty, keyed("resourceType"))]
    pub tag_specifications: Vec<TagSpecification>,
    /// Elastic graphics accelerators; AWS has none any more.
    #[field(empty)]
    pub elastic_gpu_specifications: Vec<ElasticGpu>,
    /// Elastic inference accelerators; AWS has none any more.
    #[field(empty)]
    pub elastic_inference_accelerators: Vec<ElasticInferenceAccelerator>,
    /// The security groups of instances, by id.
    #[field(
        empty,
        set,
        items_refer("ec2/SecurityGroup.id", "ec2/SecurityGroup.groupId", "ec2/Vpc.defaultSecurityGroupId")
    )]
    pub security_group_ids: Vec<String>,
    /// The security groups of instances, by name; in a default VPC only.
    #[field(empty, set)]
    pub security_groups: Vec<String>,
    /// How instances are bought; Batch takes what its environment says instead.
    #[field(empty)]
    pub instance_market_options: Option<MarketOptions>,
    /// The credit option for CPU usage of the instance.
    #[field(empty)]
    pub credit_specification: Option<Credit>,
    /// The CPU options for the instance.
    #[field(empty)]
    pub cpu_options: Option<CpuOptions>,
    /// The Capacity Reservation targeting option.
    #[field(empty)]
    pub capacity_reservation_specification: Option<CapacityReservation>,
    /// The license configurations.
    #[field(empty)]
    pub license_specifications: Vec<LicenseConfiguration>,
    /// Indicates whether an instance is enabled for hibernation.
    #[field(empty)]
    pub hibernation_options: Option<HibernationOptions>,
    /// The metadata options for the instance.
    #[field(empty)]
    pub metadata_options: Option<MetadataOptions>,
    /// Indicates whether the instance is enabled for AWS Nitro Enclaves.
    #[field(empty)]
    pub enclave_options: Option<EnclaveOptions>,
    /// The attributes for the instance types.
    #[field(empty)]
    pub instance_requirements: Option<InstanceRequirements>,
    /// The hostname type for EC2 instances launched into this subnet and how DNS A and AAAA record queries should be
    /// handled.
    #[field(empty)]
    pub private_dns_name_options: Option<PrivateDnsNameOptions>,
    /// The maintenance options of your instance.
    #[field(empty)]
    pub maintenance_options: Option<MaintenanceOptions>,
    /// Indicates whether to enable the instance for stop protection.
    #[field(empty)]
    pub disable_api_stop: Option<bool>,
    /// The service that manages the instances.
    #[field(empty)]
    pub operator: Option<Operator>,
    /// The settings for the network performance options for the instance.
    #[field(empty)]
    pub network_performance_options: Option<NetworkPerformanceOptions>,
    /// Network interfaces in secondary subnets.
    #[field(empty)]
    pub secondary_interfaces: Vec<SecondaryInterface>,
}

/// Specifies an IAM instance profile, which is a container for an IAM role for your instance.
#[spec(mirrors = sdk::LaunchTemplateIamInstanceProfileSpecificationRequest, told = sdk::LaunchTemplateIamInstanceProfileSpecification)]
pub struct IamInstanceProfile {
    /// The Amazon Resource Name (ARN) of the instance profile.
    #[field(empty, refers("iam/InstanceProfile.arn"))]
    pub arn: Option<String>,
    /// The name of the instance profile.
    #[field(empty, refers("iam/InstanceProfile.name"))]
    pub name: Option<String>,
}

/// Specifies a block device mapping for a launch template.
#[spec(mirrors = sdk::LaunchTemplateBlockDeviceMappingRequest, told = sdk::LaunchTemplateBlockDeviceMapping)]
pub struct BlockDeviceMapping {
    /// The device name (for example, /dev/sdh or xvdh).
    #[field(empty)]
    pub device_name: Option<String>,
    /// The virtual device name (ephemeralN).
    #[field(empty)]
    pub virtual_name: Option<String>,
    /// Parameters used to automatically set up EBS volumes when the instance is launched.
    #[field(empty)]
    pub ebs: Option<Ebs>,
    /// To omit the device from the block device mapping, specify an empty string.
    #[field(empty)]
    pub no_device: Option<String>,
}

/// Parameters for a block device for an EBS volume in an Amazon EC2 launch template.
#[spec(mirrors = sdk::LaunchTemplateEbsBlockDeviceRequest, told = sdk::LaunchTemplateEbsBlockDevice)]
pub struct Ebs {
    /// Indicates whether the EBS volume is encrypted.
    #[field(empty)]
    pub encrypted: Option<bool>,
    /// Indicates whether the EBS volume is deleted on instance termination.
    #[field(empty)]
    pub delete_on_termination: Option<bool>,
    /// The number of I/O operations per second (IOPS).
    #[field(empty)]
    pub iops: Option<i32>,
    /// The KMS key that encrypts the volume, by id, ARN or alias.
    #[field(empty, refers("kms/Key.arn", "kms/Key.id"))]
    pub kms_key_id: Option<String>,
    /// The ID of the snapshot.
    #[field(empty)]
    pub snapshot_id: Option<String>,
    /// The size of the volume, in GiBs.
    #[field(empty)]
    pub volume_size: Option<i32>,
    /// The volume type.
    #[field(empty, one_of(sdk::VolumeType::values()))]
    pub volume_type: Option<String>,
    /// The throughput to provision for a gp3 volume, with a maximum of 2,000 MiB/s.
    #[field(empty)]
    pub throughput: Option<i32>,
    /// Specifies the Amazon EBS Provisioned Rate for Volume Initialization (volume initialization rate), in MiB/s, at
    /// which to download the snapshot blocks from Amazon S3 to the volume.
    #[field(empty)]
    pub volume_initialization_rate: Option<i32>,
    /// The index of the EBS card.
    #[field(empty)]
    pub ebs_card_index: Option<i32>,
}

/// Specifies the tags to apply to resources that are created during instance launch.
#[spec(mirrors = sdk::LaunchTemplateTagSpecificationRequest, told = sdk::LaunchTemplateTagSpecification)]
pub struct TagSpecification {
    /// The type of resource to tag.
    #[field(empty, one_of(sdk::ResourceType::values()))]
    pub resource_type: Option<String>,
    /// The tags to apply to the resource.
    #[field(empty)]
    pub tags: Vec<Tag>,
}

/// Specifies a tag.
#[spec(mirrors = sdk::Tag)]
pub struct Tag {
    /// The tag key.
    #[field(empty)]
    pub key: Option<String>,
    /// The tag value.
    #[field(empty)]
    pub value: Option<String>,
}
