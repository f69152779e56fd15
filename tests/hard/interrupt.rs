//! The program as people run it, told to stop in the midst of an apply, and met by refusals: what is done, what is not,
//! what waits for what, and that the next run goes on (P25).

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use crate::stack::{IMAGE, sandbox};
use crate::world::golden::golden;
use crate::world::stage::{Stage, environment, queue};
use crate::world::{hasty, planned, program};
use aws_sdk_batch::types::JobStatus;
use batchwright::execute::{Event, Outcome, Report, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::plan::{Guard, Verb};
use batchwright::resource::{Desired, Readiness, ResourceId};
use batchwright::sandbox::{Exact, Fault, Faults, Sandbox};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

/// `apply dev --yes` against a sandbox.
fn apply(sandbox: &Sandbox, more: &[&str]) -> Child {
    let image = format!("--image=worker={IMAGE}");
    let args = [&["apply", "dev", "--yes", &image], more].concat();
    started(sandbox, Path::new(env!("CARGO_MANIFEST_DIR")), &args)
}

/// The program with these arguments, in this folder.
fn started(sandbox: &Sandbox, folder: &Path, args: &[&str]) -> Child {
    let mut command = program(sandbox, folder, args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

struct Ended {
    status: ExitStatus,
    /// What stdout says of the run, after the plan.
    report: String,
    err: String,
}

/// Waits for the end.
async fn ended(mut child: Child) -> Ended {
    let (mut out, mut err) = (String::new(), String::new());
    let mut stdout = child.stdout.take().unwrap();
    let stderr = child.stderr.take();
    let rest = async {
        if let Some(mut stderr) = stderr {
            stderr.read_to_string(&mut err).await.unwrap();
        }
    };
    let (read, ()) = futures::join!(stdout.read_to_string(&mut out), rest);
    read.unwrap();
    let status = child.wait().await.unwrap();
    let (_, after) = out.split_once("\nPlan: ").unwrap_or_else(|| panic!("no plan: {out}"));
    let report = after.split_once("\n\n").map_or("", |(_, report)| report).to_owned();
    Ended { status, report, err }
}

/// Request ids differ from run to run, as do the ids that AWS assigns; where a manifest stands is its own affair.
fn plain(text: &str) -> String {
    let ids = regex::Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap();
    let assigned = regex::Regex::new("(vpc|subnet|sg|rtb|igw|vpce)-[0-9a-f]{8,}").unwrap();
    let place = regex::Regex::new(r"\.yaml:\d+:\d+").unwrap();
    let text = place.replace_all(text, ".yaml:LINE:COLUMN");
    assigned.replace_all(&ids.replace_all(&text, "REQUEST"), "$1-ID").into_owned()
}

fn tell(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap(), signal).unwrap();
}

/// The lines up to the first that says so.
async fn heard(err: &mut Lines<BufReader<ChildStderr>>, text: &str) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(line) = err.next_line().await.unwrap() {
        heard.push(line);
        if heard.last().is_some_and(|line| line.contains(text)) {
            return heard;
        }
    }
    panic!("{text:?} was not said: {heard:?}");
}

async fn interrupted_by(signal: Signal) {
    let sandbox = sandbox().await;
    // The network waits for its VPC, and the VPC waits for us; what needs no network goes on meanwhile.
    let held = sandbox.hold("ec2", "CreateVpc");
    let mut child = apply(&sandbox, &[]);
    held.arrived().await;
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    tell(&child, signal);
    let heard = heard(&mut err, "interrupted").await;
    assert!(heard.last().is_some_and(|line| line.contains("nothing new is started")), "{heard:?}");
    held.release();
    let rest = tokio::spawn(async move {
        let mut lines = Vec::new();
        while let Some(line) = err.next_line().await.unwrap() {
            lines.push(line);
        }
        lines
    });
    let Ended { status, report, .. } = ended(child).await;
    let rest = rest.await.unwrap();
    assert_eq!(status.code(), Some(6), "{report}");
    assert!(rest.iter().any(|line| line.contains("created       ec2/Vpc/main")), "in flight: {rest:?}");
    assert!(!rest.iter().any(|line| line.contains("creating")), "something new was started: {rest:?}");
    let (left, summary) = report.split_once("\n\nInterrupted: ").unwrap_or_else(|| panic!("{report}"));
    assert!(left.contains("Not started:") && left.contains("  create ec2/Subnet/a"), "{report}");
    assert!(summary.contains(" not started. Run it again to go on: what is done stays done."), "{report}");
    assert_eq!(sandbox.stats().of("ec2", "CreateVpc"), 1);
    assert_eq!(sandbox.stats().of("ec2", "CreateSubnet"), 0);

    let Ended { status, report, .. } = ended(apply(&sandbox, &[])).await;
    assert_eq!(status.code(), Some(0), "{report}");
    assert_eq!(sandbox.stats().of("ec2", "CreateVpc"), 1, "the next run goes on with what is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_finishes_what_flies_and_starts_nothing_new() {
    interrupted_by(Signal::INT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_does_the_same() {
    interrupted_by(Signal::TERM).await;
}

const EC2: &str = "type: EC2";
const SPOT: &str = "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED";

/// An environment under a queue, before or after its replacement.
fn work(resources: &str) -> [String; 2] {
    [environment("work", "", resources), queue("jobs", "", &["work"])]
}

/// A drain changes nothing, and may take hours: nobody who stops a run waits for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_a_drain_at_once_and_the_next_run_goes_on() {
    let stage = Stage::new().await;
    stage.world.apply(&stage.desired(&work(EC2)), &Guard::default()).await;
    let job = stage.running_job("t-jobs", "long").await;
    stage.desired(&work(SPOT));
    let mut child = started(&stage.world.sandbox, stage.folder(), &["apply", "test", "--yes"]);
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    heard(&mut err, "1 job still runs").await;
    tell(&child, Signal::INT);
    let Ended { status, report, .. } = ended(child).await;
    assert_eq!(status.code(), Some(6), "{report}");
    let expected = format!(
        "Not finished:
  drain batch/ComputeEnvironment/work (t-work): 1 job still runs (long {job})

Not started:
  delete batch/ComputeEnvironment/work (t-work)

Interrupted: 4 of 6 steps done, 1 not finished, 1 not started. Run it again to go on: what is done stays done.
"
    );
    assert_eq!(report, expected);
    assert_eq!(stage.status_of(&job).await, "RUNNING");

    stage.release();
    stage.until(&job, &JobStatus::Succeeded).await;
    let again = started(&stage.world.sandbox, stage.folder(), &["apply", "test", "--yes"]);
    let again = again.wait_with_output().await.unwrap();
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let left = stage.batch.describe_compute_environments().send().await.unwrap();
    let names: Vec<_> =
        left.compute_environments().iter().filter_map(|it| it.compute_environment_name()).collect();
    assert_eq!(names, ["t-work-g2"]);
}

/// As a runner stops a job: SIGINT, and SIGTERM some seconds later. What AWS was asked for is waited for until then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_waits_for_nothing_and_reports_all_the_same() {
    let stage = Stage::new().await;
    let mut settings = stage.world.sandbox.batch().settings();
    settings.transition = Duration::from_secs(3600);
    stage.world.sandbox.batch().set_settings(settings);
    stage.desired(&work(EC2));
    let mut child = started(&stage.world.sandbox, stage.folder(), &["apply", "test", "--yes"]);
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    heard(&mut err, "CREATING").await;
    tell(&child, Signal::INT);
    heard(&mut err, "nothing new is started").await;
    tell(&child, Signal::TERM);
    heard(&mut err, "nothing is waited for any more").await;
    let Ended { status, report, .. } = ended(child).await;
    assert_eq!(status.code(), Some(6), "{report}");
    assert_eq!(
        report,
        "Not finished:
  create batch/ComputeEnvironment/work (t-work): CREATING

Not started:
  create batch/JobQueue/jobs (t-jobs)

Interrupted: 0 of 2 steps done, 1 not finished, 1 not started. Run it again to go on: what is done stays done.
"
    );
}

/// A call that hangs is left to itself after a moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_leaves_calls_behind_and_reports_them() {
    let sandbox = sandbox().await;
    let held = sandbox.hold("ec2", "CreateVpc");
    let mut child = apply(&sandbox, &[]);
    held.arrived().await;
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    tell(&child, Signal::TERM);
    heard(&mut err, "nothing new is started").await;
    tell(&child, Signal::INT);
    let Ended { status, report, .. } = ended(child).await;
    held.release();
    assert_eq!(status.code(), Some(6), "{report}");
    let line = "  create ec2/Vpc/main (dev-main): a call was under way: plan again to see what it did\n";
    assert!(report.contains(line) && report.contains("\nInterrupted: "), "{report}");
}

/// Batch forgets late that a queue has let go: that is nothing this run has asked for, and may take ten minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_that_is_refused_for_now_is_not_waited_for() {
    let stage = Stage::new().await;
    stage.world.apply(&stage.desired(&work(EC2)), &Guard::default()).await;
    let mut settings = stage.world.sandbox.batch().settings();
    settings.relationship_lag = 1000;
    stage.world.sandbox.batch().set_settings(settings);
    let desired = stage.desired(&work(SPOT));
    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    let (stop, stopped) = tokio::sync::watch::channel(Shutdown::Running);
    let mut on = |event: Event| {
        if let Event::Waiting { step, why } = event
            && plan.steps[step].verb == Verb::Delete
        {
            assert!(why.contains("found existing JobQueue relationship"), "{why}");
            stop.send_replace(Shutdown::Graceful);
        }
    };
    let limits = hasty();
    let report = execute(&plan, &observed, &stage.world.cloud, KINDS, &limits, stopped, &mut on).await;
    assert!(report.interrupted && report.done() == 5, "{report:?}");
    let why = match report.outcomes.values().last() {
        Some(Outcome::Unfinished { why }) => why.as_str(),
        other => panic!("{other:?}"),
    };
    assert!(why.contains("found existing JobQueue relationship"), "{why}");
}

