//! Compute environments replaced under their queues, on the sandbox: no queue is ever without one that is ENABLED and
//! VALID, and no job is cut off.

mod ground;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use crate::world::golden::golden;
use crate::world::stage::{Stage, environment, has_ground, queue};
use crate::world::{changes, planned};
use aws_sdk_batch::types::{CeState, ComputeEnvironmentOrder, JobStatus};
use batchwright::execute::{Event, Limits, Report, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::plan::{Action, Guard, Plan, Verb};
use batchwright::render::{self, Paint};
use batchwright::resource::{Desired, Observed, ResourceId};
use batchwright::sandbox::batch::QueueMoment;

const EC2: &str = "type: EC2";
const SPOT: &str = "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED";

fn ce(name: &str) -> ResourceId {
    ResourceId::new("batch/ComputeEnvironment", name)
}

/// Executes, and tells each event to `on`.
async fn run(stage: &Stage, plan: &Plan, observed: &Observed, on: &mut (dyn FnMut(&Event) + Send)) -> Report {
    let limits = Limits {
        poll: Duration::from_millis(2),
        slowest_poll: Duration::from_millis(20),
        step_timeout: Duration::from_secs(60),
        ..Limits::default()
    };
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    let mut on = |event: Event| on(&event);
    execute(plan, observed, &stage.world.cloud, KINDS, &limits, stop, &mut on).await
}

fn done(plan: &Plan, report: &Report) {
    let failed: Vec<_> =
        report.failures().map(|(id, why)| (&plan.steps[id].resource, plan.steps[id].verb, why)).collect();
    assert!(report.complete(), "{failed:#?}");
}

/// Every state of every queue, in order, as a page to read.
fn record(history: &[QueueMoment]) -> String {
    let mut queues: BTreeMap<&str, Vec<&QueueMoment>> = BTreeMap::new();
    history.iter().for_each(|moment| queues.entry(&moment.queue).or_default().push(moment));
    let mut text = String::new();
    for (queue, moments) in queues {
        let _ = writeln!(text, "{queue}");
        for moment in moments {
            let environments =
                moment.environments.iter().map(|(name, state, status)| format!("{name} {state} {status}"));
            let environments = environments.collect::<Vec<_>>().join(" · ");
            let line = format!("  {:<8} {:<8}  {environments}", moment.state, moment.status);
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text.push('\n');
    }
    text
}

/// EC2 becomes SPOT under five queues, while jobs run: queues with one, two and three environments, one that comes with the
/// change and one that goes with it; Batch forgets relationships late and shows queues UPDATING for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_queue_is_ever_without_ground() {
    let stage = Stage::new().await;
    let others = [environment("a", "", EC2), environment("b", "", EC2)];
    let queues = [
        queue("alone", "", &["work"]),
        queue("second", "", &["a", "work"]),
        queue("full", "", &["work", "a", "b"]),
    ];
    let before = [
        vec![environment("work", ", lifecycle: {drainTimeout: 2m}", EC2), queue("leaves", "", &["work"])],
        others.to_vec(),
        queues.to_vec(),
    ];
    let after = [
        vec![environment("work", ", lifecycle: {drainTimeout: 2m}", SPOT), queue("comes", "", &["work"])],
        others.to_vec(),
        queues.to_vec(),
    ];
    stage.world.apply(&stage.desired(&before.concat()), &Guard::default()).await;
    let jobs = [stage.running_job("t-alone", "one").await, stage.running_job("t-full", "three").await];
    let mut settings = stage.world.sandbox.batch().settings();
    (settings.relationship_lag, settings.updating_looks) = (5, 3);
    stage.world.sandbox.batch().set_settings(settings);
    stage.world.sandbox.reset_stats();

    let leaves = BTreeSet::from([ResourceId::new("batch/JobQueue", "leaves")]);
    let guard = Guard { allow_delete: leaves, ..Guard::default() };
    let desired = stage.desired(&after.concat());
    let (plan, observed) = stage.world.plan(&desired, &guard).await;
    assert_eq!(plan.objections, []);
    let mut drained = false;
    let report = run(&stage, &plan, &observed, &mut |event| {
        if let Event::Waiting { step, why } = event
            && plan.steps[*step].verb == Verb::Drain
            && !drained
        {
            assert!(why.starts_with("2 jobs still run (one "), "{why}");
            drained = true;
            stage.release();
        }
    })
    .await;
    done(&plan, &report);
    assert!(drained, "the jobs were waited for");
    for job in &jobs {
        stage.until(job, &JobStatus::Succeeded).await;
    }
    let history = stage.world.sandbox.batch().queue_history();
    let groundless: Vec<_> = history.iter().filter(|moment| !has_ground(moment)).collect();
    assert!(groundless.is_empty(), "{groundless:#?}");
    golden("tests/aws/blue_green/record.txt", &record(&history));
    let deletes = stage.world.sandbox.stats().of("batch", "DeleteComputeEnvironment");
    assert_eq!(deletes, 6, "five are refused for the late relationship");
    let (again, _) = stage.world.plan(&desired, &guard).await;
    assert!(again.is_idle(), "{:?}", changes(&again));
}

/// A drain that takes longer than it may is no failure: the old generation is due, and the next apply collects it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_drain_is_left_to_a_later_apply() {
    let stage = Stage::new().await;
    let manifests = |resources: &str| {
        vec![environment("work", ", lifecycle: {drainTimeout: 0s}", resources), queue("jobs", "", &["work"])]
    };
    stage.world.apply(&stage.desired(&manifests(EC2)), &Guard::default()).await;
    let job = stage.running_job("t-jobs", "long").await;
    let desired = stage.desired(&manifests(SPOT));
    stage.world.apply(&desired, &Guard::default()).await;

    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    let due: Vec<_> = plan.due.iter().map(|due| (due.physical.as_str(), due.what.as_str())).collect();
    assert_eq!(
        due,
        [("t-work", "generation 1 is switched off: an apply deletes it once its jobs are done")],
        "{:?}",
        changes(&plan)
    );
    assert!(plan.is_empty() && !plan.is_idle(), "due is neither a change nor drift");
    assert!(!render::has_drifted(&plan));
    let old = &observed.resources[&ce("work")].others[0];
    assert!(old.retiring() && old.spec["state"] == "DISABLED", "{old:?}");
    let report = run(&stage, &plan, &observed, &mut |_| ()).await;
    assert!(report.complete() && report.done() == 0, "the job still runs: {report:?}");
    assert_eq!(stage.status_of(&job).await, "RUNNING");
    let text = render::report(&plan, &report, Paint::none());
    let expected = format!(
        "Due: 1 job still runs (long {job}) on t-work: it is switched off, and an apply after its end deletes it\n\nApplied: 0 added, 0 changed, 0 replaced, 0 deleted.\n"
    );
    assert_eq!(text, expected);

    stage.release();
    stage.until(&job, &JobStatus::Succeeded).await;
    stage.world.apply(&desired, &Guard::default()).await;
    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    assert!(plan.is_idle());
    assert_eq!(observed.resources[&ce("work")].others, []);
}

