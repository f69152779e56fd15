//! The payments stack as it is applied, changed and removed by the tests that disturb it.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use aws_config::SdkConfig;
use batchwright::cloud::{Aws, Cloud, Scope};
use batchwright::execute::{Event, Limits, Report, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest;
use batchwright::plan::{Guard, Plan, Request, plan};
use batchwright::resource::{Desired, Observed};
use batchwright::sandbox::{MotoSource, Options, Sandbox};

use crate::world::{hasty, load};

pub const IMAGE: &str = "111111111111.dkr.ecr.us-east-1.amazonaws.com/dev-worker@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub fn payments() -> Desired {
    own("dev")
}

/// The variant whose data never leaves the AWS network, by its interface endpoints, with the roles for GitHub beside it.
pub fn production() -> Desired {
    own("prod")
}

/// One of the project's own environments.
fn own(environment: &str) -> Desired {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let images = BTreeMap::from([("worker".to_owned(), IMAGE.to_owned())]);
    load(&root, environment, &manifest::Options { images, ..manifest::Options::default() })
}

/// The payments stack with another compute environment, which can't come about in place.
pub fn on_spot() -> Desired {
    let mut desired = payments();
    let environment = desired.resources.values_mut().find(|it| it.id.kind == "batch/ComputeEnvironment");
    let environment = environment.expect("the stack has a compute environment");
    environment.spec["computeResources"]["type"] = "FARGATE_SPOT".into();
    desired
}

/// A scenario's manifests, where the payments stack lives.
pub fn scenario(file: &str) -> Desired {
    let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(file));
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let Desired { place, .. } = payments();
    let environment = format!(
        "project: acme/scenario\naccount: \"{}\"\nregion: {}\nnamePrefix: test-\nstacks: [main]\n",
        place.account, place.region
    );
    write("test/environment.yaml", environment.as_bytes());
    write("stacks/main/all.yaml", &text.expect("the scenario is there"));
    load(folder.path(), "test", &manifest::Options::default())
}

/// The environment of the payments stack, in which nothing is declared any more.
pub fn nothing() -> Desired {
    Desired { resources: BTreeMap::new(), images: BTreeMap::new(), ..payments() }
}

/// What a destroy goes by.
pub fn everything_goes() -> Guard {
    Guard { destroy: true, ..Guard::default() }
}

/// A sandbox with a process of its own for what is not Batch: several of them are at work side by side.
pub async fn sandbox() -> Sandbox {
    sandbox_of(&payments()).await
}

/// The same where this environment lives.
pub async fn sandbox_of(desired: &Desired) -> Sandbox {
    let (account, region) = (desired.place.account.clone(), desired.place.region.clone());
    let options = Options { account, region, moto: MotoSource::Own, ..Options::isolated() };
    Sandbox::start(options, &mut |_| ()).await.expect("the sandbox starts")
}

/// Observes, plans, applies, as a process that knows of no other.
pub async fn apply(sandbox: &Sandbox, desired: &Desired, guard: &Guard) -> Result<(), String> {
    let aws = Aws::new(&sandbox.sdk_config(), desired.place.clone(), None);
    let observed = aws.observe(&Scope::of(desired)).await.map_err(|error| format!("observe: {error}"))?;
    let plan = plan(&Request::new(desired, &observed, KINDS, guard));
    if !plan.objections.is_empty() {
        return Err(format!("objections: {:?}", plan.objections));
    }
    let report = run(&sandbox.sdk_config(), &plan, &observed, &hasty()).await;
    if report.complete() { Ok(()) } else { Err(failures(&plan, &report)) }
}

/// Executes a plan as a process of its own would.
pub async fn run(config: &SdkConfig, plan: &Plan, observed: &Observed, limits: &Limits) -> Report {
    let aws = Aws::new(config, plan.place.clone(), None);
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    execute(plan, observed, &aws, KINDS, limits, stop, &mut |_: Event| ()).await
}

/// What failed and why, a line each.
pub fn failures(plan: &Plan, report: &Report) -> String {
    let mut text = String::new();
    for (id, failure) in report.failures() {
        let step = &plan.steps[id];
        let _ = write!(text, "\n    {:?} {}: {failure:?}", step.verb, step.resource);
    }
    text
}
