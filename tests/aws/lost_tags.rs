//! D11: what only its tags tell apart, and somebody took them off. Refused with the way out, and never made a second time.
//! The number of a generation is in its name as well, and is put back.

use std::collections::BTreeMap;
use std::path::Path;

use crate::world::stage::{Stage, environment, queue};
use crate::world::{World, changes, load, program};
use batchwright::kind::Effect;
use batchwright::manifest::Options;
use batchwright::plan::{Guard, Objector};
use batchwright::resource::{Desired, ResourceId};

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_without_our_tags_is_named_and_not_made_again() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let images = BTreeMap::from([("worker".to_owned(), format!("registry/dev-worker@{DIGEST}"))]);
    let desired = load(&root, "dev", &Options { images, ..Options::default() });
    let world = World::of(&desired).await;
    world.apply(&desired, &Guard::default()).await;
    let network = ["ec2/Vpc/main", "ec2/Subnet/b", "ec2/SecurityGroup/jobs"];
    let around = ["ec2/VpcEndpoint/s3", "ec2/InternetGateway/main", "ec2/RouteTable/jobs"];
    // Those together, and each of the others by itself.
    for lost in [&network[..], &around[..1], &around[1..2], &around[2..]] {
        let lost: Vec<ResourceId> = lost.iter().map(|id| id.parse().unwrap()).collect();
        its_way_out_works(&world, &desired, &root, &lost).await;
    }
}

/// Takes the tags off these, and types what the plan advises.
async fn its_way_out_works(world: &World, desired: &Desired, root: &Path, lost: &[ResourceId]) {
    let observed = world.observe(desired).await;
    let ec2 = aws_sdk_ec2::Client::new(&world.sandbox.sdk_config());
    let mut physical = BTreeMap::new();
    for id in lost {
        let live = observed.resources[id].current.as_ref().unwrap();
        let tags = live.tags.keys().map(|key| aws_sdk_ec2::types::Tag::builder().key(key).build()).collect();
        ec2.delete_tags().resources(&live.physical).set_tags(Some(tags)).send().await.unwrap();
        physical.insert(id.clone(), live.physical.clone());
    }

    let (plan, _) = world.plan(desired, &Guard::default()).await;

    let refused: BTreeMap<&ResourceId, &str> = plan
        .objections
        .iter()
        .filter(|objection| objection.objector == Objector::Owner)
        .map(|objection| (&objection.id, objection.message.as_str()))
        .collect();
    assert_eq!(refused.keys().copied().collect::<Vec<_>>(), physical.keys().collect::<Vec<_>>());
    for (id, physical) in &physical {
        let way_out = format!("`batchwright adopt dev {id}={physical}`");
        assert!(refused[id].contains(&way_out), "{}", refused[id]);
        assert!(plan.changes.iter().all(|change| change.id != *id), "{id} is made again");
        let typed = refused[id].split('`').nth(1).unwrap();
        let args: Vec<&str> = typed.split(' ').skip(1).chain(["--yes"]).collect();
        let adopted = program(&world.sandbox, root.parent().unwrap(), &args).output().await.unwrap();
        assert!(adopted.status.success(), "{typed}: {}", String::from_utf8_lossy(&adopted.stderr));
    }
    let (plan, observed) = world.plan(desired, &Guard::default()).await;
    assert_eq!(plan.objections, []);
    // The user's own tags went with ours.
    let tags_only = plan.changes.iter().all(|change| change.effect == Some(Effect::Tag));
    assert!(tags_only, "{:?}", changes(&plan));
    assert!(world.execute(&plan, &observed).await.complete());
}

/// Taken for the first generation, it would be replaced by one of its own name, and then be removed as the old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_without_its_number_is_known_by_its_name() {
    let stage = Stage::new().await;
    // The second is called after a family of instances, and is its own first generation.
    let all = |resources: &str| {
        let queues = [queue("jobs", "", &["work"]), queue("others", "", &["gpu-g5"])];
        let others = "type: EC2";
        [vec![environment("work", "", resources), environment("gpu-g5", "", others)], queues.to_vec()]
            .concat()
    };
    stage.world.apply(&stage.desired(&all("type: EC2")), &Guard::default()).await;
    let desired = stage.desired(&all("type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED"));
    stage.world.apply(&desired, &Guard::default()).await;
    let work = ResourceId::new("batch/ComputeEnvironment", "work");
    let observed = stage.world.observe(&desired).await;
    let arn = observed.resources[&work].current.as_ref().and_then(|live| live.arn.clone()).unwrap();
    let untag = stage.batch.untag_resource().resource_arn(&arn).tag_keys("batchwright:generation");
    untag.send().await.unwrap();

    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    let expected = ["Update batch/ComputeEnvironment/work tags.batchwright:generation"];
    assert_eq!(changes(&plan), expected);
    assert!(stage.world.execute(&plan, &observed).await.complete());
    let (plan, observed) = stage.world.plan(&desired, &Guard::default()).await;
    assert!(plan.is_idle(), "{:?}", changes(&plan));
    let seen = &observed.resources[&work];
    assert_eq!((seen.current.as_ref().map(|live| live.generation()), seen.others.len()), (Some(2), 0));
}
