//! Compute environments that the manifests switch off: after the queues that list them have let go, have another that is
//! up, or are closed (P1).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Cutter, Draft, How};
use crate::plan::holders::{GROUND, HOLDER, lists};
use crate::plan::{StepId, Verb};
use crate::resource::Document;

impl Cutter<'_> {
    /// Whether a draft turns an environment off that is on.
    pub fn switches_off(&self, draft: &Draft) -> bool {
        let is = |spec: &Document, state: &str| spec.get("state").and_then(Value::as_str) == Some(state);
        let live = self.observed.resources.get(&draft.change.id).and_then(|seen| seen.current.as_ref());
        draft.change.id.kind == GROUND
            && matches!(draft.how, How::Update { tags_only: false })
            && is(&draft.want, "DISABLED")
            && live.is_some_and(|live| is(&live.spec, "ENABLED"))
    }

    /// Its update comes after those of the queues that list it now or are to, and of what else these stand on: so no two
    /// environments of one queue go off at once, each because the other was still up.
    pub fn switch_off(&mut self, draft: &Draft) {
        let id = &draft.change.id;
        let live = self.observed.resources.get(id).and_then(|seen| seen.current.as_ref());
        let arn = live.and_then(|live| live.arn.as_deref()).unwrap_or_default();
        let needs = self.before.needs.get(id).into_iter().flatten();
        let mut after: BTreeSet<StepId> =
            needs.filter_map(|need| self.of.get(need)?.last().copied()).collect();
        let seen =
            self.observed.resources.iter().filter(|(queue, seen)| {
                queue.kind == HOLDER && seen.iter().any(|live| lists(&live.spec, arn))
            });
        let wanted =
            self.before.needs.iter().filter(|(queue, needs)| queue.kind == HOLDER && needs.contains(id));
        let queues: BTreeSet<_> =
            seen.map(|(queue, _)| queue).chain(wanted.map(|(queue, _)| queue)).collect();
        for queue in queues {
            let needed = self.before.needs.get(queue).into_iter().flatten();
            let used = self.used_by.all.iter().filter(|(_, users)| users.contains(queue));
            let stands_on = needed.chain(used.map(|(used, _)| used));
            let others = stands_on.filter(|ground| ground.kind == GROUND && *ground != id);
            let steps = others.chain([queue]).filter_map(|other| self.of.get(other)).flatten();
            after.extend(steps.copied());
        }
        self.push(draft, Verb::Update, &draft.change.physical, &draft.want, after);
    }
}
