//! `hold`: writes what a lookup finds beside it, so that it stays at that.

use super::{Choices, Error, Exit, Globals, Output, Result, Session};
use crate::manifest;
use crate::resource::Desired;

/// Writes what a lookup finds now beside it in environment.yaml: it stays at that, and a newer one is only told
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// The lookup: its name under `existing` in environment.yaml
    #[arg(value_name = "NAME")]
    name: String,
}

/// Runs `hold`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let mut desired = args.choices.load(globals)?;
    let Some(lookup) = desired.existing.get_mut(&args.name) else {
        return Err(unknown(&args.name, &desired));
    };
    if lookup.all {
        let help = "hold what is one; to keep these, write their ids out";
        return Err(Error::with_help(format!("existing.{} stands for all that are found", args.name), help));
    }
    // What would be found is asked for, not what it is held at.
    let before = lookup.held.take();
    let (desired, observed) = Session::of(globals, desired, out).await?.looked().await?;
    let found = observed.surroundings.found.get(&args.name).and_then(|found| found.matches.first());
    let Some(value) = found.map(|found| found.physical.clone()) else {
        return Err(unknown(&args.name, &desired));
    };
    if before.as_ref() == Some(&value) {
        out.data(&format!("existing.{} is held at {value} already\n", args.name));
        return Ok(Exit::Success);
    }
    let path = globals.manifests.join(&args.choices.environment).join("environment.yaml");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Error::plain(format!("failed to read {}: {error}", path.display())))?;
    let Some(text) = manifest::held(&text, &args.name, &value) else {
        let help = format!("write `held: {value}` there by hand");
        return Err(Error::with_help(
            format!("existing.{} is not written as a mapping of its own", args.name),
            help,
        ));
    };
    std::fs::write(&path, text).map_err(Error::file(path.clone()))?;
    let was = before.map_or_else(String::new, |before| format!(", before at {before}"));
    out.data(&format!(
        "existing.{} is held at {value}{was}: review and commit environment.yaml\n",
        args.name
    ));
    Ok(Exit::Success)
}

fn unknown(name: &str, desired: &Desired) -> Error {
    let names = || desired.existing.keys().map(String::as_str);
    let help = manifest::did_you_mean(name, names()).unwrap_or_else(|| match names().next() {
        Some(_) => format!("lookups are: {}", names().collect::<Vec<_>>().join(", ")),
        None => "say under `existing` in environment.yaml what is looked up".to_owned(),
    });
    Error::with_help(format!("{} looks up nothing as `{name}`", desired.environment), help)
}
