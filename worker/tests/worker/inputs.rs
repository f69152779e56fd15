//! What `summarize` reads: formats, compression, prefixes; and what it makes of bad ones.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::Value;

use crate::bucket::{Bucket, Server};
use crate::program::{Ended, file, names, worker, worker_with_s3};

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn sample() -> Vec<u8> {
    fs::read(file("samples/payments.csv")).unwrap()
}

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = worker(arguments);
    command.current_dir(folder);
    Ended::of(command)
}

/// Sums up one file of this name and content.
pub fn summarized(name: &str, content: &[u8], more: &[&str]) -> Result<Value, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let ended =
        run(folder.path(), &[&["summarize", "--source", name, "--destination", "r.json"], more].concat());
    match ended.code {
        Some(0) => Ok(serde_json::from_slice(&fs::read(folder.path().join("r.json")).unwrap()).unwrap()),
        _ => {
            assert_eq!(names(folder.path()), [name]);
            Err(ended.last())
        }
    }
}

#[test]
fn every_format_and_compression_gives_the_same_answer() {
    let sample = sample();
    let expected = summarized("p.csv", &sample, &[]).unwrap();
    let zst = zstd::stream::encode_all(&sample[..], 3).unwrap();
    assert_eq!(summarized("p.csv.gz", &gzip(&sample), &[]).unwrap(), expected);
    assert_eq!(summarized("p.csv", &gzip(&sample), &[]).unwrap(), expected);
    assert_eq!(summarized("p.csv.zst", &zst, &[]).unwrap(), expected);
    assert_eq!(summarized("p", &zst, &["--format", "csv"]).unwrap(), expected);
    let mut rows = csv::Reader::from_reader(&sample[..]);
    let names = rows.headers().unwrap().clone();
    let lines: String = rows
        .records()
        .map(|row| {
            let row = row.unwrap();
            let fields: serde_json::Map<_, _> =
                names.iter().zip(&row).map(|(name, field)| (name.to_owned(), Value::from(field))).collect();
            format!("{}\n", Value::from(fields))
        })
        .collect();
    assert_eq!(summarized("p.jsonl", lines.as_bytes(), &[]).unwrap(), expected);
    assert_eq!(summarized("p.ndjson.gz", &gzip(lines.as_bytes()), &[]).unwrap(), expected);
    assert_eq!(summarized("p.txt", lines.as_bytes(), &["--format", "jsonl"]).unwrap(), expected);
}

#[test]
fn parquet_gives_the_answer_of_pandas_whatever_its_types() {
    let expected = summarized("p.csv", &sample(), &[]).unwrap();
    for name in ["payments.parquet", "payments_decimal.parquet"] {
        let content = fs::read(file("tests/worker/pandas").join(name)).unwrap();
        let found = summarized("p.parquet", &content, &[]).unwrap();
        for (key, value) in expected.as_object().unwrap() {
            match (value.as_f64(), found[key].as_f64()) {
                (Some(ours), Some(theirs)) => {
                    assert!((ours - theirs).abs() <= 1e-12 * ours.abs(), "{key}: {found}")
                }
                _ => assert_eq!(&found[key], value, "{name}"),
            }
        }
    }
}

