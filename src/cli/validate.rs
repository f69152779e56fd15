//! `validate`: the manifests alone, without AWS.

use super::{Choices, Exit, Globals, Output, Result};
use crate::kinds::KINDS;
use crate::plan;
use crate::render::{self, json};

/// Checks an environment's manifests; AWS is not called
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// One JSON record a line: a version, then a diagnostic for each error
    #[arg(long)]
    json: bool,
}

/// Runs `validate`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let desired = out.diagnosed(args.choices.load(globals), args.json)?;
    let warnings = plan::warnings(&desired, None, KINDS);
    if args.json {
        out.record(json::version());
        warnings.iter().for_each(|warning| out.record(json::warning(warning)));
    } else {
        out.data(&render::warnings(&warnings, out.paint()));
        let count = desired.resources.len();
        let (are, them) = if count == 1 { ("resource is", "it") } else { ("resources are", "them") };
        out.data(&format!(
            "{}: {count} {are} declared, and nothing is wrong with {them}.\n",
            desired.environment
        ));
    }
    Ok(Exit::Success)
}
