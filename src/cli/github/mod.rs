//! `github`: what a workflow says on GitHub, and what it hands to its next steps.

use std::path::Path;

use clap::Subcommand;
use serde_json::Value;

use super::{Error, Exit, Globals, Output, Result};
use crate::github::{self, Client, Context, Patience, WORKFLOW_BOT};

mod clock;
mod comment;
mod drift_issue;
mod image;
mod result;
mod reviewed;
mod rollout;

/// Speaks for a workflow on GitHub: a pull request's comment, issues, what was reviewed
///
/// Driven by the variables that a runner sets: GITHUB_REPOSITORY, GITHUB_TOKEN, GITHUB_API_URL, GITHUB_EVENT_PATH,
/// GITHUB_STEP_SUMMARY, GITHUB_OUTPUT and others.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Comment(comment::Args),
    DriftIssue(drift_issue::Args),
    Reviewed(reviewed::Args),
    Image(image::Args),
    Result(result::Args),
}

/// Runs `github`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    match args.command {
        Command::Comment(args) => comment::run(args, globals, out).await,
        Command::DriftIssue(args) => drift_issue::run(args, globals, out).await,
        Command::Reviewed(args) => reviewed::run(args, globals, out).await,
        Command::Image(args) => image::run(args, globals, out).await,
        Command::Result(args) => result::run(args, globals, out).await,
    }
}

/// Who we are on GitHub.
#[derive(Debug, Clone, clap::Args)]
struct Identity {
    /// The login of the token's owner: comments and issues of anybody else are never taken for ours
    #[arg(long = "as", value_name = "LOGIN", default_value = WORKFLOW_BOT)]
    login: String,
}

/// The runner's variables.
fn context() -> Result<Context> {
    Ok(Context::read(&|name| std::env::var(name).ok())?)
}

fn client(context: &Context) -> Result<Client> {
    Ok(Client::new(context, Patience::default())?)
}

/// The records of `apply --json`, one a line. What a run that was killed left half written is no record.
fn records(path: &Path) -> Result<Vec<Value>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::plain(format!("failed to read {}: {error}", crate::outside::path(path)))),
    }
}

impl From<github::Error> for Error {
    fn from(error: github::Error) -> Self {
        if error.is_access() {
            return Self::with_help(
                format!("failed to {error}"),
                "the token lacks a permission: see the job's `permissions`; pull requests of forks get none that write",
            );
        }
        if let github::Error::Limited { wait, .. } = &error {
            let minutes = wait.as_secs().div_ceil(60);
            return Self::with_help(
                format!("failed to {error}"),
                format!(
                    "wait {minutes} minutes, then run this again; other workflows spend the same token's requests"
                ),
            );
        }
        Self::plain(format!("failed to {error}"))
    }
}
