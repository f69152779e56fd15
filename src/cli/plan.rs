//! `plan`: what an apply would do. Reads AWS, writes nothing to it.

use std::path::PathBuf;

use super::session::Allowed;
use super::{Choices, Error, Exit, Globals, Output, Result, Session};
use crate::plan::Plan;
use crate::render::{self, json};

/// Shows what an apply would do; nothing in AWS is changed
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    allowed: Allowed,
    /// Exit with 2 if something differs
    #[arg(long)]
    detailed_exitcode: bool,
    /// Also shows what is left alone, and why
    #[arg(long, short)]
    verbose: bool,
    /// One JSON record a line in place of the text
    #[arg(long)]
    json: bool,
    /// Also write the plan to a file; may be given for each format
    #[arg(long = "out", value_name = "markdown=FILE|json=FILE", value_parser = target)]
    out: Vec<Target>,
}

/// A file, and what is written to it.
#[derive(Debug, Clone)]
struct Target {
    format: Format,
    path: PathBuf,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Markdown,
    Json,
}

fn target(text: &str) -> std::result::Result<Target, String> {
    let expected = || "expected markdown=FILE or json=FILE".to_owned();
    let (format, path) = text.split_once('=').ok_or_else(expected)?;
    let format = match format {
        "markdown" => Format::Markdown,
        "json" => Format::Json,
        _ => return Err(expected()),
    };
    if path.is_empty() { Err(expected()) } else { Ok(Target { format, path: PathBuf::from(path) }) }
}

/// Runs `plan`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = out.diagnosed(Session::open(globals, &args.choices, out).await, args.json)?;
    let guard = args.allowed.within(&session.desired, out)?;
    let (plan, _) = out.diagnosed(session.plan(&guard).await, args.json)?;
    let calls = session.calls();
    session.close().await;
    for target in &args.out {
        let text = match target.format {
            Format::Markdown => render::markdown(&plan).to_string(),
            Format::Json => json::document(&plan),
        };
        std::fs::write(&target.path, text).map_err(Error::file(target.path.clone()))?;
    }
    if args.json {
        out.record(json::version());
        json::plan(&plan, json::View::Plan, Some(calls)).into_iter().for_each(|record| out.record(record));
    } else {
        if args.verbose {
            out.data(&render::notes(&plan, out.paint()));
        }
        out.data(&render::plan(&plan, out.paint()));
    }
    refused(&plan)?;
    let differs = args.detailed_exitcode && !plan.is_empty();
    Ok(if differs { Exit::Differs } else { Exit::Success })
}

/// An error if something speaks against the plan, beyond what only stops an apply.
pub(super) fn refused(plan: &Plan) -> Result<()> {
    match plan.objections.iter().filter(|objection| !objection.only_stops_apply()).count() {
        0 => Ok(()),
        objections => Err(Error::Refused { objections }),
    }
}
