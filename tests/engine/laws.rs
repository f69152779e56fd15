//! Laws of planner and executor, on a cloud in memory and the real payments stack (D32).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::execute::{Event, Limits, Report, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest;
use batchwright::plan::{Guard, Plan, Request, check, plan};
use batchwright::resource::{Desired, Incarnation, Observed, OnDelete, Readiness, ResourceId};
use proptest::prelude::*;
use serde_json::json;

mod beside;
mod contracts;
mod gone;
mod names;
mod sample;
mod stacks;

/// How many cases of a law are tried: as many as fit into CI; with `BATCHWRIGHT_LAWS=all` thousands, or as many as it says.
fn cases(few: u32) -> u32 {
    match std::env::var("BATCHWRIGHT_LAWS") {
        Ok(many) if many == "all" => 5_000.max(few),
        Ok(number) => number.parse().unwrap_or(few),
        Err(_) => few,
    }
}

/// Whether all of a walk is asked for, and not its sample: `BATCHWRIGHT_LAWS=all`.
fn all() -> bool {
    std::env::var("BATCHWRIGHT_LAWS").is_ok_and(|many| many == "all")
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(future)
}

static PAYMENTS: LazyLock<Desired> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let image = format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/dev-worker@sha256:{}", "0".repeat(64));
    let options =
        manifest::Options { images: BTreeMap::from([("worker".to_owned(), image)]), ..Default::default() };
    manifest::load(&root, "dev", &options).unwrap_or_else(|errors| panic!("{errors}"))
});

struct Run<'a> {
    cloud: &'a Simulated,
    desired: &'a Desired,
}

impl Run<'_> {
    fn plan(&self) -> (Plan, Observed) {
        let observed = now(self.cloud.observe(&Scope::of(self.desired))).expect("memory can be read");
        let declared = PAYMENTS.resources.keys().chain(self.desired.resources.keys());
        let guard = Guard { allow_delete: declared.cloned().collect(), ..Guard::default() };
        let plan = plan(&Request::new(self.desired, &observed, KINDS, &guard));
        assert_eq!(check(&plan), Vec::<String>::new());
        (plan, observed)
    }

    fn execute(&self, plan: &Plan, observed: &Observed) -> Report {
        let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
        now(execute(plan, observed, self.cloud, KINDS, &Limits::default(), stop, &mut |_: Event| ()))
    }

    fn apply(&self) {
        let (plan, observed) = self.plan();
        assert_eq!(plan.objections, vec![]);
        let report = self.execute(&plan, &observed);
        let failures: Vec<_> = report.failures().map(|(id, failure)| (&plan.steps[id], failure)).collect();
        assert!(report.complete(), "{failures:#?}");
    }

    /// Only the first steps of a plan, as if the process had been killed after them.
    fn apply_prefix(&self, share: f64) {
        let (mut plan, observed) = self.plan();
        let keep = (plan.steps.len() as f64 * share) as usize;
        plan.steps.truncate(keep);
        self.execute(&plan, &observed);
    }
}

/// The first declared resource of a kind.
fn of(kind: &str) -> ResourceId {
    PAYMENTS.resources.keys().find(|id| id.kind == kind).cloned().expect("one of each kind")
}

/// Sets one field, by the pointer to its parent and its name.
fn set(desired: &mut Desired, kind: &str, parent: &str, field: &str, value: serde_json::Value) {
    if let Some(declared) = desired.resources.get_mut(&of(kind)) {
        declared.spec.pointer_mut(parent).unwrap_or_else(|| panic!("{kind} has {parent}"))[field] = value;
    }
}

/// The stack with some of these edits: fields in place, a job definition's revision, a compute environment that must be
/// replaced, a resource that is no longer declared, a tag on everything.
fn edited(edits: &BTreeSet<u8>) -> Desired {
    let mut desired = PAYMENTS.clone();
    for edit in edits {
        match edit {
            0 => set(&mut desired, "batch/JobQueue", "", "priority", json!(77)),
            1 => set(&mut desired, "logs/LogGroup", "", "retentionInDays", json!(90)),
            2 => set(&mut desired, "batch/JobDefinition", "", "schedulingPriority", json!(5)),
            3 => set(
                &mut desired,
                "batch/ComputeEnvironment",
                "/computeResources",
                "type",
                json!("FARGATE_SPOT"),
            ),
            4 => drop(desired.resources.remove(&of("batch/JobDefinition"))),
            _ => desired
                .resources
                .values_mut()
                .for_each(|d| drop(d.tags.insert("team".to_owned(), "data".to_owned()))),
        }
    }
    desired
}

