//! `logs`: what a job wrote, and what became of it.

use super::{Choices, Error, Exit, Globals, Output, Result, Session, signals};
use crate::jobs::{self, Event, Pace};

/// Prints a job's log, of all its attempts and children; exits with 9 if the job has failed
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// The job's id, as `submit` prints it
    #[arg(value_name = "JOB-ID")]
    job: String,
    /// Go on until the job ends
    #[arg(short, long)]
    follow: bool,
}

/// Runs `logs`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = Session::open(globals, &args.choices, out).await?;
    let exit = show(&session, &args.job, args.follow.then(Pace::default), out).await;
    session.close().await;
    exit
}

/// Shows a job: lines to stdout, states and the outcome to stderr. Without a pace, what is there now.
pub async fn show(session: &Session, id: &str, pace: Option<Pace>, out: &Output) -> Result<Exit> {
    let mut tell = |event: Event| tell(out, event);
    let outcome = tokio::select! {
        outcome = jobs::follow(session.aws.clients(), id, pace, &mut tell) => outcome?,
        () = signals::once() => {
            let environment = &session.desired.environment;
            out.talk(&format!("the job goes on; see `batchwright logs {environment} {id} --follow`"));
            return Err(Error::Interrupted);
        }
    };
    let paint = out.talk_paint();
    let text = outcome.to_string();
    let text = match (outcome.succeeded(), outcome.over()) {
        (true, _) => paint.good(&text),
        (false, true) => paint.bad(&text),
        (false, false) => format!("{text}: it is not over, `--follow` goes on until it is"),
    };
    out.talk(&text);
    Ok(if outcome.over() && !outcome.succeeded() { Exit::JobFailed } else { Exit::Success })
}

fn tell(out: &Output, event: Event) {
    let who = |child: Option<u32>| child.map_or_else(String::new, |child| format!("[{child}] "));
    let paint = out.talk_paint();
    match event {
        Event::Status { child, status, reason } => {
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            out.talk(&paint.faint(&format!("  {}{status}{reason}", who(child))));
        }
        Event::Retried { child, attempt } => {
            let code =
                attempt.exit_code.map_or("no exit code".to_owned(), |code| format!("exit code {code}"));
            let why = attempt.reason.or(attempt.status_reason).unwrap_or_default();
            let text = format!("  {}attempt {} failed: {code}, {why}", who(child), attempt.number);
            out.talk(&paint.change(&text));
        }
        Event::Line { child, text, .. } => out.data(&format!("{}{text}\n", who(child))),
    }
}
