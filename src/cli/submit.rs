//! `submit`: run a job of what the environment declares.

use super::session::pair;
use super::{Choices, Error, Exit, Globals, Output, Result, Session, logs};
use crate::jobs::{self, Pace, Request};
use crate::services::batch::Batch;

/// Submits a job to the environment's queue and prints its id; with --follow, its log until it ends
///
/// The job is made from the newest revision that the manifests have registered.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// The job definition, by its name in the manifests
    #[arg(value_name = "JOBDEF")]
    definition: String,
    /// The queue, by its name in the manifests; needed where there are several
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// What stands for Ref::NAME in the job's command
    #[arg(short, long = "parameter", value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// A job that must succeed first; may be given several times
    #[arg(long, value_name = "JOB-ID")]
    depends_on: Vec<String>,
    /// Submit an array of so many children, 2 to 10000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    array: Option<u32>,
    /// Show the job's log until it ends; exits with 9 if the job fails
    #[arg(long)]
    follow: bool,
}

/// Runs `submit`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = Session::open(globals, &args.choices, out).await?;
    let exit = submit(&session, args, out).await;
    session.close().await;
    exit
}

async fn submit(session: &Session, args: Args, out: &Output) -> Result<Exit> {
    let target = jobs::find(&session.desired, &session.aws, &args.definition, args.queue.as_deref()).await?;
    let request = Request {
        target,
        parameters: args.parameters.into_iter().collect(),
        depends_on: args.depends_on,
        array: args.array,
    };
    let client = session.aws.clients().of::<Batch>().map_err(Error::aws("submit the job"))?;
    let job = jobs::submit(client, &request, Pace::default()).await?;
    out.talk(&format!("submitted {} as {}", job.name, job.id));
    if !args.follow {
        out.data(&format!("{}\n", job.id));
        return Ok(Exit::Success);
    }
    logs::show(session, &job.id, Some(Pace::default()), out).await
}
