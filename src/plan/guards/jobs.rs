//! Jobs that are not over and would lose what they act as or write to (D21): AWS looks at the role and the log group of a job
//! for as long as it runs, whatever has become of its definition.

use std::collections::BTreeSet;

use crate::plan::guards::impact::named;
use crate::plan::guards::input::Input;
use crate::plan::model::{Objection, Objector, Step};
use crate::plan::request::Registry;
use crate::plan::scope::Scope;
use crate::plan::steps::asks_jobs::{Needed, deleted, ending};
use crate::resource::{Job, Jobs, JobsOf, Observed, Owner};

/// The jobs that have to be known beside `others`: those of every queue, since any may run from a definition of ours.
pub fn jobs_wanted(
    others: Option<JobsOf>,
    steps: &[Step],
    observed: &Observed,
    kinds: &Registry,
) -> Option<JobsOf> {
    if deleted(steps, observed, kinds).next().is_none() {
        return others;
    }
    let past = others.is_some_and(|others| others.past);
    Some(JobsOf { queues: None, waiting: true, past, needs: true })
}

/// One objection for each thing that jobs still need; what becomes of those that end with their queue is told with that.
pub fn objections(input: &Input<'_>) -> Vec<Objection> {
    let (steps, Scope { desired, observed, kinds, guard, .. }) = (&input.steps.list, input.scope);
    let allowed = &guard.allow_interrupt;
    let Some(jobs) = &observed.jobs else { return Vec::new() };
    let ending = ending(steps, observed, kinds);
    let mut found = Vec::new();
    for needed in deleted(steps, observed, kinds) {
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
