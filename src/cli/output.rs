//! The only place that prints: data to stdout, talk to stderr, colour where it is wanted.

use std::io::{IsTerminal, Write};

use serde_json::Value;

use super::{Error, Exit, Result};
use crate::render::Paint;

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal and in GitHub Actions, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where commands print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    stdout: Paint,
    stderr: Paint,
    /// Whether a workflow's log is written: whoever may read that need not see all that a manifest holds (P28).
    logged: bool,
}

impl Output {
    /// Decides about colour.
    pub fn new(colour: Colour) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let wanted = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => !set("NO_COLOR") && (terminal || set("GITHUB_ACTIONS")),
        };
        Self {
            stdout: Paint::new(wanted(std::io::stdout().is_terminal())),
            stderr: Paint::new(wanted(std::io::stderr().is_terminal())),
            logged: set("GITHUB_ACTIONS"),
        }
    }

    /// How stdout is coloured.
    pub fn paint(&self) -> Paint {
        self.stdout
    }

    /// How stderr is coloured.
    pub fn talk_paint(&self) -> Paint {
        self.stderr
    }

    /// Data: to stdout, as it is. A reader that has gone away is no error.
    pub fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// One JSON record to stdout, with the time.
    pub fn record(&self, mut record: Value) {
        if let Some(fields) = record.as_object_mut() {
            let now = aws_smithy_types::DateTime::from(std::time::SystemTime::now());
            if let Ok(now) = now.fmt(aws_smithy_types::date_time::Format::DateTime) {
                fields.insert("@timestamp".to_owned(), Value::String(now));
            }
        }
        self.data(&format!("{record}\n"));
    }

    /// Talk: a line to stderr.
    pub fn talk(&self, line: &str) {
        let mut out = std::io::stderr().lock();
        drop(writeln!(out, "{line}"));
    }

    /// A question: to stderr, the cursor behind it.
    pub fn ask(&self, question: &str) {
        let mut out = std::io::stderr().lock();
        drop(out.write_all(question.as_bytes()).and_then(|()| out.flush()));
    }

    /// An error to stderr; answers its exit code.
    pub fn error(&self, error: &Error) -> Exit {
        let said = match error {
            Error::Manifests(errors) if self.logged => errors.without_lines().render(self.stderr.on()),
            other => other.render(self.stderr),
        };
        let mut out = std::io::stderr().lock();
        drop(out.write_all(said.as_bytes()));
        Exit::of(error)
    }
}

/// Sends logs to stderr, if they are asked for.
pub fn log(level: Option<&str>, out: &Output) -> Result<()> {
    let Some(level) = level else { return Ok(()) };
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let filter = if levels.contains(&level) { format!("batchwright={level}") } else { level.to_owned() };
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|error| {
        Error::with_help(
            format!("--log {level} is no filter: {error}"),
            "use error, warn, info, debug or trace",
        )
    })?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(out.stderr.on());
    logs.with_writer(std::io::stderr).init();
    Ok(())
}
