//! Local places: exit codes, errors, and what is left behind.

use std::fs;
use std::path::Path;

use crate::program::{Ended, file, names, worker};

const HEADER: &str = "order_id,payment_type,payment_installments,payment_value\n";

/// Runs `summarize` on a file with `text`; the outcome without the folder's name, and the names of all files after it.
fn run_on(text: &[u8]) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("payments.csv"), text).unwrap();
    let ended = Ended::of(
        worker(&["--source", "payments.csv", "--destination", "results.json"]).in_folder(folder.path()),
    );
    (ended.last(), names(folder.path()))
}

trait InFolder {
    fn in_folder(self, folder: &Path) -> Self;
}

impl InFolder for std::process::Command {
    fn in_folder(mut self, folder: &Path) -> Self {
        self.current_dir(folder);
        self
    }
}

#[test]
fn bad_data_is_exit_1_with_one_line_and_no_result() {
    let mut outcomes = Vec::new();
    for text in [
        String::new(),
        HEADER.to_owned(),
        "order_id,payment_type,payment_installments,value\n1,a,1,1\n".to_owned(),
        format!("{HEADER}a,boleto,1,10\n\"b\nb\",boleto,1,ten\n"),
        format!("{HEADER}a,boleto,1,\n"),
        format!("{HEADER}a,boleto,1\n"),
        format!("{HEADER}a,\"boleto,1,10\n"),
    ] {
        let (outcome, left) = run_on(text.as_bytes());
        assert_eq!(left, ["payments.csv"], "{outcome}");
        outcomes.push(outcome);
    }
    insta::assert_snapshot!(outcomes.join("\n"), @r#"
    1 ERROR failed to summarize payments.csv: the file is empty
    1 ERROR failed to summarize payments.csv: there is a header, but no row
    1 ERROR failed to summarize payments.csv: column payment_value is missing (did you mean "value"?)
    1 ERROR failed to summarize payments.csv: line 4, column 13 (payment_value): "ten" is not a number
    1 ERROR failed to summarize payments.csv: line 2, column 12 (payment_value): it is empty
    1 ERROR failed to summarize payments.csv: line 2, column 10: the row has 3 fields, the header 4
    1 ERROR failed to summarize payments.csv: line 2, column 3: the quote that opens here is never closed
    "#);
}

#[test]
fn an_error_in_a_row_is_data_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.csv"), format!("{HEADER}a,boleto,x,10\n")).unwrap();
    let ended = Ended::of(worker(&["--source", "p.csv", "--destination", "r.json"]).in_folder(folder.path()));
    let mut last = ended.log.last().unwrap().clone();
    last.as_object_mut().unwrap().remove("timestamp");
    insta::assert_snapshot!(last, @r#"{"column":10,"field":"payment_installments","level":"ERROR","line":2,"message":"failed to summarize p.csv: line 2, column 10 (payment_installments): \"x\" is not a number","object":"p.csv"}"#);
}

#[test]
fn places_that_cannot_be_used_are_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    fs::write(folder.path().join("p.csv"), format!("{HEADER}a,boleto,1,10\n")).unwrap();
    let outcomes = [
        ("missing.csv", "r.json"),
        ("folder", "r.json"),
        ("p.csv", "folder"),
        ("p.csv", "missing/r.json"),
        ("p.csv", "p.csv"),
        ("s3://bucket", "r.json"),
        ("p.csv", "ftp://host/r.json"),
    ]
    .map(|(source, destination)| {
        let command = worker(&["--source", source, "--destination", destination]).in_folder(folder.path());
        Ended::of(command).last()
    });
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    1 ERROR failed to read missing.csv: no such file or folder
    1 ERROR failed to read folder: it is a folder
    1 ERROR failed to write folder: it is a folder
    1 ERROR failed to write missing/r.json: its folder does not exist
    1 ERROR failed to write p.csv: it is the source too, and would be overwritten
    1 ERROR failed to use s3://bucket: an object is written s3://BUCKET/KEY
    1 ERROR failed to use ftp://host/r.json: a place is s3://BUCKET/KEY, file:///PATH or a path
    ");
    let under = worker(&["--source", "folder/", "--destination", "folder/r.json"]).in_folder(folder.path());
    insta::assert_snapshot!(Ended::of(under).last(), @"1 ERROR failed to write folder/r.json: it lies under the source folder/, and would be read itself the next time");
    assert_eq!(names(folder.path()), ["folder", "p.csv"]);
}

