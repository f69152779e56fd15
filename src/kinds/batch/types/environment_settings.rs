//! Settings of a compute environment beside what it launches.

use crate::kind::prelude::*;
use aws_sdk_batch::types as sdk;

/// What becomes of running jobs when an update replaces instances.
#[spec(mirrors = sdk::UpdatePolicy)]
pub struct UpdatePolicy {
    /// Whether they are stopped at once.
    #[field(default)]
    pub terminate_jobs_on_update: bool,
    /// How long they may go on otherwise, in minutes: 1 to 7200. What takes longer is stopped.
    #[field(default = 30, range(1..=7200))]
    pub job_execution_timeout_minutes: i64,
}

/// The EKS cluster that jobs run in.
#[spec(mirrors = sdk::EksConfiguration)]
pub struct EksConfiguration {
    /// The cluster's ARN.
    #[field(
        regex("^arn:[a-z-]+:eks:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"),
        create_only
    )]
    pub eks_cluster_arn: String,
    /// The namespace of jobs' pods; not `default`, and not one that begins with `kube-`.
    #[field(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"), create_only)]
    pub kubernetes_namespace: String,
    /// How Batch gets access to the cluster.
    #[field(server)]
    pub access_entry: Option<EksAccessEntry>,
}

/// How Batch gets access to an EKS cluster.
#[spec(mirrors = sdk::EksAccessEntry, unsaid = [status])]
pub struct EksAccessEntry {
    /// Whether Batch keeps an access entry in the cluster: `ENABLED`, `DISABLED` or `INHERIT_FROM_CLUSTER`.
    #[field(server, one_of(sdk::EksAccessEntryDesiredState::values()))]
    pub desired_state: Option<String>,
}

/// Settings of the ECS cluster that Batch makes.
#[spec(mirrors = sdk::EcsSettings)]
pub struct EcsSettings {
    /// Whether CloudWatch collects figures of the containers: `DISABLED`, `ENABLED` or `ENHANCED`.
    #[field(default = "DISABLED", one_of(sdk::ContainerInsights::values()))]
    pub container_insights: String,
}
