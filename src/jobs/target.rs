//! Which job definition and which queue are meant: names in manifests, found in AWS.

use std::collections::BTreeMap;

use super::{Error, Result};
use crate::cloud::{Cloud, Reach, Scope};
use crate::kind::Beside;
use crate::kinds::batch::fit;
use crate::manifest::{did_you_mean, listed};
use crate::resource::{Desired, Incarnation, ResourceId};

/// The kind of what jobs are made from.
const DEFINITION: &str = "batch/JobDefinition";
/// The kind of what jobs wait in.
const QUEUE: &str = "batch/JobQueue";

/// Where a job goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// ARN of the revision that jobs are made from.
    pub definition: String,
    /// The definition's name in AWS.
    pub family: String,
    /// ARN of the queue.
    pub queue: String,
}

/// Finds the newest revision of the definition that is ours, and the queue: the only one that is declared, unless one is
/// named. A job that fits nothing of the queue would wait for ever, and is refused. What was renamed is looked for under each name that it may have in AWS. Two calls; of a renamed definition three.
pub async fn find(
    desired: &Desired,
    cloud: &dyn Cloud,
    definition: &str,
    queue: Option<&str>,
) -> Result<Target> {
    let (definition, queue) = (chosen(desired, DEFINITION, definition)?, chosen_queue(desired, queue)?);
    if let Some(gap) = fit::refusal(&Beside::of(desired), &definition, &queue) {
        return Err(Error::FitsNothing { definition, queue, gap });
    }
    let whole = Scope::of(desired);
    let names =
        [&definition, &queue].map(|id| (id.clone(), whole.names.get(id).cloned().unwrap_or_default()));
    let scope = whole.narrowed(Reach::Named, BTreeMap::from(names));
    let observed = cloud.observe(&scope).await?;
    let ours = |id: &ResourceId| -> Result<&Incarnation> {
        let mut incarnations = observed.resources.get(id).into_iter().flat_map(|found| found.iter());
        incarnations
            .find(|one| one.owner().as_ref() == Some(&desired.owner) && !one.retiring())
            .ok_or_else(|| Error::NotApplied { id: id.clone(), environment: desired.environment.clone() })
    };
    let arn = |one: &Incarnation| one.arn.clone().unwrap_or_else(|| one.physical.clone());
    let (revision, queue) = (ours(&definition)?, ours(&queue)?);
    Ok(Target { definition: arn(revision), family: revision.physical.clone(), queue: arn(queue) })
}

/// What a name means: `payments` or `batch/JobDefinition/payments`.
fn chosen(desired: &Desired, kind: &'static str, name: &str) -> Result<ResourceId> {
    let short = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    let id = ResourceId::new(kind, short);
    if desired.resources.contains_key(&id) {
        return Ok(id);
    }
    let there = || declared(desired, kind);
    let meant = did_you_mean(short, there()).map(|text| format!("; {text}")).unwrap_or_default();
    let all = listed(there());
    let all = if all.is_empty() { String::new() } else { format!(" (it declares: {all})") };
    let what = if kind == QUEUE { "job queue" } else { "job definition" };
    Err(Error::Undeclared { what, name: short.to_owned(), hint: format!("{meant}{all}") })
}

fn chosen_queue(desired: &Desired, name: Option<&str>) -> Result<ResourceId> {
    if let Some(name) = name {
        return chosen(desired, QUEUE, name);
    }
    let names: Vec<&str> = declared(desired, QUEUE).collect();
    match names.as_slice() {
        [only] => Ok(ResourceId::new(QUEUE, *only)),
        [] => Err(Error::WhichQueue("the environment declares none".to_owned())),
        several => Err(Error::WhichQueue(format!(
            "the environment declares several, name one with --queue: {}",
            several.join(", ")
        ))),
    }
}

fn declared<'a>(desired: &'a Desired, kind: &'a str) -> impl Iterator<Item = &'a str> {
    desired.resources.keys().filter(move |id| id.kind == kind).map(|id| id.name.as_str())
}
