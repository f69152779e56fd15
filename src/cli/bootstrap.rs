//! `bootstrap`: what lets GitHub in, applied by a person, once and whenever it changes (D36).

use std::collections::BTreeSet;

use super::confirm::Confirm;
use super::run::{Reporter, reviewed};
use super::{Choices, Error, Exit, Globals, Output, Result, Session};
use crate::plan::Guard;
use crate::resource::ResourceId;

/// Makes what lets GitHub Actions in: shows the identity provider and the roles, asks, and applies them and nothing else
///
/// Run with your own credentials: a workflow may not change the roles that it runs as. How GitHub's tokens name your repository, `gh api repos/OWNER/REPO/actions/oidc/customization/sub` says as `sub_claim_prefix`: the roles have to trust exactly that (the variable `subject` of the github stack).
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// The stack that declares them
    #[arg(long, value_name = "STACK", default_value = "github")]
    stack: String,
    /// Do not ask; guards hold all the same
    #[arg(long)]
    yes: bool,
    /// One JSON record a line in place of the text
    #[arg(long)]
    json: bool,
}

/// Runs `bootstrap`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = out.diagnosed(Session::open(globals, &args.choices, out).await, args.json)?;
    let of_stack = session.desired.resources.values().filter(|declared| declared.stack == args.stack);
    let only: BTreeSet<ResourceId> = of_stack.map(|declared| declared.id.clone()).collect();
    let confirm = if args.yes { Confirm::Given } else { Confirm::Yes };
    let exit = if only.is_empty() {
        Err(Error::with_help(
            format!("{} declares nothing in a stack named {}", session.desired.environment, args.stack),
            "name the stack that declares the roles with --stack, and the environment's stacks in environment.yaml",
        ))
    } else {
        let guard = Guard { only: Some(only), ..Guard::default() };
        reviewed(&session, &guard, confirm, None, Reporter { out, json: args.json }).await
    };
    session.close().await;
    exit
}