#[test]
fn a_source_or_a_device_is_not_overwritten_however_it_is_spelled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = format!("{HEADER}a,boleto,1,10\n");
    fs::write(path.join("p.csv"), &text).unwrap();
    fs::create_dir(path.join("data")).unwrap();
    fs::write(path.join("data/p.csv"), &text).unwrap();
    fs::write(path.join("real.json"), "old").unwrap();
    for (link, to) in
        [("link.json", "real.json"), ("same.csv", "p.csv"), ("nowhere", "missing"), ("null", "/dev/null")]
    {
        std::os::unix::fs::symlink(to, path.join(link)).unwrap();
    }
    let before = names(path);
    let absolute = format!("file://{}", fs::canonicalize(path.join("p.csv")).unwrap().display());
    let outcomes = [
        ("p.csv", "./p.csv"),
        ("p.csv", "data/../p.csv"),
        ("p.csv", &absolute),
        ("p.csv", "same.csv"),
        ("data/", "./data/r.json"),
        ("p.csv", "null"),
        ("p.csv", "/dev/null"),
        ("p.csv", "nowhere"),
        ("p.csv", "link.json"),
    ]
    .map(|(source, destination)| {
        let command = worker(&["--source", source, "--destination", destination]).in_folder(path);
        Ended::of(command).last()
    });
    let outcomes = outcomes.join("\n").replace(&*absolute.replace("file://", ""), "/p.csv");
    insta::assert_snapshot!(outcomes, @r"
    1 ERROR failed to write ./p.csv: it is the source too, and would be overwritten
    1 ERROR failed to write data/../p.csv: it is the source too, and would be overwritten
    1 ERROR failed to write /p.csv: it is the source too, and would be overwritten
    1 ERROR failed to write same.csv: it is the source too, and would be overwritten
    1 ERROR failed to write ./data/r.json: it lies under the source data/, and would be read itself the next time
    1 ERROR failed to write null: it is no regular file
    1 ERROR failed to write /dev/null: it is no regular file
    1 ERROR failed to write nowhere: it is a link that leads nowhere
    0 INFO summarized
    ");
    assert_eq!(names(path), before);
    assert!(fs::symlink_metadata(path.join("link.json")).unwrap().is_symlink());
    assert!(fs::read_to_string(path.join("real.json")).unwrap().starts_with('{'));
    assert_eq!(fs::read_to_string(path.join("p.csv")).unwrap(), text);
}

#[test]
fn what_is_written_beside_a_result_spares_the_source_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = format!("{HEADER}a,boleto,1,10\n");
    let part = "r.json.part-00000-of-00001.json";
    fs::create_dir(path.join("data")).unwrap();
    for name in ["r.json.metadata.json", part, "o.json.metadata.json"] {
        fs::write(path.join(name), &text).unwrap();
    }
    std::os::unix::fs::symlink("../o.json.metadata.json", path.join("data/p.csv")).unwrap();
    let before = names(path);
    let sharded = ["--shards", "1", "--shard", "0"];
    let outcomes = [
        (&["summarize", "--source", "./r.json.metadata.json", "--destination", "r.json"][..], &[][..]),
        (&["summarize", "--source", "r.json.metadata.json", "--destination", "r.json"], &sharded),
        (&["summarize", "--source", part, "--destination", "r.json"], &sharded),
        (&["summarize", "--source", "data/", "--destination", "o.json"], &[]),
        (&["merge", "--source", "r.json.metadata.json", "--destination", "r.json"], &sharded[..2]),
        (&["merge", "--source", part, "--destination", part], &sharded[..2]),
    ]
    .map(|(arguments, more)| {
        let format: &[&str] = if arguments[0] == "merge" { &[] } else { &["--format", "csv"] };
        Ended::of(worker(&[arguments, more, format].concat()).in_folder(path)).last()
    });
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    1 ERROR failed to write r.json.metadata.json: it is the source too, and would be overwritten
    1 ERROR failed to write r.json.metadata.json: it is the source too, and would be overwritten
    1 ERROR failed to write r.json.part-00000-of-00001.json: it is the source too, and would be overwritten
    1 ERROR failed to write o.json.metadata.json: it lies under the source data/, and would be read itself the next time
    1 ERROR failed to write r.json.metadata.json: it is the source too, and would be overwritten
    1 ERROR failed to write r.json.part-00000-of-00001.json: it is the source too, and would be overwritten
    ");
    assert_eq!(names(path), before);
    for name in ["r.json.metadata.json", part, "o.json.metadata.json"] {
        assert_eq!(fs::read_to_string(path.join(name)).unwrap(), text, "{name}");
    }
}