/// A run that was cut off after any step is visible, and the next one finishes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_that_was_cut_off_goes_on() {
    let stage = Stage::new().await;
    let manifests = |resources: &str| vec![environment("work", "", resources), queue("jobs", "", &["work"])];
    stage.world.apply(&stage.desired(&manifests(EC2)), &Guard::default()).await;
    let kept = stage.world.sandbox.snapshot().await.unwrap();
    let desired = stage.desired(&manifests(SPOT));
    let (whole, observed) = stage.world.plan(&desired, &Guard::default()).await;
    let verbs: Vec<Verb> = whole.steps.iter().map(|step| step.verb).collect();
    assert_eq!(verbs, [Verb::Create, Verb::Update, Verb::Update, Verb::Disable, Verb::Drain, Verb::Delete]);
    for count in 1..whole.steps.len() {
        stage.world.sandbox.restore(&kept).await.unwrap();
        let mut prefix = whole.clone();
        prefix.steps.truncate(count);
        run(&stage, &prefix, &observed, &mut |_| ()).await;
        let plan = stage.world.apply(&desired, &Guard::default()).await;
        let rest: Vec<String> =
            plan.changes.iter().map(|change| format!("{:?} {}", change.action, change.physical)).collect();
        let expected: &[&str] = match count {
            1 | 2 => &["Update t-jobs", "Delete t-work"],
            3 => &["Delete t-work"],
            _ => &[],
        };
        assert_eq!(rest, expected, "after {count} steps");
        assert_eq!(plan.due.len(), usize::from(count > 3), "after {count} steps");
        let history = stage.world.sandbox.batch().queue_history();
        assert!(history.iter().all(has_ground), "{history:#?}");
        let (left, observed) = stage.world.plan(&desired, &Guard::default()).await;
        assert!(left.is_idle(), "{:?}", changes(&left));
        let seen = &observed.resources[&ce("work")];
        assert_eq!(
            (seen.current.as_ref().map(|i| i.physical.as_str()), seen.others.len()),
            (Some("t-work-g2"), 0)
        );
    }
}