#[test]
fn parquet_is_read_from_s3_by_ranges_of_one_version() {
    let content = fs::read(file("tests/worker/pandas/payments.parquet")).unwrap();
    let objects = [("in/p.parquet".to_owned(), Bytes::from(content))].into();
    let server = Server::start(Bucket { objects, ..Bucket::default() });
    let arguments = ["summarize", "--source", "s3://in/p.parquet", "--destination", "s3://out/r.json"];
    assert_eq!(Ended::of(worker_with_s3(&server.endpoint, &arguments)).last(), "0 INFO summarized");
    insta::assert_snapshot!(server.bucket().asked.join("\n"), @r#"
    HEAD in/p.parquet - -
    GET in/p.parquet bytes=0-18246 "1"
    DELETE out/r.json.metadata.json
    PUT out/r.json application/json
    "#);
    server.bucket().asked.clear();
    server.bucket().changes = true;
    insta::assert_snapshot!(Ended::of(worker_with_s3(&server.endpoint, &arguments)).last(), @"2 ERROR failed to read s3://in/p.parquet: the object was changed while it was read (HTTP 412, request R1)");
}

#[test]
fn each_bad_input_has_its_line_and_leaves_nothing() {
    let packed = gzip(&sample());
    let zst = zstd::stream::encode_all(&sample()[..], 3).unwrap();
    let parquet = fs::read(file("tests/worker/pandas/payments.parquet")).unwrap();
    let mut utf16: Vec<u8> = vec![0xff, 0xfe];
    utf16.extend(String::from_utf8(sample()).unwrap().encode_utf16().flat_map(u16::to_le_bytes));
    let outcomes = [
        summarized("p.csv.gz", &packed[..packed.len() / 2], &[]),
        summarized("p.csv.gz", &sample(), &[]),
        summarized("p.csv.zst", &zst[..zst.len() / 2], &[]),
        summarized("p.parquet", &parquet[..parquet.len() / 2], &[]),
        summarized("p.parquet", &sample(), &[]),
        summarized("p.parquet", b"", &[]),
        summarized("p.jsonl", &sample(), &[]),
        summarized("p.jsonl", b"", &[]),
        summarized("p.csv", &utf16, &[]),
        summarized("p.csv.gz", &gzip(b""), &[]),
    ];
    insta::assert_snapshot!(outcomes.map(|outcome| outcome.unwrap_err()).join("\n"), @r"
    1 ERROR failed to read p.csv.gz: the gzip data is cut off
    1 ERROR failed to read p.csv.gz: its name promises gzip, but it is not gzip
    1 ERROR failed to read p.csv.zst: the zstd data is cut off
    1 ERROR failed to summarize p.parquet: the Parquet data is damaged: Parquet error: Invalid Parquet file. Corrupt footer
    1 ERROR failed to summarize p.parquet: the Parquet data is damaged: Parquet error: Invalid Parquet file. Corrupt footer
    1 ERROR failed to summarize p.parquet: the file is empty
    1 ERROR failed to summarize p.jsonl: line 1, column 1: it is not an object
    1 ERROR failed to summarize p.jsonl: the file is empty
    1 ERROR failed to summarize p.csv: the header is not UTF-8
    1 ERROR failed to summarize p.csv.gz: the file is empty
    ");
}

#[test]
fn bad_rows_are_counted_beside_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let text = [&sample()[..], b"a,b,1,credit_card,x,1\n", b"short\n"].concat();
    fs::write(folder.path().join("p.csv"), text).unwrap();
    let arguments = ["summarize", "--source", "p.csv", "--destination", "r.json", "--bad-rows", "skip"];
    let ended = run(folder.path(), &arguments);
    assert_eq!(
        (ended.last().as_str(), &ended.log.last().unwrap()["skipped"]),
        ("0 INFO summarized", &Value::from(2))
    );
    let result: Value = serde_json::from_slice(&fs::read(folder.path().join("r.json")).unwrap()).unwrap();
    assert_eq!(result.as_object().unwrap().len(), 6, "the seed's keys and no other");
    insta::assert_snapshot!(fs::read_to_string(folder.path().join("r.json.metadata.json")).unwrap(), @r#"
    {
      "version": "0.1.0",
      "bad_rows": "skip",
      "rows": 200,
      "skipped": {
        "rows": 2,
        "first": [
          "p.csv: line 202, column 19 (payment_installments): \"x\" is not a number",
          "p.csv: line 203, column 1: the row has 1 field, the header 6"
        ]
      },
      "sources": [
        "p.csv"
      ]
    }
    "#);
}

#[test]
fn what_stands_beside_a_result_on_s3_is_about_that_result() {
    let bad = [&sample()[..], b"a,b,1,credit_card,x,1\n"].concat();
    let objects = [("in/good.csv", sample()), ("in/bad.csv", bad)];
    let objects = objects.map(|(name, content)| (name.to_owned(), Bytes::from(content))).into();
    let server = Server::start(Bucket { objects, ..Bucket::default() });
    let run = |source: &str, policy: &str, fault| {
        server.bucket().asked.clear();
        server.bucket().fault = fault;
        let source = format!("s3://in/{source}.csv");
        let arguments = ["--source", &source, "--destination", "s3://out/r.json", "--bad-rows", policy];
        let ended = Ended::of(worker_with_s3(&server.endpoint, &arguments));
        let bucket = server.bucket();
        let beside = bucket.objects.get("out/r.json.metadata.json").map(|text| {
            let said: Value = serde_json::from_slice(text).unwrap();
            format!("{} {}", said["bad_rows"], said["skipped"]["rows"])
        });
        format!("{}, beside: {beside:?}\n  {}", ended.last(), bucket.asked[1..].join("\n  "))
    };
    let outcomes = [
        run("bad", "skip", None),
        run("good", "fail", None),
        run("bad", "skip", None),
        // Whoever may write only, writes what is true.
        run("good", "fail", Some(("DELETE", 403, "AccessDenied"))),
        run("bad", "skip", Some(("DELETE", 503, "SlowDown"))),
        run("bad", "skip", Some(("PUT", 503, "SlowDown"))),
    ];
    insta::assert_snapshot!(outcomes.join("\n"), @r#"
    0 INFO summarized, beside: Some("\"skip\" 1")
      DELETE out/r.json.metadata.json
      PUT out/r.json application/json
      PUT out/r.json.metadata.json application/json
    0 INFO summarized, beside: None
      DELETE out/r.json.metadata.json
      PUT out/r.json application/json
    0 INFO summarized, beside: Some("\"skip\" 1")
      DELETE out/r.json.metadata.json
      PUT out/r.json application/json
      PUT out/r.json.metadata.json application/json
    0 INFO summarized, beside: Some("\"fail\" 0")
      DELETE out/r.json.metadata.json
      PUT out/r.json application/json
      PUT out/r.json.metadata.json application/json
    2 ERROR failed to remove s3://out/r.json.metadata.json: SlowDown: said by the test (HTTP 503, request R1), beside: Some("\"fail\" 0")
      DELETE out/r.json.metadata.json
    2 ERROR failed to write s3://out/r.json: SlowDown: said by the test (HTTP 503, request R1), beside: None
      DELETE out/r.json.metadata.json
      PUT out/r.json application/json
    "#);
}

#[test]
fn what_is_written_beside_a_result_on_s3_is_never_its_source() {
    let sources = ["out/r.json.metadata.json", "out/r.json.part-00001-of-00002.json"];
    let objects = sources.map(|name| (name.to_owned(), Bytes::from(sample()))).into();
    let server = Server::start(Bucket { objects, ..Bucket::default() });
    let outcomes = sources.map(|source| {
        let source = format!("s3://{source}");
        let arguments = ["--source", &source, "--destination", "s3://out/r.json", "--format", "csv"];
        let sharded = ["--shards", "2", "--shard", "1"];
        let more = if source.contains("part") { &sharded[..] } else { &[] };
        Ended::of(worker_with_s3(&server.endpoint, &[&arguments[..], more].concat())).last()
    });
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    1 ERROR failed to write s3://out/r.json.metadata.json: it is the source too, and would be overwritten
    1 ERROR failed to write s3://out/r.json.part-00001-of-00002.json: it is the source too, and would be overwritten
    ");
    assert!(server.bucket().asked.is_empty());
}

#[test]
fn a_prefix_is_all_objects_under_it() {
    let objects = ["in/2024/a.csv", "in/2024/b/c.csv", "in/2024/_SUCCESS", "in/2025/x.csv"];
    let objects = objects.map(|name| (name.to_owned(), Bytes::from(sample()))).into();
    let server = Server::start(Bucket { objects, ..Bucket::default() });
    let run = |source: &str| {
        let arguments = ["summarize", "--source", source, "--destination", "s3://out/r.json"];
        Ended::of(worker_with_s3(&server.endpoint, &arguments)).last()
    };
    let outcomes = [run("s3://in/2024/"), run("s3://in/2026/"), {
        server.bucket().fault = Some(("LIST", 403, "AccessDenied"));
        run("s3://in/2024/")
    }];
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    0 INFO summarized
    1 ERROR failed to read s3://in/2026/: there is nothing under this name
    1 ERROR failed to list s3://in/2024/: access denied: AccessDenied: said by the test; it takes s3:ListBucket (HTTP 403, request R1)
    ");
    let result: Value = serde_json::from_slice(&server.bucket().objects["out/r.json"]).unwrap();
    assert_eq!(result["payment_type"]["boleto"], 70);
}

#[test]
fn a_full_disk_is_exit_2_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.jsonl"), "{\"stars\":1,\"review_count\":1}\n".repeat(100_000)).unwrap();
    // A file must not grow beyond a megabyte here, as if the disk ended there.
    let program = env!("CARGO_BIN_EXE_batchwright-worker");
    let line = format!(
        "trap '' XFSZ; ulimit -f 1024; exec '{program}' transform --source p.jsonl --destination out.jsonl"
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &line]).env_clear().current_dir(folder.path());
    insta::assert_snapshot!(Ended::of(command).last(), @"2 ERROR failed to write out.jsonl: File too large (os error 27)");
    assert_eq!(names(folder.path()), ["p.jsonl"]);
}

#[test]
fn hello_and_check_end_as_they_are_told() {
    let hello = worker(&["hello"]).output().unwrap();
    assert_eq!((hello.status.code(), &*hello.stdout), (Some(0), &b"Hello, world!\n"[..]));
    let outcomes =
        [&["check"][..], &["check", "--ok-or-ng", "ng"], &["--ok_or_ng", "ok"], &["--ok_or_ng", "ng"]]
            .map(|arguments| Ended::of(worker(arguments)).last());
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    0 INFO ended well
    1 ERROR failed to pass the check: --ok-or-ng ng asks for it
    0 INFO ended well
    1 ERROR failed to pass the check: --ok-or-ng ng asks for it
    ");
    assert_eq!(worker(&["check", "--ok-or-ng", "maybe"]).output().unwrap().status.code(), Some(1));
}
