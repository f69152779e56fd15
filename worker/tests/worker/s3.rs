//! Places on S3: the seed's arguments, broken streams, and every kind of refusal.

use std::fs;

use bytes::Bytes;
use serde_json::Value;

use crate::bucket::{Bucket, Server};
use crate::program::{Ended, SEED_ARGUMENTS, file, worker_with_s3};

/// A server with the sample where the seed's arguments have it.
fn server(bucket: Bucket) -> Server {
    let sample = Bytes::from(fs::read(file("samples/payments.csv")).unwrap());
    serve(sample, bucket)
}

fn serve(text: Bytes, mut bucket: Bucket) -> Server {
    bucket.objects.insert("payments/2024/payments.csv".to_owned(), text);
    Server::start(bucket)
}

fn run(server: &Server) -> Ended {
    Ended::of(worker_with_s3(&server.endpoint, &SEED_ARGUMENTS))
}

fn result(server: &Server) -> Option<Value> {
    server.bucket().objects.get("results/results.json").map(|json| serde_json::from_slice(json).unwrap())
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(file("tests/worker/pandas/payments.json")).unwrap()).unwrap()
}

#[test]
fn the_arguments_of_the_seeds_job_definition_work_unchanged() {
    let server = server(Bucket::default());
    let ended = run(&server);
    assert_eq!(ended.last(), "0 INFO summarized");
    let result = result(&server).unwrap();
    assert_eq!(result["payment_type"], expected()["payment_type"]);
    assert_eq!(result["total_purchase"], 30911.53);
    insta::assert_snapshot!(server.bucket().asked.join("\n"), @r"
    GET payments/2024/payments.csv - -
    DELETE results/results.json.metadata.json
    PUT results/results.json application/json
    ");
}

#[test]
fn one_url_is_as_good_as_bucket_and_file() {
    let server = server(Bucket::default());
    let arguments = [
        "summarize",
        "--source",
        "s3://payments/2024/payments.csv",
        "--destination",
        "s3://results/results.json",
    ];
    assert_eq!(Ended::of(worker_with_s3(&server.endpoint, &arguments)).last(), "0 INFO summarized");
    assert_eq!(
        result(&server).unwrap()["payments_with_instalments"],
        expected()["payments_with_instalments"]
    );
}

#[test]
fn a_broken_stream_goes_on_where_it_broke() {
    let server = server(Bucket { breaks: vec![5_000, 3_000], ..Bucket::default() });
    let ended = run(&server);
    assert_eq!(ended.last(), "0 INFO summarized");
    assert_eq!(result(&server).unwrap()["payment_type"], expected()["payment_type"]);
    let asked = server.bucket().asked.clone();
    insta::assert_snapshot!(asked.join("\n"), @r#"
    GET payments/2024/payments.csv - -
    GET payments/2024/payments.csv bytes=5000- "1"
    GET payments/2024/payments.csv bytes=8000- "1"
    DELETE results/results.json.metadata.json
    PUT results/results.json application/json
    "#);
}

#[test]
fn an_object_that_changes_while_it_is_read_is_an_error() {
    let server = server(Bucket { breaks: vec![5_000], changes: true, ..Bucket::default() });
    insta::assert_snapshot!(run(&server).last(), @"2 ERROR failed to read s3://payments/2024/payments.csv: the object was changed while it was read");
    assert_eq!(result(&server), None);
}

#[test]
fn a_stream_that_never_goes_on_is_trouble() {
    let server = server(Bucket { breaks: vec![5_000, 0, 0, 0, 0], ..Bucket::default() });
    let last = run(&server).last();
    let start =
        "2 ERROR failed to read s3://payments/2024/payments.csv: the stream broke at byte 5000 and 4 tries";
    assert!(last.starts_with(start), "{last}");
    assert_eq!(result(&server), None);
}

#[test]
fn a_server_without_ranges_cannot_go_on() {
    let server = server(Bucket { breaks: vec![5_000], no_ranges: true, ..Bucket::default() });
    insta::assert_snapshot!(run(&server).last(), @"2 ERROR failed to read s3://payments/2024/payments.csv: the server does not honour ranges, so that a broken stream can't go on");
    assert_eq!(result(&server), None);
}

#[test]
fn an_object_whose_checksum_is_wrong_is_trouble() {
    let server = server(Bucket { checksum: Some("AAAAAA=="), ..Bucket::default() });
    insta::assert_snapshot!(run(&server).last(), @"2 ERROR failed to read s3://payments/2024/payments.csv: the stream broke at byte 17579: streaming error: body checksum mismatch. expected body checksum to be 00000000 but it was bd5e3980");
    assert_eq!(result(&server), None);
}

#[test]
fn each_refusal_has_its_line_and_its_code() {
    let mut outcomes = Vec::new();
    for fault in [
        ("GET", 404, "NoSuchBucket"),
        ("GET", 404, "NoSuchKey"),
        ("GET", 403, "AccessDenied"),
        ("GET", 301, "PermanentRedirect"),
        ("GET", 400, "InvalidRequest"),
        ("GET", 503, "SlowDown"),
        ("GET", 500, "InternalError"),
        ("PUT", 404, "NoSuchBucket"),
        ("PUT", 403, "AccessDenied"),
        ("PUT", 503, "SlowDown"),
        ("PUT", 403, "ExpiredToken"),
    ] {
        let server = server(Bucket { fault: Some(fault), ..Bucket::default() });
        outcomes.push(run(&server).last());
        assert_eq!(result(&server), None);
    }
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    1 ERROR failed to read s3://payments/2024/payments.csv: there is no such bucket (HTTP 404, request R1)
    1 ERROR failed to read s3://payments/2024/payments.csv: there is no such object (HTTP 404, request R1)
    1 ERROR failed to read s3://payments/2024/payments.csv: access denied: AccessDenied: said by the test; it takes s3:GetObject (HTTP 403, request R1)
    1 ERROR failed to read s3://payments/2024/payments.csv: the bucket is in another region (HTTP 301, request R1)
    1 ERROR failed to read s3://payments/2024/payments.csv: InvalidRequest: said by the test (HTTP 400, request R1)
    2 ERROR failed to read s3://payments/2024/payments.csv: SlowDown: said by the test (HTTP 503, request R1)
    2 ERROR failed to read s3://payments/2024/payments.csv: InternalError: said by the test (HTTP 500, request R1)
    1 ERROR failed to write s3://results/results.json: there is no such bucket (HTTP 404, request R1)
    1 ERROR failed to write s3://results/results.json: access denied: AccessDenied: said by the test; it takes s3:PutObject (HTTP 403, request R1)
    2 ERROR failed to write s3://results/results.json: SlowDown: said by the test (HTTP 503, request R1)
    2 ERROR failed to write s3://results/results.json: ExpiredToken: said by the test (HTTP 403, request R1)
    ");
}

#[test]
fn nothing_there_is_exit_1() {
    let empty = Server::start(Bucket::default());
    let other = Server::start(Bucket {
        objects: [("payments/other.csv".to_owned(), Bytes::new())].into(),
        ..Bucket::default()
    });
    insta::assert_snapshot!([run(&empty).last(), run(&other).last()].join("\n"), @r"
    1 ERROR failed to read s3://payments/2024/payments.csv: there is no such bucket (HTTP 404, request R1)
    1 ERROR failed to read s3://payments/2024/payments.csv: there is no such object (HTTP 404, request R1)
    ");
}

#[test]
fn bad_rows_and_empty_objects_name_the_object() {
    let header = "order_id,payment_type,payment_installments,payment_value\n";
    let outcomes =
        [String::new(), header.to_owned(), format!("{header}a,boleto,1,1\nb,boleto,1,x\n")].map(|text| {
            let server = serve(Bytes::from(text), Bucket::default());
            let last = run(&server).last();
            assert_eq!(result(&server), None);
            last
        });
    insta::assert_snapshot!(outcomes.join("\n"), @r#"
    1 ERROR failed to summarize s3://payments/2024/payments.csv: the file is empty
    1 ERROR failed to summarize s3://payments/2024/payments.csv: there is a header, but no row
    1 ERROR failed to summarize s3://payments/2024/payments.csv: line 3, column 12 (payment_value): "x" is not a number
    "#);
}

#[test]
fn an_endpoint_where_nobody_listens_is_trouble() {
    // The port is free: it was given to this process a moment ago, and closed.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let last = Ended::of(worker_with_s3(&endpoint, &SEED_ARGUMENTS)).last();
    assert!(
        last.starts_with("2 ERROR failed to read s3://payments/2024/payments.csv: dispatch failure"),
        "{last}"
    );
    assert!(last.contains("onnection refused"), "{last}");
}

#[test]
fn a_missing_region_is_exit_1() {
    let mut command = worker_with_s3("http://127.0.0.1:1", &SEED_ARGUMENTS);
    // Without it the SDK would look for a region on the network.
    command.env_remove("AWS_REGION").env("AWS_EC2_METADATA_DISABLED", "true");
    insta::assert_snapshot!(Ended::of(command).last(), @"1 ERROR failed to use S3: no region is set: AWS_REGION names it");
}

#[test]
fn memory_stays_the_same_for_a_large_object() {
    let sample = fs::read_to_string(file("samples/payments.csv")).unwrap();
    let (header, rows) = sample.split_at(sample.find('\n').unwrap() + 1);
    let times = 50_000_000 / rows.len() + 1;
    let text = Bytes::from(format!("{header}{}", rows.repeat(times)));
    let size = text.len() as u64;
    let server = serve(text, Bucket::default());
    let ended = run(&server);
    assert_eq!(ended.last(), "0 INFO summarized");
    let last = ended.log.last().unwrap();
    assert_eq!((&last["bytes"], &last["rows"]), (&size.into(), &(200 * times).into()));
    let peak = last["peak_bytes"].as_u64().unwrap();
    assert!(peak < 64_000_000, "{peak}");
}

#[test]
fn a_signal_stops_it_at_once_and_nothing_is_written() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let (on_get, got) = std::sync::mpsc::channel();
        let sample = fs::read(file("samples/payments.csv")).unwrap();
        let server = serve(
            sample.into(),
            Bucket { stalls: true, breaks: vec![4_000], on_get: Some(on_get), ..Bucket::default() },
        );
        let child = worker_with_s3(&server.endpoint, &SEED_ARGUMENTS).spawn().unwrap();
        got.recv().unwrap();
        let kill =
            std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let ended = Ended::with(child.wait_with_output().unwrap());
        assert_eq!(ended.last(), format!("{code} WARN stopped by a signal before the end"));
        assert_eq!(result(&server), None);
    }
}
