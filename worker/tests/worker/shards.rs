//! `summarize --shards` and `merge`: the same answer as one process, for any number of shards.

use std::fs;
use std::io::Write;
use std::path::Path;

use bytes::Bytes;

use crate::bucket::{Bucket, Server};
use crate::program::{Ended, file, names, worker, worker_with_s3};

const HEADER: &str = "order_id,payment_type,payment_installments,payment_value\n";

fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = worker(arguments);
    command.current_dir(folder).envs(environment.iter().copied());
    Ended::of(command)
}

/// Runs one process, then `count` shards and their merge: both results.
fn both(folder: &Path, source: &str, count: usize, more: &[&str]) -> [Result<String, String>; 2] {
    let result = |name: &str, ended: Ended| match ended.code {
        Some(0) => Ok(fs::read_to_string(folder.join(name)).unwrap()),
        _ => Err(ended.last()),
    };
    let whole =
        run(folder, &[&["summarize", "--source", source, "--destination", "one.json"], more].concat(), &[]);
    let whole = result("one.json", whole);
    let shards = count.to_string();
    for index in 0..count {
        let environment =
            [("AWS_BATCH_JOB_ARRAY_SIZE", &*shards), ("AWS_BATCH_JOB_ARRAY_INDEX", &*index.to_string())];
        let arguments =
            [&["summarize", "--source", source, "--destination", "all.json", "--shards"], more].concat();
        let ended = run(folder, &arguments, &environment);
        if ended.code != Some(0) {
            return [whole, Err(ended.last())];
        }
    }
    let merged = run(folder, &["merge", "--destination", "all.json", "--shards", &shards], &[]);
    [whole, result("all.json", merged)]
}

#[test]
fn any_number_of_shards_gives_the_answer_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(file("samples/payments.csv"), folder.path().join("plain.csv")).unwrap();
    // Line breaks, commas and quotes in quoted fields: every third border of seventeen lies in one.
    let quoted: String = (0..300)
        .map(|i| {
            format!(
                "\"order\n{i}, \"\"x\"\"\r\n\",\"{}\",{},\"{}.25\"\r\n",
                ["boleto", "a,\nb"][i % 2],
                i % 3,
                i
            )
        })
        .collect();
    fs::write(folder.path().join("quoted.csv"), format!("{HEADER}{quoted}")).unwrap();
    let json: String = (0..200)
        .map(|i| format!("{{\"payment_value\":{i}.5,\"payment_type\":\"a\\nb\",\"payment_installments\":{},\"order_id\":\"x\"}}\n", i % 4))
        .collect();
    fs::write(folder.path().join("payments.jsonl"), json).unwrap();
    for source in ["plain.csv", "quoted.csv", "payments.jsonl"] {
        for count in [1, 2, 17] {
            let [whole, merged] = both(folder.path(), source, count, &[]);
            assert_eq!(merged.unwrap(), whole.unwrap(), "{source} in {count}");
        }
    }
    // More shards than bytes have rows.
    fs::write(folder.path().join("tiny.csv"), format!("{HEADER}a,b,1,1\n\"c\n\",b,2,2")).unwrap();
    let [whole, merged] = both(folder.path(), "tiny.csv", 40, &[]);
    assert_eq!(merged.unwrap(), whole.unwrap());
}

#[test]
fn the_last_json_line_counts_without_a_line_break_too() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#"{"order_id":"a","payment_type":"c","payment_installments":1,"payment_value":1}"#;
    for end in ["\n", "\r\n"] {
        let bad = [&[line; 9][..], &["{}"]].concat().join(end);
        for (text, total) in [([line; 10].join(end), 10.0), (bad, 9.0)] {
            fs::write(folder.path().join("p.jsonl"), text).unwrap();
            for count in [1, 2, 3, 12] {
                let [whole, merged] = both(folder.path(), "p.jsonl", count, &["--bad-rows", "skip"]);
                let (whole, merged) = (whole.unwrap(), merged.unwrap());
                let result: serde_json::Value = serde_json::from_str(&merged).unwrap();
                assert_eq!(result["total_purchase"], total, "{count}");
                assert_eq!(merged, whole);
                let skipped = |name: &str| {
                    let text = fs::read(folder.path().join(name)).unwrap();
                    serde_json::from_slice::<serde_json::Value>(&text).unwrap()["skipped"]["rows"].clone()
                };
                assert_eq!(skipped("all.json.metadata.json"), skipped("one.json.metadata.json"));
                assert_eq!(skipped("all.json.metadata.json"), 10 - total as u64);
            }
        }
    }
}

