//! `explain`: what a kind is, or one of its fields, from the schema that everything else reads.

use super::{Error, Exit, Globals, Output, Result};
use crate::kinds::{self, KINDS};
use crate::manifest;
use crate::render;

/// Explains a kind, or a field of it: type, what its absence means, what a change does
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Such as batch/JobQueue or batch/ComputeEnvironment.computeResources.maxvCpus; or of our own settings environment, metadata
    /// and variables, such as environment.existing; without it, all kinds are listed
    #[arg(value_name = "KIND[.FIELD]")]
    subject: Option<String>,
}

/// What is no kind, and has fields of ours: `environment.yaml`, a document's `metadata`, a stack's `variables.yaml`.
const OURS: [&str; 3] = ["environment", "metadata", "variables"];

/// Runs `explain`.
pub async fn run(args: Args, _globals: &Globals, out: &Output) -> Result<Exit> {
    let Some(subject) = args.subject else {
        let facts: Vec<_> = KINDS.iter().map(|kind| kind.facts()).collect();
        out.data(&render::kinds(&facts, out.paint()));
        return Ok(Exit::Success);
    };
    if OURS.iter().any(|ours| subject.split('.').next() == Some(ours)) {
        let text = render::settings(&manifest::schema(), &subject, out.paint());
        let help = "`batchwright explain environment`, `batchwright explain metadata` and `batchwright explain variables` list what there is";
        out.data(&text.ok_or_else(|| Error::with_help(format!("there is no `{subject}`"), help))?);
        return Ok(Exit::Success);
    }
    let (name, path) = subject.split_once('.').unwrap_or((&subject, ""));
    let Some(kind) = kinds::kind(name) else {
        let names = || KINDS.iter().map(|kind| kind.facts().name);
        let near = manifest::did_you_mean(name, names());
        let help = near.unwrap_or_else(|| format!("kinds are: {}", names().collect::<Vec<_>>().join(", ")));
        return Err(Error::with_help(format!("there is no kind `{name}`"), help));
    };
    let text = render::explain(kind.facts(), path, out.paint()).map_err(|wrong| {
        let near = manifest::did_you_mean(&wrong.field, wrong.fields.iter().map(String::as_str));
        let help = near.unwrap_or_else(|| match wrong.fields.is_empty() {
            true => "it has no fields".to_owned(),
            false => format!("fields are: {}", wrong.fields.join(", ")),
        });
        Error::with_help(format!("{name} has no field `{}`", wrong.path), help)
    })?;
    out.data(&text);
    Ok(Exit::Success)
}
