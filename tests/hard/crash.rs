//! Killed at every call that changes something, once before its work and once after it: what runs next brings the same
//! end about, with nothing twice and nothing left over (D25, D33).
//!
//! Every call of each write is tried, and of every sixth operation that only reads one call, drawn by its name.
//! `BATCHWRIGHT_CRASH=all` tries two of each read as well; `BATCHWRIGHT_CRASH=CreateVpc` the calls of that one operation.
//! Of `prod`, which has most in common with `dev`, a few calls are drawn; all with `BATCHWRIGHT_CRASH=all`.

#![allow(clippy::print_stdout, reason = "the count of points is worth a line")]

use std::collections::BTreeMap;

use crate::ending::Ending;
use crate::stack::{
    apply, everything_goes, nothing, on_spot, payments, production, sandbox, sandbox_of, scenario,
};
use crate::world::stage::has_ground;
use batchwright::plan::Guard;
use batchwright::resource::Desired;
use batchwright::sandbox::{Faults, Operation, Sandbox, Stop, StopWhen};
use sha2::{Digest, Sha256};

/// One way of dying.
#[derive(Debug, Clone)]
struct Death {
    of: Operation,
    nth: u64,
    when: StopWhen,
    /// How often a run only looks, the clock decides: a read may not come that often the next time.
    read: bool,
}

/// Where to die: at each call that `apply` made undisturbed.
fn deaths(sandbox: &Sandbox) -> Vec<Death> {
    let asked = std::env::var("BATCHWRIGHT_CRASH").ok();
    let (all, only) = match asked.as_deref() {
        Some("all") => (true, None),
        only => (only.is_some(), only),
    };
    let mut counts: BTreeMap<(Operation, bool), u64> = BTreeMap::new();
    for call in sandbox.stats().calls {
        *counts.entry((Operation { service: call.service, action: call.action }, call.write)).or_default() +=
            1;
    }
    let mut deaths = Vec::new();
    for ((of, write), count) in
        counts.into_iter().filter(|((of, _), _)| only.is_none_or(|it| it == of.action))
    {
        let (draw, drawn) = drawn(&of, count);
        let (whens, struck): (&[StopWhen], Vec<u64>) = match (write, all) {
            (true, _) => (&[StopWhen::Before, StopWhen::After], (1..=count).collect()),
            (false, true) => {
                (&[StopWhen::After], [1].into_iter().chain((drawn > 1).then_some(drawn)).collect())
            }
            (false, false) => (&[StopWhen::After], draw.then_some(drawn).into_iter().collect()),
        };
        for nth in struck {
            deaths.extend(whens.iter().map(|when| Death { of: of.clone(), nth, when: *when, read: !write }));
        }
    }
    deaths
}

/// Whether an operation is among the reads that are tried, and which of its calls: the same in every run.
fn drawn(of: &Operation, count: u64) -> (bool, u64) {
    let digest = Sha256::digest(format!("{}:{}", of.service, of.action).as_bytes());
    (digest[0] % 6 == 0, 1 + u64::from(digest[1]) % count)
}

/// Dies there, and runs again: what is wrong with the end. `None`: that call did not come.
async fn die(
    sandbox: &Sandbox,
    death: &Death,
    desired: &Desired,
    guard: &Guard,
    end: &Ending,
) -> Option<String> {
    let stop = Stop { nth: death.nth, of: Some(death.of.clone()), when: death.when };
    sandbox.set_faults(Faults { stop: Some(stop), ..Faults::default() });
    let struck = tokio::select! {
        biased;
        () = sandbox.stopped() => true,
        _ = apply(sandbox, desired, guard) => sandbox.has_stopped(),
    };
    sandbox.hang_up().await;
    sandbox.set_faults(Faults::default());
    if !struck {
        return None;
    }
    if let Err(why) = apply(sandbox, desired, guard).await {
        return Some(format!("the next run: {why}"));
    }
    let history = sandbox.batch().queue_history();
    if let Some(moment) = history.iter().find(|moment| !has_ground(moment)) {
        return Some(format!("a queue was without ground: {moment:?}"));
    }
    Some(match Ending::of(sandbox, desired, guard).await {
        Ok(ending) => ending.differences(end).join("\n      "),
        Err(why) => why,
    })
}

