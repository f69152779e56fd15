//! `watch`: validates and plans again whenever a manifest is saved.

use std::time::Duration;

use saved::{Pace, looks};

use super::session::Allowed;
use super::{Choices, Connection, Error, Exit, Globals, Output, Result, Session, signals};
use crate::render;

mod saved;

/// Validates and plans again whenever a manifest is saved; Ctrl-C ends it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
}

/// How long is waited for what else is saved.
const PACE: Pace = Pace { quiet: Duration::from_millis(200), longest: Duration::from_secs(2) };

/// Runs `watch`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let root = &globals.manifests;
    let failed = |why: &dyn std::fmt::Display| {
        Error::with_help(
            format!("failed to watch {}: {why}", crate::outside::path(root)),
            "say where the manifests are with --manifests",
        )
    };
    // Later it may go and come again.
    if !root.is_dir() {
        return Err(failed(&"there is no such folder"));
    }
    let mut connection = None;
    let work = looks(root, PACE, async || {
        if let Err(error) = round(&args.choices, globals, out, &mut connection).await {
            out.error(&error);
        }
        out.talk(&format!("watching {}; Ctrl-C ends it", crate::outside::path(root)));
    });
    tokio::select! {
        biased;
        () = signals::once() => Ok(Exit::Success),
        Err(error) = work => Err(failed(&error)),
    }
}

/// One look. The connection, with the sandbox that it may hold, serves the next one.
async fn round(
    choices: &Choices,
    globals: &Globals,
    out: &Output,
    kept: &mut Option<Connection>,
) -> Result<()> {
    let desired = choices.load(globals)?;
    let connection = match kept.take() {
        Some(connection) if *connection.place() == desired.place => connection,
        _ => Connection::open(globals, &desired.place, out).await?,
    };
    let session = Session::on(desired, connection).await?;
    let planned = session.plan(&Allowed::default().guard()).await;
    *kept = Some(session.connection);
    out.data(&render::plan(&planned?.0, out.paint()));
    Ok(())
}
