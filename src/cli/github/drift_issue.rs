//! `github drift-issue`: looks for drift, and keeps one issue of each environment as it is.

use aws_smithy_types::DateTime;

use super::super::session::Allowed;
use super::super::{Choices, Exit, Globals, Output, Result, Session};
use super::{Identity, client, clock, context};
use crate::github::{Context, Finding, Issue, Marker, Outcome, find_issue, runner, settle};
use crate::outside::Markdown;
use crate::plan::Plan;
use crate::render::drift_issue::{self, Around, Deed, Who};
use crate::render::{self, Paint};
use crate::resource::Observed;
use crate::services::{self, cloudtrail};

/// The label of issues about drift.
const LABEL: &str = "drift";
/// CloudTrail answers two look-ups a second: of more resources than this it is not asked.
const ASKED: usize = 12;

/// Looks for drift, and keeps one issue for each environment: opened, edited, closed, reopened
///
/// Writes nothing if nothing changed since the last look. Beside the issue: the job summary, and the outputs `drift` (true,
/// false, or unknown if AWS could not be read) and `issue`. Exits as `drift` does.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    identity: Identity,
}

/// What a look at AWS found.
struct Look {
    plan: Plan,
    observed: Observed,
    session: Session,
}

/// Runs `github drift-issue`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let context = context()?;
    let client = client(&context)?;
    let environment = args.choices.environment.as_str();
    let marker = Marker { about: "drift", environment };
    let looked = look(&args, globals, out).await;
    let known = find_issue(&client, marker, LABEL, &args.identity.login).await;
    let before = known.as_ref().ok().and_then(Option::as_ref);
    let time = clock::now();
    let (finding, result) = match looked {
        Ok(look) => {
            out.logged(&render::drift(&look.plan, Paint::none()));
            let finding = match render::has_drifted(&look.plan) {
                false => None,
                true => Some(drifted(&look, before, marker, &context, time.clone()).await),
            };
            look.session.close().await;
            let exit = if finding.is_some() { Exit::Differs } else { Exit::Success };
            (finding, Ok(exit))
        }
        Err(error) => {
            let said = error.render(Paint::none());
            (Some(unreadable(&said, before, marker, &context, time.clone())), Err(error))
        }
    };
    let name = Markdown::text(environment);
    let well = Markdown::of(format!("No drift any more: {name} is as git says ({time})."));
    // What later steps and people read here does not wait for GitHub.
    found(&context, finding.as_ref(), result.is_ok())?;
    known?;
    let outcome = settle(&client, marker, LABEL, &args.identity.login, finding.as_ref(), &well).await?;
    told(&context, out, outcome)?;
    result
}

async fn look(args: &Args, globals: &Globals, out: &Output) -> Result<Look> {
    let session = Session::open(globals, &args.choices, out).await?;
    let (plan, observed) = session.plan(&Allowed::default().guard()).await?;
    Ok(Look { plan, observed, session })
}

async fn drifted(
    look: &Look,
    known: Option<&Issue>,
    marker: Marker<'_>,
    context: &Context,
    time: String,
) -> Finding {
    let state = drift_issue::state(&look.plan);
    // What a closed issue has seen is over: drift that comes back is new.
    let before = known.filter(|issue| issue.open || issue.muted).map_or("", |issue| issue.body.as_str());
    // Nothing will be written, so that nobody needs to be asked.
    let same =
        marker.recall(before, "state") == Some(state.as_str()) && known.is_some_and(|issue| issue.open);
    let who = if same { Who::default() } else { who(look).await };
    let around = Around {
        marker: marker.line(&[("state", &state)]),
        before,
        who: &who,
        time,
        run_url: context.run_url.as_deref(),
    };
    Finding {
        title: drift_issue::title(&look.plan),
        body: drift_issue::body(&look.plan, &around),
        news: drift_issue::news(&look.plan, context.run_url.as_deref()),
        state,
    }
}

/// Asks CloudTrail who changed each resource that differs.
async fn who(look: &Look) -> Who {
    let mut who = Who::default();
    let place = &look.session.desired.place;
    for change in look.plan.changes.iter().take(ASKED) {
        let current = look.observed.resources.get(&change.id).and_then(|seen| seen.current.as_ref());
        let physical = current.map_or(change.physical.as_str(), |live| live.physical.as_str());
        let global = services::service(change.id.service()).is_some_and(|service| service.is_global());
        let region = cloudtrail::region_of_iam(&place.partition).filter(|_| global);
        match cloudtrail::last_change(look.session.connection.config(), region, physical).await {
            Ok(found) => {
                let said = |at| clock::said(DateTime::from_secs(at));
                let deed = found.map(|it| Deed { actor: it.actor, event: it.event, at: said(it.at) });
                who.asked.insert(change.id.clone(), deed);
            }
            // What was found before stays.
            Err(error) => {
                who.unreadable = Some(error.code.unwrap_or(error.message));
                break;
            }
        }
    }
    who
}

fn unreadable(
    error: &str,
    known: Option<&Issue>,
    marker: Marker<'_>,
    context: &Context,
    time: String,
) -> Finding {
    let before = known.filter(|issue| issue.open).map_or("", |issue| issue.body.as_str());
    // Request ids differ each time: being unreadable is one state, whatever the words.
    let state = "unreadable".to_owned();
    let who = Who::default();
    let around = Around {
        marker: marker.line(&[("state", &state)]),
        before,
        who: &who,
        time,
        run_url: context.run_url.as_deref(),
    };
    let environment = marker.environment;
    Finding {
        title: format!("Drift: {environment} (could not be read)"),
        body: drift_issue::unreadable(environment, error, &around),
        state,
        news: Markdown::of(format!(
            "{} could not be read: whether it has drifted is not known.",
            Markdown::text(environment)
        )),
    }
}

/// The summary, and whether there is drift.
fn found(context: &Context, finding: Option<&Finding>, read: bool) -> Result<()> {
    if let Some(path) = &context.summary {
        let said = finding.map_or_else(|| Markdown::of("No drift."), |finding| finding.body.clone());
        runner::append_summary(path, &said)?;
    }
    if let Some(path) = &context.output {
        let drift = if read { finding.is_some().to_string() } else { "unknown".to_owned() };
        runner::write_outputs(path, &[("drift", drift)])?;
    }
    Ok(())
}

/// The issue, for later steps and in one line for whoever reads the log.
fn told(context: &Context, out: &Output, outcome: Outcome) -> Result<()> {
    let (number, what) = match outcome {
        Outcome::Fine => (None, "no issue is open"),
        Outcome::Opened(number) => (Some(number), "opened"),
        Outcome::Same(number) => (Some(number), "says so already"),
        Outcome::Edited(number) => (Some(number), "edited"),
        Outcome::Reopened(number) => (Some(number), "reopened"),
        Outcome::Muted(number) => (Some(number), "closed as not planned, and nothing changed since"),
        Outcome::Closed(number) => (Some(number), "closed"),
    };
    let issue = number.map(|number| format!("#{number} ")).unwrap_or_default();
    out.talk(&format!("issue {issue}{what}"));
    if let Some(path) = &context.output {
        let issue = number.map(|number| number.to_string()).unwrap_or_default();
        runner::write_outputs(path, &[("issue", issue)])?;
    }
    Ok(())
}
