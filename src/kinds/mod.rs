//! One file per kind, one line per kind in the registry below.

use std::sync::LazyLock;

use crate::diff::Free;
use crate::kind::{AnyKind, Erased};

pub mod attributes;
pub mod batch;
pub mod ec2;
pub mod ecr;
pub mod efs;
pub mod iam;
pub mod logs;
pub mod mirror;
pub mod s3;
pub mod sqs;
#[cfg(test)]
pub(crate) mod trial;

/// Makes the registry: each kind stands in a static of its own, which keeps its facts.
macro_rules! registry {
    ($(#[$doc:meta])* $name:ident: $($kind:ty),* $(,)?) => {
        $(#[$doc])*
        pub static $name: &[&dyn AnyKind] = &[$({
            static KIND: Erased<$kind> = Erased::new();
            &KIND
        }),*];
    };
}

registry! {
    /// Every kind, in order of its name.
    KINDS:
    batch::compute_environment::ComputeEnvironment,
    batch::consumable_resource::ConsumableResource,
    batch::job_definition::JobDefinition,
    batch::job_queue::JobQueue,
    batch::scheduling_policy::SchedulingPolicy,
    batch::service_environment::ServiceEnvironment,
    ec2::elastic_ip::ElasticIp,
    ec2::flow_log::FlowLog,
    ec2::internet_gateway::InternetGateway,
    ec2::launch_template::LaunchTemplate,
    ec2::nat_gateway::NatGateway,
    ec2::placement_group::PlacementGroup,
    ec2::route_table::RouteTable,
    ec2::security_group::SecurityGroup,
    ec2::subnet::Subnet,
    ec2::vpc::Vpc,
    ec2::vpc_endpoint::VpcEndpoint,
    ecr::repository::Repository,
    efs::access_point::AccessPoint,
    efs::file_system::FileSystem,
    iam::instance_profile::InstanceProfile,
    iam::oidc_provider::OidcProvider,
    iam::policy::Policy,
    iam::role::Role,
    iam::service_linked_role::ServiceLinkedRole,
    logs::log_group::LogGroup,
    s3::bucket::Bucket,
    sqs::queue::Queue,
}

/// The maps of all kinds in which anything may stand under any name: of what is no known kind, too.
pub static FREE: LazyLock<Free> =
    LazyLock::new(|| KINDS.iter().flat_map(|kind| kind.facts().free.iter().cloned()).collect());

/// The kind of this name, such as `batch/JobQueue`.
pub fn kind(name: &str) -> Option<&'static dyn AnyKind> {
    KINDS.iter().copied().find(|kind| kind.facts().name == name)
}

/// A resource, as messages show how one is written.
pub const SUCH_AS: &str = "batch/JobQueue/payments";

/// A reference, as messages show how one is written.
pub const SUCH_AS_REFERENCE: &str = "${iam/Role/job.arn}";

/// A field of a kind, as pages show how one is asked for.
pub const SUCH_AS_FIELD: &str = "batch/JobQueue.priority";
