//! A bad day at AWS: three calls in ten are throttled, one in twenty meets an internal error, connections break and
//! answers get lost. Every apply ends as on a good day, and nothing is there twice.

#![allow(clippy::print_stdout, reason = "the number of calls is worth a line")]

use crate::ending::Ending;
use crate::stack::{apply, everything_goes, failures, nothing, on_spot, payments, sandbox};
use crate::world::hasty;
use crate::world::stage::{Stage, environment, has_ground, queue};
use aws_sdk_batch::types::JobStatus;
use batchwright::execute::{Event, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::plan::{Guard, Verb};
use batchwright::resource::Desired;
use batchwright::sandbox::{Faults, Rates, Sandbox, Stats};

/// The most often that the SDK sends one call, and the executor on top of it where AWS refuses again and again.
const MOST_TRIES: usize = 40;

const BAD: Rates = Rates { throttle: 0.3, internal: 0.05, reset: 0.02, lost_reply: 0.03 };

/// Applies, and tells the calls that it took.
async fn applied(sandbox: &Sandbox, desired: &Desired, guard: &Guard, faults: Faults) -> Stats {
    sandbox.reset_stats();
    sandbox.set_faults(faults);
    let done = apply(sandbox, desired, guard).await;
    sandbox.set_faults(Faults::default());
    sandbox.hang_up().await;
    done.unwrap();
    sandbox.stats()
}

async fn as_on_a_good_day(what: &str, sandbox: &Sandbox, desired: &Desired, guard: &Guard) {
    let beginning = sandbox.snapshot().await.unwrap();
    let good = applied(sandbox, desired, guard, Faults::default()).await;
    let end = Ending::of(sandbox, desired, guard).await.unwrap();
    assert!(end.is_done(), "{end:#?}");
    for seed in [11, 12] {
        sandbox.restore(&beginning).await.unwrap();
        let bad = applied(sandbox, desired, guard, Faults { seed, rates: BAD, ..Faults::default() }).await;
        let ending = Ending::of(sandbox, desired, guard).await.unwrap();
        assert_eq!(ending.differences(&end), Vec::<String>::new(), "{what}, seed {seed}");
        let broken = bad.calls.iter().filter(|call| call.fault.is_some()).count();
        println!(
            "{what}, seed {seed}: {} calls, {broken} of them broken; undisturbed {} calls",
            bad.count(),
            good.count()
        );
        assert!(broken * 4 > bad.count(), "faults struck {broken} of {} calls only", bad.count());
        let most = bad.per_action().into_iter().max_by_key(|(_, count)| *count).unwrap();
        let usual = good.per_action().get(&most.0).copied().unwrap_or(1);
        assert!(most.1 <= usual * MOST_TRIES, "{most:?} calls, undisturbed {usual}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_rollout_a_blue_green_and_a_destroy_end_as_on_a_good_day() {
    let sandbox = sandbox().await;
    as_on_a_good_day("first rollout", &sandbox, &payments(), &Guard::default()).await;
    as_on_a_good_day("blue/green", &sandbox, &on_spot(), &Guard::default()).await;
    as_on_a_good_day("destroy", &sandbox, &nothing(), &everything_goes()).await;
}

/// An environment is replaced while a job runs on it: the job comes to its own end, and the queue is never without ground.
async fn replaced_under_a_job(seed: u64) {
    let stage = Stage::new().await;
    let manifests = |resources: &str| vec![environment("work", "", resources), queue("jobs", "", &["work"])];
    stage.world.apply(&stage.desired(&manifests("type: EC2")), &Guard::default()).await;
    let job = stage.running_job("t-jobs", "long").await;
    let desired = stage.desired(&manifests("type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED"));
    stage.world.sandbox.reset_stats();
    stage.world.sandbox.set_faults(Faults { seed, rates: BAD, ..Faults::default() });
    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    let mut waited = false;
    let mut on = |event: Event| {
        if let Event::Waiting { step, why } = event
            && plan.steps[step].verb == Verb::Drain
            && why.starts_with("1 job still runs")
        {
            waited = true;
            stage.release();
        }
    };
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    let report = execute(&plan, &observed, &stage.world.cloud, KINDS, &hasty(), stop, &mut on).await;
    stage.world.sandbox.set_faults(Faults::default());
    assert!(report.complete(), "seed {seed}: {}", failures(&plan, &report));
    assert!(waited, "seed {seed}: the job was waited for");
    let calls = stage.world.sandbox.stats().calls;
    let broken = calls.iter().filter(|call| call.fault.is_some()).count();
    assert!(broken * 4 > calls.len(), "seed {seed}: faults struck {broken} of {} calls only", calls.len());
    stage.until(&job, &JobStatus::Succeeded).await;
    let history = stage.world.sandbox.batch().queue_history();
    let groundless: Vec<_> = history.iter().filter(|moment| !has_ground(moment)).collect();
    assert!(groundless.is_empty(), "seed {seed}: {groundless:#?}");
    let (again, _) = stage.world.plan(&desired, &Guard::default()).await;
    assert!(again.is_idle(), "seed {seed}: {:?}", again.steps);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_and_no_queue_suffers_from_a_blue_green_on_a_bad_day() {
    for seed in 21..=24 {
        replaced_under_a_job(seed).await;
    }
}
