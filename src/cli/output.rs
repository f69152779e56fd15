//! The only place that prints: data to stdout, talk to stderr, colour where it is wanted.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
use serde_json::Value;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::{Error, Exit, Result};
use crate::github::runner::Annotation;
use crate::outside;
use crate::render::{Paint, json};

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

/// Why stdout took no more, if it did not: said once, however much was still to be printed.
static LOST: OnceLock<String> = OnceLock::new();

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

    /// Data: to stdout. A reader that has gone away is no error; anything else is told by [`Self::written`].
    pub fn data(&self, text: &str) {
        self.write(&self.safe(text));
    }

    /// The same, where a workflow's log is written whoever runs this.
    pub fn logged(&self, text: &str) {
        self.write(&outside::logged(text));
    }

    /// A remark on a manifest's line: the only command that a runner is given.
    pub fn annotate(&self, annotation: &Annotation) {
        self.write(&format!("{}\n", annotation.line()));
    }

    /// Text with nothing in it that does more than being read.
    fn safe(&self, text: &str) -> String {
        if self.logged { outside::logged(text) } else { outside::printed(text) }
    }

    fn write(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if let Err(error) = written.or_else(unheard) {
            LOST.get_or_init(|| error.to_string());
        }
    }

    /// An error if data was lost on its way to stdout.
    pub fn written(&self) -> Result<()> {
        match LOST.get() {
            Some(why) => Err(lost(why)),
            None => Ok(()),
        }
    }

    /// An error if what a run is about to do could be shown to nobody: it was lost, or stdout is closed.
    pub fn shown(&self) -> Result<()> {
        self.written()?;
        match is_closed() {
            true => Err(Error::with_help(
                "stdout is closed: nobody can be shown what this would do",
                "let it lead somewhere; whoever wants none of it may write `> /dev/null`",
            )),
            false => Ok(()),
        }
    }

    /// Says mistakes in manifests as records too, where records are wanted, and hands them on.
    pub fn diagnosed<T>(&self, result: Result<T>, json: bool) -> Result<T> {
        if let (true, Err(Error::Manifests(errors))) = (json, &result) {
            self.record(json::version());
            errors.0.iter().for_each(|error| self.record(json::diagnostic(error)));
            json::more_diagnostics(errors).into_iter().for_each(|record| self.record(record));
        }
        if let (true, Err(Error::Unfound(all))) = (json, &result) {
            self.record(json::version());
            all.iter().for_each(|one| self.record(json::unfound(one)));
        }
        result
    }

    /// One JSON record to stdout, with the time.
    pub fn record(&self, mut record: Value) {
        if let Some(fields) = record.as_object_mut() {
            let now = aws_smithy_types::DateTime::from(std::time::SystemTime::now());
            if let Ok(now) = now.fmt(aws_smithy_types::date_time::Format::DateTime) {
                fields.insert("@timestamp".to_owned(), Value::String(now));
            }
        }
        self.write(&format!("{}\n", outside::record(&record)));
    }

    /// Reporter: a line to stderr.
    pub fn talk(&self, line: &str) {
        let mut out = std::io::stderr().lock();
        drop(writeln!(out, "{}", self.safe(line)));
    }

    /// A question: to stderr, the cursor behind it.
    pub fn ask(&self, question: &str) {
        let mut out = std::io::stderr().lock();
        drop(out.write_all(self.safe(question).as_bytes()).and_then(|()| out.flush()));
    }

    /// An error to stderr; answers its exit code.
    pub fn error(&self, error: &Error) -> Exit {
        let said = match error {
            Error::Manifests(errors) if self.logged => errors.without_lines().render(self.stderr.on()),
            other => other.render(self.stderr),
        };
        let mut out = std::io::stderr().lock();
        drop(out.write_all(self.safe(&said).as_bytes()));
        Exit::of(error)
    }

    /// The same, where stderr may be stuck: after a moment nobody waits for it.
    pub fn error_if_taken(self, error: Error) -> Exit {
        let exit = Exit::of(&error);
        let (done, said) = mpsc::channel();
        let says = move || {
            self.error(&error);
            let _ = done.send(());
        };
        if std::thread::Builder::new().spawn(says).is_ok() {
            let _ = said.recv_timeout(Duration::from_millis(100));
        }
        exit
    }

    /// Says why a command failed, or that its data was lost; answers the exit code.
    pub fn ended(&self, exit: Result<Exit>) -> Exit {
        let exit = exit.unwrap_or_else(|error| self.error(&error));
        match self.written() {
            Err(error) if !matches!(exit, Exit::Access | Exit::Error) => self.error(&error),
            _ => exit,
        }
    }
}

/// Whether stdout was closed when the program began. Rust opens /dev/null in its place, for reading and writing
/// (`sanitize_standard_fds` in <https://github.com/rust-lang/rust/blob/master/library/std/src/sys/pal/unix/mod.rs>); what a shell
/// sends there is only written.
fn is_closed() -> bool {
    let stdout = std::io::stdout();
    let is_read = fcntl_getfl(&stdout).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
    let is_null = match (fstat(&stdout), stat("/dev/null")) {
        (Ok(here), Ok(null)) => here.st_rdev == null.st_rdev && here.st_ino == null.st_ino,
        _ => false,
    };
    is_read && is_null
}

/// What was to be told, and could not be.
pub(super) fn lost(why: &dyn std::fmt::Display) -> Error {
    Error::plain(format!("failed to write to stdout: {why}"))
}

/// Whom a reader that has gone away concerns: nobody.
pub(super) fn unheard(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
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
    let out = *out;
    let may = filter_fn(|metadata| is_loggable(metadata.target(), metadata.level()));
    logs.with_writer(move || Log(out)).finish().with(may).init();
    Ok(())
}

/// Whether something may be logged, whatever the filter says: what the libraries below say in detail holds requests and answers
/// whole, with the values that are masked everywhere else.
fn is_loggable(target: &str, level: &Level) -> bool {
    target.starts_with("batchwright") || *level <= Level::INFO
}

/// Where logs go: what they tell comes from outside as well. An event is written at once.
struct Log(Output);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = self.0.safe(&String::from_utf8_lossy(bytes));
        std::io::stderr().lock().write_all(text.as_bytes()).map(|()| bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_log_nothing_in_detail() {
        for target in ["aws_smithy_runtime::client::orchestrator", "aws_config", "hyper::proto", "rustls"] {
            assert!(is_loggable(target, &Level::INFO) && is_loggable(target, &Level::ERROR), "{target}");
            assert!(!is_loggable(target, &Level::DEBUG) && !is_loggable(target, &Level::TRACE), "{target}");
        }
        assert!(is_loggable("batchwright::services::count", &Level::TRACE));
    }
}
