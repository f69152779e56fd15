//! `github comment`: plans, and says so on the pull request, on the manifests' lines, in the summary, and to later steps.

use std::fmt::Write;
use std::path::PathBuf;

use super::super::plan::refused;
use super::super::session::Allowed;
use super::super::{Choices, Error, Exit, Globals, Output, Result, Session};
use super::{Identity, client, clock, context, records};
use crate::github::runner::{self, Annotation, Level};
use crate::github::{Context, Marker, is_head_of, label_prefix, merged_by, set_labels, upsert};
use crate::outside::{self, Markdown};
use crate::plan::review::hidden;
use crate::plan::{Action, Plan};
use crate::render::comment::{self, Around};
use crate::render::{self, Paint};

/// Plans, and says so on the pull request: one comment for each environment, edited by later runs
///
/// Beside the comment: a label, annotations on the manifests' lines, the job summary, and the outputs `changes`,
/// `fingerprint`, `add`, `change`, `replace`, `delete`, `objections`. Exits as `plan` does.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    allowed: Allowed,
    #[command(flatten)]
    identity: Identity,
    /// The records of an apply that was refused because nobody had reviewed its plan: shows that plan on the merged pull
    /// request, and how to apply it. Nothing is said where they tell something else
    #[arg(long, value_name = "FILE", conflicts_with = "number_file")]
    unreviewed: Option<PathBuf>,
    /// The pull request's number, from a file that may be anybody's: it has to be the one whose last commit is --head
    #[arg(long, value_name = "FILE", requires = "head")]
    number_file: Option<PathBuf>,
    /// The manifests of the commit that the pull request starts from: what AWS has otherwise than they say is told apart, as
    /// changed outside git
    #[arg(long, value_name = "FOLDER")]
    base: Option<PathBuf>,
    /// The commit that is planned; else the pull request's last one
    #[arg(long, value_name = "COMMIT")]
    head: Option<String>,
}

/// Runs `github comment`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    if let Some(file) = &args.unreviewed
        && !records(file)?.iter().any(|record| record["type"] == "not_reviewed")
    {
        out.talk("no plan waits for a review: the comment stays");
        return Ok(Exit::Success);
    }
    let mut context = context()?;
    context.head = args.head.clone().or(context.head);
    pull_request(&args, &mut context).await?;
    match planned(&args, globals, out).await {
        Ok(plan) => {
            annotations(&plan).iter().for_each(|annotation| out.annotate(annotation));
            let outside = outside(&args, globals, out).await;
            let mut around =
                Around { outside: outside.as_ref(), ..about(&context, &args.choices.environment) };
            if args.unreviewed.is_some() {
                around.note = later(&plan);
            } else {
                let reviewed = plan.reviewed_within(comment::LONGEST_REVIEWED);
                let _ = write!(around.marker, "\n{}", hidden(&reviewed));
                if reviewed == plan.fingerprint() {
                    around.note = too_large(&plan);
                }
            }
            // Whole in the log, nearly whole in the summary: where the comment omits something, it is there.
            out.logged(&render::plan(&plan, Paint::none()));
            summarised(&context, &comment::summary(&plan, &around))?;
            if let Some(path) = &context.output {
                runner::write_outputs(path, &outputs(&plan))?;
            }
            told(&context, &args, &comment::comment(&plan, &around)).await?;
            labelled(&context, &args, label(&plan), out).await;
            refused(&plan)?;
            Ok(Exit::Success)
        }
        Err(error) => {
            complaints(&error).iter().for_each(|annotation| out.annotate(annotation));
            let around = about(&context, &args.choices.environment);
            // A line of a manifest may hold what must not be published.
            let said = match &error {
                Error::Manifests(errors) => errors.without_lines().to_string(),
                other => other.render(Paint::none()),
            };
            let text = comment::failure(&args.choices.environment, &said, &around);
            summarised(&context, &text)?;
            told(&context, &args, &text).await?;
            Err(error)
        }
    }
}

