//! Settings of a compute environment beside what it launches.

use aws_sdk_batch::types as sdk;

use crate::field;
use crate::kinds::mirror::mirror;

mirror! {
    /// What becomes of running jobs when an update replaces instances.
    pub struct UpdatePolicy = sdk::UpdatePolicy {
        /// Whether they are stopped at once.
        default terminate_jobs_on_update: bool,
        /// How long they may go on otherwise, in minutes: 1 to 7200. What takes longer is stopped.
        #[schemars(range(min = 1, max = 7200))]
        default job_execution_timeout_minutes: i64 = 30,
    }

    /// The EKS cluster that jobs run in.
    pub struct EksConfiguration = sdk::EksConfiguration {
        /// The cluster's ARN.
        #[schemars(regex(pattern = "^arn:[a-z-]+:eks:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"), transform = field::create_only)]
        required eks_cluster_arn: String,
        /// The namespace of jobs' pods; not `default`, and not one that begins with `kube-`.
        #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"), transform = field::create_only)]
        required kubernetes_namespace: String,
        /// How Batch gets access to the cluster.
        server access_entry: Option<EksAccessEntry>,
    }

    /// How Batch gets access to an EKS cluster.
    pub struct EksAccessEntry = sdk::EksAccessEntry {
        /// Whether Batch keeps an access entry in the cluster: `ENABLED`, `DISABLED` or `INHERIT_FROM_CLUSTER`.
        #[schemars(transform = field::one_of(sdk::EksAccessEntryDesiredState::values()))]
        server desired_state: Option<String>,
    }
    unsaid { status }

    /// Settings of the ECS cluster that Batch makes.
    pub struct EcsSettings = sdk::EcsSettings {
        /// Whether CloudWatch collects figures of the containers: `DISABLED`, `ENABLED` or `ENHANCED`.
        #[schemars(transform = field::one_of(sdk::ContainerInsights::values()))]
        default container_insights: String = "DISABLED".to_owned(),
    }
}
