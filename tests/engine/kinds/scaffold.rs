//! The first draft of a kind, out of CloudFormation's schema: `NEW_KIND="AWS::SQS::Queue sqs" cargo test --test engine scaffold`
//! writes `src/kinds/sqs/queue.rs` and `tests/contract/sqs.Queue.yaml`, where there is none yet.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use batchwright::sandbox::install;
use regex::Regex;

use super::snake;

const SCRIPT: &str = include_str!("scaffold.py");

/// The file of a kind, and its contract.
async fn draft(of: &str, service: &str) -> (String, String) {
    let home = install::ensure(&mut |_| ()).await.unwrap();
    let output = Command::new(install::python(&home)).args(["-c", SCRIPT, of, service]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (kind, contract) = text.split_once("---\n").unwrap();
    (kind.to_owned(), contract.to_owned())
}

#[tokio::test]
async fn a_draft_says_what_cloudformation_says() {
    if let Ok(named) = std::env::var("NEW_KIND") {
        let (of, service) = named.split_once(' ').expect("NEW_KIND=\"AWS::SQS::Queue sqs\"");
        let (kind, contract) = draft(of, service).await;
        let name = of.rsplit("::").next().unwrap();
        write(&Path::new("src/kinds").join(service).join(format!("{}.rs", snake(name))), &kind);
        write(&Path::new("tests/contract").join(format!("{service}.{name}.yaml")), &contract);
    }
    let (kind, contract) = draft("AWS::SQS::Queue", "sqs").await;
    let spec = &kind[..kind.find("pub struct RedrivePolicy").unwrap()];
    let fields = Regex::new(r"(?m)^    pub (\w+):").unwrap();
    let said: BTreeSet<String> = fields.captures_iter(spec).map(|found| found[1].to_owned()).collect();
    // The queue that a person made of it has the same ones, and AWS::SQS::QueuePolicy's.
    let written = std::fs::read_to_string("src/kinds/sqs/queue.rs").unwrap();
    let written = &written[..written.find("pub struct RedrivePolicy").unwrap()];
    let mut kept: BTreeSet<String> = fields.captures_iter(written).map(|found| found[1].to_owned()).collect();
    assert!(kept.remove("policy"));
    assert_eq!(said, kept);
    for expected in [
        "#[field(empty, range(60..=1209600))]\n    pub message_retention_period: Option<i32>",
        "#[field(empty, create_only)]\n    pub fifo_queue: Option<bool>",
        "(\"queueName\", \"metadata.physicalName\")",
        "actions![sqs: CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue]",
    ] {
        assert!(kind.contains(expected), "{expected}\n{kind}");
    }
    assert!(contract.contains("visibilityTimeout: {visibilityTimeout: ") && !contract.contains("fifoQueue"));
}

fn write(file: &PathBuf, text: &str) {
    assert!(!file.exists(), "{} is there already", file.display());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}