async fn planned(args: &Args, globals: &Globals, out: &Output) -> Result<Plan> {
    let session = Session::open(globals, &args.choices, out).await?;
    let planned = match args.allowed.within(&session.desired, out) {
        Ok(guard) => session.plan(&guard).await,
        Err(error) => Err(error),
    };
    session.close().await;
    Ok(planned?.0)
}

/// What AWS has otherwise than the manifests before the pull request. That they can't be read or planned stops nothing: the
/// pull request may be what mends them, or brings the environment.
async fn outside(args: &Args, globals: &Globals, out: &Output) -> Option<Plan> {
    let globals = Globals { manifests: args.base.clone()?, ..globals.clone() };
    let looked = async {
        let session = Session::open(&globals, &args.choices, out).await?;
        let planned = session.plan(&Allowed::default().guard()).await;
        session.close().await;
        Ok::<Plan, Error>(planned?.0)
    };
    match looked.await {
        Ok(plan) => Some(plan).filter(|plan| !plan.changes.is_empty()),
        Err(error) => {
            out.talk(&format!("nothing is said of changes outside git: {error}"));
            None
        }
    }
}

/// Finds the pull request that the arguments mean.
async fn pull_request(args: &Args, context: &mut Context) -> Result<()> {
    if args.unreviewed.is_some() {
        let commit = context.commit.clone().unwrap_or_default();
        let pull = merged_by(&client(context)?, &commit).await?;
        context.number = pull.map(|pull| pull.number);
    } else if let Some(file) = &args.number_file {
        let head = context.head.clone().unwrap_or_default();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Error::plain(format!("failed to read {}: {error}", outside::path(file))))?;
        let number: u64 = text.trim().parse().map_err(|_| Error::plain("the file holds no number"))?;
        if !is_head_of(&client(context)?, &head, number).await? {
            return Err(Error::plain(format!("{head} is not the last commit of #{number}")));
        }
        context.number = Some(number);
    }
    Ok(())
}

/// What a plan is worth that nobody has seen when it is made.
fn later(plan: &Plan) -> String {
    format!(
        "> [!IMPORTANT]\n> **This is the plan as it would be now; nobody has reviewed it, and it is not applied.** Look at it, then run the deployment by hand:\n>\n> ```sh\n> gh workflow run deploy.yml --ref prod -f expect={}\n> ```",
        plan.reviewed_within(comment::LONGEST_REVIEWED)
    )
}

/// What a plan asks for whose set of changes is too long for a comment.
fn too_large(plan: &Plan) -> String {
    format!(
        "> [!WARNING]\n> **This plan is too large to be rolled out in parts.** Nothing but exactly this plan, with these images, counts as reviewed: a workflow that brings a new image refuses it, and so does every part of it. Make the pull request smaller, or apply it yourself: `batchwright apply {} --expect {}`.",
        plan.environment,
        plan.fingerprint()
    )
}

/// What stands around the plan.
fn about<'a>(context: &'a Context, environment: &str) -> Around<'a> {
    let head = context.head.as_deref();
    let marker = Marker { about: "plan", environment }.line(&[("head", head.unwrap_or_default())]);
    Around { marker, head, run_url: context.run_url.as_deref(), time: clock::now(), ..Around::default() }
}

fn summarised(context: &Context, text: &Markdown) -> Result<()> {
    context.summary.as_ref().map_or(Ok(()), |path| Ok(runner::append_summary(path, text)?))
}

/// Writes the comment of a pull request.
async fn told(context: &Context, args: &Args, text: &Markdown) -> Result<()> {
    let Some(number) = context.number else { return Ok(()) };
    let environment = args.choices.environment.as_str();
    let client = client(context)?;
    upsert(&client, number, Marker { about: "plan", environment }, &args.identity.login, text).await?;
    Ok(())
}

