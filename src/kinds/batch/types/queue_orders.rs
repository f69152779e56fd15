//! What a job queue sends jobs to, and what it gives up on.

use aws_sdk_batch::types as sdk;

use crate::field;
use crate::kinds::mirror::mirror;

/// Why jobs that Batch places wait, as far as a queue can act on it.
/// <https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable_time_limit_actions.html>; the last one stands on that
/// page of the European Sovereign Cloud only.
pub const STUCK_JOBS: &[&str] = &[
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
    "MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED",
];

/// The same of jobs for SageMaker.
/// <https://docs.aws.amazon.com/batch/latest/userguide/sm_job_stuck_in_runnable_time_limit_actions.html>
pub const STUCK_SERVICE_JOBS: &[&str] = &[
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "MISCONFIGURATION:SERVICE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:QUOTA_MANAGEMENT_LIMIT_EXCEEDED",
];

mirror! {
    /// One compute environment of a queue.
    pub struct ComputeEnvironmentOrder = sdk::ComputeEnvironmentOrder {
        /// Its place: lower comes first. Absent: its place in the list.
        empty order: Option<i32>,
        /// Its name or ARN.
        #[schemars(transform = field::name_or_arn, transform = field::refers(&["batch/ComputeEnvironment.arn", "batch/ComputeEnvironment.name"]))]
        required compute_environment: String,
    }

    /// One service environment of a queue.
    pub struct ServiceEnvironmentOrder = sdk::ServiceEnvironmentOrder {
        /// Its place: lower comes first. Absent: its place in the list.
        empty order: Option<i32>,
        /// Its name or ARN.
        #[schemars(transform = field::name_or_arn, transform = field::refers(&["batch/ServiceEnvironment.arn", "batch/ServiceEnvironment.name"]))]
        required service_environment: String,
    }

    /// What becomes of a job that waits too long at the head of a queue.
    pub struct JobStateTimeLimitAction = sdk::JobStateTimeLimitAction {
        /// The reason of waiting, as Batch words it: `CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY`,
        /// `MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE`, `MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT` or
        /// `MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED`; for jobs of SageMaker the first,
        /// `MISCONFIGURATION:SERVICE_ENVIRONMENT_MAX_RESOURCE` or `MISCONFIGURATION:QUOTA_MANAGEMENT_LIMIT_EXCEEDED`.
        required reason: String,
        /// The state that the job waits in: `RUNNABLE`.
        #[schemars(transform = field::one_of(sdk::JobStateTimeLimitActionsState::values()))]
        required state: String,
        /// How long it may, in seconds: 600 to 86400.
        #[schemars(range(min = 600, max = 86400))]
        required max_time_seconds: i32,
        /// `CANCEL`, or `TERMINATE` for jobs of SageMaker.
        #[schemars(transform = field::one_of(sdk::JobStateTimeLimitActionsAction::values()))]
        required action: String,
    }
}