#[test]
fn what_one_process_reads_shards_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let sample = fs::read(file("samples/payments.csv")).unwrap();
    let line =
        "{\"payment_value\":1.5,\"payment_type\":\"a\",\"payment_installments\":2,\"order_id\":\"x\"}\n";
    let json = line.repeat(3).into_bytes();
    let packed = |text: &[u8]| zstd::stream::encode_all(text, 3).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&json).unwrap();
    // Compressed under names that don't say so, and a byte order mark.
    let sources = [
        ("packed.csv", packed(&sample)),
        ("packed.jsonl", packed(&json)),
        ("packed.json", gzip.finish().unwrap()),
        ("marked.jsonl", [b"\xef\xbb\xbf", &json[..]].concat()),
    ];
    for (name, content) in sources {
        fs::write(folder.path().join(name), content).unwrap();
        for count in [1, 2, 5, 100] {
            let [whole, merged] = both(folder.path(), name, count, &[]);
            assert_eq!(merged.unwrap(), whole.unwrap(), "{name} in {count}");
        }
    }
}

#[test]
fn a_shard_that_fails_leaves_nothing_to_merge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let run = |arguments: &[&str]| run(path, arguments, &[]).last();
    let shard = |more: &[&str]| {
        let arguments =
            ["summarize", "--source", "p.csv", "--destination", "r.json", "--shards", "1", "--shard", "0"];
        run(&[&arguments, more].concat())
    };
    let merge =
        |source: &str| run(&["merge", "--destination", "r.json", "--shards", "1", "--source", source]);
    fs::write(path.join("p.csv"), format!("{HEADER}a,b,1,1\n")).unwrap();
    let mut outcomes = vec![shard(&[]), merge("p.csv")];
    fs::write(path.join("p.csv"), format!("{HEADER}a,b,1,ten\n")).unwrap();
    outcomes.extend([
        merge("p.csv"),
        shard(&[]),
        merge("p.csv"),
        shard(&["--bad-rows", "skip"]),
        merge("p.csv"),
    ]);
    insta::assert_snapshot!(outcomes.join("\n"), @r#"
    0 INFO summarized a part
    0 INFO merged
    1 ERROR failed to merge p.csv: it is not what the shards have read: run all shards again
    1 ERROR failed to summarize p.csv: from byte 57 on, line 1, column 7 (payment_value): "ten" is not a number
    1 ERROR failed to merge r.json.part-00000-of-00001.json: its shard failed to summarize p.csv: from byte 57 on, line 1, column 7 (payment_value): "ten" is not a number
    0 INFO summarized a part
    1 ERROR failed to summarize p.csv: no row can be used; the first: p.csv from byte 57 on: line 1, column 7 (payment_value): "ten" is not a number
    "#);
}

#[test]
fn a_prefix_of_many_objects_is_cut_where_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let sample = fs::read(file("samples/payments.csv")).unwrap();
    for name in ["a.csv", "c.csv"] {
        fs::write(data.join(name), &sample).unwrap();
    }
    let packed = zstd::stream::encode_all(&sample[..], 3).unwrap();
    fs::write(data.join("b.csv.zst"), packed).unwrap();
    fs::write(data.join("d.parquet"), fs::read(file("tests/worker/pandas/payments.parquet")).unwrap())
        .unwrap();
    fs::write(data.join("_SUCCESS"), "").unwrap();
    for count in [1, 3, 8] {
        let [whole, merged] = both(folder.path(), "data/", count, &["--bad-rows", "1%"]);
        let whole = whole.unwrap();
        assert!(whole.contains("\"credit_card\": 596"), "four times the sample's 149: {whole}");
        assert_eq!(merged.unwrap(), whole, "{count}");
    }
    let metadata = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.path().join(name)).unwrap()).unwrap()
    };
    assert_eq!(metadata("one.json.metadata.json")["rows"], 800);
    assert_eq!(metadata("all.json.metadata.json")["rows"], 800);
}

