//! `drift`: how AWS differs from the manifests.

use super::session::Allowed;
use super::{Choices, Exit, Globals, Output, Result, Session};
use crate::render::{self, json};

/// Reports how AWS differs from the manifests; exits with 2 if it does
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// One JSON record a line in place of the text
    #[arg(long)]
    json: bool,
}

/// Runs `drift`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = out.diagnosed(Session::open(globals, &args.choices, out).await, args.json)?;
    let (plan, _) = out.diagnosed(session.plan(&Allowed::default().guard()).await, args.json)?;
    let calls = session.calls();
    session.close().await;
    if args.json {
        out.record(json::version());
        json::plan(&plan, json::View::Drift, Some(calls)).into_iter().for_each(|record| out.record(record));
    } else {
        out.data(&render::drift(&plan, out.paint()));
    }
    Ok(if render::has_drifted(&plan) { Exit::Differs } else { Exit::Success })
}
