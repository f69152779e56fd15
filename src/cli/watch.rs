//! `watch`: validates and plans again whenever a manifest is saved.

use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::session::Allowed;
use super::{Choices, Connection, Error, Exit, Globals, Output, Result, Session, signals};
use crate::render;

/// Validates and plans again whenever a manifest is saved; Ctrl-C ends it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
}

/// Editors save in several moves: what follows within this time belongs together.
const DEBOUNCE: Duration = Duration::from_millis(200);

/// Runs `watch`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let (send, mut saved) = mpsc::unbounded_channel();
    let _watcher = watcher(globals, send)?;
    let mut connection = None;
    let work = async {
        loop {
            if let Err(error) = round(&args.choices, globals, out, &mut connection).await {
                out.error(&error);
            }
            out.talk(&format!("watching {}; Ctrl-C ends it", crate::outside::path(&globals.manifests)));
            if saved.recv().await.is_none() {
                return;
            }
            while let Ok(Some(())) = tokio::time::timeout(DEBOUNCE, saved.recv()).await {}
        }
    };
    tokio::select! { () = work => {}, () = signals::once() => {} }
    Ok(Exit::Success)
}

/// Tells of every change under the manifests' folder.
fn watcher(globals: &Globals, send: mpsc::UnboundedSender<()>) -> Result<notify::RecommendedWatcher> {
    let failed = |error: notify::Error| {
        Error::with_help(
            format!("failed to watch {}: {error}", crate::outside::path(&globals.manifests)),
            "say where the manifests are with --manifests",
        )
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_))) {
            let _ = send.send(());
        }
    })
    .map_err(failed)?;
    watcher.watch(&globals.manifests, RecursiveMode::Recursive).map_err(failed)?;
    Ok(watcher)
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
