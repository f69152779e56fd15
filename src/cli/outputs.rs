//! `outputs`: what an environment tells whoever uses it.

use super::{Choices, Error, Exit, Globals, Output, Result, Session};
use crate::manifest;
use crate::outputs::{self, Told};
use crate::render::{self, json};
use crate::resource::{Desired, Observed};

/// Shows the outputs of environment.yaml, or one of them, or the value of any reference
///
/// Values are what AWS has right now. What is sensitive is masked, unless it is asked for by its name.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// An output's name, or a text with references such as '${ecr/Repository/worker.uri}'
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// One JSON record a line in place of the text
    #[arg(long)]
    json: bool,
}

/// Runs `outputs`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let mut desired = out.diagnosed(args.choices.load(globals), args.json)?;
    if let Some(asked) = args.name.as_deref().filter(|name| name.contains("${")) {
        // Whatever the environment tells otherwise is not asked for.
        desired.outputs = out.diagnosed(args.choices.output(globals, asked), args.json)?;
    } else if let Some(name) = args.name.as_deref().filter(|name| !desired.outputs.contains_key(*name)) {
        return Err(unknown(name, &desired));
    }
    let session = Session::of(globals, desired, out).await?;
    let (desired, observed) = out.diagnosed(session.looked().await, args.json)?;
    tell(&args, &desired, &observed, out)
}

fn tell(args: &Args, desired: &Desired, observed: &Observed, out: &Output) -> Result<Exit> {
    let mut told = outputs::told(desired, observed, &outputs::known(observed));
    let asked = args.name.as_deref();
    if let Some(name) = asked.filter(|name| !name.contains("${")) {
        told.retain(|it| it.name == name);
    }
    if args.json {
        out.record(json::version());
        let records = render::output_records(&told, asked.is_some());
        records.into_iter().for_each(|record| out.record(record));
    }
    match (asked, told.as_slice()) {
        (Some(_), [one]) => {
            if let Some(unknown) = &one.unknown {
                return Err(missing(unknown, &desired.environment));
            }
            if !args.json {
                out.data(&(render::output(&one.value) + "\n"));
            }
        }
        (_, []) if !args.json => out.talk("environment.yaml says no outputs: add them under `outputs`"),
        _ if !args.json => out.data(&render::outputs(&told, out.paint())),
        _ => {}
    }
    let is_known = told.iter().all(|it: &Told| it.unknown.is_none());
    Ok(if is_known { Exit::Success } else { Exit::Differs })
}

fn unknown(name: &str, desired: &Desired) -> Error {
    let names = || desired.outputs.keys().map(String::as_str);
    let help = manifest::did_you_mean(name, names()).unwrap_or_else(|| match names().next() {
        Some(_) => format!("outputs are: {}", names().collect::<Vec<_>>().join(", ")),
        None => "say them under `outputs` in environment.yaml, or ask for a reference: '${ecr/Repository/worker.uri}'".to_owned(),
    });
    Error::with_help(format!("{} has no output `{name}`", desired.environment), help)
}

fn missing(unknown: &str, environment: &str) -> Error {
    let help = format!("`batchwright apply {environment}` makes what is declared");
    Error::with_help(format!("{unknown} is not known: it is not there yet"), help)
}
