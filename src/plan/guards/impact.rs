//! Jobs that a plan would cut off (D21, P6, P21). How long a job has been running comes in as data.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{AnyKind, Effect, Interrupt, Manner, Work};
use crate::plan::model::{Affected, Change, End, Impact, Step, Verb};
use crate::plan::request::Registry;
use crate::plan::scope::Scope;
use crate::resource::{Incarnation, Job, JobsOf, Observed, ResourceId};
use crate::value;

/// A change that may interrupt jobs, before they are known.
struct Concern<'a> {
    id: &'a ResourceId,
    live: &'a Incarnation,
    /// The cluster that its jobs run in, where AWS tells.
    cluster: Option<String>,
    end: End,
}

/// The jobs that have to be known to judge a plan; `None` if none of its steps can interrupt any.
pub fn jobs_wanted(
    steps: &[Step],
    changes: &[Change],
    observed: &Observed,
    kinds: &Registry,
) -> Option<JobsOf> {
    let concerns = concerns(steps, changes, observed, kinds);
    let queues: BTreeSet<String> =
        concerns.iter().flat_map(|concern| concern.queues(observed, kinds)).collect();
    let waiting = concerns.iter().any(|concern| concern.end == End::WithQueue);
    let past = concerns.iter().any(|concern| matches!(concern.end, End::After(_)));
    (!queues.is_empty()).then_some(JobsOf { queues: Some(queues), waiting, past, needs: false })
}

/// What the steps do to the jobs that were read; nothing if none were.
pub fn impact(scope: &Scope<'_>, steps: &[Step], changes: &[Change]) -> Vec<Impact> {
    let Scope { observed, kinds, guard, .. } = scope;
    let Some(jobs) = &observed.jobs else { return Vec::new() };
    let mut found = Vec::new();
    for concern in concerns(steps, changes, observed, kinds) {
        let queues = concern.queues(observed, kinds);
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
                allowed: guard.allow_interrupt.contains(concern.id),
            });
        }
    }
    found
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

impl Concern<'_> {
    /// The ARNs of the queues whose jobs may be concerned.
    fn queues(&self, observed: &Observed, kinds: &Registry) -> BTreeSet<String> {
        if self.end == End::WithQueue {
            return self.live.arn.iter().cloned().collect();
        }
        let Some(arn) = self.live.arn.as_deref() else { return BTreeSet::new() };
        let waits = |kind: &str| kinds.of(kind).is_some_and(|kind| kind.facts().work == Work::Waits);
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
    kinds: &Registry,
) -> Vec<Concern<'a>> {
    let manners: BTreeMap<&ResourceId, Manner> = changes.iter().filter_map(manner).collect();
    let mut found = Vec::new();
    for step in steps {
        let Some(kind) = kinds.of(&step.resource.kind) else { continue };
        let end = match (step.verb, kind.facts().work) {
            (Verb::Delete, Work::Waits) => Some(End::WithQueue),
            (Verb::Delete, Work::Runs) => (!is_drained(step, steps)).then_some(End::AtOnce),
            (Verb::Update, Work::Runs) => {
                manners.get(&step.resource).and_then(|manner| of_update(step, *manner, kind))
            }
            _ => None,
        };
        let Some(end) = end else { continue };
        let mut seen = observed.resources.get(&step.resource).into_iter().flat_map(|seen| seen.iter());
        let live = seen.find(|live| live.physical == step.physical);
        let cluster = live.and_then(|live| kind.cluster(live));
        found.extend(live.map(|live| Concern { id: &step.resource, live, cluster, end }));
    }
    found
}

fn is_drained(step: &Step, steps: &[Step]) -> bool {
    let mut before = step.after.iter().filter_map(|id| steps.get(*id));
    before.any(|other| other.verb == Verb::Drain && other.physical == step.physical)
}

fn manner(change: &Change) -> Option<(&ResourceId, Manner)> {
    match change.effect {
        Some(Effect::Update(manner)) => Some((&change.id, manner)),
        _ => None,
    }
}

/// What an update does to running jobs.
fn of_update(step: &Step, manner: Manner, kind: &dyn AnyKind) -> Option<End> {
    match kind.interrupts(&step.want, manner) {
        Interrupt::No => None,
        Interrupt::AtOnce => Some(End::AtOnce),
        Interrupt::After(minutes) => Some(End::After(minutes)),
    }
}