/// A foreign environment or a leftover may bear the name that the next generation would have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_name_is_passed_over() {
    let stage = Stage::new().await;
    let manifests = |resources: &str| vec![environment("work", "", resources), queue("jobs", "", &["work"])];
    stage.world.apply(&stage.desired(&manifests(EC2)), &Guard::default()).await;
    let foreign = stage.batch.create_compute_environment().compute_environment_name("t-work-g2");
    let role = format!("arn:aws:iam::{}:role/theirs", stage.world.sandbox.account());
    let foreign = foreign.service_role(role);
    let foreign = foreign.r#type(aws_sdk_batch::types::CeType::Unmanaged);
    foreign.send().await.unwrap();
    let desired = stage.desired(&manifests(SPOT));
    let plan = stage.world.apply(&desired, &Guard::default()).await;
    assert_eq!(plan.changes[0].physical, "t-work-g3");
    let left = stage.batch.describe_compute_environments().send().await.unwrap();
    let names: Vec<_> =
        left.compute_environments().iter().filter_map(|one| one.compute_environment_name()).collect();
    assert_eq!(names, ["t-work-g2", "t-work-g3"]);
}

async fn foreign_queue(stage: &Stage, name: &str, environment: &str) {
    let order = ComputeEnvironmentOrder::builder().order(1).compute_environment(environment).build();
    let make =
        stage.batch.create_job_queue().job_queue_name(name).priority(1).compute_environment_order(order);
    make.tags("batchwright:owner", "acme/other").send().await.unwrap();
}

fn objections(desired: &Desired, observed: &Observed, guard: &Guard) -> Vec<String> {
    let plan = planned(desired, observed, guard);
    plan.objections.iter().map(|it| format!("{}: {}", it.id, it.message)).collect()
}

