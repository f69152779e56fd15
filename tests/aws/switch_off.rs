//! Compute environments that the manifests switch off, beside what becomes of their queues: in whatever way both change in one
//! commit, the queue moves or closes first (P1).

use std::time::Duration;

use crate::world::changes;
use crate::world::stage::{Stage, environment, has_ground, queue};
use batchwright::plan::Guard;

const EC2: &str = "type: EC2";

fn off(name: &str) -> String {
    environment(name, "", EC2) + "  state: DISABLED\n"
}

fn closed(queue: &str) -> String {
    queue.replace("{priority: 1", "{state: DISABLED, priority: 1")
}

/// Moments at which an open queue had nothing that is up.
fn groundless(stage: &Stage) -> Vec<String> {
    let history = stage.world.sandbox.batch().queue_history();
    let bad = history.iter().filter(|moment| moment.state == "ENABLED" && !has_ground(moment));
    bad.map(|moment| format!("{moment:?}")).collect()
}

async fn stage(environments: &[&str], order: &[&str]) -> Stage {
    let stage = Stage::new().await;
    let all = environments.iter().map(|name| environment(name, "", EC2));
    let all: Vec<String> = all.chain([queue("jobs", "", order)]).collect();
    stage.world.apply(&stage.desired(&all), &Guard::default()).await;
    let mut settings = stage.world.sandbox.batch().settings();
    settings.transition = Duration::from_millis(50);
    stage.world.sandbox.batch().set_settings(settings);
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_a_queue_go_off_only_once_it_stands_elsewhere() {
    let stage = stage(&["a", "b"], &["a", "b"]).await;
    let elsewhere = |c: String| stage.desired(&[off("a"), off("b"), c, queue("jobs", "", &["c"])]);

    // What the queue is to move to is broken: it stays where it is, and so does what it stands on.
    let broken = elsewhere(environment("c", "", EC2).replace("GROUP", "sg-00000000"));
    let (plan, observed) = stage.world.plan(&broken, &Guard::default()).await;
    assert_eq!(plan.objections, []);
    let report = stage.world.execute(&plan, &observed).await;
    assert_eq!((report.failures().count(), report.done()), (1, 0), "{report:#?}");
    assert_eq!(groundless(&stage), Vec::<String>::new());

    let desired = elsewhere(environment("c", "", EC2));
    stage.world.apply(&desired, &Guard::default()).await;
    assert_eq!(groundless(&stage), Vec::<String>::new());
    let (again, _) = stage.world.plan(&desired, &Guard::default()).await;
    assert!(again.is_idle(), "{:?}", changes(&again));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_goes_off_once_the_queue_has_another_beside_it() {
    let stage = stage(&["work", "other"], &["work"]).await;
    let desired =
        stage.desired(&[off("work"), environment("other", "", EC2), queue("jobs", "", &["other", "work"])]);
    stage.world.apply(&desired, &Guard::default()).await;
    assert_eq!(groundless(&stage), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_one_goes_off_once_its_queue_is_closed() {
    let stage = stage(&["work"], &["work"]).await;
    let desired = stage.desired(&[off("work"), closed(&queue("jobs", "", &["work"]))]);
    stage.world.apply(&desired, &Guard::default()).await;
    assert_eq!(groundless(&stage), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_go_off_once_the_third_is_on() {
    let stage = stage(&["a", "b", "c"], &["a", "b", "c"]).await;
    let jobs = queue("jobs", "", &["a", "b", "c"]);
    let both = [environment("a", "", EC2), environment("b", "", EC2), off("c"), jobs.clone()];
    stage.world.apply(&stage.desired(&both), &Guard::default()).await;
    let third = [off("a"), off("b"), environment("c", "", EC2), jobs];
    stage.world.apply(&stage.desired(&third), &Guard::default()).await;
    assert_eq!(groundless(&stage), Vec::<String>::new());
}
