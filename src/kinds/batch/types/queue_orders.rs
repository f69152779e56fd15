//! What a job queue sends jobs to, and what it gives up on.

use crate::kind::prelude::*;
use aws_sdk_batch::types as sdk;

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

/// One compute environment of a queue.
#[spec(mirrors = sdk::ComputeEnvironmentOrder)]
pub struct ComputeEnvironmentOrder {
    /// Its place: lower comes first. Absent: its place in the list.
    #[field(empty)]
    pub order: Option<i32>,
    /// Its name or ARN.
    #[field(name_or_arn, refers("batch/ComputeEnvironment.arn", "batch/ComputeEnvironment.name"))]
    pub compute_environment: String,
}

/// One service environment of a queue.
#[spec(mirrors = sdk::ServiceEnvironmentOrder)]
pub struct ServiceEnvironmentOrder {
    /// Its place: lower comes first. Absent: its place in the list.
    #[field(empty)]
    pub order: Option<i32>,
    /// Its name or ARN.
    #[field(name_or_arn, refers("batch/ServiceEnvironment.arn", "batch/ServiceEnvironment.name"))]
    pub service_environment: String,
}

/// What becomes of a job that waits too long at the head of a queue.
#[spec(mirrors = sdk::JobStateTimeLimitAction)]
pub struct JobStateTimeLimitAction {
    /// The reason of waiting, as Batch words it: `CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY`,
    /// `MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE`, `MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT` or
    /// `MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED`; for jobs of SageMaker the first,
    /// `MISCONFIGURATION:SERVICE_ENVIRONMENT_MAX_RESOURCE` or `MISCONFIGURATION:QUOTA_MANAGEMENT_LIMIT_EXCEEDED`.
    pub reason: String,
    /// The state that the job waits in: `RUNNABLE`.
    #[field(one_of(sdk::JobStateTimeLimitActionsState::values()))]
    pub state: String,
    /// How long it may, in seconds: 600 to 86400.
    #[field(range(600..=86400))]
    pub max_time_seconds: i32,
    /// `CANCEL`, or `TERMINATE` for jobs of SageMaker.
    #[field(one_of(sdk::JobStateTimeLimitActionsAction::values()))]
    pub action: String,
}
