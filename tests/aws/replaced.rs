//! What holds data and is replaced (D22): the old one goes as `metadata.onDelete` says, and the plan says which.

use crate::world::changes;
use crate::world::program::{Ran, Stand};
use crate::world::stage::Stage;
use batchwright::plan::{Guard, Verb};

const MEDIA_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"ACCOUNT\"\nregion: eu-west-1\nnamePrefix: dev-\nstacks: [main]\n";
const ALLOWED: &str = "--allow-delete=ecr/Repository/images";

fn declared(kind: &str, metadata: &str, spec: &str) -> String {
    format!("apiVersion: batchwright/v1\nkind: {kind}\nmetadata: {{{metadata}}}\nspec: {{{spec}}}\n")
}

/// A stand with a repository that holds an image.
async fn with_an_image(metadata: &str) -> (Stand, aws_sdk_ecr::Client) {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(&declared("ecr/Repository", &format!("name: images{metadata}"), ""));
    assert_eq!(stand.apply(&[]).await.code, 0);
    let ecr = aws_sdk_ecr::Client::new(&stand.sandbox.sdk_config());
    let image = r#"{"schemaVersion":2,"config":{"digest":"sha256:1"},"layers":[]}"#;
    let push = ecr.put_image().repository_name("dev-images").image_tag("a");
    push.image_manifest(image).image_manifest_media_type(MEDIA_TYPE).send().await.unwrap();
    (stand, ecr)
}

async fn repositories(ecr: &aws_sdk_ecr::Client) -> Vec<String> {
    let all = ecr.describe_repositories().send().await.unwrap();
    let mut names: Vec<String> =
        all.repositories().iter().map(|one| one.repository_name().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// What speaks against a plan; after a refusal nothing was written.
fn objections(ran: &Ran) -> String {
    assert_eq!((ran.code, ran.writes), (3, 0), "{}{}", ran.out, ran.err);
    let from = ran.out.find("Refused, as it stands:").unwrap_or_else(|| panic!("{}", ran.out));
    let lines = ran.out[from..].lines().skip(1).take_while(|line| !line.is_empty());
    lines.filter(|line| !line.starts_with("    -->")).map(str::trim).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_retained_is_given_up_when_another_takes_its_place() {
    let (stand, ecr) = with_an_image(", onDelete: retain").await;
    let moved = "name: images, onDelete: retain, physicalName: dev-others";
    stand.stack(&declared("ecr/Repository", moved, ""));
    insta::assert_snapshot!(objections(&stand.apply(&[]).await), @"ecr/Repository/images: replacing it gives up what it holds (the name is create-only; physicalName: dev-images keeps it; the old one is given up and stays in AWS, by its onDelete): allow it with --allow-delete=ecr/Repository/images");
    let applied = stand.apply(&[ALLOWED]).await;
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    assert_eq!(repositories(&ecr).await, ["dev-images", "dev-others"]);
    let images = ecr.list_images().repository_name("dev-images").send().await.unwrap();
    assert_eq!(images.image_ids().len(), 1, "its data stays");
    let arn = format!("arn:aws:ecr:eu-west-1:{}:repository/dev-images", stand.sandbox.account());
    let tags = ecr.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    assert_eq!(tags.tags(), [], "nobody owns it");
    let again = stand.run(&["plan", "dev", "--detailed-exitcode"]).await;
    assert_eq!(again.code, 0, "{}", again.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_data_is_replaced_once_the_manifest_says_that_it_goes_as_well() {
    let (stand, ecr) = with_an_image("").await;
    stand.stack(&declared("ecr/Repository", "name: images, physicalName: dev-others", ""));
    insta::assert_snapshot!(objections(&stand.apply(&[ALLOWED]).await), @"ecr/Repository/images: dev-images holds images: apply it with metadata.onDelete `empty` (they go with it) or `retain` (it stays in AWS), or empty it first");
    let emptied = "name: images, onDelete: empty, physicalName: dev-others";
    stand.stack(&declared("ecr/Repository", emptied, ""));
    let applied = stand.apply(&[ALLOWED]).await;
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    let said = "the old one goes with all that it holds, by its onDelete";
    assert!(applied.out.contains(said), "{}", applied.out);
    assert_eq!(repositories(&ecr).await, ["dev-others"]);
}

/// Under the same name the old one has to go first: it can't stay.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_make_room_can_not_stay() {
    let stand = Stand::new(ENVIRONMENT).await;
    let group = |metadata: &str, spec: &str| {
        stand.stack(&declared("logs/LogGroup", &format!("name: jobs{metadata}"), spec));
    };
    group("", "");
    assert_eq!(stand.apply(&[]).await.code, 0);
    let logs = aws_sdk_cloudwatchlogs::Client::new(&stand.sandbox.sdk_config());
    logs.create_log_stream().log_group_name("dev-jobs").log_stream_name("a").send().await.unwrap();
    let (class, allowed) = ("logGroupClass: INFREQUENT_ACCESS", "--allow-delete=logs/LogGroup/jobs");

    group(", onDelete: retain", class);
    insta::assert_snapshot!(objections(&stand.apply(&[allowed]).await), @"logs/LogGroup/jobs: it would have to be deleted before its successor is made (logGroupClass is create-only), and stays in AWS by its onDelete: give the new one another name, or apply it with metadata.onDelete `empty` (what it holds goes with it) or `refuse` first");
    group("", class);
    insta::assert_snapshot!(objections(&stand.apply(&[allowed]).await), @"logs/LogGroup/jobs: dev-jobs holds logs, and has to go before its successor is made: apply it with metadata.onDelete `empty` (they go with it), give the new one another name, or empty it first");
    group(", onDelete: empty", class);
    let applied = stand.apply(&[allowed]).await;
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    let streams = logs.describe_log_streams().log_group_name("dev-jobs").send().await.unwrap();
    assert!(streams.log_streams().is_empty(), "it is another one");
}

/// A review of a replacement holds its end in the one way that was reviewed, also where a run is cut off before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_of_a_replacement_is_held_to_how_the_old_one_was_to_end() {
    let stage = Stage::new().await;
    let group = |metadata: &str| stage.desired(&[declared("logs/LogGroup", metadata, "")]);
    let guard = Guard { allow_delete: ["logs/LogGroup/jobs".parse().unwrap()].into(), ..Guard::default() };
    let retained = ", onDelete: retain";
    stage.world.apply(&group(&format!("name: jobs{retained}")), &guard).await;
    let moved = |how: &str| group(&format!("name: jobs{how}, physicalName: t-others"));
    let desired = moved(retained);
    let (whole, observed) = stage.world.plan(&desired, &guard).await;
    let verbs: Vec<Verb> = whole.steps.iter().map(|step| step.verb).collect();
    assert_eq!(verbs, [Verb::Create, Verb::Forget]);
    let mut cut = whole.clone();
    cut.steps.truncate(1);
    assert!(stage.world.execute(&cut, &observed).await.complete());

    for (how, expected) in [(", onDelete: empty", "Delete"), ("", "Delete"), (retained, "Forget")] {
        let (left, _) = stage.world.plan(&moved(how), &guard).await;
        let line = format!("{expected} logs/LogGroup/jobs");
        assert!(changes(&left).contains(&line), "{:?}", changes(&left));
        let reviewed = whole.reviewed().differences(&left).is_empty();
        assert_eq!(reviewed, how == retained, "{:?}", changes(&left));
    }
    stage.world.apply(&desired, &guard).await;
    let (nothing, _) = stage.world.plan(&desired, &guard).await;
    assert!(nothing.is_idle(), "{:?}", changes(&nothing));
}
