//! Tags change tags (P19): a new tag on everything is nothing but calls that tag.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::world::{World, in_free_account, load};
use batchwright::kind::Effect;
use batchwright::manifest::Options;
use batchwright::plan::{Guard, Verb};
use batchwright::resource::Desired;

fn payments() -> Desired {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let image = format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/dev-worker@sha256:{}", "7".repeat(64));
    let images = BTreeMap::from([("worker".to_owned(), image)]);
    load(&root, "dev", &Options { images, ..Options::default() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_on_everything_is_nothing_but_tags() {
    let mut desired = in_free_account(&payments());
    let world = World::of(&desired).await;
    world.apply(&desired, &Guard::default()).await;
    for declared in desired.resources.values_mut() {
        declared.tags.insert("CostCenter".to_owned(), "4711".to_owned());
    }
    let (plan, observed) = world.plan(&desired, &Guard::default()).await;
    let effects: BTreeSet<String> =
        plan.changes.iter().map(|change| format!("{:?}", change.effect)).collect();
    assert_eq!(effects, BTreeSet::from([format!("{:?}", Some(Effect::Tag))]));
    assert!(plan.steps.iter().all(|step| step.verb == Verb::Tag), "{:#?}", plan.steps);
    let tagged: BTreeSet<_> = plan.changes.iter().map(|change| &change.id).collect();
    let untagged: Vec<String> =
        desired.resources.keys().filter(|id| !tagged.contains(id)).map(ToString::to_string).collect();
    assert_eq!(untagged, ["iam/ServiceLinkedRole/batch"], "what is the account's is never tagged");

    world.sandbox.reset_stats();
    let report = world.execute(&plan, &observed).await;
    assert!(report.complete(), "{:#?}", report.failures().collect::<Vec<_>>());
    let stats = world.sandbox.stats();
    let mut writes: BTreeMap<String, usize> = BTreeMap::new();
    for call in stats.calls.iter().filter(|call| call.write) {
        *writes.entry(format!("{}:{}", call.service, call.action)).or_default() += 1;
    }
    let writes: Vec<String> = writes.into_iter().map(|(action, count)| format!("{action} {count}")).collect();
    insta::assert_snapshot!(writes.join("\n"), @r#"
    batch:TagResource 3
    ec2:CreateTags 7
    ecr:TagResource 1
    iam:TagPolicy 2
    iam:TagRole 2
    logs:TagResource 1
    s3:PutBucketTagging 2
    "#);
    let (rest, _) = world.plan(&desired, &Guard::default()).await;
    assert!(rest.is_empty(), "{:#?}", rest.changes);
}
