//! Two first rollouts, blue/greens or destroys of the same environment at once, in many orders: whatever becomes of each, nothing is there twice, and a
//! further apply brings the same end about as one alone (D26).

#![allow(clippy::print_stdout, reason = "how the runs ended is worth a line")]

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ending::Ending;
use crate::stack::{everything_goes, failures, nothing, on_spot, payments, run};
use crate::world::stage::has_ground;
use crate::world::{World, hasty, planned};
use batchwright::cloud::{Aws, Cloud, Scope};
use batchwright::execute::Limits;
use batchwright::plan::Guard;
use batchwright::resource::{Desired, Incarnation, ResourceId};
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

/// Both were planned from what a destroy that was cut off had left. Each ends where it is cut off, by its share of the steps.
async fn apply_beside_destroy(world: &World, seed: u64, shares: [f64; 2]) {
    let World { sandbox, cloud, .. } = world;
    let (desired, config) = (payments(), sandbox.sdk_config());
    let observed = cloud.observe(&Scope::of(&desired)).await.unwrap();
    let mut applying = planned(&desired, &observed, &Guard::default());
    let mut destroying = planned(&nothing(), &observed, &everything_goes());
    for (plan, share) in [&mut applying, &mut destroying].into_iter().zip(shares) {
        plan.steps.truncate((plan.steps.len() as f64 * share) as usize);
    }
    sandbox.set_faults(Faults { seed, jitter_milliseconds: 40.0, ..Faults::default() });
    let limits = Limits { step_timeout: Duration::from_secs(5), ..hasty() };
    let (made, gone) = futures::join!(
        run(&config, &applying, &observed, &limits),
        run(&config, &destroying, &observed, &limits)
    );
    sandbox.set_faults(Faults::default());
    println!("seed {seed}, {shares:?}: {} steps made, {} gone", made.done(), gone.done());
}

/// Where both are stopped: four pairs of places. `BATCHWRIGHT_BESIDE=N` tries a grid of N by N; every pair of steps is tried on a cloud in
/// memory (`laws beside`).
fn shares() -> Vec<[f64; 2]> {
    let asked = std::env::var("BATCHWRIGHT_BESIDE").ok().and_then(|many| many.parse::<u32>().ok());
    let Some(many) = asked else { return vec![[1.0, 1.0], [0.5, 1.0], [1.0, 0.6], [0.3, 0.3]] };
    let share = |nth: u32| f64::from(nth) / f64::from(many);
    (1..=many).flat_map(|made| (1..=many).map(move |gone| [share(made), share(gone)])).collect()
}

/// Wherever both end: the next apply brings everything about, and the next destroy takes everything away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apply_beside_a_destroy_ends_where_the_next_of_either_goes_on() {
    let world = World::of(&payments()).await;
    let World { sandbox, cloud, .. } = &world;
    let (desired, config) = (payments(), sandbox.sdk_config());
    let observed = cloud.observe(&Scope::of(&desired)).await.unwrap();
    let plan = planned(&desired, &observed, &Guard::default());
    assert!(run(&config, &plan, &observed, &hasty()).await.complete());
    let mut destroy =
        planned(&nothing(), &cloud.observe(&Scope::of(&desired)).await.unwrap(), &everything_goes());
    // The queue and the environment are gone; what they stood on is not.
    let network = destroy.steps.iter().position(|step| step.resource.kind.starts_with("ec2/")).unwrap();
    destroy.steps.truncate(network);
    let observed = cloud.observe(&Scope::of(&desired)).await.unwrap();
    assert!(run(&config, &destroy, &observed, &hasty()).await.complete());
    let beginning = sandbox.snapshot().await.unwrap();

    for (seed, shares) in (1..).zip(shares()) {
        sandbox.restore(&beginning).await.unwrap();
        apply_beside_destroy(&world, seed, shares).await;
        assert_eq!(twice(sandbox, &desired).await, Vec::<String>::new(), "seed {seed}");
        let midst = sandbox.snapshot().await.unwrap();
        for (next, guard) in [(&desired, Guard::default()), (&nothing(), everything_goes())] {
            sandbox.restore(&midst).await.unwrap();
            let observed = cloud.observe(&Scope::of(next)).await.unwrap();
            let plan = planned(next, &observed, &guard);
            assert_eq!(plan.objections, vec![], "seed {seed}");
            let report = run(&config, &plan, &observed, &hasty()).await;
            assert!(report.complete(), "seed {seed}:{}", failures(&plan, &report));
            let ending = Ending::of(sandbox, next, &guard).await.unwrap();
            assert!(ending.is_done(), "seed {seed}: {ending:#?}");
        }
    }
}

/// Another run makes a group in the VPC that goes: it is said who holds it, and not waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destroy_says_what_another_run_of_ours_has_put_in_its_way() {
    let world = World::of(&payments()).await;
    let World { sandbox, cloud, .. } = &world;
    let config = sandbox.sdk_config();
    world.apply(&payments(), &Guard::default()).await;
    let observed = cloud.observe(&Scope::of(&payments())).await.unwrap();
    let destroy = planned(&nothing(), &observed, &everything_goes());
    let mut more = payments();
    let (id, other) =
        (ResourceId::new("ec2/SecurityGroup", "jobs"), ResourceId::new("ec2/SecurityGroup", "more"));
    let mut group = more.resources[&id].clone();
    (group.id, group.physical_name) = (other.clone(), "dev-more".to_owned());
    more.resources.insert(other, group);
    world.apply(&more, &Guard::default()).await;

    let report = run(&config, &destroy, &observed, &hasty()).await;

    let failed: Vec<_> =
        report.failures().map(|(id, failure)| (&destroy.steps[id].resource.kind, failure)).collect();
    let [(kind, failure)] = failed.as_slice() else { panic!("{failed:#?}") };
    assert_eq!((kind.as_str(), failure.stale, failure.timed_out), ("ec2/Vpc", true, false), "{failure:?}");
    assert!(failure.message.contains("ec2/SecurityGroup/more (sg-"), "{failure:?}");
    assert!(failure.message.contains("nothing of this run removes that: plan again"), "{failure:?}");
    // What is advised works.
    world.apply(&nothing(), &everything_goes()).await;
}
