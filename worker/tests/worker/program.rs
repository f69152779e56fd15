//! Starts the program and looks at how it ended.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub const SEED_ARGUMENTS: [&str; 8] = [
    "--source_bucket",
    "payments",
    "--source_file",
    "2024/payments.csv",
    "--destination_bucket",
    "results",
    "--destination_file",
    "results.json",
];

/// The program, with nothing of this process's environment.
pub fn worker(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchwright-worker"));
    command.env_clear().args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program against an S3 at `endpoint`, with one try for each call.
pub fn worker_with_s3(endpoint: &str, arguments: &[&str]) -> Command {
    let mut command = worker(arguments);
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_MAX_ATTEMPTS", "1");
    command
}

/// How a run ended.
pub struct Ended {
    pub code: Option<i32>,
    /// The log's lines.
    pub log: Vec<Value>,
}

impl Ended {
    pub fn of(mut command: Command) -> Ended {
        Ended::with(command.output().unwrap())
    }

    pub fn with(output: Output) -> Ended {
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "",
            "the result goes to the destination, the log to stderr"
        );
        let text = String::from_utf8(output.stderr).unwrap();
        let log = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}")))
            .collect();
        Ended { code: output.status.code(), log }
    }

    /// The code and the last line: `1 ERROR failed to …`.
    pub fn last(&self) -> String {
        let last = self.log.last().unwrap();
        let text = |key| last.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{} {} {}", self.code.unwrap_or(-1), text("level"), text("message"))
    }
}

/// A file of the tests' own.
pub fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The names of all files of a folder, in order.
pub fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
