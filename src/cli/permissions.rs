//! `permissions`: the IAM policy that an environment needs. Calls nothing.

use super::{Choices, Exit, Globals, Output, Result};
use crate::permissions::{For, document};

/// Prints the IAM policy document that exactly this environment needs; nothing is called
///
/// It allows what is declared now, and to delete every kind under the environment's prefix or owner tag. Plan first, then extend the role, then apply, when a manifest brings a new kind.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// Who needs it: plan reads, apply reads and writes, push publishes images, submit runs jobs
    #[arg(long = "for", value_name = "PURPOSE")]
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Purpose {
    Plan,
    Apply,
    Push,
    Submit,
}

/// Runs `permissions`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let desired = args.choices.load(globals)?;
    let purpose = match args.purpose {
        Purpose::Plan => For::Plan,
        Purpose::Apply => For::Apply,
        Purpose::Push => For::Push,
        Purpose::Submit => For::Submit,
    };
    out.data(&format!("{:#}\n", document(&desired, purpose)));
    Ok(Exit::Success)
}
