//! `github reviewed`: what was reviewed, for `apply --expect`.

use std::path::PathBuf;

use serde_json::json;

use super::super::{Choices, Error, Exit, Globals, Output, Result};
use super::{Identity, client, context};
use crate::github::{Marker, comment_of, merged_by, runner};
use crate::plan::expect::{Expected, Reviewed};

/// Finds what was reviewed on the pull request whose merge is deployed, for `apply --expect`
///
/// Read only from a comment that the workflow's own bot wrote for the last commit of that pull request. Prints the set, and
/// writes it to the output `reviewed`; beside it `registry` and, for each image of the environment, its repository's address
/// as `image-<name>`. Where nothing was reviewed, it exits with 4: what nobody saw is not applied.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// What somebody reviewed elsewhere and started the run with: taken in the place of a comment's
    #[arg(long, value_name = "REVIEWED")]
    expect: Option<String>,
    /// Where a record says so if nothing was reviewed, for `github comment --unreviewed` and `github result`
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    #[command(flatten)]
    identity: Identity,
}

/// Runs `github reviewed`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let found = find(&args, globals, out).await;
    if let (Err(Error::Unreviewed { why }), Some(path)) = (&found, &args.records) {
        let record = json!({ "type": "not_reviewed", "message": why });
        std::fs::write(path, format!("{record}\n")).map_err(Error::file(path.clone()))?;
    }
    found
}

async fn find(args: &Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let desired = args.choices.load(globals)?;
    let context = context()?;
    let reviewed = match args.expect.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(given) => {
            given.parse::<Expected>().map_err(|error| Error::plain(format!("failed to {error}")))?;
            given.to_owned()
        }
        None => {
            let client = client(&context)?;
            let commit = context.commit.as_deref().ok_or_else(|| nobody("GITHUB_SHA is no commit"))?;
            let pull = merged_by(&client, commit).await?;
            let pull = pull.ok_or_else(|| nobody("no pull request was merged as this commit"))?;
            let marker = Marker { about: "plan", environment: &desired.environment };
            let comment = comment_of(&client, pull.number, marker, &args.identity.login).await?;
            let comment =
                comment.ok_or_else(|| nobody(&format!("#{} has no plan's comment", pull.number)))?;
            if marker.recall(&comment.body, "head") != Some(pull.head.as_str()) {
                return Err(nobody(&format!("the plan on #{} is not that of its last commit", pull.number)));
            }
            match Reviewed::in_comment(&comment.body) {
                Some(Ok(reviewed)) => reviewed.to_string(),
                Some(Err(error)) => {
                    return Err(nobody(&format!("of the plan on #{}, we failed to {error}", pull.number)));
                }
                None => return Err(nobody(&format!("the comment on #{} holds no plan", pull.number))),
            }
        }
    };
    if let Some(path) = &context.output {
        let place = &desired.place;
        let registry = format!("{}.dkr.ecr.{}.{}", place.account, place.region, place.dns_suffix());
        let mut outputs =
            vec![("reviewed".to_owned(), reviewed.clone()), ("registry".to_owned(), registry.clone())];
        for (name, image) in &desired.images {
            if let Some(repository) = desired.resources.get(&image.repository) {
                outputs.push((format!("image-{name}"), format!("{registry}/{}", repository.physical_name)));
            }
        }
        runner::write_outputs(path, &outputs)?;
    }
    out.data(&format!("{reviewed}\n"));
    Ok(Exit::Success)
}

fn nobody(why: &str) -> Error {
    Error::Unreviewed { why: why.to_owned() }
}
