//! `apply`: make AWS as the manifests say.

use std::path::PathBuf;

use super::confirm::Confirm;
use super::recorded::recorded;
use super::run::{Reporter, reviewed};
use super::session::{Allowed, AtOnce};
use super::{Choices, Exit, Globals, Output, Result, Session};
use crate::plan::review::Expected;

/// Makes AWS as the manifests say: shows the plan, asks, and applies it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    allowed: Allowed,
    /// Apply only what was reviewed: a plan's fingerprint, or the set `bw1:…` that `plan --json` and comments hold
    ///
    /// A fingerprint stands for that plan and no other. A set is good for any part of it, and for other digests of images
    /// that --image declares. Anything else ends with 4, and nothing is applied.
    #[arg(long, value_name = "REVIEWED", conflicts_with = "plan")]
    expect: Option<Expected>,
    /// Apply only what this file records, as `plan --out json=FILE` wrote it; the plan is made again
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Do not ask; guards hold all the same
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    at_once: AtOnce,
    /// One JSON record a line in place of the text
    #[arg(long)]
    json: bool,
}

/// Runs `apply`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let expected = match &args.plan {
        Some(file) => Some(Expected::Recorded(recorded(file)?)),
        None => args.expect,
    };
    let session = out.diagnosed(Session::open(globals, &args.choices, out).await, args.json)?;
    let session = session.at_once(args.at_once.steps);
    let confirm = if args.yes { Confirm::Given } else { Confirm::Yes };
    let talk = Reporter { out, json: args.json };
    let exit = match args.allowed.within(&session.desired, out) {
        Ok(guard) => reviewed(&session, &guard, confirm, expected.as_ref(), talk).await,
        Err(error) => Err(error),
    };
    session.close().await;
    exit
}
