//! `apply`: make AWS as the manifests say.

use super::confirm::Confirm;
use super::run::{Talk, reviewed};
use super::session::Allowed;
use super::{Choices, Exit, Globals, Output, Result, Session};

/// Makes AWS as the manifests say: shows the plan, asks, and applies it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    allowed: Allowed,
    /// Do not ask; guards hold all the same
    #[arg(long)]
    yes: bool,
    /// One JSON record a line in place of the text
    #[arg(long)]
    json: bool,
}

/// Runs `apply`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = Session::open(globals, &args.choices, out).await?;
    let confirm = if args.yes { Confirm::Given } else { Confirm::Yes };
    let talk = Talk { out, json: args.json };
    let exit = reviewed(&session, &args.allowed.guard(), confirm, talk).await;
    session.close().await;
    exit
}
