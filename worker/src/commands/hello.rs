//! `hello`: shows that a job runs at all.

use std::io::Write;

use super::Error;

/// Say hello: whether image, queue, roles and network fit together
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Whom to greet
    #[arg(long, default_value = "world")]
    name: String,
}

/// Writes one line to stdout, where the seed's program wrote it.
pub fn run(args: &Args) -> Result<(), Error> {
    let written = writeln!(std::io::stdout(), "Hello, {}!", args.name);
    written.map_err(|error| Error::Service { what: format!("write to stdout: {error}"), may_pass: true })
}
