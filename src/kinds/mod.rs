//! One file per kind, one line per kind in the registry below.

use crate::kind::{AnyKind, Erased};

pub mod batch;
pub mod ec2;
pub mod ecr;
pub mod iam;
pub mod logs;
pub mod mirror;
pub mod s3;
#[cfg(test)]
pub(crate) mod trial;

/// Every kind, in order of its name.
pub static KINDS: &[&dyn AnyKind] = &[
    &Erased::<batch::compute_environment::ComputeEnvironment>::new(),
    &Erased::<batch::job_definition::JobDefinition>::new(),
    &Erased::<batch::job_queue::JobQueue>::new(),
    &Erased::<ec2::internet_gateway::InternetGateway>::new(),
    &Erased::<ec2::route_table::RouteTable>::new(),
    &Erased::<ec2::security_group::SecurityGroup>::new(),
    &Erased::<ec2::subnet::Subnet>::new(),
    &Erased::<ec2::vpc::Vpc>::new(),
    &Erased::<ec2::vpc_endpoint::VpcEndpoint>::new(),
    &Erased::<ecr::repository::Repository>::new(),
    &Erased::<iam::oidc_provider::OidcProvider>::new(),
    &Erased::<iam::policy::Policy>::new(),
    &Erased::<iam::role::Role>::new(),
    &Erased::<iam::service_linked_role::ServiceLinkedRole>::new(),
    &Erased::<logs::log_group::LogGroup>::new(),
    &Erased::<s3::bucket::Bucket>::new(),
];

/// The kind of this name, such as `batch/JobQueue`.
pub fn kind(name: &str) -> Option<&'static dyn AnyKind> {
    KINDS.iter().copied().find(|kind| kind.facts().name == name)
}
