//! What a job queue sends jobs to, and what it gives up on.

use aws_sdk_batch::types as sdk;

use crate::field;
use crate::kinds::mirror::mirror;

mirror! {
    /// One compute environment of a queue.
    pub struct ComputeEnvironmentOrder = sdk::ComputeEnvironmentOrder {
        /// Its place: lower comes first. Absent: its place in the list.
        empty order: Option<i32>,
        /// Its name or ARN.
        #[schemars(transform = field::name_or_arn, transform = field::refers(&["batch/ComputeEnvironment.arn"]))]
        required compute_environment: String,
    }

    /// One service environment of a queue.
    pub struct ServiceEnvironmentOrder = sdk::ServiceEnvironmentOrder {
        /// Its place: lower comes first. Absent: its place in the list.
        empty order: Option<i32>,
        /// Its name or ARN.
        #[schemars(transform = field::name_or_arn, transform = field::refers(&["batch/ServiceEnvironment.arn"]))]
        required service_environment: String,
    }

    /// What becomes of a job that waits too long at the head of a queue.
    pub struct JobStateTimeLimitAction = sdk::JobStateTimeLimitAction {
        /// The reason of waiting, as Batch words it, such as `MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT`.
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