/// Stops as soon as AWS is at work on something.
async fn left_in_the_midst(stage: &Stage, desired: &Desired) -> Report {
    let (plan, observed) = stage.world.plan(desired, &Guard::default()).await;
    let (stop, stopped) = tokio::sync::watch::channel(Shutdown::Running);
    let mut on = |event: Event| {
        if matches!(event, Event::Waiting { .. }) {
            stop.send_replace(Shutdown::Immediate);
        }
    };
    execute(&plan, &observed, &stage.world.cloud, KINDS, &hasty(), stopped, &mut on).await
}

/// What a run was killed over is as declared before AWS is done with it: the next one ends when that is over, and no sooner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_aws_is_still_at_work_on_is_waited_for() {
    let stage = Stage::new().await;
    stage.world.apply(&stage.desired(&work(EC2)), &Guard::default()).await;
    let mut settings = stage.world.sandbox.batch().settings();
    settings.updating_looks = 6;
    stage.world.sandbox.batch().set_settings(settings);
    let [environment, queue] = work(EC2);
    let desired = stage.desired(&[environment, queue.replace("priority: 1", "priority: 2")]);
    let report = left_in_the_midst(&stage, &desired).await;
    assert!(matches!(report.outcomes.values().next(), Some(Outcome::Unfinished { .. })), "{report:?}");

    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    assert!(plan.is_empty() && !plan.is_idle(), "{:?}", plan.changes);
    let due: Vec<_> = plan.due.iter().map(|due| (due.physical.as_str(), due.what.as_str())).collect();
    assert_eq!(
        due,
        [("t-jobs", "AWS is still at work on it (UPDATING): an apply waits for the end of that")]
    );
    stage.world.sandbox.reset_stats();
    let report = stage.world.execute(&plan, &observed).await;
    assert!(report.complete() && report.done() == 1, "{report:?}");
    assert_eq!(stage.world.sandbox.stats().writes(), 0);
    let jobs = ResourceId::new("batch/JobQueue", "jobs");
    let observed = stage.world.observe(&desired).await;
    assert_eq!(observed.resources[&jobs].current.as_ref().unwrap().readiness, Readiness::Ready);
    assert!(stage.world.plan(&desired, &Guard::default()).await.0.is_idle());
}

