//! What a step still finds different, and what it refuses to do about it: it decides nothing that the plan has not decided.

use super::Failure;
use super::settle::Settle;
use crate::diff::{self, ChangeRule, Diff};
use crate::kind::{Effect, Ownership};
use crate::plan::{Verb, retiring_mark, tag_changes};
use crate::resource::{Incarnation, Job, JobsOf, NAME_TAG, RETIRING_TAG, ResourceId, TAG_PREFIX, Tags};

impl Settle<'_, '_> {
    pub(super) fn is_ours(&self, live: &Incarnation) -> bool {
        live.owner().as_ref() == Some(self.owner)
    }

    /// Between plan and step somebody may have made a thing of the same name, or taken our tags off: not ours to change.
    pub(super) fn refuse_foreign(&self, live: &Incarnation, made: bool) -> Result<(), Failure> {
        let facts = self.kind.facts();
        let claimed = matches!(facts.ownership, Ownership::Tagged | Ownership::TagAfterCreate);
        if self.step.verb == Verb::Create
            && !made
            && let Some(other) = self.named_otherwise(live)
        {
            let message = format!("{} is {other} by now: plan again", live.physical);
            return Err(Failure { stale: true, ..Failure::new(message) });
        }
        let forgotten = self.step.verb == Verb::Forget && live.owner().is_none();
        if self.is_ours(live) || made || forgotten || !claimed || self.step.verb == Verb::Adopt {
            return Ok(());
        }
        let owner =
            live.owner().map_or_else(|| "has no owner".to_owned(), |owner| format!("belongs to {owner}"));
        let message =
            format!("{} exists by now and {owner}: plan again, and adopt it or rename yours", live.physical);
        Err(Failure { stale: true, ..Failure::new(message) })
    }

    /// The plan is a moment old: a job that was submitted meanwhile may need what goes (D21). Asked before the first call that AWS accepts.
    pub(super) async fn refuse_to_take_from_jobs(&self) -> Result<(), Failure> {
        let Some(asks) = self.step.asks_jobs.as_ref().filter(|_| !self.has_asked()) else {
            return Ok(());
        };
        let all = JobsOf { queues: None, waiting: true, past: false, needs: true };
        let jobs = self.cloud.jobs(&all).await.map_err(|error| Failure::from(&error))?;
        let needing = |job: &&Job| !asks.ending.contains(&job.queue) && job.needs.contains(&asks.about);
        let needing: Vec<&Job> = jobs.list.iter().filter(needing).collect();
        let Some(first) = needing.first() else { return Ok(()) };
        let (name, id, count) = (&first.name, &first.id, needing.len());
        let message =
            format!("by now jobs that are not over need it, {name} ({id}) among {count}: plan again");
        Err(Failure { stale: true, ..Failure::new(message) })
    }

    /// Which other resource of ours bears its name by now: another run may have given it away.
    fn named_otherwise<'l>(&self, live: &'l Incarnation) -> Option<&'l str> {
        let named = live.tags.get(NAME_TAG).filter(|_| self.is_ours(live))?.as_str();
        // Batch copies tags to what it makes itself: one that names another kind says nothing of this one.
        let id = named.parse::<ResourceId>().ok()?;
        (id.kind == self.step.resource.kind && id != self.step.resource).then_some(named)
    }

    /// What still differs from what this step wants.
    pub(super) fn diff(&self, live: &Incarnation) -> Diff {
        let facts = self.kind.facts();
        let mut changes = match self.step.verb {
            Verb::Tag | Verb::Adopt | Verb::Forget => Vec::new(),
            _ => diff::walk(&live.spec, self.want, &facts.rules, &self.step.ignore),
        };
        let mut tags = tag_changes(&live.tags, &self.step.tags, facts.ownership);
        match self.step.verb {
            Verb::Disable => tags = retiring_mark(&live.tags),
            // What may have to wait for a later apply is marked before it is asked to go.
            Verb::Tag if self.step.tags.contains_key(RETIRING_TAG) => tags.extend(retiring_mark(&live.tags)),
            Verb::Adopt => tags.retain(|c| c.after.is_some()),
            Verb::Forget => {
                tags = tag_changes(&live.tags, &without_ours(&live.tags), facts.ownership);
            }
            _ => {}
        }
        changes.extend(tags);
        Diff(changes)
    }

    /// A fresh difference that needs more than was planned is not ours to decide.
    pub(super) fn refuse_stronger(&self, live: &Incarnation, diff: &Diff) -> Result<(), Failure> {
        let spec: Vec<_> = diff.0.iter().filter(|c| c.rule != ChangeRule::Tag).cloned().collect();
        if spec.is_empty() || self.step.verb == Verb::Register {
            return Ok(());
        }
        match self.kind.effect(&live.spec, self.want, &spec) {
            (Effect::Replace(_) | Effect::Impossible(_), reason) => {
                let paths: Vec<&str> = spec.iter().map(|c| c.path.as_str()).collect();
                let message = format!(
                    "AWS now reports another {} ({reason}), which needs more than was planned: plan again",
                    paths.join(", ")
                );
                Err(Failure { stale: true, ..Failure::new(message) })
            }
            _ => Ok(()),
        }
    }
}

fn without_ours(tags: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| !key.starts_with(TAG_PREFIX)).map(|(k, v)| (k.clone(), v.clone())).collect()
}
