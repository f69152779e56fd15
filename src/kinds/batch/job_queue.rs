//! `batch/JobQueue`: where jobs wait, and which compute environments take them.

use aws_sdk_batch::types::{JobQueueDetail, JobQueueType, JqState, JqStatus};

use super::types::name;
use super::types::queue_orders::{ComputeEnvironmentOrder, JobStateTimeLimitAction, ServiceEnvironmentOrder};
use crate::kind::prelude::*;
use crate::kinds::mirror::{Field, Part};
use crate::services::batch;
use crate::services::batch::{Batch, Snapshot};
use crate::value::named;

mod clashes;
mod rules;
mod validate;

/// A Batch job queue.
pub struct JobQueue;

/// What a manifest declares of a job queue.
#[spec]
pub struct Spec {
    /// Which of several queues goes first on a shared compute environment: 0 to 1000, higher first.
    #[field(range(0..=1000))]
    pub priority: i32,
    /// `ENABLED`, or `DISABLED`: no further jobs are accepted, accepted ones go on.
    #[field(default = JqState::Enabled.as_str(), one_of(JqState::values()))]
    pub state: String,
    /// The compute environments that take the jobs, 1 to 3, the first that has room first.
    #[field(empty, length(..=3))]
    pub compute_environment_order: Vec<ComputeEnvironmentOrder>,
    /// The service environment that takes the jobs, in place of compute environments.
    #[field(empty)]
    pub service_environment_order: Vec<ServiceEnvironmentOrder>,
    /// How the queue is shared fairly. It can be replaced by another, but neither added nor removed later.
    #[field(empty, refers("batch/SchedulingPolicy.arn"))]
    pub scheduling_policy_arn: Option<String>,
    /// What the queue sends jobs to; absent: it follows from the compute environments.
    #[field(server, create_only, one_of(JobQueueType::values()))]
    pub job_queue_type: Option<String>,
    /// When Batch gives up on a job that waits at the head of the queue.
    #[field(empty, set)]
    pub job_state_time_limit_actions: Vec<JobStateTimeLimitAction>,
}

/// What AWS assigns to a job queue.
#[outputs]
#[derive(Default)]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// `CREATING`, `UPDATING`, `DELETING`, `VALID` or `INVALID`.
    pub status: String,
}

impl Outputs {
    /// Whether Batch is at work on it: it refuses every change meanwhile.
    fn is_busy(&self) -> bool {
        matches!(
            JqStatus::from(self.status.as_str()),
            JqStatus::Creating | JqStatus::Updating | JqStatus::Deleting
        )
    }
}

impl Kind for JobQueue {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Batch;
    type Seen = ();

