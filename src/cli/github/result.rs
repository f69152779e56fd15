//! `github result`: what became of a deployment, where people look: the merged pull request, an issue, the summary.

use std::path::PathBuf;

use super::super::{Error, Exit, Globals, Output, Result};
use super::{Identity, client, clock, context, records, rollout};
use crate::github::{Client, Finding, Marker, Pull, comment_of, edited_by_another, runner, settle, upsert};
use crate::outside::Markdown;
use crate::plan::review::Reviewed;
use crate::render::comment::with_result;
use crate::render::outcome::Deployment;

/// The label of issues about deployments that failed.
const LABEL: &str = "deployment";

/// Says what became of a deployment: on the merged pull requests, in an issue if it failed, in the job summary
///
/// The last step of a deployment, whatever became of the others. The pull requests are those that were merged since the last
/// deployment that succeeded. The issue is opened, edited, and closed by the next one that succeeds; where a later commit's run
/// does the work, it stays as it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment that was deployed to
    #[arg(value_name = "ENV")]
    environment: String,
    /// How the job stands, as `job.status` says
    #[arg(long, value_name = "STATUS")]
    status: Status,
    /// The records of the apply, as `apply --json` prints them; a file that is missing or empty means that none began
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    #[command(flatten)]
    identity: Identity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Status {
    Success,
    Failure,
    Cancelled,
}

/// Runs `github result`.
pub async fn run(args: Args, _: &Globals, out: &Output) -> Result<Exit> {
    let context = context()?;
    let client = client(&context)?;
    let environment = args.environment.as_str();
    let login = args.identity.login.as_str();
    let commit =
        context.commit.clone().ok_or_else(|| Error::plain("failed to read GITHUB_SHA: it is no commit"))?;
    let found = args.records.as_deref().map(records).transpose()?.unwrap_or_default();
    let time = clock::now();
    let deployment = Deployment {
        environment,
        records: &found,
        succeeded: args.status == Status::Success,
        commit: &commit,
        run_url: context.run_url.as_deref(),
        time: &time,
    };
    let text = deployment.text();
    if let Some(path) = &context.summary {
        runner::append_summary(path, &text)?;
    }
    let marker = Marker { about: "deploy", environment };
    let state = deployment.state();
    let finding = (!deployment.succeeded).then(|| Finding {
        title: format!("Deployment failed: {environment}"),
        body: Markdown::of(format!(
            "{}\n{text}\nAWS is as far as it got; the next push or run goes on from there. `git revert` is always possible.\n",
            marker.line(&[("state", &state)])
        )),
        state,
        news: text.clone(),
    });
    // The issue first: it is what somebody is waked by. Whatever fails, the rest is tried.
    let mut failed = Vec::new();
    if !rollout::is_covered(&found) {
        failed.extend(
            settle(&client, marker, LABEL, login, finding.as_ref(), &text).await.err().map(Error::from),
        );
    }
    match rollout::merged(&client, &context, &commit).await {
        Ok(pulls) => {
            for pull in pulls {
                match on_the_pull_request(&client, &args, &pull, &text).await {
                    Ok(()) => out.talk(&format!("said so on #{}", pull.number)),
                    Err(error) => failed.push(error),
                }
            }
        }
        Err(error) => failed.push(error),
    }
    failed.into_iter().next().map_or(Ok(Exit::Success), Err)
}

async fn on_the_pull_request(client: &Client, args: &Args, pull: &Pull, text: &Markdown) -> Result<()> {
    let (environment, login) = (args.environment.as_str(), args.identity.login.as_str());
    let marker = Marker { about: "plan", environment };
    let body = match comment_of(client, pull.number, marker, login).await? {
        Some(comment) => {
            // Once we have edited it, nobody sees any more that somebody else did: what they wrote is no review.
            let plan = match edited_by_another(client, &comment).await? {
                Some(_) => Reviewed::taken_out_of(&comment.body),
                None => comment.body,
            };
            with_result(&plan, text)
        }
        None => Markdown::of(format!("{}\n{text}", marker.line(&[]))),
    };
    upsert(client, pull.number, marker, login, &body).await?;
    Ok(())
}
