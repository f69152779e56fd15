//! What somebody deletes behind our back, alone or with what it refers to: it is made again, or the plan names what stands in the way
//! with a way out that works as it is printed.
//!
//! A sample of the pairs is tried; `BATCHWRIGHT_GONE=all` tries each.

#![allow(clippy::print_stdout, reason = "how many were tried is worth a line")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crate::stack::{everything_goes, nothing, payments, run};
use crate::world::{World, changes, hasty, planned, program};
use batchwright::execute::Limits;
use batchwright::plan::Guard;
use batchwright::resource::{Desired, ResourceId};

/// Whether one names the other in its manifest.
fn refers(desired: &Desired, from: &ResourceId, to: &ResourceId) -> bool {
    let declared = &desired.resources[from];
    declared.spec.to_string().contains(&format!("${{{to}.")) || declared.depends_on.contains(to)
}

/// Deletes them as anybody might, the one that uses the other first; whether AWS let all of them go.
async fn delete(world: &World, gone: [&ResourceId; 2]) -> bool {
    let observed = world.observe(&payments()).await;
    let mut plan = planned(&nothing(), &observed, &everything_goes());
    plan.steps.retain(|step| gone.contains(&&step.resource));
    let kept: BTreeSet<_> = plan.steps.iter().map(|step| step.id).collect();
    plan.steps.iter_mut().for_each(|step| step.after.retain(|id| kept.contains(id)));
    let limits = Limits { step_timeout: Duration::from_secs(1), ..hasty() };
    run(&world.sandbox.sdk_config(), &plan, &observed, &limits).await.complete()
}

/// Applies, and where the plan says that something stands in the way, types what it advises first. Answers what was typed.
async fn heals(world: &World, desired: &Desired, what: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut typed = Vec::new();
    loop {
        let (plan, observed) = world.plan(desired, &Guard::default()).await;
        if plan.objections.is_empty() {
            let report = world.execute(&plan, &observed).await;
            let failed: Vec<_> = report.failures().map(|(id, failure)| (&plan.steps[id], failure)).collect();
            assert!(report.complete(), "{what}: {failed:#?}");
            let left = world.plan(desired, &Guard::default()).await.0;
            assert!(left.is_idle(), "{what}: {:?}", changes(&left));
            return typed;
        }
        assert!(typed.len() < 4, "{what}: {typed:?} is no way out of {:#?}", plan.objections);
        for objection in &plan.objections {
            let mut quoted = objection.message.split('`').skip(1).step_by(2);
            let advice = quoted.find(|text| text.starts_with("batchwright "));
            let advice = advice.unwrap_or_else(|| panic!("{what}: no way out of {objection:#?}"));
            let args: Vec<&str> = advice.split(' ').skip(1).chain(["--yes"]).collect();
            let ended = program(&world.sandbox, folder, &args).output().await.unwrap();
            assert!(ended.status.success(), "{advice}: {}", String::from_utf8_lossy(&ended.stderr));
            typed.push(advice.to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_with_what_it_refers_to_is_made_again() {
    let desired = payments();
    let world = World::of(&desired).await;
    world.apply(&desired, &Guard::default()).await;
    let whole = world.sandbox.snapshot().await.unwrap();
    let ids: Vec<&ResourceId> = desired.resources.keys().collect();
    let pairs =
        ids.iter().enumerate().flat_map(|(at, one)| ids[at..].iter().map(move |other| [*one, *other]));
    let linked =
        |pair: &[&ResourceId; 2]| refers(&desired, pair[0], pair[1]) || refers(&desired, pair[1], pair[0]);
    let (linked, others): (Vec<_>, Vec<_>) = pairs.partition(linked);
    assert!(linked.len() > 20, "{linked:?}");
    let all = std::env::var("BATCHWRIGHT_GONE").is_ok_and(|asked| asked == "all");
    let [of_linked, of_others] = if all { [1, 1] } else { [6, 40] };
    let drawn = linked.iter().step_by(of_linked).chain(others.iter().skip(7).step_by(of_others));
    let drawn: Vec<_> = if all { linked.iter().chain(&others).collect() } else { drawn.collect() };
    let (mut kept, mut ways) = (0, BTreeMap::new());
    for pair in &drawn {
        world.sandbox.restore(&whole).await.unwrap();
        // What AWS does not let go, nobody else deletes either.
        kept += usize::from(!delete(&world, **pair).await);
        for way in heals(&world, &desired, &format!("{} and {} are gone", pair[0], pair[1])).await {
            *ways.entry(way).or_insert(0) += 1;
        }
    }
    println!(
        "{} pairs of {} that refer to each other and {} others; of {kept} AWS keeps one; typed: {ways:?}",
        drawn.len(),
        linked.len(),
        others.len()
    );
}
