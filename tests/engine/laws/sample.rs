//! The same stacks, drawn from a fixed seed, on the sandbox: what an apply says is done is done, and the next plan is empty.

use std::collections::BTreeMap;

use batchwright::plan::Guard;
use batchwright::resource::{Desired, Place};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::cases;
use super::names::drawn;
use crate::world::{World, changes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_names_each_other_comes_about_on_the_sandbox() {
    let mut runner = TestRunner::deterministic();
    let mut draw = || drawn().new_tree(&mut runner).expect("a stack").current();
    for case in 0..cases(5).min(200) {
        let stages = [draw(), draw()];
        let account = format!("{:012}", 700_000_000_000_u64 + u64::from(case));
        let place = Place::new(account, "us-east-1");
        let mut stages: Vec<Desired> = stages.iter().map(|drawn| drawn.desired(&place)).collect();
        stages.push(Desired { resources: BTreeMap::new(), ..stages[0].clone() });
        let all = stages.iter().flat_map(|stage| stage.resources.keys().cloned()).collect();
        let guard = Guard { allow_delete: all, ..Guard::default() };
        let world = World::of(&stages[0]).await;
        for (stage, desired) in stages.iter().enumerate() {
            let (plan, observed) = world.plan(desired, &guard).await;
            // A role that somebody's definition holds on to can't be made anew, and so on: the plan says so.
            if !plan.objections.is_empty() {
                continue;
            }
            let report = world.execute(&plan, &observed).await;
            let failed: Vec<_> = report.failures().map(|(id, failure)| (&plan.steps[id], failure)).collect();
            assert!(report.complete(), "case {case}, stage {stage}: {failed:#?}");
            let (left, _) = world.plan(desired, &guard).await;
            assert_eq!(changes(&left), Vec::<String>::new(), "case {case}, stage {stage}");
        }
    }
}