/// Nothing is switched off under a queue that would stay on it: not ours, named by its ARN, or left alone by `ignore`;
/// whether the environment is replaced, pruned or destroyed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_stays_is_named() {
    let stage = Stage::new().await;
    let arn = "arn:aws:batch:us-east-1:ACCOUNT:compute-environment/t-work";
    let ignores = ", ignore: [computeEnvironmentOrder]";
    let queues = |literal: &str| vec![queue("literal", "", &[literal]), queue("ignores", ignores, &["work"])];
    let before = [vec![environment("work", "", EC2), environment("other", "", EC2)], queues("work")].concat();
    stage.world.apply(&stage.desired(&before), &Guard::default()).await;
    foreign_queue(&stage, "theirs", "t-work").await;

    let mine = "t-work is to be switched off, while";
    let end = "; no queue may be left without a compute environment";
    let theirs = format!(
        "{mine} the job queue theirs of the owner acme/other lists it and has to let go of it first{end}"
    );
    let literal = format!(
        "{mine} batch/JobQueue/literal lists it: let its computeEnvironmentOrder name another, by a reference such as ${{batch/ComputeEnvironment/<name>.arn}}{end}"
    );
    let ignored = format!(
        "{mine} batch/JobQueue/ignores lists it and ignores computeEnvironmentOrder: move it by hand, or take computeEnvironmentOrder out of metadata.ignore{end}"
    );
    let id = ce("work");
    let with_id = |messages: &[&String]| messages.iter().map(|it| format!("{id}: {it}")).collect::<Vec<_>>();

    let replaced = [vec![environment("work", "", SPOT), environment("other", "", EC2)], queues(arn)].concat();
    let desired = stage.desired(&replaced);
    let observed = stage.world.observe(&desired).await;
    assert_eq!(objections(&desired, &observed, &Guard::default()), with_id(&[&ignored, &literal, &theirs]));

    let pruned = [vec![environment("other", "", EC2)], queues(arn)].concat();
    let pruned: Vec<String> = pruned
        .iter()
        .map(|text| {
            text.replace(
                "[{computeEnvironment: \"${batch/ComputeEnvironment/work.arn}\"}]",
                "[{computeEnvironment: \"${batch/ComputeEnvironment/other.arn}\"}]",
            )
        })
        .collect();
    let desired = stage.desired(&pruned);
    let allowed = Guard { allow_delete: BTreeSet::from([ce("work")]), ..Guard::default() };
    assert_eq!(objections(&desired, &observed, &allowed), with_id(&[&ignored, &literal, &theirs]));

    let nothing = Desired { resources: BTreeMap::new(), ..desired.clone() };
    let destroy = Guard { destroy: true, ..Guard::default() };
    assert_eq!(objections(&nothing, &observed, &destroy), with_id(&[&theirs]));
}

/// A queue that comes between plan and apply is found by the last look before the environment is switched off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_is_harmless() {
    let stage = Stage::new().await;
    let manifests = |resources: &str| vec![environment("work", "", resources), queue("jobs", "", &["work"])];
    stage.world.apply(&stage.desired(&manifests(EC2)), &Guard::default()).await;
    let desired = stage.desired(&manifests(SPOT));
    let nothing = Desired { resources: BTreeMap::new(), ..desired.clone() };
    let cases = [(desired, Guard::default()), (nothing, Guard { destroy: true, ..Guard::default() })];
    let (first, _) = &cases[0];
    let plans =
        [stage.world.plan(first, &cases[0].1).await, stage.world.plan(&cases[1].0, &cases[1].1).await];
    foreign_queue(&stage, "theirs", "t-work").await;
    for ((_, guard), (plan, observed)) in cases.iter().zip(&plans) {
        assert_eq!(plan.objections, []);
        let report = run(&stage, plan, observed, &mut |_| ()).await;
        let failures: Vec<_> =
            report.failures().map(|(id, why)| (plan.steps[id].verb, why.message.clone())).collect();
        let expected =
            "by now it is listed by the job queue theirs of acme/other, which may not lose it: plan again";
        assert_eq!(failures, [(Verb::Disable, expected.to_owned())], "destroy: {}", guard.destroy);
        let left =
            stage.batch.describe_compute_environments().compute_environments("t-work").send().await.unwrap();
        assert_eq!(left.compute_environments()[0].state(), Some(&CeState::Enabled));
    }
    let history = stage.world.sandbox.batch().queue_history();
    assert!(history.iter().filter(|moment| moment.queue == "theirs").all(has_ground));
}

/// A queue takes Fargate or EC2 for life: its environment can't become the other under it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_cannot_follow_is_named() {
    let stage = Stage::new().await;
    let fargate = "apiVersion: batchwright/v1
