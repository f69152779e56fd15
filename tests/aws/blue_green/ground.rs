//! The new generation breaks while a queue moves to it: the queue keeps what it has, and the old one stays switched on.

use aws_sdk_batch::types::{CeState, ComputeResourceUpdate};
use batchwright::execute::Event;
use batchwright::plan::{Guard, Verb};
use batchwright::sandbox::Held;

use super::{EC2, SPOT, run};
use crate::world::stage::{Stage, environment, queue};

/// What becomes of the new generation.
#[derive(Debug, Clone, Copy)]
enum Breaks {
    Off,
    Invalid,
}

async fn broken(stage: &Stage, how: Breaks) {
    let call = stage.batch.update_compute_environment().compute_environment("t-work-g2");
    let call = match how {
        Breaks::Off => call.state(CeState::Disabled),
        Breaks::Invalid => {
            call.compute_resources(ComputeResourceUpdate::builder().security_group_ids("sg-0").build())
        }
    };
    call.send().await.unwrap();
}

/// Replaces the environment, and breaks the new one after so many steps, right before the next one's last look; what that
/// fails with.
async fn broken_after(stage: &Stage, steps: usize, how: Breaks) -> (Verb, String) {
    let manifests = |resources: &str| vec![environment("work", "", resources), queue("jobs", "", &["work"])];
    stage.world.apply(&stage.desired(&manifests(EC2)), &Guard::default()).await;
    let desired = stage.desired(&manifests(SPOT));
    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    let (tell, told) = tokio::sync::oneshot::channel::<Held>();
    let mut tell = Some(tell);
    let mut on = |event: &Event| {
        if matches!(event, Event::Finished { step } if step + 1 == steps)
            && let Some(tell) = tell.take()
        {
            let held = stage.world.sandbox.hold("batch", "DescribeComputeEnvironments");
            drop(tell.send(held));
        }
    };
    let breaks = async {
        let held = told.await.unwrap();
        held.arrived().await;
        broken(stage, how).await;
        held.release();
    };
    let (report, ()) = futures::join!(run(stage, &plan, &observed, &mut on), breaks);
    let failed: Vec<_> =
        report.failures().map(|(id, why)| (plan.steps[id].verb, why.message.clone())).collect();
    assert_eq!((failed.len(), report.done()), (1, steps), "{report:#?}");

    let old =
        stage.batch.describe_compute_environments().compute_environments("t-work").send().await.unwrap();
    assert_eq!(old.compute_environments()[0].state(), Some(&CeState::Enabled), "{how:?}");
    failed[0].clone()
}

/// The environments that the queue lists.
async fn listed(stage: &Stage) -> Vec<String> {
    let queues = stage.batch.describe_job_queues().job_queues("t-jobs").send().await.unwrap();
    let order = queues.job_queues()[0].compute_environment_order().iter();
    order.filter_map(|it| Some(it.compute_environment()?.rsplit_once('/')?.1.to_owned())).collect()
}

const INVALID: &str =
    "t-work-g2 is ENABLED and INVALID (CLIENT_ERROR - The security group 'sg-0' does not exist)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_keeps_the_old_generation_while_the_new_one_is_of_no_use() {
    for (how, what) in [(Breaks::Off, "t-work-g2 is DISABLED and VALID"), (Breaks::Invalid, INVALID)] {
        let stage = Stage::new().await;
        let (verb, why) = broken_after(&stage, 2, how).await;
        assert_eq!(verb, Verb::Update, "{how:?}");
        let expected = format!(
            "it keeps the compute environment that it has, since there is nothing else that is ENABLED and VALID: {what}"
        );
        assert_eq!(why, expected);
        assert_eq!(listed(&stage).await, ["t-work-g2", "t-work"], "{how:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_generation_stays_on_while_the_new_one_is_of_no_use() {
    for (how, what) in [(Breaks::Off, "t-work-g2 is DISABLED and VALID"), (Breaks::Invalid, INVALID)] {
        let stage = Stage::new().await;
        let (verb, why) = broken_after(&stage, 3, how).await;
        assert_eq!(verb, Verb::Disable, "{how:?}");
        let expected = format!(
            "the job queue t-jobs of acme/stage/test has left it, and has nothing else that is ENABLED and VALID: {what}"
        );
        assert_eq!(why, expected);
        assert_eq!(listed(&stage).await, ["t-work-g2"], "{how:?}");
    }
}

/// What was only switched off is switched on again by the next run, which goes on from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_run_mends_what_was_switched_off() {
    let stage = Stage::new().await;
    broken_after(&stage, 3, Breaks::Off).await;
    let desired = stage.desired(&[environment("work", "", SPOT), queue("jobs", "", &["work"])]);
    stage.world.apply(&desired, &Guard::default()).await;
    let left = stage.batch.describe_compute_environments().send().await.unwrap();
    let left = left.compute_environments().iter();
    let left: Vec<_> = left.map(|it| (it.compute_environment_name().unwrap(), it.state().unwrap())).collect();
    assert_eq!(left, [("t-work-g2", &CeState::Enabled)]);
    assert!(stage.world.plan(&desired, &Guard::default()).await.0.is_idle());
}
