//! `status`: what there is right now.

use super::{Choices, Exit, Globals, Output, Result, Session};
use crate::render;

/// Lists the environment's resources as AWS reports them: names, states, generations
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
}

/// Runs `status`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = Session::open(globals, &args.choices, out).await?;
    let observed = session.observe().await?;
    out.data(&render::status(&session.desired, &observed, out.paint()));
    session.close().await;
    Ok(Exit::Success)
}
