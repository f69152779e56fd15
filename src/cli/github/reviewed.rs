//! `github reviewed`: what was reviewed, for `apply --expect`.

use std::path::PathBuf;

use serde_json::json;

use super::super::{Choices, Error, Exit, Globals, Output, Result};
use super::{Identity, client, context, rollout};
use crate::github::{Client, Context, Marker, Pull, comment_of, edited_by_another, runner};
use crate::plan::review::Expected;

/// Finds what was reviewed on the pull request whose merge is deployed, for `apply --expect`
///
/// Read only from comments that the workflow's own bot wrote for the last commit of a pull request, and nobody else edited.
/// What was reviewed on pull requests that were merged since the last deployment that succeeded is added: their runs failed or
/// were dropped. Prints the set, and writes it to the output `reviewed`; beside it `registry` and, for each image of the
/// environment, its repository's address as `image-<name>`. Where nothing was reviewed, or where the branch has a later commit
/// by now, it exits with 4: what nobody saw is not applied.
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
    let record = match &found {
        Err(Error::Unreviewed { why }) => Some(json!({ "type": "not_reviewed", "message": why })),
        Err(Error::Superseded { why, covered }) => Some(rollout::record(why, *covered)),
        _ => None,
    };
    if let Some((record, path)) = record.zip(args.records.as_ref()) {
        std::fs::write(path, format!("{record}\n")).map_err(Error::file(path.clone()))?;
    }
    found
}

async fn find(args: &Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let desired = args.choices.load(globals)?;
    let context = context()?;
    let commit = context.commit.as_deref().ok_or_else(|| nobody("GITHUB_SHA is no commit"))?;
    let client = client(&context)?;
    rollout::check_head(&client, &context, commit).await?;
    let reviewed = match args.expect.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(given) => {
            given.parse::<Expected>().map_err(|error| Error::plain(format!("failed to {error}")))?;
            given.to_owned()
        }
        None => {
            let marker = Marker { about: "plan", environment: &desired.environment };
            let of = Of { client: &client, marker, login: &args.identity.login };
            of.all(&context, commit, out).await?
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

/// Whose comments are read.
struct Of<'a> {
    client: &'a Client,
    marker: Marker<'a>,
    login: &'a str,
}

impl Of<'_> {
    /// What was reviewed on the pull request that was merged as this commit, and on those that are rolled out with it.
    async fn all(&self, context: &Context, commit: &str, out: &Output) -> Result<String> {
        let pulls = rollout::merged(self.client, context, commit).await?;
        let (merged, before): (Vec<Pull>, Vec<Pull>) =
            pulls.into_iter().partition(|pull| pull.merge.as_deref() == Some(commit));
        let merged = merged.first().ok_or_else(|| nobody("no pull request was merged as this commit"))?;
        let mut reviewed = match self.one(merged).await? {
            Expected::Some(reviewed) => reviewed,
            // That plan was made with what earlier merges had left to do.
            Expected::Whole(fingerprint) => {
                let number = merged.number;
                out.talk(&format!("the plan on #{number} is too large for parts of it: it alone is applied"));
                return Ok(fingerprint);
            }
            Expected::Recorded(_) => return Err(nobody("a comment records no plan")),
        };
        for pull in before {
            match self.one(&pull).await {
                Ok(Expected::Whole(_) | Expected::Recorded(_)) => {
                    out.talk(&format!(
                        "not counted: the plan on #{} is too large for parts of it",
                        pull.number
                    ));
                }
                Ok(Expected::Some(older)) if reviewed.add(&older) => {
                    out.talk(&format!(
                        "with what was reviewed on #{}, which was not rolled out",
                        pull.number
                    ));
                }
                Ok(_) => out.talk(&format!("the plan on #{} was for another account or region", pull.number)),
                // What it was to change may stand in a later plan as well; if not, the apply is refused.
                Err(Error::Unreviewed { why }) => out.talk(&format!("not counted: {why}")),
                Err(error) => return Err(error),
            }
        }
        Ok(reviewed.to_string())
    }

    /// What was reviewed on one pull request.
    async fn one(&self, pull: &Pull) -> Result<Expected> {
        let number = pull.number;
        let comment = comment_of(self.client, number, self.marker, self.login).await?;
        let comment = comment.ok_or_else(|| nobody(&format!("#{number} has no plan's comment")))?;
        if self.marker.recall(&comment.body, "head") != Some(pull.head.as_str()) {
            return Err(nobody(&format!("the plan on #{number} is not that of its last commit")));
        }
        if let Some(editor) = edited_by_another(self.client, &comment).await? {
            return Err(nobody(&format!("{editor} edited the plan's comment on #{number}")));
        }
        match Expected::in_comment(&comment.body) {
            Some(Ok(reviewed)) => Ok(reviewed),
            Some(Err(error)) => Err(nobody(&format!("of the plan on #{number}, we failed to {error}"))),
            None => Err(nobody(&format!("the comment on #{number} holds no plan"))),
        }
    }
}

fn nobody(why: &str) -> Error {
    Error::Unreviewed { why: why.to_owned() }
}
