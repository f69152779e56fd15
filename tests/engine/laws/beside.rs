//! An apply and a destroy side by side, each stopped at any of its steps: whatever is left, the next apply brings everything about
//! and the next destroy takes everything away.

#![allow(clippy::print_stdout, reason = "how many were tried is worth a line")]

use std::collections::BTreeSet;

use batchwright::cloud::Simulated;
use batchwright::execute::{Event, Limits, Report, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::plan::Plan;
use batchwright::resource::{Desired, Observed};

use super::gone::{end, failures, observed_in};
use super::{PAYMENTS, Run, all, now};

/// What both begin with: nothing, half of what a destroy leaves that was stopped, or everything.
fn beginnings(desired: &Desired) -> Vec<(&'static str, Simulated)> {
    let empty = Simulated::new(KINDS, desired.place.clone());
    let whole = empty.copy();
    Run { cloud: &whole, desired }.apply();
    let half = whole.copy();
    let (mut plan, observed) = end(&half, desired);
    let network = plan.steps.iter().position(|step| step.resource.kind.starts_with("ec2/"));
    plan.steps.truncate(network.expect("the network goes last"));
    assert!(Run { cloud: &half, desired }.execute(&plan, &observed).complete());
    vec![("nothing", empty), ("half", half), ("everything", whole)]
}

async fn run(plan: &Plan, observed: &Observed, cloud: &Simulated) -> Report {
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    execute(plan, observed, cloud, KINDS, &Limits::default(), stop, &mut |_: Event| ()).await
}

/// Both from what was observed before either began.
fn side_by_side(cloud: &Simulated, desired: &Desired, stops: [usize; 2]) {
    let (mut applying, observed) = Run { cloud, desired }.plan();
    let (mut destroying, _) = end(cloud, desired);
    applying.steps.truncate(stops[0]);
    destroying.steps.truncate(stops[1]);
    now(async {
        futures::join!(run(&applying, &observed, cloud), run(&destroying, &observed, cloud));
    });
}

#[test]
fn an_apply_beside_a_destroy_stopped_anywhere_goes_on_to_either_end() {
    let desired = &*PAYMENTS;
    let (mut tried, mut points) = (0, 0);
    for (what, beginning) in beginnings(desired) {
        let steps = [Run { cloud: &beginning, desired }.plan().0, end(&beginning, desired).0];
        let [makes, removes] = steps.map(|plan| plan.steps.len());
        for stops in (0..=makes).flat_map(|made| (0..=removes).map(move |gone| [made, gone])) {
            points += 1;
            let seed = 1 + (points * 2_654_435_761_u64) % 4_294_967_296;
            if !all() && !seed.is_multiple_of(8) {
                continue;
            }
            tried += 1;
            let cloud = beginning.copy().slow(seed);
            side_by_side(&cloud, desired, stops);
            let midst = format!("from {what}, stopped after {stops:?} of {makes} and {removes}, seed {seed}");
            for destroys in [false, true] {
                let cloud = cloud.copy();
                let run = Run { cloud: &cloud, desired };
                let next = || if destroys { end(&cloud, desired) } else { run.plan() };
                let (plan, observed) = next();
                assert_eq!(plan.objections, vec![], "{midst}");
                let report = run.execute(&plan, &observed);
                assert!(report.complete(), "{midst}: {}", failures(&plan, &report));
                let left = next().0;
                assert!(left.is_idle(), "{midst}: {:#?}", left.changes);
                let twice = observed_in(&cloud, desired).resources.into_values().any(|seen| {
                    let different: BTreeSet<_> =
                        seen.iter().map(|live| (live.generation(), live.revision)).collect();
                    seen.iter().count() > different.len()
                });
                assert!(!twice, "{midst}");
            }
        }
    }
    println!("{tried} of {points} pairs of points, each to both ends");
}
