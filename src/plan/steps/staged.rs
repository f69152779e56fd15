//! What the manifests switch off: after what uses it has let go, has another that is up, or is closed (P1).

use std::collections::BTreeSet;

use crate::plan::compare::decision::{Decision, Operation};
use crate::plan::model::{StepId, Verb};
use crate::plan::scope::order::Edges;
use crate::plan::steps::scheduler::Scheduler;
use crate::resource::ResourceId;

impl Scheduler<'_> {
    /// Whether a decision turns something off that is on.
    pub fn switches_off(&self, decision: &Decision) -> bool {
        let id = &decision.change.id;
        let live = self.observed.resources.get(id).and_then(|seen| seen.current.as_ref());
        let Some((kind, live)) = self.kinds.of(&id.kind).zip(live) else { return false };
        let removal = kind.facts().removal;
        removal.is_staged()
            && matches!(decision.operation, Operation::Update { tags_only: false })
            && removal.is_off(&decision.want)
            && removal.is_on(&live.spec)
    }

    /// Its update comes after those of what uses it now or is to, and of what else of its kind these use: so no two go off at
    /// once, each because the other was still up.
    pub fn switch_off(&mut self, decision: &Decision) {
        let id = &decision.change.id;
        let needs = self.needs.get(id).into_iter().flatten();
        let mut after: BTreeSet<StepId> =
            needs.filter_map(|need| self.of.get(need)?.last().copied()).collect();
        let of = |edges: &Edges| edges.get(id).cloned().unwrap_or_default();
        let users: BTreeSet<ResourceId> =
            of(&self.used_by.all).union(&of(&self.needed_by)).cloned().collect();
        for user in &users {
            let needed = self.needs.get(user).into_iter().flatten();
            let used = self.used_by.all.iter().filter(|(_, users)| users.contains(user));
            let uses = needed.chain(used.map(|(used, _)| used));
            let others = uses.filter(|other| other.kind == id.kind && *other != id);
            let steps = others.chain([user]).filter_map(|other| self.of.get(other)).flatten();
            after.extend(steps.copied());
        }
        self.push(decision, Verb::Update, &decision.change.physical, &decision.want, after);
    }
}
