//! Jobs that a change would cut off: named, and refused unless they get the time or somebody says so (D21).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::world::golden::golden;
use crate::world::load;
use crate::world::stage::{Stage, environment, queue};
use aws_sdk_batch::types::{JobStatus, JqState};
use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::execute::{Limits, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest::Options as ManifestOptions;
use batchwright::plan::{End, Guard, Objector, Plan, Request, needs, plan};
use batchwright::render::{self, Paint, json};
use batchwright::resource::{Desired, Job, Jobs, Observed, ResourceId};

const UPDATABLE: &str = "type: EC2, allocationStrategy: BEST_FIT_PROGRESSIVE";
/// Another image: new instances, in place.
const RENEWED: &str = "type: EC2, allocationStrategy: BEST_FIT_PROGRESSIVE, imageId: ami-12345678";

fn id(kind: &str, name: &str) -> ResourceId {
    ResourceId::new(format!("batch/{kind}"), name)
}

fn allowing(interrupt: &[ResourceId], delete: &[ResourceId]) -> Guard {
    Guard {
        allow_interrupt: interrupt.iter().cloned().collect(),
        allow_delete: delete.iter().cloned().collect(),
        ..Guard::default()
    }
}

/// An environment with an update policy.
fn governed(resources: &str, policy: &str) -> String {
    environment("gpu", "", resources) + &format!("  updatePolicy: {{{policy}}}\n")
}

/// A resource, what becomes of its jobs, and which of them are cut off.
type Told<'a> = (String, End, Vec<(&'a str, bool)>);

fn told(plan: &Plan) -> Vec<Told<'_>> {
    let jobs = |impact: &batchwright::plan::Impact| {
        let all = plan.impact.iter().find(|one| one.id == impact.id).unwrap();
        all.jobs.iter().map(|one| (one.job.name.as_str(), one.cut_off)).collect()
    };
    let impacts = plan.impact.iter().map(|one| (one.id.to_string(), one.end, jobs(one)));
    let mut found: Vec<_> = impacts.collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn refused(plan: &Plan) -> Vec<String> {
    let jobs = plan.objections.iter().filter(|it| it.objector == Objector::Jobs);
    jobs.map(|it| it.id.to_string()).collect()
}

/// Jobs on the environment are named, those beside it are not; the update policy decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_names_the_jobs_on_its_instances() {
    let stage = Stage::new().await;
    let rest = [
        environment("cpu", "", UPDATABLE),
        queue("mixed", "", &["gpu"]),
        queue("beside", "", &["cpu", "gpu"]),
    ];
    let all = |first: String| [vec![first], rest.to_vec()].concat();
    stage.world.apply(&stage.desired(&all(environment("gpu", "", UPDATABLE))), &Guard::default()).await;
    let on_it = stage.running_job("t-mixed", "on-it").await;
    stage.running_job("t-beside", "beside").await;
    let gpu = id("ComputeEnvironment", "gpu").to_string();

    // Half an hour is what Batch gives them, and the job began a moment ago.
    let desired = stage.desired(&all(environment("gpu", "", RENEWED)));
    stage.world.sandbox.reset_stats();
    let (plan, _) = stage.world.plan(&desired, &Guard::default()).await;
    assert_eq!(told(&plan), [(gpu.clone(), End::After(30), vec![("on-it", false)])]);
    assert_eq!(plan.objections, []);
    // Neither job has a time-out: each queue is asked for parents, for what starts and what runs, and for what is past.
    assert_eq!(stage.world.sandbox.stats().of("batch", "ListJobs"), 2 * 3 + 2);

    let desired = stage.desired(&all(governed(RENEWED, "terminateJobsOnUpdate: true")));
    let (plan, _) = stage.world.plan(&desired, &Guard::default()).await;
    assert_eq!(told(&plan), [(gpu.clone(), End::AtOnce, vec![("on-it", true)])]);
    let messages: Vec<&str> = plan.objections.iter().map(|it| it.message.as_str()).collect();
    let expected = format!(
        "running jobs would be cut off at once: on-it ({on_it}); wait for them, set lifecycle.strategy to blueGreen, or allow it with --allow-interrupt={gpu}"
    );
    assert_eq!(messages, [expected]);

    // A new generation beside the old one interrupts nobody, and nobody is asked about jobs.
    stage.world.sandbox.reset_stats();
    let blue_green = environment("gpu", ", lifecycle: {strategy: blueGreen, drainTimeout: 0s}", RENEWED);
    let (plan, _) = stage.world.plan(&stage.desired(&all(blue_green)), &Guard::default()).await;
    assert_eq!((plan.impact.len(), plan.objections.len()), (0, 0));
    let (idle, _) =
        stage.world.plan(&stage.desired(&all(environment("gpu", "", UPDATABLE))), &Guard::default()).await;
    assert!(idle.is_idle());
    let stats = stage.world.sandbox.stats();
    assert_eq!((stats.of("batch", "ListJobs"), stats.of("batch", "DescribeJobs")), (0, 0));

    let allowed = allowing(&[id("ComputeEnvironment", "gpu")], &[]);
    let (plan, observed) = stage.world.plan(&desired, &allowed).await;
    assert!(plan.objections.is_empty() && plan.impact[0].allowed);
    assert!(stage.world.execute(&plan, &observed).await.complete());
}

