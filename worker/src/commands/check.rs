//! `check`: ends well or badly, as it is told: to see what a queue, a retry strategy and an alarm make of it.

use std::time::Duration;

use super::Error;

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum End {
    /// Exit code 0.
    Ok,
    /// Exit code 1.
    Ng,
}

/// Succeed or fail on purpose
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How to end: ok is exit code 0, ng is 1
    #[arg(long, visible_alias = "ok_or_ng", value_enum, default_value = "ok")]
    ok_or_ng: End,
    /// How long to run before that, in seconds
    #[arg(long, default_value_t = 0)]
    seconds: u64,
}

/// Waits, then ends as it was told.
pub async fn run(args: &Args) -> Result<(), Error> {
    tracing::info!(seconds = args.seconds, "checking");
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    match args.ok_or_ng {
        End::Ok => {
            tracing::info!("ended well");
            Ok(())
        }
        End::Ng => Err(Error::Asked("pass the check: --ok-or-ng ng asks for it")),
    }
}
