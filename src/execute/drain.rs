//! Waiting until no job runs on what is on its way out, as long as this apply is to wait (D16, D20).

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::{Failure, Limits};
use crate::cloud::Cloud;
use crate::plan::Step;
use crate::resource::{Incarnation, Job, JobsOf};
use crate::services::Fault;

/// How a drain ended.
pub(super) enum Drained {
    /// Nothing runs on it.
    Empty,
    /// Something does, and this apply waits no longer.
    Later(String),
}

/// Looks at the jobs until none is on `live`. It has been switched off before: no further job is placed on it.
pub(super) async fn drain(
    cloud: &dyn Cloud,
    step: &Step,
    live: Option<&Incarnation>,
    limits: &Limits,
    waiting: &(dyn Fn(String) + Send + Sync),
) -> Result<Drained, Failure> {
    let Some(live) = live else { return Ok(Drained::Empty) };
    let cluster = live.outputs.get("ecsClusterArn").and_then(|arn| arn.as_str()).and_then(cluster_name);
    let patience = Duration::from_secs(step.patience.unwrap_or_default());
    let everywhere = JobsOf { queues: None, waiting: false };
    let (started, mut pause) = (Instant::now(), limits.poll);
    let mut untold: Option<BTreeSet<String>> = None;
    loop {
        match cloud.jobs(&everywhere).await {
            Ok(jobs) => {
                // A job of which AWS does not tell where it runs counts if it ran already at the first look.
                let first = untold.get_or_insert_with(|| {
                    let untold = jobs.list.iter().filter(|job| job.runs_in(cluster).is_none());
                    untold.map(|job| job.id.clone()).collect()
                });
                let is_on = |job: &&Job| job.runs_in(cluster).unwrap_or_else(|| first.contains(&job.id));
                let left: Vec<&Job> = jobs.list.iter().filter(is_on).collect();
                if left.is_empty() {
                    return Ok(Drained::Empty);
                }
                let told = told(&left);
                if started.elapsed() >= patience {
                    return Ok(Drained::Later(format!(
                        "{told} on {}: it is switched off, and an apply after {} end deletes it",
                        live.physical,
                        if left.len() == 1 { "its" } else { "their" }
                    )));
                }
                waiting(told);
            }
            Err(error) => match cloud.classify(&step.resource, &error, started.elapsed()) {
                Fault::Throttled | Fault::Unknown if started.elapsed() < limits.step_timeout => {
                    waiting(error.to_string());
                }
                _ => return Err(Failure::from(&error)),
            },
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(limits.slowest_poll);
    }
}

fn cluster_name(arn: &str) -> Option<&str> {
    arn.rsplit_once(":cluster/").map(|(_, name)| name)
}

/// `2 jobs still run (sum 0f…, mean 1a…)`.
fn told(jobs: &[&Job]) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<String> =
        jobs.iter().take(SHOWN).map(|job| format!("{} {}", job.name, job.id)).collect();
    if jobs.len() > SHOWN {
        names.push("…".to_owned());
    }
    match jobs.len() {
        1 => format!("1 job still runs ({})", names.join(", ")),
        count => format!("{count} jobs still run ({})", names.join(", ")),
    }
}
