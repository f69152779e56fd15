//! Jobs that a plan would cut off (D21, P6, P21). How long a job has been running comes in as data.

use std::collections::BTreeSet;

use crate::kind::{AnyKind, Effect, Interrupt, Work};
use crate::plan::model::Affected;
use crate::plan::model::End;
use crate::plan::model::Impact;
use crate::plan::model::{Change, Objection, Objector, Step, Verb};
use crate::resource::{Desired, Incarnation, Job, JobsOf, Observed, ResourceId};
use crate::value;

/// A change that may interrupt jobs, before they are known.
struct Concern<'a> {
    id: &'a ResourceId,
    live: &'a Incarnation,
    /// The cluster that its jobs run in, where AWS tells.
    cluster: Option<String>,
    end: End,
}

type Kinds<'a> = &'a dyn Fn(&str) -> Option<&'static dyn AnyKind>;

/// The jobs that have to be known to judge a plan; `None` if none of its steps can interrupt any.
pub fn jobs_wanted(
    steps: &[Step],
    changes: &[Change],
    observed: &Observed,
    kind_of: Kinds<'_>,
) -> Option<JobsOf> {
    let concerns = concerns(steps, changes, observed, kind_of);
    let queues: BTreeSet<String> =
        concerns.iter().flat_map(|concern| concern.queues(observed, kind_of)).collect();
    let waiting = concerns.iter().any(|concern| concern.end == End::WithQueue);
    let past = concerns.iter().any(|concern| matches!(concern.end, End::After(_)));
    (!queues.is_empty()).then_some(JobsOf { queues: Some(queues), waiting, past, needs: false })
}

/// What the steps do to the jobs that were read; nothing if none were.
pub fn impact(
    steps: &[Step],
    changes: &[Change],
    observed: &Observed,
    allowed: &BTreeSet<ResourceId>,
    kind_of: Kinds<'_>,
) -> Vec<Impact> {
    let Some(jobs) = &observed.jobs else { return Vec::new() };
    let mut found = Vec::new();
    for concern in concerns(steps, changes, observed, kind_of) {
        let queues = concern.queues(observed, kind_of);
        let of = jobs.list.iter().filter(|job| queues.contains(&job.queue) && concern.has(job));
        let affected: Vec<Affected> =
            of.map(|job| Affected { job: job.clone(), cut_off: concern.end.cuts_off(job) }).collect();
        if !affected.is_empty() {
            found.push(Impact {
                id: concern.id.clone(),
                end: concern.end,
                jobs: affected,
                more: concern.end == End::WithQueue
                    && queues.iter().any(|queue| jobs.more_in.contains(queue)),
                allowed: allowed.contains(concern.id),
            });
        }
    }
    found
}

/// One objection for each impact that cuts jobs off and was not allowed.
pub fn objections(impacts: &[Impact], desired: &Desired) -> Vec<Objection> {
    let refused = impacts.iter().filter(|impact| !impact.allowed && impact.cut_off().next().is_some());
    refused
        .map(|impact| {
            let position = desired.resources.get(&impact.id).map(|declared| declared.position.clone());
            let message = refusal(impact);
            Objection { id: impact.id.clone(), objector: Objector::Jobs, message, position }
        })
        .collect()
}

/// Jobs by name and id. `more`: there are others that are not listed.
pub fn named(jobs: &[&Job], more: bool) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<String> =
        jobs.iter().take(SHOWN).map(|job| format!("{} ({})", job.name, job.id)).collect();
    if jobs.len() > SHOWN || more {
        names.push("…".to_owned());
    }
    names.join(", ")
}

