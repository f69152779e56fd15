//! How long an apply takes beside the least that it could take: `cargo bench --bench apply`.
//!
//! The sandbox delays every call by 50 ms. The *critical path* of a plan is its longest chain of steps, where a step
//! costs as many round trips as it makes one after the other when it runs alone (calls that it makes side by side are
//! one), each of the latency's length. No order of the steps is faster; what an apply takes longer, it waits for room, for
//! pauses between looks, or for the processor. It may take 1.3 times as long.

#![allow(clippy::print_stdout, reason = "what it measures is printed")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use batchwright::cloud::{Aws, Cloud, Scope};
use batchwright::execute::{Event, Limits, Report, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest;
use batchwright::plan::{Guard, Plan, Request, StepId, plan};
use batchwright::resource::Observed;
use batchwright::sandbox::{Options, Sandbox};
use batchwright::services::count::Counter;

const LATENCY: Duration = Duration::from_millis(50);
const IMAGE: &str = "111111111111.dkr.ecr.us-east-1.amazonaws.com/dev-worker@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    // `cargo test --all-targets` builds this and runs it without `--bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<(), Failure> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let images = BTreeMap::from([("worker".to_owned(), IMAGE.to_owned())]);
    let options = manifest::Options { images, ..manifest::Options::default() };
    let desired = manifest::load(&root, "dev", &options)?;
    let (account, region) = (desired.place.account.clone(), desired.place.region.clone());
    let options = Options { account, region, ..Options::isolated() };
    let sandbox = Sandbox::start(options, &mut |_| ()).await?;
    let beginning = sandbox.snapshot().await?;
    let config = Counter::default().counting(sandbox.sdk_config());
    let aws = Aws::new(&config, desired.place.clone(), None);
    let observed = aws.observe(&Scope::of(&desired)).await?;
    let plan = plan(&Request::new(&desired, &observed, KINDS, &Guard::default()));

    sandbox.set_latency(LATENCY);
    let costs = alone(&sandbox, &aws, &plan, &observed).await?;
    let (cost, chain) = critical(&plan, &costs);
    let path = cost.trips;
    let mut best = Duration::MAX;
    for _ in 0..3 {
        sandbox.set_latency(Duration::ZERO);
        sandbox.restore(&beginning).await?;
        sandbox.set_latency(LATENCY);
        best = best.min(together(&sandbox, &aws, &plan, &observed).await?);
    }
    let least = LATENCY * u32::try_from(path)?;
    let ratio = best.as_secs_f64() / least.as_secs_f64();
    let (steps, stats) = (plan.steps.len(), sandbox.stats());
    println!("first rollout of payments dev: {steps} steps, {} calls, {LATENCY:?} each", stats.count());
    println!(
        "as it ran: {} round trips one after the other, {} at once at most",
        stats.depth(),
        stats.max_parallel()
    );
    println!("critical path: {path} round trips, {least:?}: {}", chain.join(" > "));
    println!("apply: {best:?}, {ratio:.2} times the critical path (at most 1.3)");
    println!("its steps alone, with what the sandbox takes to answer: {:?}", cost.time);
    sandbox.stop().await;
    if ratio > 1.3 { Err("apply takes too long beside its critical path".into()) } else { Ok(()) }
}

/// What a step takes when nothing runs beside it.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// Round trips.
    trips: usize,
    /// On the clock.
    time: Duration,
}

async fn alone(
    sandbox: &Sandbox,
    aws: &Aws,
    plan: &Plan,
    observed: &Observed,
) -> Result<BTreeMap<StepId, Cost>, Failure> {
    let limits = Limits { steps: 1, ..Limits::default() };
    let costs = Mutex::new(BTreeMap::new());
    let mut begun = Instant::now();
    let mut on = |event: Event| match event {
        Event::Started { .. } => {
            sandbox.reset_stats();
            begun = Instant::now();
        }
        Event::Finished { step } => {
            if let Ok(mut costs) = costs.lock() {
                costs.insert(step, Cost { trips: sandbox.stats().depth(), time: begun.elapsed() });
            }
        }
        _ => {}
    };
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    let report = execute(plan, observed, aws, KINDS, &limits, stop, &mut on).await;
    complete(&report)?;
    Ok(costs.into_inner()?)
}

async fn together(
    sandbox: &Sandbox,
    aws: &Aws,
    plan: &Plan,
    observed: &Observed,
) -> Result<Duration, Failure> {
    sandbox.reset_stats();
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    let begun = Instant::now();
    let report = execute(plan, observed, aws, KINDS, &Limits::default(), stop, &mut |_: Event| ()).await;
    let took = begun.elapsed();
    complete(&report)?;
    Ok(took)
}

fn complete(report: &Report) -> Result<(), Failure> {
    let failed: Vec<_> = report.failures().collect();
    if report.complete() { Ok(()) } else { Err(format!("not everything was applied: {failed:?}").into()) }
}

/// The longest chain of steps, and what is on it.
fn critical(plan: &Plan, costs: &BTreeMap<StepId, Cost>) -> (Cost, Vec<String>) {
    let mut ends: BTreeMap<StepId, (Cost, Vec<String>)> = BTreeMap::new();
    // A step's number is greater than those of the steps that it waits for.
    for step in &plan.steps {
        let before = step.after.iter().filter_map(|id| ends.get(id)).max_by_key(|(cost, _)| cost.trips);
        let (mut cost, mut chain) = before.cloned().unwrap_or_default();
        let own = costs.get(&step.id).copied().unwrap_or_default();
        cost.trips += own.trips;
        cost.time += own.time;
        chain.push(format!("{} {}", step.resource, own.trips));
        ends.insert(step.id, (cost, chain));
    }
    ends.into_values().max_by_key(|(cost, _)| cost.trips).unwrap_or_default()
}