/// It may turn out to be broken: that is a failure, also where nothing was to be changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_aws_is_still_at_work_on_may_fail() {
    let stage = Stage::new().await;
    let mut settings = stage.world.sandbox.batch().settings();
    settings.transition = Duration::from_secs(2);
    stage.world.sandbox.batch().set_settings(settings);
    let role = "  serviceRole: arn:aws:iam::ACCOUNT:role/nobody\n";
    let [environment, _] = work(EC2);
    let desired = stage.desired(&[environment + role]);
    let report = left_in_the_midst(&stage, &desired).await;
    assert_eq!(report.done(), 0, "{report:?}");
    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    assert_eq!(plan.steps.len(), 1, "{:?}", plan.steps);
    let report = stage.world.execute(&plan, &observed).await;
    let failures: Vec<_> = report.failures().map(|(_, failure)| failure.message.clone()).collect();
    assert!(failures.len() == 1 && failures[0].contains("sts:AssumeRole"), "{failures:?}");
}

/// What needs it waits as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_it_comes_after_what_aws_is_at_work_on() {
    let stage = Stage::new().await;
    let [environment, queue] = work(EC2);
    stage.world.apply(&stage.desired(std::slice::from_ref(&environment)), &Guard::default()).await;
    let desired = stage.desired(&[environment, queue]);
    let mut observed = stage.world.observe(&desired).await;
    let seen = observed.resources.get_mut(&ResourceId::new("batch/ComputeEnvironment", "work")).unwrap();
    seen.current.as_mut().unwrap().readiness = Readiness::Pending("CREATING".to_owned());
    let plan = planned(&desired, &observed, &Guard::default());
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.verb, step.resource.name.as_str())).collect();
    assert_eq!(steps, [(Verb::Update, "work"), (Verb::Create, "jobs")]);
    assert!(plan.steps[1].after.contains(&0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_blocks_what_waits_for_it_and_nothing_else() {
    let sandbox = sandbox().await;
    let refused = |service: &str, action: &str, fault| Exact {
        service: service.to_owned(),
        action: action.to_owned(),
        nth: 0,
        fault,
    };
    let exact = vec![
        refused("iam", "CreatePolicy", Fault::Limit),
        refused("ec2", "CreateSubnet", Fault::Limit),
        refused("ecr", "CreateRepository", Fault::Limit),
    ];
    sandbox.set_faults(Faults { exact, ..Faults::default() });
    let Ended { status, report, .. } = ended(apply(&sandbox, &[])).await;
    assert_eq!(status.code(), Some(5), "{report}");
    golden("tests/hard/interrupt/applied_in_part.txt", &plain(&report));
    // What the SDK sends again by itself is told where the log is asked for.
    let exact = vec![Exact { nth: 1, ..refused("iam", "CreatePolicy", Fault::Throttle) }];
    sandbox.set_faults(Faults { exact, ..Faults::default() });
    let Ended { status, report, err } = ended(apply(&sandbox, &["--log", "info"])).await;
    assert_eq!(status.code(), Some(0), "{report}");
    let again = err.lines().find(|line| line.contains("sent again")).unwrap_or_else(|| panic!("{err}"));
    assert!(again.contains("iam") && again.contains("CreatePolicy"), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_permission_is_named_and_has_an_exit_code_of_its_own() {
    let sandbox = sandbox().await;
    let denied = |service: &str, action: &str| Exact {
        service: service.to_owned(),
        action: action.to_owned(),
        nth: 0,
        fault: Fault::Deny,
    };
    let exact = vec![
        denied("batch", "CreateComputeEnvironment"),
        denied("ec2", "CreateInternetGateway"),
        denied("ecr", "CreateRepository"),
        denied("iam", "CreatePolicy"),
        denied("logs", "CreateLogGroup"),
        denied("s3", "CreateBucket"),
    ];
    sandbox.set_faults(Faults { exact, ..Faults::default() });
    let Ended { status, report, .. } = ended(apply(&sandbox, &[])).await;
    assert_eq!(status.code(), Some(8), "{report}");
    golden("tests/hard/interrupt/denied.txt", &plain(&report));
}