#[test]
fn a_name_with_a_line_break_is_still_one_line() {
    let arguments = ["--source", "a\nb.csv", "--destination", "r.json", "--log-format", "text"];
    let output = worker(&arguments).output().unwrap();
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r"ERROR failed to read a\nb.csv: no such file or folder");
}

#[test]
fn what_stands_beside_a_result_is_about_that_result() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.csv"), format!("{HEADER}a,boleto,1,10\n")).unwrap();
    let run = |policy| {
        let arguments = ["--source", "p.csv", "--destination", "r.json", "--bad-rows", policy];
        assert_eq!(Ended::of(worker(&arguments).in_folder(folder.path())).code, Some(0));
        names(folder.path())
    };
    assert_eq!(run("skip"), ["p.csv", "r.json", "r.json.metadata.json"]);
    assert_eq!(run("fail"), ["p.csv", "r.json"]);
}

#[test]
fn too_many_types_are_an_error_under_every_policy() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..70_000).map(|i| format!("a,{i},1,10\n")).collect();
    fs::write(folder.path().join("p.csv"), format!("{HEADER}{rows}")).unwrap();
    let arguments = ["--source", "p.csv", "--destination", "r.json", "--bad-rows", "skip"];
    let ended = Ended::of(worker(&arguments).in_folder(folder.path()));
    insta::assert_snapshot!(ended.last(), @r"1 ERROR failed to summarize p.csv: line 60950, column 3 (payment_type): there are too many different values: 60948 so far");
    assert_eq!(names(folder.path()), ["p.csv"]);
}

#[test]
fn a_device_that_fails_is_exit_2() {
    let ended = Ended::of(worker(&["--source", "/proc/self/mem", "--destination", "r.json"]));
    insta::assert_snapshot!(ended.last(), @"2 ERROR failed to read /proc/self/mem: Input/output error (os error 5)");
}

#[test]
fn wrong_arguments_are_exit_1() {
    for arguments in [
        &["--source", "a.csv"][..],
        &["--source_bucket", "b", "--destination", "r.json"],
        &["--source", "a.csv", "--source_bucket", "b", "--source_file", "k", "--destination", "r.json"],
        &["--verbose"],
        &["sumarize"],
        &[],
    ] {
        let output = worker(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(worker(&["--help"]).output().unwrap().status.code(), Some(0));
}

#[test]
fn a_result_is_replaced_and_the_log_says_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("results.json"), "old").unwrap();
    let source = file("samples/payments.csv");
    let arguments =
        ["--source", source.to_str().unwrap(), "--destination", "results.json", "--log-format", "json"];
    let ended = Ended::of(worker(&arguments).in_folder(folder.path()));
    assert_eq!(ended.last(), "0 INFO summarized");
    assert_eq!(ended.log.last().unwrap()["rows"], 200);
    assert_eq!(ended.log.last().unwrap()["bytes"], fs::metadata(&source).unwrap().len());
    assert!(fs::read_to_string(folder.path().join("results.json")).unwrap().starts_with("{\n"));
    assert_eq!(names(folder.path()), ["results.json"]);
}

#[test]
fn a_log_for_people_has_one_line_for_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--source", "missing.csv", "--destination", "r.json", "--log-format", "text"];
    let output = worker(&arguments).in_folder(folder.path()).output().unwrap();
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"ERROR failed to read missing.csv: no such file or folder");
}
