//! Settings of a job beside its containers: attempts, time, nodes, consumable resources.

use aws_sdk_batch::types as sdk;

use super::container_properties::ContainerProperties;
use super::ecs::EcsProperties;
use super::eks::EksProperties;
use crate::field;
use crate::kinds::mirror::mirror;

/// Patterns of reasons: letters, digits, `.`, `:` and blanks, perhaps with a `*` at the end.
/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html>
const REASON: &str = r"^[0-9A-Za-z.:\s]*\*?$";

mirror! {
    /// How often a job is tried.
    pub struct RetryStrategy = sdk::RetryStrategy {
        /// 1 to 10.
        #[schemars(range(min = 1, max = 10))]
        empty attempts: Option<i32>,
        /// What decides, the first match first; 5 at most. A job that matches none is tried again; one that ran out of time never is.
        empty evaluate_on_exit: Vec<EvaluateOnExit>,
    }

    /// What becomes of a job that ended in this way. All patterns have to match; each may end in `*`.
    pub struct EvaluateOnExit = sdk::EvaluateOnExit {
        /// A pattern of the status reason, such as `Host EC2*`.
        #[schemars(length(max = 512), regex(pattern = REASON))]
        empty on_status_reason: Option<String>,
        /// A pattern of the reason: letters, digits, `.`, `:` and blanks.
        #[schemars(length(max = 512), regex(pattern = REASON))]
        empty on_reason: Option<String>,
        /// A pattern of the exit code.
        #[schemars(length(max = 512), regex(pattern = r"^[0-9]*\*?$"))]
        empty on_exit_code: Option<String>,
        /// `RETRY` or `EXIT`.
        #[schemars(transform = field::caseless)]
        required action: String,
    }

    /// How long an attempt may take.
    pub struct Timeout = sdk::JobTimeout {
        /// In seconds; 60 at least.
        #[schemars(range(min = 60))]
        empty attempt_duration_seconds: Option<i32>,
    }

    /// The nodes of a multi-node job.
    pub struct NodeProperties = sdk::NodeProperties {
        /// How many.
        #[schemars(range(min = 1, max = 1000))]
        required num_nodes: i32,
        /// Which one leads, from 0.
        #[schemars(range(min = 0))]
        required main_node: i32,
        /// What the nodes run.
        #[schemars(transform = field::keyed("targetNodes"))]
        required node_range_properties: Vec<NodeRange>,
    }

    /// What some nodes run.
    pub struct NodeRange = sdk::NodeRangeProperty {
        /// Which, from 0: `0:3`, `4:`, `:`.
        required target_nodes: String,
        /// The container of each.
        empty container: Option<ContainerProperties>,
        /// Their instance type; one.
        empty instance_types: Vec<String>,
        /// The containers of each.
        empty ecs_properties: Option<EcsProperties>,
        /// The pod of each.
        empty eks_properties: Option<EksProperties>,
        /// Consumable resources of each.
        empty consumable_resource_properties: Option<ConsumableResources>,
    }

    /// Consumable resources that a job takes.
    pub struct ConsumableResources = sdk::ConsumableResourceProperties {
        /// Which, and how much.
        #[schemars(transform = field::keyed("consumableResource"))]
        empty consumable_resource_list: Vec<ConsumableResource>,
    }

    /// A consumable resource that a job takes.
    pub struct ConsumableResource = sdk::ConsumableResourceRequirement {
        /// Its name or ARN.
        #[schemars(transform = field::name_or_arn, transform = field::refers(&["batch/ConsumableResource.arn"]))]
        required consumable_resource: String,
        /// How much.
        #[schemars(range(min = 1))]
        required quantity: i64,
    }
}
