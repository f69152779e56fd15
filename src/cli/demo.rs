//! `demo`: the main job from beginning to end, on an AWS of this machine.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;

use super::confirm::Confirm;
use super::run::{Reporter, reviewed};
use super::{Choices, Connection, Error, Exit, Globals, Output, Result, Session, logs, signals};
use crate::jobs::{self, Pace, Request};
use crate::plan::Guard;
use crate::render;
use crate::resource::ResourceId;
use crate::services::batch::Batch;
use crate::services::failed;

mod image;
mod tamper;
mod worker;

use image::Image;

/// The environment that is played with; the repository's manifests declare it.
const ENVIRONMENT: &str = "dev";
/// Its job definition, in whose command the object's key is a parameter.
const JOB: &str = "payments";
/// The CSV of payments that is summed up.
const SAMPLE: &[u8] = include_bytes!("../../worker/samples/payments.csv");
/// Where it is put, and where the job writes: the definition's own defaults.
const SOURCE: &str = "payments.csv";
const RESULT: &str = "results.json";
/// How long nothing new is asked until a round trip counts as over.
const QUIET: Duration = Duration::from_millis(100);

/// Shows everything once, without an AWS account: plan, apply, run a job, drift, heal, destroy
///
/// Needs Python 3 for the sandbox, which is installed once into the cache folder. Leaves nothing running.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `demo`.
pub async fn run(_: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    // The first signal ends it wherever it is: what it would leave half done goes with the sandbox.
    let (session, image) = tokio::select! {
        prepared = prepared(globals, out) => prepared?,
        () = signals::once() => return Err(Error::Interrupted),
    };
    let exit = tokio::select! {
        biased;
        () = signals::once() => Err(Error::Interrupted),
        exit = acts(&session, &image, out) => exit,
    };
    session.close().await;
    exit
}

/// Act 1: an AWS, and the worker's image.
async fn prepared(globals: &Globals, out: &Output) -> Result<(Session, Image)> {
    heading(out, 1, "An AWS to try things on");
    let mut choices = Choices::of(ENVIRONMENT);
    let desired = choices.load(globals)?;
    let program = worker::program(out).await?;
    let connection = Connection::to_own_sandbox(&desired.place, out).await?;
    let image = Image::build(&desired, &program)?;
    // As CI does with what it has just built: --image worker=<repository>@sha256:<digest>.
    choices.images.push((image.name.clone(), image.reference.clone()));
    let place = &desired.place;
    out.data(&format!(
        "account {}, region {}, empty\nthe worker's image: {}\n",
        place.account, place.region, image.reference
    ));
    Ok((Session::on(choices.load(globals)?, connection).await?, image))
}

async fn acts(session: &Session, image: &Image, out: &Output) -> Result<Exit> {
    heading(out, 2, "Plan and apply manifests/dev");
    apply(session, Guard::default(), out).await?;
    image.push(&session.connection).await?;
    out.data(&format!("pushed the worker's image as {}\n", image.tagged()));

    heading(out, 3, "Plan again: nothing to do");
    nothing_to_do(session, out).await?;

    heading(out, 4, "Run the job: the worker sums up a CSV of payments");
    run_job(session, out).await?;

    heading(out, 5, "Changes behind the manifests' back, and the drift they make");
    for line in tamper::change(&session.connection, &session.observe().await?).await? {
        out.data(&format!("{line}\n"));
    }
    out.data("\n");
    let (plan, _) = session.plan(&Guard::default()).await?;
    out.data(&render::drift(&plan, out.paint()));

    heading(out, 6, "Apply heals it");
    apply(session, Guard::default(), out).await?;

    heading(out, 7, "Destroy everything");
    apply(session, Guard { destroy: true, ..Guard::default() }, out).await?;
    nothing_left(session, out).await
}

fn heading(out: &Output, number: u32, text: &str) {
    let space = if number > 1 { "\n" } else { "" };
    out.data(&format!("{space}{}\n\n", out.paint().strong(&format!("=== {number}. {text} ==="))));
}

