//! Which types of instances may be chosen.

use aws_sdk_ec2::types as sdk;

use crate::kind::prelude::*;
use crate::kinds::mirror::{Field, Part};

/// Types of instances, with wildcards.
const INSTANCES: &str = r"^[a-zA-Z0-9.*-]{1,30}$";

/// The attributes for the instance types.
#[spec(mirrors = sdk::InstanceRequirementsRequest, told = sdk::InstanceRequirements)]
pub struct InstanceRequirements {
    /// The minimum and maximum number of vCPUs.
    #[field(empty)]
    pub v_cpu_count: Option<Whole>,
    /// The minimum and maximum amount of memory, in MiB.
    #[serde(rename = "memoryMiB")]
    #[field(empty)]
    pub memory_mib: Option<Whole>,
    /// The CPU manufacturers to include.
    #[field(empty, set, items_one_of(sdk::CpuManufacturer::values()))]
    pub cpu_manufacturers: Vec<String>,
    /// The minimum and maximum amount of memory per vCPU, in GiB.
    #[serde(rename = "memoryGiBPerVCpu")]
    #[field(empty)]
    pub memory_gib_per_v_cpu: Option<Decimal>,
    /// The instance types to exclude.
    #[field(empty, set, length(..=400), inner(regex(INSTANCES)))]
    pub excluded_instance_types: Vec<String>,
    /// Indicates whether current or previous generation instance types are included.
    #[field(empty, set, items_one_of(sdk::InstanceGeneration::values()))]
    pub instance_generations: Vec<String>,
    /// The price protection threshold for Spot Instances, as a percentage higher than an
    /// identified Spot price.
    #[field(empty)]
    pub spot_max_price_percentage_over_lowest_price: Option<i32>,
    /// The price protection threshold for On-Demand Instances, as a percentage higher than an
    /// identified On-Demand price.
    #[field(empty)]
    pub on_demand_max_price_percentage_over_lowest_price: Option<i32>,
    /// Indicates whether bare metal instance types must be included, excluded, or required.
    #[field(empty, one_of(sdk::BareMetal::values()))]
    pub bare_metal: Option<String>,
    /// Indicates whether burstable performance T instance types are included, excluded, or required.
    #[field(empty, one_of(sdk::BurstablePerformance::values()))]
    pub burstable_performance: Option<String>,
    /// Indicates whether instance types must support hibernation for On-Demand Instances.
    #[field(empty)]
    pub require_hibernate_support: Option<bool>,
    /// The minimum and maximum number of network interfaces.
    #[field(empty)]
    pub network_interface_count: Option<Whole>,
    /// Indicates whether instance types with instance store volumes are included, excluded, or required.
    #[field(empty, one_of(sdk::LocalStorage::values()))]
    pub local_storage: Option<String>,
    /// The type of local storage that is required.
    #[field(empty, set, items_one_of(sdk::LocalStorageType::values()))]
    pub local_storage_types: Vec<String>,
    /// The minimum and maximum amount of total local storage, in GB.
    #[serde(rename = "totalLocalStorageGB")]
    #[field(empty)]
    pub total_local_storage_gb: Option<Decimal>,
    /// The minimum and maximum baseline bandwidth to Amazon EBS, in Mbps.
    #[field(empty)]
    pub baseline_ebs_bandwidth_mbps: Option<Whole>,
    /// The accelerator types that must be on the instance type.
    #[field(empty, set, items_one_of(sdk::AcceleratorType::values()))]
    pub accelerator_types: Vec<String>,
    /// The minimum and maximum number of accelerators (GPUs, FPGAs, or AWS Inferentia chips) on an instance.
    #[field(empty)]
    pub accelerator_count: Option<Whole>,
    /// Indicates whether instance types must have accelerators by specific manufacturers.
    #[field(empty, set, items_one_of(sdk::AcceleratorManufacturer::values()))]
    pub accelerator_manufacturers: Vec<String>,
    /// The accelerators that must be on the instance type.
    #[field(empty, set, items_one_of(sdk::AcceleratorName::values()))]
    pub accelerator_names: Vec<String>,
    /// The minimum and maximum amount of total accelerator memory, in MiB.
    #[serde(rename = "acceleratorTotalMemoryMiB")]
    #[field(empty)]
    pub accelerator_total_memory_mib: Option<Whole>,
    /// The minimum and maximum amount of network bandwidth, in gigabits per second (Gbps).
    #[field(empty)]
    pub network_bandwidth_gbps: Option<Decimal>,
    /// The instance types to apply your specified attributes against.
    #[field(empty, set, length(..=400), inner(regex(INSTANCES)))]
    pub allowed_instance_types: Vec<String>,
    /// The price protection threshold for Spot Instances, as a percentage of an identified On-
    /// Demand price.
    #[field(empty)]
    pub max_spot_price_as_percentage_of_optimal_on_demand_price: Option<i32>,
    /// The baseline performance to consider, using an instance family as a baseline reference.
    #[field(empty)]
    pub baseline_performance_factors: Option<BaselinePerformanceFactors>,
    /// Whether types have to encrypt traffic between instances.
    #[field(empty)]
    pub require_encryption_in_transit: Option<bool>,
}

