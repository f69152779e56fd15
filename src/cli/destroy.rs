//! `destroy`: remove everything that an environment owns.

use super::confirm::Confirm;
use super::run::{Reporter, reviewed};
use super::session::AtOnce;
use super::{Choices, Exit, Globals, Output, Result, Session};
use crate::plan::Guard;
use crate::resource::ResourceId;

/// Removes everything that the environment owns; protected resources and data stay guarded
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// Allows cutting off its jobs, as <service>/<Kind>/<name>
    #[arg(long = "allow-interrupt", value_name = "RESOURCE")]
    interrupt: Vec<ResourceId>,
    /// The environment's name once more: the answer to the question, for where there is no terminal
    #[arg(long, value_name = "ENV")]
    confirm: Option<String>,
    #[command(flatten)]
    at_once: AtOnce,
    /// One JSON record a line in place of the text
    #[arg(long)]
    json: bool,
}

/// Runs `destroy`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = out.diagnosed(Session::open_to_destroy(globals, &args.choices, out).await, args.json)?;
    let session = session.at_once(args.at_once.steps);
    let allow_interrupt = args.interrupt.iter().cloned().collect();
    let guard = Guard { destroy: true, allow_interrupt, ..Guard::default() };
    let confirm = Confirm::Name { name: args.choices.environment.clone(), given: args.confirm };
    let exit = reviewed(&session, &guard, confirm, None, Reporter { out, json: args.json }).await;
    session.close().await;
    exit
}
