//! Arguments in, exit code out.

mod log;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::commands::{Error, check, consume, hello, merge, summarize, transform};
use crate::place::Places;

/// Bad data or a wrong argument: the same again would fail again.
const BAD_INPUT: u8 = 1;
/// Trouble with a place: the same again may succeed.
const TROUBLE: u8 = 2;
/// What a shell reports of a process that a signal ended: 128 and the signal's number.
const SIGNALLED: u8 = 128;

/// The program that runs in the container of a Batchwright stack
///
/// Exit codes: 0 done; 1 bad data or arguments, don't retry; 2 trouble with a place, retry; 130 and 143 stopped by
/// SIGINT and SIGTERM. If the first argument is an option, the command is `summarize` (of `--ok_or_ng`: `check`).
#[derive(Debug, Parser)]
#[command(name = "batchwright-worker", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How the log on stderr is written; auto is text on a terminal, else one JSON object a line
    #[arg(long, global = true, value_enum, default_value_t, env = "BATCHWRIGHT_LOG_FORMAT")]
    log_format: log::Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    Summarize(summarize::Args),
    Merge(merge::Args),
    Transform(transform::Args),
    Consume(consume::Args),
    Hello(hello::Args),
    Check(check::Args),
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(with_command(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors to clap, and go to stdout. If that is closed, nobody reads it.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_INPUT) } else { ExitCode::SUCCESS };
        }
    };
    log::start(cli.log_format);
    // One thread for the network is enough: parsing has its own.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("failed to start: {error}");
            return ExitCode::from(TROUBLE);
        }
    };
    let code = runtime.block_on(run(&cli.command));
    // A thread that still works for a command that was stopped sees that soon, and takes away the file it was writing; one
    // that waits for a disk or the network is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(2));
    ExitCode::from(code)
}

/// Puts the command before arguments that begin with an option, as the seeds' job definitions have them.
fn with_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let first = arguments.get(1).and_then(|first| first.to_str()).unwrap_or_default();
    if first.starts_with("--") && !["--help", "--version"].contains(&first) {
        let command = if ["--ok_or_ng", "--ok-or-ng"].iter().any(|option| first.starts_with(option)) {
            "check"
        } else {
            "summarize"
        };
        arguments.insert(1, command.into());
    }
    arguments
}

/// Runs the command until it ends or a signal does.
async fn run(command: &Command) -> u8 {
    let (mut terminate, mut interrupt) =
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!("failed to listen for signals: {error}");
                return TROUBLE;
            }
        };
    let places = Arc::new(Places::default());
    let stop = watch::Sender::new(false);
    let work = async {
        match command {
            Command::Summarize(args) => summarize::run(args, &places).await,
            Command::Merge(args) => merge::run(args, &places).await,
            Command::Transform(args) => transform::run(args, &places).await,
            Command::Consume(args) => consume::run(args, Arc::clone(&places), stop.subscribe()).await,
            Command::Hello(args) => hello::run(args),
            Command::Check(args) => check::run(args).await,
        }
    };
    let mut work = std::pin::pin!(work);
    let kind = tokio::select! {
        result = &mut work => return ended(result, &places).await,
        _ = terminate.recv() => SignalKind::terminate(),
        _ = interrupt.recv() => SignalKind::interrupt(),
    };
    if matches!(command, Command::Consume(_)) {
        // It knows how to stop; a second signal does not wait for that.
        stop.send_replace(true);
        tokio::select! {
            _ = &mut work => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    // Any other command is safe to drop at each of its waits: a place shows all that was written, or nothing.
    let code = stopped(kind);
    places.abandon().await;
    code
}

/// The exit code of a command that came to its end.
async fn ended(result: Result<(), Error>, places: &Places) -> u8 {
    // An object that failed while others went on may still be taken back.
    places.abandon().await;
    result.map_or_else(|error| report(&error), |()| 0)
}

fn report(error: &Error) -> u8 {
    match error {
        Error::Malformed { object, malformed, .. } => tracing::error!(
            object,
            line = malformed.line,
            column = malformed.column,
            field = malformed.field,
            "failed to {error}"
        ),
        _ => tracing::error!("failed to {error}"),
    }
    if error.may_pass() { TROUBLE } else { BAD_INPUT }
}

fn stopped(kind: SignalKind) -> u8 {
    let number = kind.as_raw_value();
    tracing::warn!(signal = number, "stopped by a signal before the end");
    u8::try_from(number).map_or(TROUBLE, |number| SIGNALLED.saturating_add(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(arguments: &[&str]) -> String {
        let arguments = arguments.iter().map(OsString::from).collect();
        with_command(arguments)
            .iter()
            .map(|argument| argument.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn an_option_first_means_summarize() {
        assert_eq!(completed(&["worker", "--source_bucket", "b"]), "worker summarize --source_bucket b");
        assert_eq!(completed(&["worker", "--ok_or_ng", "ng"]), "worker check --ok_or_ng ng");
        assert_eq!(completed(&["worker", "--ok-or-ng", "ng"]), "worker check --ok-or-ng ng");
        assert_eq!(completed(&["worker", "--help"]), "worker --help");
        assert_eq!(completed(&["worker", "summarize", "--help"]), "worker summarize --help");
        assert_eq!(completed(&["worker"]), "worker");
    }

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