    const NAME: &'static str = "batch/JobQueue";
    const NAMES: NameRule = NameRule::checked(128, name::invalid);
    const ARN: Option<On> = Some(On::Regional("batch", "job-queue/{name}"));
    const REMOVAL: Removal = Removal::SwitchedOff { field: "state", off: "DISABLED" };
    const WORK: Work = Work::Waits;
    const RULES: &'static [&'static dyn Rule] =
        &[&rules::NoneIsTakenAway, &rules::OneFamily, &rules::OneIsEnabled];
    const ABOUT: &'static str =
        "A Batch job queue: where jobs wait, and which compute environments take them.";
    const CLOUDFORMATION: &'static str = "AWS::Batch::JobQueue";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[
        ("jobQueueName", "metadata.physicalName"),
        ("tags", "metadata.tags"),
        ("jobQueueArn", "AWS assigns it: remove the line"),
        ("status", "AWS reports it: remove the line"),
        ("statusReason", "AWS reports it: remove the line"),
    ];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![batch: DescribeComputeEnvironments DescribeJobQueues DescribeJobs
                    ListJobs])],
        write: &[
            Grant::on(
                actions![batch: CreateJobQueue UpdateJobQueue],
                &[
                    On::Regional("batch", "job-queue/{name}"),
                    On::Regional("batch", "compute-environment/*"),
                    On::Regional("batch", "scheduling-policy/*"),
                ],
            ),
            Grant::on(actions![batch: CreateJobQueue], &[On::Regional("batch", "service-environment/*")])
                .given(Given::Has(&["serviceEnvironmentOrder"])),
            Grant::on(
                actions![batch: DeleteJobQueue TagResource UntagResource],
                &[On::Regional("batch", "job-queue/{name}")],
            ),
        ],
    };
    const REMOVED_BY: &'static [&'static str] = actions![batch: UpdateJobQueue];
    // SubmitJob is asked for the job, too, by <https://docs.aws.amazon.com/service-authorization/latest/reference/list_batch.html>.
    const SUBMIT: &'static [Grant] = &[Grant::on(
        actions![batch: SubmitJob],
        &[On::Regional("batch", "job-queue/{name}"), On::Regional("batch", "job/*")],
    )];
    const EXAMPLE: &'static str = include_str!("job_queue.example.yaml");

    fn validate(spec: &Spec, place: &Place) -> Vec<Invalid> {
        validate::validate(spec, place)
    }

    fn clashes(spec: &Spec, _id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, beside)
    }

    fn validate_written(spec: &Spec, place: &Place) -> Vec<Invalid> {
        validate::validate(spec, place)
    }

    fn normalise(spec: &mut Spec, place: &Place) {
        let arn = |kind: &str, name: &str| match name.starts_with("arn:") || name.contains("${") {
            true => name.to_owned(),
            false => place.arn("batch", &format!("{kind}/{name}")),
        };
        // Numbers that contradict each other stay: validation speaks of them.
        let orders: Vec<Option<i32>> =
            spec.compute_environment_order.iter().map(|entry| entry.order).collect();
        let in_order = validate::wrong_orders(&orders).is_none();
        if in_order {
            spec.compute_environment_order.sort_by_key(|entry| entry.order);
        }
        for entry in &mut spec.compute_environment_order {
            entry.order = entry.order.filter(|_| !in_order);
            entry.compute_environment = arn("compute-environment", &entry.compute_environment);
        }
        for entry in &mut spec.service_environment_order {
            entry.order = None;
            entry.service_environment = arn("service-environment", &entry.service_environment);
        }
    }

    fn effect(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        if live.service_environment_order.is_empty() != want.service_environment_order.is_empty() {
            let why = "a queue has compute environments or a service environment, for life";
            return (Effect::Replace(Order::DeleteFirst), Reason(why.to_owned()));
        }
        let because = changes.iter().find_map(|change| match change.path.as_str() {
            path if change.rule == ChangeRule::CreateOnly => Some(format!("{path} is create-only")),
            "schedulingPolicyArn" if change.before.is_none() => {
                Some("schedulingPolicyArn cannot be added to a queue that was made without one".to_owned())
            }
            "schedulingPolicyArn" if change.after.is_none() => {
                Some("schedulingPolicyArn cannot be removed, only replaced by another".to_owned())
            }
            _ => None,
        });
        match because {
            // A queue's name is what users submit to: two queues cannot bear it at once.
            Some(because) => (Effect::Replace(Order::DeleteFirst), Reason(because)),
            None => (Effect::Update(Manner::InPlace), Reason::default()),
        }
    }

    fn observe(snapshot: &Snapshot, _place: &Place) -> Vec<Live<Self>> {
        // Batch shows a deleted queue for a while.
        let there = |one: &&JobQueueDetail| one.status() != Some(&JqStatus::Deleted);
        snapshot.job_queues.iter().filter(there).map(live).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        cx.client
            .create_job_queue()
            .job_queue_name(cx.name)
            .state(want.state.as_str().into())
            .priority(want.priority)
            .set_scheduling_policy_arn(want.scheduling_policy_arn.clone())
            .set_compute_environment_order(numbered(want).write())
            .set_service_environment_order(numbered_services(want).write())
            .set_job_queue_type(want.job_queue_type.as_deref().map(Into::into))
            .set_job_state_time_limit_actions(want.job_state_time_limit_actions.write())
            .set_tags(Some(cx.tags.clone().into_iter().collect()))
            .send()
            .await
            .map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        if live.outputs.is_busy() {
            return Ok(());
        }
        // The policy goes along with every update: Batch takes its absence for an attempt to remove it.
        let policy = want.scheduling_policy_arn.clone().or_else(|| live.spec.scheduling_policy_arn.clone());
        let mut call = cx.client.update_job_queue().job_queue(cx.name).set_scheduling_policy_arn(policy);
        if diff.touches("state") {
            call = call.state(want.state.as_str().into());
        }
        if diff.touches("priority") {
            call = call.priority(want.priority);
        }
        if diff.touches("computeEnvironmentOrder") {
            keep_ground(cx, &live.spec, want).await?;
            call = call.set_compute_environment_order(numbered(want).write());
        }
        if diff.touches("serviceEnvironmentOrder") {
            call = call.set_service_environment_order(numbered_services(want).write());
        }
        if diff.touches("jobStateTimeLimitActions") {
            // An empty list takes all of them away; none would leave them.
            let actions = want.job_state_time_limit_actions.iter().map(Part::sdk).collect();
            call = call.set_job_state_time_limit_actions(Some(actions));
        }
        call.send().await.map_err(failed)?;
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let arn = &live.outputs.arn;
        if live.outputs.is_busy() {
            return Ok(());
        }
        let is_open = live.spec.state == JqState::Enabled.as_str();
        if !cx.interrupts {
            batch::refuse_with_jobs(cx.client, arn, is_open).await?;
        }
        if is_open {
            let call = cx.client.update_job_queue().job_queue(arn).state(JqState::Disabled);
            let call = call.set_scheduling_policy_arn(live.spec.scheduling_policy_arn.clone());
            call.send().await.map_err(failed)?;
            return Ok(());
        }
        let call = cx.client.delete_job_queue().job_queue(arn);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

/// An open queue lets go of a compute environment only while another of its own is ENABLED and VALID.
async fn keep_ground(cx: &Cx<'_, JobQueue>, live: &Spec, want: &Spec) -> Result<()> {
    let names = |spec: &Spec| -> Vec<String> {
        spec.compute_environment_order.iter().map(|entry| entry.compute_environment.clone()).collect()
    };
    let (before, stay) = (names(live), names(want));
    let is_open = want.state == JqState::Enabled.as_str();
    let goes = |before: &String| !stay.iter().any(|name| named::same(before, name));
    if is_open && !stay.is_empty() && before.iter().any(goes) {
        batch::refuse_to_let_go(cx.client, stay).await?;
    }
    Ok(())
}

/// The entries with the numbers that Batch wants, in the list's order.
fn numbered(spec: &Spec) -> Vec<ComputeEnvironmentOrder> {
    let entries = spec.compute_environment_order.iter().cloned();
    (1..).zip(entries).map(|(order, entry)| ComputeEnvironmentOrder { order: Some(order), ..entry }).collect()
}

fn numbered_services(spec: &Spec) -> Vec<ServiceEnvironmentOrder> {
    let entries = spec.service_environment_order.iter().cloned();
    (1..).zip(entries).map(|(order, entry)| ServiceEnvironmentOrder { order: Some(order), ..entry }).collect()
}

fn live(detail: &JobQueueDetail) -> Live<JobQueue> {
    let arn = detail.job_queue_arn().unwrap_or_default().to_owned();
    Live {
        physical: detail.job_queue_name().unwrap_or_default().to_owned(),
        arn: Some(arn.clone()),
        spec: Spec {
            priority: detail.priority().unwrap_or_default(),
            state: Field::read(detail.state(), Spec::default_state),
            compute_environment_order: detail.compute_environment_order().iter().map(Part::of).collect(),
            service_environment_order: detail.service_environment_order().iter().map(Part::of).collect(),
            scheduling_policy_arn: detail.scheduling_policy_arn().map(str::to_owned),
            job_queue_type: detail.job_queue_type().map(Part::of),
            job_state_time_limit_actions: detail
                .job_state_time_limit_actions()
                .iter()
                .map(Part::of)
                .collect(),
        },
        outputs: Outputs {
            arn,
            status: detail.status().map(JqStatus::as_str).unwrap_or_default().to_owned(),
        },
        tags: own_tags(detail.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone()))),
        readiness: readiness(detail),
        revision: None,
    }
}

fn readiness(detail: &JobQueueDetail) -> Readiness {
    let said = |status: &str| match detail.status_reason().unwrap_or_default() {
        "" => status.to_owned(),
        reason => format!("{status}: {reason}"),
    };
    match detail.status() {
        Some(JqStatus::Valid) => Readiness::Ready,
        Some(JqStatus::Invalid) => Readiness::Failed(said("INVALID")),
        Some(status) => Readiness::Pending(said(status.as_str())),
        None => Readiness::Pending("no status yet".to_owned()),
    }
}

#[cfg(test)]
mod tests;