/// No job is lost with its queue by accident: not one that runs, and not one that waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_jobs_stays() {
    let stage = Stage::new().await;
    let all = |queues: &[&str]| {
        let queues = queues.iter().map(|name| queue(name, "", &["cpu"]));
        std::iter::once(environment("cpu", "", UPDATABLE)).chain(queues).collect::<Vec<_>>()
    };
    stage.world.apply(&stage.desired(&all(&["stays", "goes"])), &Guard::default()).await;
    let running = stage.running_job("t-goes", "runs").await;
    // More than the environment has: it waits for good.
    let mut waiting = Vec::new();
    for number in 0..9 {
        waiting.push(
            stage.submit("t-goes", &format!("waits-{number}"), "until false; do sleep 0.02; done").await,
        );
    }
    let desired = stage.desired(&all(&["stays"]));
    let goes = id("JobQueue", "goes");
    let word = allowing(&[], std::slice::from_ref(&goes));
    let (plan, _) = stage.world.plan(&desired, &word).await;
    assert_eq!(refused(&plan), [goes.to_string()]);
    let (_, end, jobs) = &told(&plan)[0];
    assert_eq!((*end, jobs.len()), (End::WithQueue, 10));
    assert!(jobs.iter().all(|(_, cut_off)| *cut_off), "{jobs:?}");

    let nothing = Desired { resources: BTreeMap::new(), ..desired.clone() };
    let destroy = Guard { destroy: true, ..Guard::default() };
    let (plan, _) = stage.world.plan(&nothing, &destroy).await;
    assert_eq!(refused(&plan), [goes.to_string()], "destroying says nothing about jobs");

    let both = allowing(std::slice::from_ref(&goes), std::slice::from_ref(&goes));
    let (plan, observed) = stage.world.plan(&desired, &both).await;
    assert_eq!(plan.objections, []);
    assert!(stage.world.execute(&plan, &observed).await.complete());
    assert_eq!(stage.status_of(&running).await, "FAILED");
}

/// A job that comes between plan and apply is found before the queue is touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_job_is_found() {
    let stage = Stage::new().await;
    let with = |queues: &[&str]| {
        let queues = queues.iter().map(|name| queue(name, "", &["cpu"]));
        std::iter::once(environment("cpu", "", UPDATABLE)).chain(queues).collect::<Vec<_>>()
    };
    stage.world.apply(&stage.desired(&with(&["stays", "goes"])), &Guard::default()).await;
    let desired = stage.desired(&with(&["stays"]));
    let (plan, observed) = stage.world.plan(&desired, &allowing(&[], &[id("JobQueue", "goes")])).await;
    assert_eq!(plan.objections, []);
    let job = stage.running_job("t-goes", "late").await;
    let report = stage.world.execute(&plan, &observed).await;
    let failures: Vec<_> = report.failures().map(|(_, failure)| failure.message.clone()).collect();
    assert_eq!(failures, [format!("by now it has jobs that are not over, late ({job}) among 1: plan again")]);
    let queues = stage.batch.describe_job_queues().job_queues("t-goes").send().await.unwrap();
    assert_eq!(queues.job_queues()[0].state(), Some(&JqState::Enabled));
    stage.release();
    stage.until(&job, &JobStatus::Succeeded).await;
    let (plan, observed) = stage.world.plan(&desired, &allowing(&[], &[id("JobQueue", "goes")])).await;
    assert!(stage.world.execute(&plan, &observed).await.complete());
}

/// So is one that comes before the instances are replaced; who may cut it off does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_job_is_found_before_its_instance_goes() {
    let stage = Stage::new().await;
    let with = |resources: &str| {
        vec![governed(resources, "terminateJobsOnUpdate: true"), queue("jobs", "", &["gpu"])]
    };
    stage.world.apply(&stage.desired(&with(UPDATABLE)), &Guard::default()).await;
    let desired = stage.desired(&with(RENEWED));
    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    assert_eq!(plan.objections, []);
    let job = stage.running_job("t-jobs", "late").await;
    stage.world.sandbox.reset_stats();
    let report = stage.world.execute(&plan, &observed).await;
    let failures: Vec<_> = report.failures().map(|(_, failure)| failure.message.clone()).collect();
    let expected = format!("by now jobs run on it that would be cut off, late ({job}) among 1: plan again");
    assert_eq!(failures, [expected]);
    assert_eq!(stage.world.sandbox.stats().of("batch", "UpdateComputeEnvironment"), 0);
    assert_eq!(stage.status_of(&job).await, "RUNNING");
    let (plan, observed) =
        stage.world.plan(&desired, &allowing(&[id("ComputeEnvironment", "gpu")], &[])).await;
    assert!(stage.world.execute(&plan, &observed).await.complete());
    stage.until(&job, &JobStatus::Failed).await;
}

