//! `status`: what there is right now.

use super::{Choices, Exit, Globals, Output, Result, Session};
use crate::render::{self, json};

/// Lists the environment's resources as AWS reports them: names, states, generations
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// One JSON record a line in place of the table
    #[arg(long)]
    json: bool,
}

/// Runs `status`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = out.diagnosed(Session::open(globals, &args.choices, out).await, args.json)?;
    let observed = session.observe_alone().await?;
    if args.json {
        out.record(json::version());
        json::status(&session.desired, &observed).into_iter().for_each(|record| out.record(record));
    } else {
        out.data(&render::status(&session.desired, &observed, out.paint()));
    }
    session.close().await;
    Ok(Exit::Success)
}