fn refusal(impact: &Impact) -> String {
    let (names, id) = (named(&impact.cut_off().collect::<Vec<_>>(), impact.more), &impact.id);
    match impact.end {
        End::WithQueue => format!(
            "its jobs that are not over would end with it: {names}; wait for them, cancel them, or allow it with --allow-interrupt={id}"
        ),
        End::AtOnce => format!(
            "running jobs would be cut off at once: {names}; wait for them, set lifecycle.strategy to blueGreen, or allow it with --allow-interrupt={id}"
        ),
        End::After(minutes) => format!(
            "jobs that may take longer than the {minutes} min that updatePolicy gives them would be cut off: {names}; raise updatePolicy.jobExecutionTimeoutMinutes, set lifecycle.strategy to blueGreen, or allow it with --allow-interrupt={id}"
        ),
    }
}

impl Concern<'_> {
    /// The ARNs of the queues whose jobs may be concerned.
    fn queues(&self, observed: &Observed, kind_of: Kinds<'_>) -> BTreeSet<String> {
        if self.end == End::WithQueue {
            return self.live.arn.iter().cloned().collect();
        }
        let Some(arn) = self.live.arn.as_deref() else { return BTreeSet::new() };
        let waits = |kind: &str| kind_of(kind).is_some_and(|kind| kind.facts().work == Work::Waits);
        let ours = observed.resources.iter().filter(|(id, _)| waits(&id.kind));
        let ours = ours.flat_map(|(_, seen)| seen.iter());
        let others = observed.outsiders.iter().filter(|one| waits(&one.kind)).map(|one| &one.live);
        let names = |queue: &Incarnation| {
            let mut found = false;
            value::strings(&queue.spec, &mut |text| found |= text == arn);
            found
        };
        let listing = ours.chain(others).filter(|queue| names(queue));
        listing.filter_map(|queue| queue.arn.clone()).collect()
    }

    /// Whether a job of one of these queues is concerned. One of which AWS does not tell where it runs is.
    fn has(&self, job: &Job) -> bool {
        let cluster = self.cluster.as_deref();
        self.end == End::WithQueue || (job.is_running() && job.runs_in(cluster).unwrap_or(true))
    }
}

impl End {
    fn cuts_off(self, job: &Job) -> bool {
        match self {
            End::After(minutes) => job.may_outlast(minutes.saturating_mul(60)),
            End::AtOnce | End::WithQueue => true,
        }
    }
}

fn concerns<'a>(
    steps: &'a [Step],
    changes: &[Change],
    observed: &'a Observed,
    kind_of: Kinds<'_>,
) -> Vec<Concern<'a>> {
    let mut found = Vec::new();
    for step in steps {
        let Some(kind) = kind_of(&step.resource.kind) else { continue };
        let end = match (step.verb, kind.facts().work) {
            (Verb::Delete, Work::Waits) => Some(End::WithQueue),
            (Verb::Delete, Work::Runs) => (!is_drained(step, steps)).then_some(End::AtOnce),
            (Verb::Update, Work::Runs) => of_update(step, changes, kind),
            _ => None,
        };
        let Some(end) = end else { continue };
        let seen = observed.resources.iter().filter(|(id, _)| id.kind == step.resource.kind);
        let live = seen.flat_map(|(_, seen)| seen.iter()).find(|live| live.physical == step.physical);
        let cluster = live.and_then(|live| kind.cluster(live));
        found.extend(live.map(|live| Concern { id: &step.resource, live, cluster, end }));
    }
    found
}

fn is_drained(step: &Step, steps: &[Step]) -> bool {
    steps.iter().any(|other| {
        other.verb == Verb::Drain && other.physical == step.physical && step.after.contains(&other.id)
    })
}

/// What an update does to running jobs.
fn of_update(step: &Step, changes: &[Change], kind: &dyn AnyKind) -> Option<End> {
    let mut of_it = changes.iter().filter(|change| change.id == step.resource);
    let manner = of_it.find_map(|change| match change.effect {
        Some(Effect::Update(manner)) => Some(manner),
        _ => None,
    });
    match kind.interrupts(&step.want, manner?) {
        Interrupt::No => None,
        Interrupt::AtOnce => Some(End::AtOnce),
        Interrupt::After(minutes) => Some(End::After(minutes)),
    }
}
