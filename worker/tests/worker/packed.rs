//! Outputs whose names promise a compression.

use std::fs;
use std::io::{Read, Write};

use bytes::Bytes;
use serde_json::json;

use crate::bucket::{Bucket, Server};
use crate::program::{Ended, names, worker, worker_with_s3};
use crate::queue::Sqs;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn unpacked(name: &str, packed: &[u8]) -> String {
    let mut text = String::new();
    let mut packed = packed;
    match name.rsplit_once('.').unwrap().1 {
        "gz" => flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap(),
        "zst" => zstd::stream::Decoder::new(packed).unwrap().read_to_string(&mut text).unwrap(),
        _ => packed.read_to_string(&mut text).unwrap(),
    };
    text
}

fn lines(count: usize, text: &str) -> String {
    (0..count).map(|i| format!("{{\"id\":\"{text} {i}\",\"stars\":2,\"review_count\":{i}}}\n")).collect()
}

fn scored(count: usize, text: &str) -> String {
    (0..count)
        .map(|i| {
            format!(
                "{{\"id\":\"{text} {i}\",\"stars\":2,\"review_count\":{i},\"review_score\":{}.0}}\n",
                i * 2
            )
        })
        .collect()
}

#[test]
fn a_result_is_packed_as_its_name_says_and_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), lines(20_000, "x")).unwrap();
    let run = |name: &str| {
        let mut command = worker(&["transform", "--source", "in.jsonl", "--destination", name]);
        command.current_dir(folder.path());
        assert_eq!(Ended::of(command).last(), "0 INFO transformed");
        fs::read(folder.path().join(name)).unwrap()
    };
    for name in ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"] {
        let written = run(name);
        assert!(unpacked(name, &written) == scored(20_000, "x"), "{name}");
        assert!(run(name) == written, "{name}");
        assert_eq!(name.ends_with('l'), written.starts_with(b"{"));
    }
    // A bad line leaves no part of a packed result either.
    fs::write(folder.path().join("bad.jsonl"), lines(20_000, "x") + "{").unwrap();
    let mut command = worker(&["transform", "--source", "bad.jsonl", "--destination", "bad.jsonl.gz"]);
    command.current_dir(folder.path());
    assert_eq!(Ended::of(command).code, Some(1));
    assert_eq!(names(folder.path()), ["bad.jsonl", "in.jsonl", "out.jsonl", "out.jsonl.gz", "out.jsonl.zst"]);
}

/// The same name with and without a compression makes two outputs; a message that comes twice changes nothing.
#[test]
fn objects_that_differ_in_their_compression_have_outputs_of_their_own() {
    let packed = zstd::stream::encode_all(lines(5, "zst").as_bytes(), 3).unwrap();
    let objects = [
        ("in/a.jsonl", lines(5, "plain").into_bytes()),
        ("in/a.jsonl.gz", gzip(lines(5, "gz").as_bytes())),
        ("in/a.jsonl.zst", packed.clone()),
        // Packed, though its name does not say so.
        ("in/b.jsonl", packed),
    ];
    let objects = objects.map(|(name, content)| (name.to_owned(), Bytes::from(content))).into();
    let s3 = Server::start(Bucket { objects, ..Bucket::default() });
    let message = |key: &str| {
        let object = json!({"bucket": {"name": "in"}, "object": {"key": key}});
        json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": object}]}).to_string()
    };
    let messages = ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "b.jsonl"].map(message);
    let consume = || {
        let bodies: Vec<&str> = messages.iter().map(String::as_str).collect();
        let sqs = Sqs::start(&bodies, None);
        assert_eq!(Ended::of(sqs.consume(&s3, &["--until-empty"])).code, Some(0));
        assert_eq!(sqs.told(), ["delete"; 4]);
        let objects = s3.bucket().objects.clone();
        objects.into_iter().filter(|(name, _)| name.starts_with("out/")).collect::<Vec<_>>()
    };
    let written = consume();
    let texts: Vec<_> =
        written.iter().map(|(name, content)| (name.as_str(), unpacked(name, content))).collect();
    let expected = [
        ("out/a.jsonl", "plain"),
        ("out/a.jsonl.gz", "gz"),
        ("out/a.jsonl.zst", "zst"),
        ("out/b.jsonl", "zst"),
    ];
    assert_eq!(texts, expected.map(|(name, text)| (name, scored(5, text))));
    assert!(consume() == written, "the same again");
    let asked = s3.bucket().asked.clone();
    assert!(asked.contains(&"PUT out/a.jsonl.gz application/gzip".to_owned()), "{asked:?}");
    assert!(asked.contains(&"PUT out/a.jsonl application/x-ndjson".to_owned()), "{asked:?}");
}

#[test]
fn a_large_packed_object_goes_up_in_parts() {
    // Text that hardly packs, so that there are several parts.
    let noise = |i: usize| (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let text: String = (0..80_000)
        .map(|i| {
            let words: String =
                (0..12).map(|word| format!("{:016x}", noise(i * 12 + word).rotate_left(23))).collect();
            format!("{{\"stars\":1,\"review_count\":1,\"text\":\"{words}\"}}\n")
        })
        .collect();
    let content = Bytes::from(zstd::stream::encode_all(text.as_bytes(), 1).unwrap());
    let objects = [("in/a.jsonl.zst".to_owned(), content)].into();
    let server = Server::start(Bucket { objects, ..Bucket::default() });
    let arguments = ["transform", "--source", "s3://in/a.jsonl.zst", "--destination", "s3://out/a.jsonl.zst"];
    assert_eq!(Ended::of(worker_with_s3(&server.endpoint, &arguments)).last(), "0 INFO transformed");
    let bucket = server.bucket();
    assert!(bucket.asked.contains(&"COMPLETE out/a.jsonl.zst".to_owned()), "{:?}", bucket.asked);
    let written = unpacked("a.zst", &bucket.objects["out/a.jsonl.zst"]);
    assert!(written == text.replace("}\n", ",\"review_score\":1.0}\n"));
}