/// The same as `apply --yes` and `destroy`.
async fn apply(session: &Session, guard: Guard, out: &Output) -> Result<()> {
    match reviewed(session, &guard, Confirm::Given, None, Reporter { out, json: false }).await? {
        Exit::Success => Ok(()),
        exit => {
            Err(Error::plain(format!("the demo ends here: applying ended with exit code {}", exit as u8)))
        }
    }
}

/// The same as `plan`, with what it costs; an error if anything differs.
async fn nothing_to_do(session: &Session, out: &Output) -> Result<()> {
    let sandbox = session.connection.sandbox();
    if let Some(sandbox) = sandbox {
        sandbox.answer_in_rounds(QUIET);
        sandbox.reset_stats();
    }
    let (plan, _) = session.plan(&Guard::default()).await?;
    out.data(&render::plan(&plan, out.paint()));
    if let Some(sandbox) = sandbox {
        let stats = sandbox.stats();
        sandbox.answer_in_rounds(Duration::ZERO);
        out.data(&format!("Read with {} calls, {} round trips deep.\n", stats.count(), stats.depth()));
    }
    if plan.is_empty() {
        return Ok(());
    }
    Err(Error::plain("the demo ends here: an environment that was just applied differs from its manifests"))
}

/// The same as `submit dev payments --follow`, between an upload and a download.
async fn run_job(session: &Session, out: &Output) -> Result<()> {
    let s3 = aws_sdk_s3::Client::new(session.connection.config());
    let (source, destination) = (bucket(session, "source")?, bucket(session, "destination")?);
    let put = s3.put_object().bucket(&source).key(SOURCE).body(ByteStream::from_static(SAMPLE)).send();
    put.await.map_err(failed).map_err(Error::aws("upload the payments"))?;
    out.data(&format!("uploaded {} payments to s3://{source}/{SOURCE}\n", rows(SAMPLE)));

    let target = jobs::find(&session.desired, &session.aws, JOB, None).await?;
    let request = Request { target, parameters: [].into(), depends_on: Vec::new(), array: None };
    let client = session.aws.clients().of::<Batch>().map_err(Error::aws("submit the job"))?;
    let job = jobs::submit(client, &request, Pace::default()).await?;
    out.data(&format!("submitted {}\n", job.name));
    if logs::show(session, &job.id, Some(Pace::default()), out).await? != Exit::Success {
        return Err(Error::plain("the demo ends here: the job failed"));
    }

    let doing = || format!("read s3://{destination}/{RESULT}");
    let got = s3.get_object().bucket(&destination).key(RESULT).send().await;
    let got = got.map_err(failed).map_err(Error::aws(doing()))?;
    let bytes =
        got.body.collect().await.map_err(|error| Error::plain(format!("failed to {}: {error}", doing())))?;
    out.data(&format!("s3://{destination}/{RESULT}:\n"));
    out.data(&String::from_utf8_lossy(&bytes.into_bytes()));
    Ok(())
}

/// A bucket's name in AWS.
fn bucket(session: &Session, name: &str) -> Result<String> {
    let declared = session.desired.resources.get(&ResourceId::new("s3/Bucket", name));
    let name = declared.map(|declared| declared.physical_name.clone());
    name.ok_or_else(|| Error::plain("the manifests declare no such bucket as the demo needs"))
}

/// Lines without the header.
fn rows(csv: &[u8]) -> usize {
    csv.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count().saturating_sub(1)
}

/// Looks at AWS once more: nothing of ours may be left.
async fn nothing_left(session: &Session, out: &Output) -> Result<Exit> {
    let observed = session.observe().await?;
    let owner = Some(&session.desired.owner);
    let left: Vec<String> = observed
        .resources
        .iter()
        .filter(|(_, found)| found.iter().any(|one| one.owner().as_ref() == owner))
        .map(|(id, _)| id.to_string())
        .collect();
    if left.is_empty() {
        out.data(&format!("AWS has nothing left that belongs to {}.\n", session.desired.owner));
        return Ok(Exit::Success);
    }
    Err(Error::plain(format!("these are left in AWS: {}", left.join(", "))))
}