/// The children of an array run where their parent does not show.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_of_an_array_count() {
    let stage = Stage::new().await;
    let all = |resources: &str| vec![environment("gpu", "", resources), queue("jobs", "", &["gpu"])];
    stage.world.apply(&stage.desired(&all(UPDATABLE)), &Guard::default()).await;
    // Registers the definition, and shows that it runs.
    stage.running_job("t-jobs", "alone").await;
    let array = aws_sdk_batch::types::ArrayProperties::builder().size(2).build();
    let submit = stage.batch.submit_job().job_name("many").job_queue("t-jobs").job_definition("waits");
    let parent = submit.array_properties(array).send().await.unwrap().job_id.unwrap();
    for index in 0..2 {
        stage.until(&format!("{parent}:{index}"), &JobStatus::Running).await;
    }
    let (plan, _) = stage.world.plan(&stage.desired(&all(RENEWED)), &Guard::default()).await;
    let names: Vec<&str> = plan.impact[0].jobs.iter().map(|one| one.job.name.as_str()).collect();
    assert_eq!(names, ["alone", "many", "many"]);
    stage.release();
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn job(name: &str, queue: &str, status: &str, elapsed: Option<u64>, timeout: Option<u64>) -> Job {
    Job {
        id: format!("0f3c52c1-{name}"),
        name: name.to_owned(),
        queue: queue.to_owned(),
        status: status.to_owned(),
        cluster: None,
        elapsed,
        timeout,
        past: None,
        definition: None,
        needs: BTreeSet::new(),
    }
}

/// What these manifests declare, where no AWS is.
fn declared(manifests: &[String]) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("test")).unwrap();
    std::fs::create_dir_all(folder.path().join("stacks/main")).unwrap();
    let environment =
        "project: acme/stage\naccount: \"111111111111\"\nregion: eu-west-1\nnamePrefix: t-\nstacks: [main]\n";
    std::fs::write(folder.path().join("test/environment.yaml"), environment).unwrap();
    let text = manifests
        .join("---\n")
        .replace("SUBNET", "subnet-0123456789abcdef0")
        .replace("GROUP", "sg-0123456789abcdef0");
    let text = text.replace("PROFILE", "arn:aws:iam::111111111111:instance-profile/batch");
    std::fs::write(folder.path().join("stacks/main/all.yaml"), text).unwrap();
    let mut desired = load(folder.path(), "test", &ManifestOptions::default());
    desired.resources.values_mut().for_each(|it| it.position.file = "all.yaml".to_owned());
    desired
}

/// The plan as people and programs read it.
#[test]
fn a_plan_tells_of_jobs() {
    let before =
        [environment("gpu", "", UPDATABLE), queue("train", "", &["gpu"]), queue("old", "", &["gpu"])];
    let first = declared(&before);
    let cloud = Simulated::new(KINDS, first.place.clone());
    let observe = || now(cloud.observe(&Scope::of(&first))).unwrap();
    let made = plan(&Request::new(&first, &observe(), KINDS, &Guard::default()));
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    assert!(now(execute(&made, &observe(), &cloud, KINDS, &Limits::default(), stop, &mut |_| ())).complete());
    let observed = observe();
    let arn = |name: &str| first.place.arn("batch", &format!("job-queue/t-{name}"));
    let (train, old) = (arn("train"), arn("old"));
    let second = declared(&[environment("gpu", "", RENEWED), queue("train", "", &["gpu"])]);
    let guard = allowing(&[], &[id("JobQueue", "old")]);
    let asked =
        needs(&plan(&Request::new(&second, &observed, KINDS, &guard)), &observed, KINDS).jobs.unwrap();
    assert_eq!(
        (asked.queues, asked.waiting, asked.past),
        (Some(BTreeSet::from([train.clone(), old.clone()])), true, true)
    );
    let jobs = Jobs {
        list: vec![
            job("bounded", &train, "RUNNING", Some(3000), Some(3600)),
            job("governed", &train, "RUNNING", Some(200), Some(21_600)),
            job("long", &train, "RUNNING", Some(11_100), None),
            Job { past: Some(18_000), ..job("nightly", &train, "RUNNING", Some(200), None) },
            job("queued", &train, "RUNNABLE", None, None),
            job("short", &train, "RUNNING", Some(200), None),
            job("starting", &old, "STARTING", None, None),
            job("waiting", &old, "RUNNABLE", None, None),
        ],
        more_in: BTreeSet::from([old.clone()]),
        definitions: Vec::new(),
    };
    let observed = Observed { jobs: Some(jobs), ..observed };
    let made = plan(&Request::new(&second, &observed, KINDS, &guard));
    for (name, text) in [
        ("plan.txt", render::plan(&made, Paint::none())),
        ("plan.md", render::markdown(&made).to_string()),
        ("plan.json", json::document(&made)),
    ] {
        golden(Path::new("tests/aws/job_impact").join(name), &text);
    }
}
