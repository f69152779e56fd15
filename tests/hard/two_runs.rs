//! Two first rollouts, blue/greens or destroys of the same environment at once, in many orders: whatever becomes of each, nothing is there twice, and a
//! further apply brings the same end about as one alone (D26).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test: what fails here fails it, and how the runs ended is worth a line"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ending::Ending;
use crate::stack::{everything_goes, failures, nothing, on_spot, payments, run};
use crate::world::stage::has_ground;
use crate::world::{World, hasty, planned};
use batchwright::cloud::{Aws, Cloud, Scope};
use batchwright::execute::Limits;
use batchwright::plan::Guard;
use batchwright::resource::{Desired, Incarnation};
use batchwright::sandbox::{Faults, Sandbox};

/// Things of ours that are there more than once in one generation.
async fn twice(sandbox: &Sandbox, desired: &Desired) -> Vec<String> {
    let aws = Aws::new(&sandbox.sdk_config(), desired.place.clone(), None);
    let observed = aws.observe(&Scope::of(desired)).await.unwrap();
    let several = observed.resources.into_iter().filter(|(_, seen)| {
        let generations: BTreeSet<u32> = seen.iter().map(Incarnation::generation).collect();
        seen.iter().count() > generations.len()
    });
    several.map(|(id, seen)| format!("{} of {id}", seen.iter().count())).collect()
}

async fn both_at_once(sandbox: &Sandbox, desired: &Desired, guard: &Guard, end: &Ending, seed: u64) {
    let world = Aws::new(&sandbox.sdk_config(), desired.place.clone(), None);
    let observed = world.observe(&Scope::of(desired)).await.unwrap();
    let plan = planned(desired, &observed, guard);
    sandbox.set_faults(Faults { seed, jitter_milliseconds: 40.0, ..Faults::default() });
    // Patient for a few seconds: what one run waits for the other may have taken away.
    let limits = Limits { step_timeout: Duration::from_secs(5), ..hasty() };
    let config = sandbox.sdk_config();
    let (one, other) =
        futures::join!(run(&config, &plan, &observed, &limits), run(&config, &plan, &observed, &limits));
    sandbox.set_faults(Faults::default());
    let failed = |report: &batchwright::execute::Report| failures(&plan, report);
    let steps = plan.steps.len();
    println!(
        "seed {seed}: {} and {} of {steps} steps done{}{}",
        one.done(),
        other.done(),
        failed(&one),
        failed(&other)
    );
    assert_eq!(twice(sandbox, desired).await, Vec::<String>::new(), "seed {seed}");
    let history = sandbox.batch().queue_history();
    let groundless: Vec<_> = history.iter().filter(|moment| !has_ground(moment)).collect();
    assert!(groundless.is_empty(), "seed {seed}: {groundless:#?}");
    let observed = world.observe(&Scope::of(desired)).await.unwrap();
    let rest = planned(desired, &observed, guard);
    assert_eq!(rest.objections, vec![], "seed {seed}");
    let report = run(&config, &rest, &observed, &hasty()).await;
    assert!(report.complete(), "seed {seed}: {report:#?}");
    let ending = Ending::of(sandbox, desired, guard).await.unwrap();
    assert_eq!(ending.differences(end), Vec::<String>::new(), "seed {seed}");
}

/// In this many orders, each from what is there now; leaves the end that one alone brings about.
async fn in_many_orders(world: &World, desired: &Desired, guard: &Guard, orders: u64) {
    let World { sandbox, cloud, .. } = world;
    let beginning = sandbox.snapshot().await.unwrap();
    let observed = cloud.observe(&Scope::of(desired)).await.unwrap();
    let plan = planned(desired, &observed, guard);
    assert!(run(&sandbox.sdk_config(), &plan, &observed, &hasty()).await.complete());
    let end = Ending::of(sandbox, desired, guard).await.unwrap();
    assert!(end.is_done(), "{end:#?}");
    for seed in 1..=orders {
        sandbox.restore(&beginning).await.unwrap();
        both_at_once(sandbox, desired, guard, &end, seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_leave_nothing_twice() {
    let world = World::of(&payments()).await;
    in_many_orders(&world, &payments(), &Guard::default(), 6).await;
    in_many_orders(&world, &on_spot(), &Guard::default(), 3).await;
    in_many_orders(&world, &nothing(), &everything_goes(), 3).await;
}
