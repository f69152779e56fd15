//! A bad day at AWS: three calls in ten are throttled, one in twenty meets an internal error, connections break and
//! answers get lost. Every apply ends as on a good day, and nothing is there twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test: what fails here fails it, and the number of calls is worth a line"
)]

#[path = "crash/ending.rs"]
mod ending;
#[path = "crash/inventory.rs"]
mod inventory;
#[path = "crash/stack.rs"]
mod stack;
mod world;

use batchwright::plan::Guard;
use batchwright::resource::Desired;
use batchwright::sandbox::{Faults, Rates, Sandbox, Stats};
use ending::Ending;
use stack::{apply, everything_goes, nothing, on_spot, payments, sandbox};

/// The most often that the SDK sends one call, and the executor on top of it where AWS refuses again and again.
const MOST_TRIES: usize = 40;

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
        let rates = Rates { throttle: 0.3, internal: 0.05, reset: 0.02, lost_reply: 0.03 };
        let bad = applied(sandbox, desired, guard, Faults { seed, rates, ..Faults::default() }).await;
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
