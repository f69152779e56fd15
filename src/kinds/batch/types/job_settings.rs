//! Settings of a job beside its containers: attempts, time, nodes, consumable resources.

use crate::kind::prelude::*;
use aws_sdk_batch::types as sdk;

use super::container_properties::ContainerProperties;
use super::ecs::EcsProperties;
use super::eks::EksProperties;

/// Patterns of reasons: letters, digits, `.`, `:` and blanks, perhaps with a `*` at the end.
/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html>
const REASON: &str = r"^[0-9A-Za-z.:\s]*\*?$";

/// How often a job is tried.
#[spec(mirrors = sdk::RetryStrategy)]
pub struct RetryStrategy {
    /// 1 to 10.
    #[field(empty, range(1..=10))]
    pub attempts: Option<i32>,
    /// What decides, the first match first; 5 at most. A job that matches none is tried again; one that ran out of time never is.
    #[field(empty)]
    pub evaluate_on_exit: Vec<EvaluateOnExit>,
}

/// What becomes of a job that ended in this way. All patterns have to match; each may end in `*`.
#[spec(mirrors = sdk::EvaluateOnExit)]
pub struct EvaluateOnExit {
    /// A pattern of the status reason, such as `Host EC2*`.
    #[field(empty, length(..=512), regex(REASON))]
    pub on_status_reason: Option<String>,
    /// A pattern of the reason: letters, digits, `.`, `:` and blanks.
    #[field(empty, length(..=512), regex(REASON))]
    pub on_reason: Option<String>,
    /// A pattern of the exit code.
    #[field(empty, length(..=512), regex(r"^[0-9]*\*?$"))]
    pub on_exit_code: Option<String>,
    /// `RETRY` or `EXIT`.
    #[field(caseless)]
    pub action: String,
}

/// How long an attempt may take.
#[spec(mirrors = sdk::JobTimeout)]
pub struct Timeout {
    /// In seconds; 60 at least.
    #[field(empty, range(60..))]
    pub attempt_duration_seconds: Option<i32>,
}

/// The nodes of a multi-node job.
#[spec(mirrors = sdk::NodeProperties)]
pub struct NodeProperties {
    /// How many.
    #[field(range(1..=1000))]
    pub num_nodes: i32,
    /// Which one leads, from 0.
    #[field(range(0..))]
    pub main_node: i32,
    /// What the nodes run.
    #[field(required, keyed("targetNodes"))]
    pub node_range_properties: Vec<NodeRange>,
}

/// What some nodes run.
#[spec(mirrors = sdk::NodeRangeProperty)]
pub struct NodeRange {
    /// Which, from 0: `0:3`, `4:`, `:`.
    pub target_nodes: String,
    /// The container of each.
    #[field(empty)]
    pub container: Option<ContainerProperties>,
    /// Their instance type; one.
    #[field(empty)]
    pub instance_types: Vec<String>,
    /// The containers of each.
    #[field(empty)]
    pub ecs_properties: Option<EcsProperties>,
    /// The pod of each.
    #[field(empty)]
    pub eks_properties: Option<EksProperties>,
    /// Consumable resources of each.
    #[field(empty)]
    pub consumable_resource_properties: Option<ConsumableResources>,
}

/// Consumable resources that a job takes.
#[spec(mirrors = sdk::ConsumableResourceProperties)]
pub struct ConsumableResources {
    /// Which, and how much.
    #[field(empty, keyed("consumableResource"))]
    pub consumable_resource_list: Vec<ConsumableResource>,
}

/// A consumable resource that a job takes.
#[spec(mirrors = sdk::ConsumableResourceRequirement)]
pub struct ConsumableResource {
    /// Its name or ARN.
    #[field(name_or_arn, refers("batch/ConsumableResource.arn", "batch/ConsumableResource.name"))]
    pub consumable_resource: String,
    /// How much.
    #[field(range(1..))]
    pub quantity: i64,
}