/// The baseline performance to consider, using an instance family as a baseline reference.
#[spec(mirrors = sdk::BaselinePerformanceFactorsRequest, told = sdk::BaselinePerformanceFactors)]
pub struct BaselinePerformanceFactors {
    /// The CPU performance to consider, using an instance family as the baseline reference.
    #[field(empty)]
    pub cpu: Option<CpuPerformanceFactor>,
}

/// Specifies the CPU performance to consider when using an instance family as the baseline reference.
#[spec(mirrors = sdk::CpuPerformanceFactorRequest, told = sdk::CpuPerformanceFactor)]
pub struct CpuPerformanceFactor {
    /// The instance family to use as the baseline reference for CPU performance.
    #[field(empty)]
    pub references: Vec<PerformanceFactorReference>,
}

/// Specifies an instance family to use as the baseline reference for CPU performance.
#[spec(mirrors = sdk::PerformanceFactorReferenceRequest, told = sdk::PerformanceFactorReference)]
pub struct PerformanceFactorReference {
    /// The instance family to use as a baseline reference.
    #[field(empty)]
    pub instance_family: Option<String>,
}

/// From so many to so many.
#[spec(default)]
#[derive(Eq)]
pub struct Whole {
    /// At least so many.
    #[field(empty)]
    pub min: Option<i32>,
    /// At most so many; absent: no limit.
    #[field(empty)]
    pub max: Option<i32>,
}

/// From so much to so much.
#[spec(default)]
pub struct Decimal {
    /// At least so much.
    #[field(empty)]
    pub min: Option<f64>,
    /// At most so much; absent: no limit.
    #[field(empty)]
    pub max: Option<f64>,
}

/// AWS has a structure for each of them, in requests and in answers.
macro_rules! ranges {
    ($range:ident: $($sdk:ident)+) => {$(
        impl Part<sdk::$sdk> for $range {
            fn of(sdk: &sdk::$sdk) -> Self {
                Self { min: sdk.min, max: sdk.max }
            }

            fn sdk(&self) -> sdk::$sdk {
                sdk::$sdk::builder().set_min(self.min).set_max(self.max).build()
            }
        }

        impl Field<sdk::$sdk> for $range {
            fn read(sdk: Option<&sdk::$sdk>, absent: impl FnOnce() -> Self) -> Self {
                sdk.map_or_else(absent, Part::of)
            }

            fn write(&self) -> Option<sdk::$sdk> {
                Some(self.sdk())
            }
        }
    )+};
}

ranges!(Whole: VCpuCountRangeRequest VCpuCountRange MemoryMiBRequest MemoryMiB NetworkInterfaceCountRequest
    NetworkInterfaceCount BaselineEbsBandwidthMbpsRequest BaselineEbsBandwidthMbps AcceleratorCountRequest AcceleratorCount
    AcceleratorTotalMemoryMiBRequest AcceleratorTotalMemoryMiB);
ranges!(Decimal: MemoryGiBPerVCpuRequest MemoryGiBPerVCpu TotalLocalStorageGbRequest TotalLocalStorageGb
    NetworkBandwidthGbpsRequest NetworkBandwidthGbps);