#[test]
fn bad_rows_are_found_in_whatever_shard_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..100)
        .map(
            |i| if i == 70 { "x,\"bo\nleto\",1,ten\n".to_owned() } else { format!("x,\"bo\nleto\",1,{i}\n") },
        )
        .collect();
    fs::write(folder.path().join("p.csv"), format!("{HEADER}{rows}")).unwrap();
    let [whole, merged] = both(folder.path(), "p.csv", 7, &[]);
    insta::assert_snapshot!([whole.unwrap_err(), merged.unwrap_err()].join("\n"), @r#"
    1 ERROR failed to summarize p.csv: line 143, column 9 (payment_value): "ten" is not a number
    1 ERROR failed to summarize p.csv: from byte 997 on, line 31, column 9 (payment_value): "ten" is not a number
    "#);
    for policy in ["skip", "1%"] {
        let [whole, merged] = both(folder.path(), "p.csv", 7, &["--bad-rows", policy]);
        assert_eq!(merged.unwrap(), whole.unwrap());
    }
    let [whole, merged] = both(folder.path(), "p.csv", 7, &["--bad-rows", "0.9%"]);
    insta::assert_snapshot!([whole.unwrap_err(), merged.unwrap_err()].join("\n"), @r#"
    1 ERROR failed to summarize p.csv: 1 of 100 rows are bad, which is more than 0.9%; the first: p.csv: line 143, column 9 (payment_value): "ten" is not a number
    1 ERROR failed to summarize p.csv: 1 of 100 rows are bad, which is more than 0.9%; the first: p.csv from byte 997 on: line 31, column 9 (payment_value): "ten" is not a number
    "#);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("p.csv"), format!("{HEADER}a,b,1,1\na,b,1,1\n")).unwrap();
    let shard = |index: &str| {
        run(
            path,
            &["summarize", "--source", "p.csv", "--destination", "r.json", "--shards", "2", "--shard", index],
            &[],
        )
        .last()
    };
    let merge = || run(path, &["merge", "--destination", "r.json", "--shards", "2"], &[]).last();
    let mut outcomes = vec![shard("0"), merge(), shard("2")];
    fs::write(path.join("p.csv"), format!("{HEADER}a,b,1,1\na,b,1,1\na,b,1,1\n")).unwrap();
    outcomes.extend([shard("1"), merge(), shard("0"), merge()]);
    fs::write(path.join("r.json.part-00001-of-00002.json"), "{}").unwrap();
    outcomes.push(merge());
    outcomes.push(
        run(path, &["summarize", "--source", "p.csv", "--destination", "r.json", "--shards"], &[]).last(),
    );
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    0 INFO summarized a part
    1 ERROR failed to read r.json.part-00001-of-00002.json: no such file or folder
    1 ERROR failed to use --shards: shards are counted from 0 to one less than their number
    0 INFO summarized a part
    1 ERROR failed to merge r.json.part-00001-of-00002.json: its shard read other objects, by another policy or in another format than those before it: run all shards again
    0 INFO summarized a part
    0 INFO merged
    1 ERROR failed to merge r.json.part-00001-of-00002.json: it is no part of a summary: missing field `index` at line 1 column 2
    1 ERROR failed to use --shards: this is no array job: say how many shards there are, --shards N
    ");
    assert_eq!(
        names(path),
        ["p.csv", "r.json", "r.json.part-00000-of-00002.json", "r.json.part-00001-of-00002.json"]
    );
}

#[test]
fn a_shard_reads_little_more_than_its_own_bytes_and_only_of_the_version_that_it_saw() {
    let sample = Bytes::from(fs::read(file("samples/payments.csv")).unwrap());
    let server =
        Server::start(Bucket { objects: [("in/p.csv".to_owned(), sample)].into(), ..Bucket::default() });
    let arguments = |index: &'static str| {
        [
            "summarize",
            "--source",
            "s3://in/p.csv",
            "--destination",
            "s3://out/r.json",
            "--shards",
            "3",
            "--shard",
            index,
        ]
    };
    for index in ["2", "0", "1", "1"] {
        let ended = Ended::of(worker_with_s3(&server.endpoint, &arguments(index)));
        assert_eq!(ended.last(), "0 INFO summarized a part");
    }
    insta::assert_snapshot!(server.bucket().asked.iter().rev().take(8).rev().cloned().collect::<Vec<_>>().join("\n"), @r#"
    HEAD in/p.csv - -
    GET in/p.csv bytes=0-3 "1"
    GET in/p.csv bytes=5858-9954 "1"
    GET in/p.csv bytes=11718-15814 "1"
    GET in/p.csv bytes=0-17578 "1"
    GET in/p.csv bytes=5858-17578 "1"
    GET in/p.csv bytes=5859-17578 "1"
    PUT out/r.json.part-00001-of-00003.json application/json
    "#);
    let merged = Ended::of(worker_with_s3(
        &server.endpoint,
        &["merge", "--destination", "s3://out/r.json", "--shards", "3"],
    ));
    assert_eq!(merged.last(), "0 INFO merged");
    let result: serde_json::Value = serde_json::from_slice(&server.bucket().objects["out/r.json"]).unwrap();
    assert_eq!(result["total_purchase"], 30911.53);

    server.bucket().asked.clear();
    server.bucket().changes = true;
    let ended = Ended::of(worker_with_s3(&server.endpoint, &arguments("1")));
    insta::assert_snapshot!(ended.last(), @"2 ERROR failed to read s3://in/p.csv: the object was changed while it was read (HTTP 412, request R1)");
}
