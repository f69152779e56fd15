//! `transform`: lines in, lines out, and the module that a user replaces.

use std::fs;

use batchwright_worker::json::Object;
use batchwright_worker::transform::{Done, transform};
use bytes::Bytes;

use crate::bucket::{Bucket, Server};
use crate::own_calculation;
use crate::program::{Ended, file, names, worker, worker_with_s3};

const LINES: &str = concat!(
    "{\"business_id\": \"f9Num\", \"name\": \"Caf\\u00e9 \\\"X\\\"\", \"stars\": 3.5, \"review_count\": 36, \"tags\": [1, {\"a\": null}]}\n",
    "{\"stars\":5.0,\"review_score\":null,\"review_count\":\"4\",\"name\":\"Müller\"}\r\n",
    "\n",
    "  {\"review_count\":2,\"stars\":1}  ",
);

/// Runs `transform` on a file; the outcome and what was written.
fn run(text: &[u8], more: &[&str]) -> (String, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), text).unwrap();
    let mut command = worker(&["transform", "--source", "in.jsonl", "--destination", "out.jsonl"]);
    let ended = Ended::of({
        command.args(more).current_dir(folder.path());
        command
    });
    let written = fs::read_to_string(folder.path().join("out.jsonl")).ok();
    let expected: &[&str] = if written.is_some() { &["in.jsonl", "out.jsonl"] } else { &["in.jsonl"] };
    assert_eq!(names(folder.path()), expected);
    (ended.last(), written)
}

#[test]
fn a_field_is_added_and_every_other_byte_stays() {
    let (outcome, written) = run(LINES.as_bytes(), &[]);
    assert_eq!(outcome, "0 INFO transformed");
    insta::assert_snapshot!(written.unwrap().replace('\r', "<CR>"), @r#"
    {"business_id": "f9Num", "name": "Caf\u00e9 \"X\"", "stars": 3.5, "review_count": 36, "tags": [1, {"a": null}],"review_score":126.0}
    {"stars":5.0,"review_score":20.0,"review_count":"4","name":"Müller"}<CR>
      {"review_count":2,"stars":1,"review_score":2.0}
    "#);
}

#[test]
fn the_seeds_sample_gets_the_score_of_its_readme() {
    let sample = fs::read_to_string(file("samples/yelp_businesses.json")).unwrap();
    let (_, written) = run(sample.as_bytes(), &[]);
    let scores = written
        .unwrap()
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(
                line["review_score"],
                line["stars"].as_f64().unwrap() * line["review_count"].as_f64().unwrap()
            );
            line["review_score"].to_string()
        })
        .collect::<Vec<_>>();
    assert_eq!(scores[..2], ["126.0", "20.0"]);
}

