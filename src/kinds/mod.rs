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
    batch::job_definition::JobDefinition,
    batch::job_queue::JobQueue,
    ec2::internet_gateway::InternetGateway,
    ec2::route_table::RouteTable,
    ec2::security_group::SecurityGroup,
    ec2::subnet::Subnet,
    ec2::vpc::Vpc,
    ec2::vpc_endpoint::VpcEndpoint,
    ecr::repository::Repository,
    iam::oidc_provider::OidcProvider,
    iam::policy::Policy,
    iam::role::Role,
    iam::service_linked_role::ServiceLinkedRole,
    logs::log_group::LogGroup,
    s3::bucket::Bucket,
}

/// The kind of this name, such as `batch/JobQueue`.
pub fn kind(name: &str) -> Option<&'static dyn AnyKind> {
    KINDS.iter().copied().find(|kind| kind.facts().name == name)
}
