//! `github comment`: plans, and says so on the pull request, on the manifests' lines, in the summary, and to later steps.

use super::super::plan::refused;
use super::super::session::Allowed;
use super::super::{Choices, Error, Exit, Globals, Output, Result, Session};
use super::{Identity, client, clock, context};
use crate::github::runner::{self, Annotation, Level};
use crate::github::{Context, Marker, set_labels, upsert};
use crate::plan::{Action, Plan};
use crate::render::comment::{self, Around};

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
    /// The pull request; else that of the event that the workflow runs for
    #[arg(long, value_name = "NUMBER")]
    number: Option<u64>,
    /// The commit that is planned; else the pull request's head
    #[arg(long, value_name = "COMMIT")]
    head: Option<String>,
}

/// Runs `github comment`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let mut context = context()?;
    context.number = args.number.or(context.number);
    context.head = args.head.clone().or(context.head);
    match planned(&args, globals, out).await {
        Ok(plan) => {
            annotations(&plan).iter().for_each(|annotation| out.data(&format!("{}\n", annotation.line())));
            let about = about(&context, &args.choices.environment);
            let around =
                Around { head: context.head.as_deref(), run_url: context.run_url.as_deref(), ..about };
            let text = comment::comment(&plan, &around);
            told(&context, &args, &text, Some(label(&plan))).await?;
            if let Some(path) = &context.output {
                runner::write_outputs(path, &outputs(&plan))?;
            }
            refused(&plan)?;
            Ok(Exit::Success)
        }
        Err(error) => {
            complaints(&error).iter().for_each(|annotation| out.data(&format!("{}\n", annotation.line())));
            let about = about(&context, &args.choices.environment);
            let around =
                Around { head: context.head.as_deref(), run_url: context.run_url.as_deref(), ..about };
            let said = error.render(crate::render::Paint::none());
            told(&context, &args, &comment::failure(&args.choices.environment, &said, &around), None).await?;
            Err(error)
        }
    }
}

async fn planned(args: &Args, globals: &Globals, out: &Output) -> Result<Plan> {
    let session = Session::open(globals, &args.choices, out).await?;
    let planned = session.plan(&args.allowed.guard()).await;
    session.close().await;
    Ok(planned?.0)
}

/// The marker and the time.
fn about(context: &Context, environment: &str) -> Around<'static> {
    let head = context.head.as_deref().unwrap_or_default();
    let marker = Marker { about: "plan", environment }.line(&[("head", head)]);
    Around { marker, time: clock::now(), ..Around::default() }
}

/// Writes the comment and the label of a pull request, and the job summary.
async fn told(context: &Context, args: &Args, text: &str, label: Option<&str>) -> Result<()> {
    if let Some(path) = &context.summary {
        runner::append_summary(path, text)?;
    }
    let Some(number) = context.number else { return Ok(()) };
    let environment = args.choices.environment.as_str();
    let client = client(context)?;
    upsert(&client, number, Marker { about: "plan", environment }, &args.identity.login, text).await?;
    if let Some(label) = label {
        let prefix = format!("batchwright/{environment}/");
        set_labels(&client, number, &prefix, &format!("{prefix}{label}")).await?;
    }
    Ok(())
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
        Error::Manifests(errors) => errors
            .0
            .iter()
            .map(|error| {
                let help: Vec<&str> = error.help.iter().map(String::as_str).collect();
                let message = [&[error.message.as_str()], help.as_slice()].concat().join("\n");
                of(message, Some(error.position().clone()).filter(|at| !at.file.is_empty()))
            })
            .collect(),
        other => vec![of(other.to_string(), None)],
    }
}