kind: batch/ComputeEnvironment
metadata: {name: work}
spec: {type: MANAGED, computeResources: {type: FARGATE, maxvCpus: 8, subnets: [SUBNET], securityGroupIds: [GROUP]}}
";
    let jobs = queue("jobs", "", &["work"]);
    stage.world.apply(&stage.desired(&[fargate.to_owned(), jobs.clone()]), &Guard::default()).await;
    let desired = stage.desired(&[environment("work", "", EC2), jobs]);
    let observed = stage.world.observe(&desired).await;
    assert_eq!(
        objections(&desired, &observed, &Guard::default()),
        [
            "batch/ComputeEnvironment/work: its successor runs jobs on EC2 instead of Fargate, and a queue takes one of them for life: batch/JobQueue/jobs can't follow; declare a new compute environment and a new queue beside them"
        ]
    );
    let plan = planned(&desired, &observed, &Guard::default());
    assert_eq!(plan.changes[0].action, Action::Replace);
}

/// To switch off the last environment of a queue that stays open is refused; the queue may be closed with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_environment_is_not_switched_off_alone() {
    let stage = Stage::new().await;
    let off = |name: &str| environment(name, "", EC2) + "  state: DISABLED\n";
    let jobs = queue("jobs", "", &["work", "other"]);
    let both = [environment("work", "", EC2), environment("other", "", EC2), jobs.clone()];
    stage.world.apply(&stage.desired(&both), &Guard::default()).await;
    let one = stage.desired(&[off("work"), environment("other", "", EC2), jobs.clone()]);
    let observed = stage.world.observe(&one).await;
    assert_eq!(objections(&one, &observed, &Guard::default()), Vec::<String>::new());
    let two = stage.desired(&[off("work"), off("other"), jobs.clone()]);
    assert_eq!(
        objections(&two, &observed, &Guard::default()),
        [
            "batch/JobQueue/jobs: every compute environment of it would be DISABLED, and its jobs would wait for good: keep one ENABLED, or set its own state to DISABLED too"
        ]
    );
    let closed = jobs.replace("{priority: 1", "{state: DISABLED, priority: 1");
    let all = stage.desired(&[off("work"), off("other"), closed]);
    stage.world.apply(&all, &Guard::default()).await;
    let moved = stage.desired(&[off("work"), off("other"), queue("jobs", "", &["work"])]);
    let observed = stage.world.observe(&moved).await;
    assert_eq!(
        objections(&moved, &observed, &Guard::default()).len(),
        1,
        "nor is it opened on one that is off"
    );
}

/// An environment that is switched off in the plan that moves its queue waits for the queue; nobody else's queue is left behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_is_switched_off_after_its_queue_has_moved() {
    let stage = Stage::new().await;
    let manifests = |work: &str, on: &str| {
        let work = environment("work", "", EC2) + work;
        stage.desired(&[work, environment("other", "", EC2), queue("jobs", "", &[on])])
    };
    stage.world.apply(&manifests("", "work"), &Guard::default()).await;
    let off = "  state: DISABLED\n";

    let alone = Guard { only: Some(BTreeSet::from([ce("work")])), ..Guard::default() };
    let desired = manifests(off, "work");
    let observed = stage.world.observe(&desired).await;
    assert_eq!(objections(&desired, &observed, &alone).len(), 1, "a queue outside the part counts too");

    let desired = manifests(off, "other");
    let plan = stage.world.apply(&desired, &Guard::default()).await;
    assert!(plan.changes.len() == 2, "{:?}", changes(&plan));
    let history = stage.world.sandbox.batch().queue_history();
    let groundless: Vec<_> = history.iter().filter(|moment| !has_ground(moment)).collect();
    assert!(groundless.is_empty(), "{groundless:#?}");

    foreign_queue(&stage, "theirs", "t-other").await;
    let both_off =
        [environment("work", "", EC2), environment("other", "", EC2) + off, queue("jobs", "", &["work"])];
    let desired = stage.desired(&both_off);
    let observed = stage.world.observe(&desired).await;
    assert_eq!(
        objections(&desired, &observed, &Guard::default()),
        [
            "batch/ComputeEnvironment/other: t-other would have nothing else to run jobs on, while the job queue theirs of the owner acme/other lists it and has to let go of it first"
        ]
    );
}
