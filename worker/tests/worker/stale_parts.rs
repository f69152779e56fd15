//! `merge`, and parts that are not of the run that it ends: of shards that were killed, or that were started otherwise.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use bytes::Bytes;

use crate::bucket::{Bucket, Server};
use crate::program::{Ended, worker, worker_with_s3};

const HEADER: &str = "order_id,payment_type,payment_installments,payment_value\n";

/// The arguments of one of two shards.
fn shard(index: &str) -> Vec<&str> {
    let place = ["--source", "s3://in/p.csv", "--destination", "s3://out/r.json"];
    [&["summarize"], &place[..], &["--shards", "2", "--shard", index]].concat()
}

/// Kills a shard while it reads.
fn killed(server: &Server, index: &str) -> Option<i32> {
    let (on_get, got) = std::sync::mpsc::channel();
    {
        let mut bucket = server.bucket();
        // The answer to HEAD, and the first bytes.
        (bucket.stalls, bucket.breaks, bucket.on_get) = (true, vec![2, 2], Some(on_get));
    }
    let mut child = worker_with_s3(&server.endpoint, &shard(index)).spawn().unwrap();
    got.recv().unwrap();
    got.recv().unwrap();
    child.kill().unwrap();
    let mut bucket = server.bucket();
    (bucket.stalls, bucket.breaks, bucket.on_get) = (false, Vec::new(), None);
    drop(bucket);
    child.wait_with_output().unwrap().status.signal()
}

#[test]
fn the_older_parts_of_shards_that_were_killed_are_found_out() {
    let rows = |value: u32| Bytes::from(format!("{HEADER}{}", format!("a,b,1,{value}\n").repeat(100)));
    let server =
        Server::start(Bucket { objects: [("in/p.csv".to_owned(), rows(1))].into(), ..Bucket::default() });
    let run = |arguments: &[&str]| Ended::of(worker_with_s3(&server.endpoint, arguments)).last();
    let merge = ["merge", "--shards", "2", "--destination", "s3://out/r.json"];
    let sourced = [&merge[..], &["--source_bucket", "in", "--source_file", "p.csv"]].concat();
    let total = || -> serde_json::Value {
        serde_json::from_slice::<serde_json::Value>(&server.bucket().objects["out/r.json"]).unwrap()
            ["total_purchase"]
            .clone()
    };
    let mut outcomes = vec![run(&shard("0")), run(&shard("1")), run(&sourced)];
    assert_eq!(total(), 100.0);

    // The same size, another version. Both shards are killed: what lies there is of the run before.
    server.bucket().objects.insert("in/p.csv".to_owned(), rows(2));
    server.bucket().changes = true;
    assert_eq!([killed(&server, "0"), killed(&server, "1")], [Some(9), Some(9)]);
    outcomes.push(run(&sourced));
    // One has run since then: the other is found out by that alone.
    outcomes.extend([run(&shard("0")), run(&merge)]);
    assert_eq!(total(), 100.0);
    outcomes.extend([run(&shard("1")), run(&sourced)]);
    assert_eq!(total(), 200.0);
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    0 INFO summarized a part
    0 INFO summarized a part
    0 INFO merged
    1 ERROR failed to merge s3://in/p.csv: it is not what the shards have read: run all shards again
    0 INFO summarized a part
    1 ERROR failed to merge s3://out/r.json.part-00001-of-00002.json: its shard read other objects, by another policy or in another format than those before it: run all shards again
    0 INFO summarized a part
    0 INFO merged
    ");
}

#[test]
fn parts_of_another_format_policy_or_number_of_shards_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("p.csv"), format!("{HEADER}{}", "a,b,1,1\n".repeat(20))).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = worker(arguments);
        command.current_dir(path);
        Ended::of(command).last()
    };
    let shard = |index: &str, count: &str, more: &[&str]| {
        let part = ["summarize", "--source", "p.csv", "--destination", "r.json"];
        run(&[&part[..], &["--shard", index, "--shards", count], more].concat())
    };
    let merge = |count: &str| run(&["merge", "--shards", count, "--destination", "r.json"]);
    for (index, count) in [("0", "2"), ("1", "2"), ("2", "3")] {
        assert_eq!(shard(index, count, &[]), "0 INFO summarized a part");
    }
    let mut outcomes = vec![merge("2"), merge("3")];
    for part in ["0", "1"] {
        let named = |count| path.join(format!("r.json.part-0000{part}-of-0000{count}.json"));
        fs::copy(named(2), named(3)).unwrap();
    }
    outcomes.push(merge("3"));
    for more in [["--format", "csv"], ["--bad-rows", "skip"]] {
        shard("1", "2", &more);
        outcomes.push(merge("2"));
    }
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    0 INFO merged
    1 ERROR failed to read r.json.part-00000-of-00003.json: no such file or folder
    1 ERROR failed to merge r.json.part-00000-of-00003.json: it is the part of another shard
    1 ERROR failed to merge r.json.part-00001-of-00002.json: its shard read other objects, by another policy or in another format than those before it: run all shards again
    1 ERROR failed to merge r.json.part-00001-of-00002.json: its shard read other objects, by another policy or in another format than those before it: run all shards again
    ");
}