#[test]
fn a_bad_line_ends_it_unless_it_may_be_left_out() {
    let bad = [
        "{\"stars\":1}",
        "{\"stars\":\"n/a\",\"review_count\":1}",
        "{\"stars\":1,\"review_count\":1",
        "[1]",
        "{\"stars\":1e308,\"review_count\":1e308}",
    ];
    let outcomes = bad.map(|bad| {
        let text = format!("{{\"stars\":1,\"review_count\":1}}\n{bad}\n");
        let (outcome, written) = run(text.as_bytes(), &[]);
        assert_eq!(written, None);
        let (skipped, written) = run(text.as_bytes(), &["--bad-rows", "skip"]);
        assert_eq!((skipped.as_str(), written.unwrap().lines().count()), ("0 INFO transformed", 1));
        outcome
    });
    insta::assert_snapshot!(outcomes.join("\n"), @r#"
    1 ERROR failed to transform in.jsonl: line 2, column 1: review_count is missing
    1 ERROR failed to transform in.jsonl: line 2, column 1: stars is not a number: "n/a"
    1 ERROR failed to transform in.jsonl: line 2, column 28: a comma or a closing brace is missing
    1 ERROR failed to transform in.jsonl: line 2, column 1: it is not an object
    1 ERROR failed to transform in.jsonl: line 2, column 1: review_score is too large
    "#);
    let (outcome, written) = run(b"{\"stars\":1,\"review_count\":1}\n\xff\n{\n", &["--bad-rows", "50%"]);
    insta::assert_snapshot!(outcome, @"1 ERROR failed to transform in.jsonl: 2 of 3 rows are bad, which is more than 50%; the first: in.jsonl: line 2, column 1: it is not UTF-8");
    assert_eq!(written, None);
    insta::assert_snapshot!([run(b"", &[]).0, run(b"\n\n", &[]).0, run(&vec![b' '; 2 << 20], &[]).0].join("\n"), @r"
    1 ERROR failed to transform in.jsonl: there is no line in it
    1 ERROR failed to transform in.jsonl: there is no line in it
    1 ERROR failed to transform in.jsonl: line 1, column 1: the line is longer than 1048576 bytes
    ");
}

#[test]
fn a_large_object_goes_through_in_parts_and_in_order() {
    let line = |i: usize| {
        format!(
            "{{\"id\":{i},\"stars\":2,\"review_count\":{},\"text\":\"{}\"}}\n",
            i % 100,
            "x".repeat(i % 1000)
        )
    };
    let count = 40_000;
    let text: String = (0..count).map(line).collect();
    let size = text.len() as u64;
    let server = Server::start(Bucket {
        objects: [("in/a b.jsonl".to_owned(), Bytes::from(text))].into(),
        ..Bucket::default()
    });
    let arguments = ["transform", "--source", "s3://in/a b.jsonl", "--destination", "s3://out/a.jsonl"];
    let ended = Ended::of(worker_with_s3(&server.endpoint, &arguments));
    assert_eq!(ended.last(), "0 INFO transformed");
    assert_eq!(ended.log.last().unwrap()["bytes"], size);
    let peak = ended.log.last().unwrap()["peak_bytes"].as_u64().unwrap();
    assert!(peak < 96_000_000, "{peak}: of a build that is not optimised");
    let bucket = server.bucket();
    let written = std::str::from_utf8(&bucket.objects["out/a.jsonl"]).unwrap();
    assert_eq!(written.lines().count(), count);
    for (i, line) in written.lines().enumerate() {
        assert!(line.starts_with(&format!("{{\"id\":{i},")), "{line}");
        assert!(line.ends_with(&format!(",\"review_score\":{}.0}}", i % 100 * 2)), "{line}");
    }
    let parts: Vec<_> = bucket.asked.iter().filter(|asked| !asked.starts_with("GET")).cloned().collect();
    assert_eq!(parts.first().unwrap(), "CREATE out/a.jsonl");
    assert_eq!(parts.last().unwrap(), "COMPLETE out/a.jsonl");
    assert!(
        parts.len() >= 4 && parts[1..parts.len() - 1].iter().all(|part| part.starts_with("PART ")),
        "{parts:?}"
    );
}

#[test]
fn a_byte_order_mark_is_dropped_and_nesting_has_64_levels() {
    let (outcome, written) = run(b"\xef\xbb\xbf{\"stars\":1,\"review_count\":2}\n", &[]);
    assert_eq!(
        (outcome.as_str(), written.as_deref()),
        ("0 INFO transformed", Some("{\"stars\":1,\"review_count\":2,\"review_score\":2.0}\n"))
    );
    // Elsewhere than at the beginning it is text that is no object.
    let (outcome, _) =
        run(b"{\"stars\":1,\"review_count\":2}\n\xef\xbb\xbf{\"stars\":1,\"review_count\":2}\n", &[]);
    insta::assert_snapshot!(outcome, @"1 ERROR failed to transform in.jsonl: line 2, column 1: it is not an object");
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        run(format!("{{\"stars\":1,\"review_count\":2,\"x\":{open}{close}}}").as_bytes(), &[]).0
    };
    insta::assert_snapshot!([nested(64), nested(65)].join("\n"), @r"
    0 INFO transformed
    1 ERROR failed to transform in.jsonl: line 1, column 96: it is nested too deeply
    ");
}

/// A server with lines that make several parts.
fn large(bucket: Bucket) -> Server {
    let line = format!("{{\"stars\":2,\"review_count\":2,\"text\":\"{}\"}}\n", "x".repeat(4000));
    let text = Bytes::from(line.repeat(5000));
    Server::start(Bucket { objects: [("in/a.jsonl".to_owned(), text)].into(), ..bucket })
}

const LARGE: [&str; 5] = ["transform", "--source", "s3://in/a.jsonl", "--destination", "s3://out/a.jsonl"];

#[test]
fn an_upload_that_fails_leaves_nothing_behind() {
    let mut outcomes = Vec::new();
    for fault in
        [("PART", 503, "SlowDown"), ("PART", 403, "AccessDenied"), ("COMPLETE", 500, "InternalError")]
    {
        let server = large(Bucket { fault: Some(fault), ..Bucket::default() });
        outcomes.push(Ended::of(worker_with_s3(&server.endpoint, &LARGE)).last());
        let bucket = server.bucket();
        assert_eq!((bucket.objects.len(), bucket.uploads.len()), (1, 0), "{:?}", bucket.asked);
        assert!(bucket.asked.contains(&"ABORT out/a.jsonl".to_owned()));
    }
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    2 ERROR failed to write s3://out/a.jsonl: SlowDown: said by the test (HTTP 503, request R1)
    1 ERROR failed to write s3://out/a.jsonl: access denied: AccessDenied: said by the test; it takes s3:PutObject (HTTP 403, request R1)
    2 ERROR failed to write s3://out/a.jsonl: InternalError: said by the test (HTTP 500, request R1)
    ");
}

#[test]
fn a_signal_takes_back_what_was_uploaded() {
    let (on_get, got) = std::sync::mpsc::channel();
    let server =
        large(Bucket { stalls: true, breaks: vec![18_000_000], on_get: Some(on_get), ..Bucket::default() });
    let child = worker_with_s3(&server.endpoint, &LARGE).spawn().unwrap();
    got.recv().unwrap();
    while !server.bucket().asked.iter().any(|asked| asked.starts_with("PART")) {
        std::thread::yield_now();
    }
    let kill = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let ended = Ended::with(child.wait_with_output().unwrap());
    assert_eq!(ended.last(), "143 WARN stopped by a signal before the end");
    let bucket = server.bucket();
    assert_eq!((bucket.objects.len(), bucket.uploads.len()), (1, 0), "{:?}", bucket.asked);
}

#[test]
fn the_readmes_own_calculation_is_the_one_that_is_tried_here() {
    let readme = fs::read_to_string(file("README.md")).unwrap();
    let module = fs::read_to_string(file("tests/worker/own_calculation.rs")).unwrap();
    assert!(readme.contains(&format!("```rust\n{module}```\n")), "{module}");

    let mut done = Done::default();
    let lines = b"{\"city\":\"Reno\",\"state\":\"NV\"}\n{\"city\":\"S\\u00e3o \\\"X\\\"\",\"state\":\"\"}\n{\"city\":1,\"state\":\"\"}\n";
    transform::<own_calculation::Chosen>(lines, &mut Object::default(), &mut done);
    insta::assert_snapshot!(String::from_utf8(done.text).unwrap(), @r#"
    {"city":"Reno","state":"NV","place":"Reno, NV"}
    {"city":"S\u00e3o \"X\"","state":"","place":"São \"X\", "}
    "#);
    assert_eq!(done.first_bad[0].what, "city is not a string: 1");
}

/// The thread that reads waits on, and has the file that was begun.
#[test]
fn a_signal_leaves_nothing_behind_while_a_pipe_says_nothing() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    // Held by this side too, the pipe does not end.
    let mut pipe = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    pipe.write_all(LINES.as_bytes()).unwrap();
    let mut command = worker(&["transform", "--source", "in.jsonl", "--destination", "out.jsonl"]);
    let mut child = command.current_dir(folder.path()).spawn().unwrap();
    while names(folder.path()).len() < 2 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    crate::queue::terminate(&child);
    let ended = Ended::with(child.wait_with_output().unwrap());
    assert_eq!(ended.last(), "143 WARN stopped by a signal before the end");
    assert_eq!(names(folder.path()), ["in.jsonl"]);
}
