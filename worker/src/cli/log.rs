//! The log on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Sends the log to stderr from now on. `RUST_LOG` chooses what is logged, as in other Rust programs.
///
/// Of the libraries only errors: the SDK warns at each object that came in parts that it can't check their checksums.
pub(super) fn start(format: Format) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error,batchwright_worker=info"));
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let terminal = std::io::stderr().is_terminal();
    if format == Format::Json || (format == Format::Auto && !terminal) {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
    } else {
        log.compact().without_time().with_ansi(terminal).init();
    }
}