/// A few of the ways of dying, the same in every run; all, if that is asked for.
fn some(mut deaths: Vec<Death>, most: usize) -> Vec<Death> {
    if most < deaths.len() && std::env::var_os("BATCHWRIGHT_CRASH").is_none() {
        deaths.retain(|death| !death.read);
        let of = |death: &Death| format!("{}:{}:{:?}", death.of.action, death.nth, death.when);
        deaths.sort_by_key(|death| Sha256::digest(of(death).as_bytes()));
        deaths.truncate(most);
    }
    deaths
}

/// Kills an apply everywhere, beginning from what is there now.
async fn killed_everywhere(what: &str, sandbox: &Sandbox, desired: &Desired, guard: &Guard) {
    killed(what, sandbox, desired, guard, usize::MAX).await;
}

async fn killed(what: &str, sandbox: &Sandbox, desired: &Desired, guard: &Guard, most: usize) {
    let beginning = sandbox.snapshot().await.unwrap();
    sandbox.reset_stats();
    apply(sandbox, desired, guard).await.expect("undisturbed it works");
    let deaths = some(deaths(sandbox), most);
    let end = Ending::of(sandbox, desired, guard).await.unwrap();
    assert!(end.is_done(), "{end:#?}");
    let (mut struck, mut reads, mut wrong) = (0, 0, Vec::new());
    for death in &deaths {
        sandbox.restore(&beginning).await.unwrap();
        match die(sandbox, death, desired, guard, &end).await {
            None if death.read => {}
            None => wrong.push(format!("{death:?}: that call did not come")),
            Some(difference) => {
                struck += 1;
                reads += u64::from(death.read);
                if !difference.is_empty() {
                    wrong.push(format!("{death:?}:\n      {difference}"));
                }
            }
        }
    }
    println!(
        "{what}: stopped at {struck} of {} points, {reads} of them reads, {} ended otherwise",
        deaths.len(),
        wrong.len()
    );
    assert!(reads > 0 || most < usize::MAX, "{what}: no read was tried");
    assert!(struck > 0, "{what}: no call came");
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_rollout_killed_anywhere_is_finished_by_the_next() {
    let sandbox = sandbox().await;
    killed_everywhere("first rollout", &sandbox, &payments(), &Guard::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_made_or_destroyed_and_killed_anywhere_is_finished_by_the_next() {
    let desired = production();
    let nothing = Desired { resources: BTreeMap::new(), images: BTreeMap::new(), ..desired.clone() };
    let sandbox = sandbox_of(&desired).await;
    killed("prod: first rollout", &sandbox, &desired, &Guard::default(), 2).await;
    killed("prod: destroy", &sandbox, &nothing, &everything_goes(), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blue_green_killed_anywhere_is_finished_by_the_next() {
    let sandbox = sandbox().await;
    apply(&sandbox, &payments(), &Guard::default()).await.unwrap();
    killed_everywhere("blue/green", &sandbox, &on_spot(), &Guard::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destroy_killed_anywhere_is_finished_by_the_next() {
    let sandbox = sandbox().await;
    apply(&sandbox, &payments(), &Guard::default()).await.unwrap();
    killed_everywhere("destroy", &sandbox, &nothing(), &everything_goes()).await;
}

/// Groups, roles and policies that name each other (D17): made, made anew in part, and removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resources_that_name_each_other_survive_being_killed_anywhere() {
    let sandbox = sandbox().await;
    let [before, after] =
        ["before", "after"].map(|it| scenario(&format!("resources_that_name_each_other/{it}.yaml")));
    let nothing = Desired { resources: BTreeMap::new(), ..before.clone() };
    killed_everywhere("named by each other", &sandbox, &before, &Guard::default()).await;
    killed_everywhere("made anew", &sandbox, &after, &Guard::default()).await;
    killed_everywhere("removed", &sandbox, &nothing, &everything_goes()).await;
}
