//! Jobs that are not over and would lose what they act as or write to (D21): AWS looks at the role and the log group of a job
//! for as long as it runs, whatever has become of its definition.

use std::collections::BTreeSet;

use crate::kind::{AnyKind, Work};
use crate::plan::guards::impact::named;
use crate::plan::model::{AsksJobs, Objection, Objector, Step, StepId, Verb};
use crate::resource::{Desired, Incarnation, Job, Jobs, JobsOf, Observed, Owner, ResourceId};

/// What is deleted and jobs may need.
struct Needed<'a> {
    step: StepId,
    id: &'a ResourceId,
    physical: &'a str,
    /// The ARN of a role, or the name of a log group: as jobs name it.
    text: String,
}

type Kinds<'a> = &'a dyn Fn(&str) -> Option<&'static dyn AnyKind>;

/// The jobs that have to be known beside `others`: those of every queue, since any may run from a definition of ours.
pub fn jobs_wanted(
    others: Option<JobsOf>,
    steps: &[Step],
    observed: &Observed,
    kind_of: Kinds<'_>,
) -> Option<JobsOf> {
    if deleted(steps, observed, kind_of).next().is_none() {
        return others;
    }
    let past = others.is_some_and(|others| others.past);
    Some(JobsOf { queues: None, waiting: true, past, needs: true })
}

/// Has the steps ask jobs once more that delete what they may need, unless they may be cut off.
pub fn ask_again(steps: &mut [Step], observed: &Observed, kind_of: Kinds<'_>) {
    let ending: BTreeSet<String> = ending(steps, observed, kind_of).into_iter().map(str::to_owned).collect();
    let asked: Vec<(StepId, String)> =
        deleted(steps, observed, kind_of).map(|needed| (needed.step, needed.text)).collect();
    for (step, about) in asked {
        if let Some(step) = steps.get_mut(step).filter(|step| !step.interrupts) {
            step.asks_jobs = Some(AsksJobs { about, ending: ending.clone() });
        }
    }
}

/// The queues that these steps delete, by ARN.
fn ending<'o>(steps: &[Step], observed: &'o Observed, kind_of: Kinds<'_>) -> BTreeSet<&'o str> {
    let waits =
        |step: &Step| kind_of(&step.resource.kind).is_some_and(|kind| kind.facts().work == Work::Waits);
    let queues = steps.iter().filter(|step| step.verb == Verb::Delete && waits(step));
    queues.filter_map(|step| live(step, observed)?.arn.as_deref()).collect()
}

/// One objection for each thing that jobs still need; what becomes of those that end with their queue is told with that.
pub fn objections(
    steps: &[Step],
    observed: &Observed,
    allowed: &BTreeSet<ResourceId>,
    desired: &Desired,
    kind_of: Kinds<'_>,
) -> Vec<Objection> {
    let Some(jobs) = &observed.jobs else { return Vec::new() };
    let ending = ending(steps, observed, kind_of);
    let mut found = Vec::new();
    for needed in deleted(steps, observed, kind_of) {
        let mut object = |objector: Objector, message: String| {
            let position = desired.resources.get(needed.id).map(|declared| declared.position.clone());
            found.push(Objection { id: needed.id.clone(), objector, message, position });
        };
        if let Some(message) = definitions(&needed, jobs, observed, &desired.owner) {
            object(Objector::Held, message);
        }
        let needing = |job: &&Job| {
            !ending.contains(job.queue.as_str()) && job.needs.iter().any(|need| *need == needed.text)
        };
        let needing: Vec<&Job> = jobs.list.iter().filter(needing).collect();
        let unread: Vec<&str> =
            jobs.more_in.iter().map(String::as_str).filter(|queue| !ending.contains(queue)).collect();
        if !allowed.contains(needed.id)
            && let Some(message) = in_use(&needed, &needing, &unread)
        {
            object(Objector::Jobs, message);
        }
    }
    found
}

/// Why jobs that are not over hold something up: they need it, or there are more of them than were looked at.
fn in_use(needed: &Needed<'_>, needing: &[&Job], unread: &[&str]) -> Option<String> {
    let Needed { id, physical, .. } = needed;
    let definitions: BTreeSet<&str> = needing.iter().filter_map(|job| job.definition.as_deref()).collect();
    let definitions: Vec<&str> = definitions.into_iter().take(3).collect();
    match (needing.is_empty(), unread.is_empty()) {
        (false, _) => Some(format!(
            "{physical} is to go, while jobs that are not over need it: {} (of {}); wait for them, or allow it with --allow-interrupt={id}",
            named(needing, !unread.is_empty()),
            definitions.join(", "),
        )),
        (true, false) => Some(format!(
            "{physical} is to go, and more jobs wait in {} than were asked whether they need it; wait for them, or allow it with --allow-interrupt={id}",
            unread.join(", "),
        )),
        (true, true) => None,
    }
}

/// Which ACTIVE definitions of somebody else name it; of families that are read anyway, others speak.
fn definitions(needed: &Needed<'_>, jobs: &Jobs, observed: &Observed, owner: &Owner) -> Option<String> {
    let families: BTreeSet<&str> = observed
        .resources
        .values()
        .flat_map(|seen| seen.iter())
        .filter(|live| live.revision.is_some())
        .map(|live| live.physical.as_str())
        .collect();
    let foreign = jobs.definitions.iter().filter(|it| {
        it.owner.as_ref() != Some(owner)
            && !families.contains(it.family.as_str())
            && it.needs.contains(&needed.text)
    });
    let names: Vec<String> = foreign.map(|it| format!("{}:{}", it.family, it.revision)).collect();
    let shown = names.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    let (more, s) = (if names.len() > 3 { ", …" } else { "" }, if names.len() == 1 { "s" } else { "" });
    (!names.is_empty()).then(|| {
        format!(
            "{} is to go, while {shown}{more}, registered by somebody else, need{s} it: deregister that first, or keep this one",
            needed.physical
        )
    })
}

fn deleted<'a>(
    steps: &'a [Step],
    observed: &'a Observed,
    kind_of: Kinds<'a>,
) -> impl Iterator<Item = Needed<'a>> {
    let deletes = steps.iter().filter(|step| step.verb == Verb::Delete);
    deletes.filter_map(move |step| {
        let live = live(step, observed)?;
        let text = kind_of(&step.resource.kind)?.held_by_jobs(live)?;
        Some(Needed { step: step.id, id: &step.resource, physical: &live.physical, text })
    })
}

fn live<'o>(step: &Step, observed: &'o Observed) -> Option<&'o Incarnation> {
    observed.resources.get(&step.resource)?.iter().find(|live| live.physical == step.physical)
}