/// Sets the label of a pull request. It is only an ornament: that it can't be set is told, and stops nothing.
async fn labelled(context: &Context, args: &Args, label: &str, out: &Output) {
    let Some(number) = context.number else { return };
    let prefix = label_prefix(&args.choices.environment);
    let label = format!("{prefix}{label}");
    let set = async { Ok::<(), Error>(set_labels(&client(context)?, number, &prefix, &label).await?) };
    if let Err(error) = set.await {
        let message = format!("the pull request has no label {label}: {error}");
        let title = "batchwright".to_owned();
        let annotation = Annotation { level: Level::Warning, position: None, title, message };
        out.annotate(&annotation);
    }
}

fn label(plan: &Plan) -> &'static str {
    if plan.changes.iter().any(|change| matches!(change.action, Action::Delete | Action::Replace)) {
        "destroy"
    } else if plan.is_empty() {
        "no-changes"
    } else {
        "add-or-update"
    }
}

fn outputs(plan: &Plan) -> Vec<(&'static str, String)> {
    let count = |action| plan.count(action).to_string();
    vec![
        ("changes", (!plan.is_empty()).to_string()),
        ("fingerprint", plan.fingerprint()),
        ("add", count(Action::Create)),
        ("change", count(Action::Update)),
        ("replace", count(Action::Replace)),
        ("delete", count(Action::Delete)),
        ("objections", plan.objections.len().to_string()),
    ]
}

/// Objections, and what is replaced or changed, at the lines that declare it. A runner shows ten of each level.
fn annotations(plan: &Plan) -> Vec<Annotation> {
    let mut found: Vec<Annotation> = plan
        .objections
        .iter()
        .map(|objection| Annotation {
            level: if objection.only_stops_apply() { Level::Warning } else { Level::Error },
            position: objection.position.clone(),
            title: objection.id.to_string(),
            message: objection.message.clone(),
        })
        .collect();
    found.extend(plan.warnings.iter().map(|warning| Annotation {
        level: Level::Warning,
        position: warning.position.clone(),
        title: warning.id.as_ref().map_or_else(|| "AWS".to_owned(), ToString::to_string),
        message: warning.message.clone(),
    }));
    found.extend(plan.changes.iter().map(|change| {
        let dangerous = matches!(change.action, Action::Delete | Action::Replace);
        let what = match change.action {
            Action::Create => "created",
            Action::Adopt => "adopted",
            Action::Update => "updated",
            Action::Replace => "replaced",
            Action::Delete => "deleted",
            Action::Forget => "forgotten",
        };
        let paths: Vec<&str> = change.fields.iter().take(6).map(|field| field.path.as_str()).collect();
        let why = if change.reason.0.is_empty() { paths.join(", ") } else { change.reason.0.clone() };
        Annotation {
            level: if dangerous { Level::Warning } else { Level::Notice },
            position: change.position.clone(),
            title: format!("{} in {}", change.id, plan.environment),
            message: format!("{} is {what}: {why}", change.physical).trim_end_matches(": ").to_owned(),
        }
    }));
    found.sort_by_key(|annotation| annotation.level);
    found
}

/// The mistakes in manifests, at their lines.
fn complaints(error: &Error) -> Vec<Annotation> {
    let of = |message: String, position| Annotation {
        level: Level::Error,
        position,
        title: "batchwright".to_owned(),
        message,
    };
    match error {
        Error::Manifests(errors) => {
            let each = errors.0.iter().map(|error| {
                let help: Vec<&str> = error.help.iter().map(String::as_str).collect();
                let message = [&[error.message.as_str()], help.as_slice()].concat().join("\n");
                of(message, Some(error.position().clone()).filter(|at| !at.file.is_empty()))
            });
            let more = (errors.1 > 0).then(|| of(format!("and {} more errors", errors.1), None));
            each.chain(more).collect()
        }
        other => vec![of(other.to_string(), None)],
    }
}
