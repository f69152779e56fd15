//! The worker's program on the sandbox: as an array job whose parts a dependent job merges, and behind a queue.

mod queue;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::world::{World, in_free_account, load};
use aws_sdk_s3::Client as S3;
use batchwright::jobs::{Outcome, Pace, Request, find, follow, submit};
use batchwright::manifest::Options;
use batchwright::plan::Guard;
use batchwright::resource::Desired;
use batchwright::services::batch::Batch;

const IMAGE: &str = "111111111111.dkr.ecr.us-east-1.amazonaws.com/dev-worker@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PACE: Pace =
    Pace { first: Duration::from_millis(5), slowest: Duration::from_millis(50), linger: Duration::ZERO };

/// The worker's program, beside our own; built if only our own package was.
pub fn program() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_batchwright")).parent().unwrap().to_owned();
    let program = folder.join("batchwright-worker");
    if !program.is_file() {
        let name = "batchwright-worker";
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(ROOT).args(["build", "--locked", "-p", "batchwright", "-p", name, "--bin", name]);
        let status = cargo.arg("--target-dir").arg(folder.parent().unwrap()).status().unwrap();
        assert!(status.success(), "cargo ended with {status}");
    }
    program
}

/// `manifests/dev` with the stack `shards` behind `payments`.
fn desired() -> Desired {
    let root = tempfile::tempdir().unwrap();
    let manifests = Path::new(ROOT).join("manifests");
    std::fs::create_dir(root.path().join("dev")).unwrap();
    let environment = std::fs::read_to_string(manifests.join("dev/environment.yaml")).unwrap();
    let environment = environment.replace("stacks: [payments]", "stacks: [payments, shards]");
    std::fs::write(root.path().join("dev/environment.yaml"), environment).unwrap();
    crate::world::copy::copy(&manifests.join("stacks"), &root.path().join("stacks"));
    let images = BTreeMap::from([("worker".to_owned(), IMAGE.to_owned())]);
    load(root.path(), "dev", &Options { images, ..Options::default() })
}

/// A job of the definition `name`: its id.
async fn job(
    world: &World,
    desired: &Desired,
    name: &str,
    array: Option<u32>,
    depends_on: Vec<String>,
    parameters: &[(&str, &str)],
) -> String {
    let target = find(desired, &world.cloud, name, None).await.unwrap();
    let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let request = Request { target, parameters, depends_on, array };
    submit(world.cloud.clients().of::<Batch>().unwrap(), &request, PACE).await.unwrap().id
}

async fn end(world: &World, id: &str) -> Outcome {
    let mut lines = Vec::new();
    let mut see = |event| lines.push(format!("{event:?}"));
    let outcome = follow(world.cloud.clients(), id, Some(PACE), &mut see).await;
    outcome.unwrap_or_else(|error| panic!("{error}\n{}", lines.join("\n")))
}

fn bucket(desired: &Desired, name: &str) -> String {
    let id = batchwright::resource::ResourceId::new("s3/Bucket", name);
    desired.resources[&id].physical_name.clone()
}

async fn object(s3: &S3, bucket: &str, key: &str) -> Option<String> {
    let got = s3.get_object().bucket(bucket).key(key).send().await.ok()?;
    Some(String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap())
}

/// Seven children, and the same answer as one process gives, although borders between parts lie in quoted fields with line breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_array_job_and_its_merge_give_the_answer_of_one_job() {
    let desired = in_free_account(&desired());
    let world = World::of(&desired).await;
    let image = IMAGE.replace("111111111111", world.sandbox.account());
    world.sandbox.batch().map_image(&image, program(), Vec::new());
    world.apply(&desired, &Guard::default()).await;
    let s3 = S3::new(&world.sandbox.sdk_config());
    let (source, destination) = (bucket(&desired, "source"), bucket(&desired, "destination"));
    let sample = std::fs::read(Path::new(ROOT).join("worker/samples/payments.csv")).unwrap();
    let quoted: String = (0..400)
        .map(|i| format!("\"order\n{i}\",c,1,\"{}\",{},{i}.25\n", ["boleto", "a,\nb"][i % 2], i % 3))
        .collect();
    let header = "order_id,customer_id,payment_sequential,payment_type,payment_installments,payment_value\n";
    for (key, body) in [("2026/a.csv", sample), ("2026/b.csv", format!("{header}{quoted}").into_bytes())] {
        s3.put_object().bucket(&source).key(key).body(body.into()).send().await.unwrap();
    }

    let whole = job(
        &world,
        &desired,
        "payments",
        None,
        vec![],
        &[("source_file", "2026/"), ("destination_file", "one.json")],
    );
    let whole = whole.await;
    let many = [("source_file", "2026/"), ("destination_file", "many.json")];
    let seven = job(&world, &desired, "payments-shards", Some(7), vec![], &many).await;
    let merge = [("shards", "7"), ("source_file", "2026/"), ("destination_file", "many.json")];
    let merge = job(&world, &desired, "payments-merge", None, vec![seven.clone()], &merge).await;
    for id in [&whole, &seven, &merge] {
        let outcome = end(&world, id).await;
        assert!(outcome.succeeded(), "{outcome:?}");
    }
    let result = object(&s3, &destination, "many.json").await.unwrap();
    assert_eq!(object(&s3, &destination, "one.json").await.unwrap(), result);
    let totals: serde_json::Value = serde_json::from_str(&result).unwrap();
    // The sample's 30911.53, and 0.25 + 1.25 + … + 399.25.
    assert_eq!(totals["total_purchase"], 30911.53 + 79_800.0 + 100.0);
    assert_eq!(totals["payment_type"]["a,\nb"], 200);

    // A bad row is found by the shard that has it; the exit code says that trying again is no use, and nothing is merged.
    let bad = format!("{header}{quoted}o,c,1,boleto,1,ten\n");
    s3.put_object().bucket(&source).key("bad.csv").body(bad.into_bytes().into()).send().await.unwrap();
    let bad = [("source_file", "bad.csv"), ("destination_file", "bad.json")];
    let failing = job(&world, &desired, "payments-shards", Some(3), vec![], &bad).await;
    let merge = [("shards", "3"), ("source_file", "bad.csv"), ("destination_file", "bad.json")];
    let merge = job(&world, &desired, "payments-merge", None, vec![failing.clone()], &merge).await;
    assert!(!end(&world, &failing).await.succeeded());
    assert!(!end(&world, &merge).await.succeeded());
    assert_eq!(object(&s3, &destination, "bad.json").await, None);
    let batch = world.cloud.clients().of::<Batch>().unwrap();
    let child = batch.describe_jobs().jobs(format!("{failing}:2")).send().await.unwrap();
    let attempts = child.jobs()[0].attempts();
    let codes: Vec<_> = attempts.iter().map(|attempt| attempt.container().unwrap().exit_code()).collect();
    assert_eq!(codes, [Some(1)], "once, and not again");
}
