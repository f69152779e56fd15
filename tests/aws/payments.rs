//! The main job, end to end on the sandbox: the payments stack from nothing to nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::world::{World, changes, in_free_account, load};
use batchwright::manifest::Options;
use batchwright::plan::{Guard, Verb};
use batchwright::resource::Desired;

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn desired(environment: &str) -> Desired {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let images = BTreeMap::from([("worker".to_owned(), format!("registry/{environment}-worker@{DIGEST}"))]);
    load(&root, environment, &Options { images, ..Options::default() })
}

async fn destroy(world: &World, desired: &Desired) {
    let nothing = Desired { resources: BTreeMap::new(), images: BTreeMap::new(), ..desired.clone() };
    let destroy = Guard { destroy: true, ..Guard::default() };
    world.apply(&nothing, &destroy).await;
    let (left, _) = world.plan(&nothing, &destroy).await;
    assert_eq!(changes(&left), Vec::<String>::new());
}

/// D35: at most 45 calls, at most 3 round trips deep, of which STS is the first; and a plan never writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payments_stack_from_nothing_to_nothing() {
    let desired = in_free_account(&desired("dev"));
    let world = World::of(&desired).await;
    let first = world.apply(&desired, &Guard::default()).await;
    assert!(
        first.steps.iter().all(|step| matches!(step.verb, Verb::Create | Verb::Register)),
        "{:?}",
        changes(&first)
    );

    world.sandbox.reset_stats();
    world.sandbox.refuse_writes(true);
    world.sandbox.answer_in_rounds(Duration::from_millis(400));
    let (again, _) = world.plan(&desired, &Guard::default()).await;
    world.sandbox.refuse_writes(false);
    world.sandbox.answer_in_rounds(Duration::ZERO);
    let stats = world.sandbox.stats();
    assert_eq!(changes(&again), Vec::<String>::new());
    assert!(stats.count() < 45, "{} calls and one of STS: {:?}", stats.count(), stats.per_action());
    assert!(stats.depth() < 3, "{} round trips and one of STS: {:?}", stats.depth(), stats.calls);
    assert_eq!(stats.writes(), 0);

    destroy(&world, &desired).await;
}

/// The variant whose data never leaves the AWS network, with the roles for GitHub beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_from_nothing_to_nothing() {
    let desired = in_free_account(&desired("prod"));
    let world = World::of(&desired).await;
    let first = world.apply(&desired, &Guard::default()).await;
    assert!(first.changes.len() > 20, "{:?}", changes(&first));
    let (again, _) = world.plan(&desired, &Guard::default()).await;
    assert_eq!(changes(&again), Vec::<String>::new());
    destroy(&world, &desired).await;
}