fn edits() -> impl Strategy<Value = BTreeSet<u8>> {
    proptest::collection::btree_set(0_u8..6, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// After an apply nothing differs, whatever was there before.
    #[test]
    fn apply_then_plan_is_empty(before in edits(), after in edits(), seed in any::<u64>()) {
        let cloud = Simulated::new(KINDS, PAYMENTS.place.clone()).slow(seed);
        for desired in [edited(&before), edited(&after)] {
            let run = Run { cloud: &cloud, desired: &desired };
            run.apply();
            let (left, _) = run.plan();
            prop_assert!(left.is_empty(), "{:#?}", left.changes);
        }
    }

    /// Killed after any step, and run again: the same cloud as if nothing had happened.
    #[test]
    fn any_prefix_converges(before in edits(), after in edits(), shares in proptest::collection::vec(0.0..1.0_f64, 1..4)) {
        let (first, second) = (edited(&before), edited(&after));
        let ends = [vec![], shares].map(|shares| {
            let cloud = Simulated::new(KINDS, PAYMENTS.place.clone());
            Run { cloud: &cloud, desired: &first }.apply();
            let run = Run { cloud: &cloud, desired: &second };
            shares.into_iter().for_each(|share| run.apply_prefix(share));
            run.apply();
            prop_assert!(run.plan().0.is_empty());
            Ok(shape(&cloud))
        });
        let [undisturbed, disturbed] = ends;
        prop_assert_eq!(undisturbed?, disturbed?);
    }

    /// What is not ours is never touched: foreign things of other names stay, and one of our name is refused.
    #[test]
    fn nothing_unowned_is_touched(edits in edits(), foreign_name in any::<bool>()) {
        let cloud = Simulated::new(KINDS, PAYMENTS.place.clone());
        let desired = edited(&edits);
        let queue = desired.resources.get(&of("batch/JobQueue")).expect("the queue");
        let name = if foreign_name { "somebody-elses".to_owned() } else { queue.physical_name.clone() };
        let foreign = Incarnation {
            physical: name,
            arn: None,
            spec: json!({"priority": 1}),
            outputs: BTreeMap::new(),
            tags: BTreeMap::from([("batchwright:owner".to_owned(), "somebody/else".to_owned())]),
            readiness: Readiness::Ready,
            revision: None,
            named_generation: None,
        };
        cloud.put("batch/JobQueue", foreign.clone());
        let run = Run { cloud: &cloud, desired: &desired };
        let (plan, observed) = run.plan();
        prop_assert_eq!(plan.objections.is_empty(), foreign_name);
        run.execute(&plan, &observed);
        let held = cloud.documents().into_iter().any(|(_, d)| d == json!({"spec": foreign.spec, "tags": foreign.tags}));
        prop_assert!(held, "the foreign queue is as it was");
    }
}

/// What a cloud holds, without what counts how often something was made: generations and revisions.
fn shape(cloud: &Simulated) -> Vec<String> {
    let counted = regex::Regex::new(r"-g\d+|:\d+\b").expect("a pattern");
    let mut lines: Vec<String> = cloud
        .documents()
        .into_iter()
        .map(|(kind, mut document)| {
            if let Some(tags) = document.pointer_mut("/tags").and_then(serde_json::Value::as_object_mut) {
                tags.remove("batchwright:generation");
            }
            format!("{kind} {}", counted.replace_all(&document.to_string(), ""))
        })
        .collect();
    // Revisions of one family that were registered before are all kept: only what is newest counts.
    lines.sort();
    lines.dedup();
    lines
}

/// `onDelete: retain`: the resource stays, without our tags, and nothing else of ours is left.
#[test]
fn what_is_retained_is_forgotten() {
    let mut desired = PAYMENTS.clone();
    let group = of("logs/LogGroup");
    if let Some(declared) = desired.resources.get_mut(&group) {
        declared.on_delete = OnDelete::Retain;
    }
    let cloud = Simulated::new(KINDS, desired.place.clone());
    Run { cloud: &cloud, desired: &desired }.apply();
    let physical = desired.resources[&group].physical_name.clone();
    desired.resources.clear();
    let run = Run { cloud: &cloud, desired: &desired };
    let (mut plan, observed) = run.plan();
    plan.objections.clear();
    let report = run.execute(&plan, &observed);
    assert!(report.complete(), "{:#?}", report.failures().collect::<Vec<_>>());
    let left: Vec<String> =
        cloud.documents().into_iter().map(|(kind, document)| format!("{kind} {document}")).collect();
    assert!(run.plan().0.is_empty());
    assert!(
        left.iter().any(|line| line.starts_with("logs/LogGroup") && !line.contains("batchwright:")),
        "{physical}: {left:#?}"
    );
}
