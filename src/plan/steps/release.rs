//! What has to let go of something before that can go: AWS deletes no group that a rule of another one names.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{Order, Reason};
use crate::plan::compare::cycles;
use crate::plan::compare::decision::{Decisions, Operation};
use crate::plan::model::{StepId, Verb};
use crate::plan::removals::replaced::Replaced;
use crate::plan::removals::undeclared::Undeclared;
use crate::plan::scope::order::Edges;
use crate::plan::scope::{order, uses};
use crate::plan::steps::numbered;
use crate::plan::steps::scheduler::Scheduler;
use crate::resource::{Document, Incarnation, OnDelete, ResourceId};

impl Scheduler<'_> {
    /// What makes room for a successor goes before all else: whatever names it in what it can do without lets go of it first,
    /// and names the successor afterwards, if it stays.
    pub fn make_room(&mut self, decisions: &Decisions) {
        let observed = self.observed;
        let updated: BTreeSet<&ResourceId> = decisions
            .iter()
            .filter(|decision| matches!(decision.operation, Operation::Update { .. }))
            .map(|decision| &decision.change.id)
            .collect();
        let firsts = decisions
            .iter()
            .filter(|decision| makes_room(&decision.operation))
            .map(|decision| &decision.change.id);
        let used: Vec<(&ResourceId, ResourceId)> = firsts
            .flat_map(|id| {
                self.used_by.deferrable.get(id).into_iter().flatten().map(move |user| (id, user.clone()))
            })
            .collect();
        // Its own update lets go, where that does not wait for a successor in its turn.
        let mut waits = self.before.clone();
        for (id, user) in used.iter().filter(|(_, user)| updated.contains(user)) {
            waits.entry((*id).clone()).or_default().insert(user.clone());
        }
        let component = order::components(&waits);
        let mut names: BTreeMap<ResourceId, (BTreeSet<&str>, BTreeSet<ResourceId>)> = BTreeMap::new();
        for (id, user) in used {
            let live = observed.resources.get(id).and_then(|seen| seen.current.as_ref());
            if !updated.contains(&user) || component.get(id) == component.get(&user) {
                let (denoted, targets) = names.entry(user).or_default();
                denoted.extend(live.into_iter().flat_map(uses::denoted));
                targets.insert(id.clone());
            }
        }
        for (id, (denoted, targets)) in names {
            let seen = observed.resources.get(&id).into_iter().flat_map(|seen| seen.iter());
            for live in seen.filter(|live| live.owner().as_ref() == Some(self.owner)) {
                let Some(want) = self.without(&id, live, &denoted) else { continue };
                let because = "what it names has to go before its successor is made";
                let step = self.let_go(&id, live, want, BTreeSet::new(), because);
                for target in &targets {
                    self.released.entry(target.clone()).or_default().insert(step);
                }
            }
        }
    }

    /// What makes room for a successor goes after what uses it now and moves away from it, or goes itself; unless that in its turn
    /// waits for the successor: these.
    pub fn wait_for_users(&mut self, decisions: &Decisions) -> Vec<(ResourceId, ResourceId)> {
        let mut stuck = Vec::new();
        let firsts = decisions.iter().filter(|decision| makes_room(&decision.operation));
        for id in firsts.map(|decision| &decision.change.id) {
            let is_delete =
                |step: &&StepId| self.steps.get(**step).is_some_and(|step| step.verb == Verb::Delete);
            let Some(first) = self.of.get(id).and_then(|steps| steps.iter().find(is_delete)).copied() else {
                continue;
            };
            let needs = |user: &ResourceId| self.needed_by.get(id).is_some_and(|users| users.contains(user));
            let users = |edges: &Edges| edges.get(id).cloned().unwrap_or_default();
            let (alone, passing) = (users(&self.used_by.alone), users(&self.used_by.deferrable));
            let mut before = BTreeSet::new();
            // Who still needs it is told elsewhere.
            let released = |user: &ResourceId| !alone.contains(user) && self.has_let_go(user, id);
            for user in alone.union(&passing).filter(|user| *user != id && !needs(user) && !released(user)) {
                let steps = self.of.get(user).map(Vec::as_slice).unwrap_or_default();
                match steps.iter().any(|step| numbered::waits_for(&self.steps, *step, first)) {
                    true => stuck.push((id.clone(), user.clone())),
                    false => before.extend(steps.iter().copied()),
                }
            }
            if let Some(step) = self.steps.get_mut(first) {
                step.after.extend(before);
            }
        }
        stuck
    }

    fn has_let_go(&self, user: &ResourceId, id: &ResourceId) -> bool {
        let mut steps = self.released.get(id).into_iter().flatten();
        steps.any(|step| self.steps.get(*step).is_some_and(|step| step.resource == *user))
    }

    /// Things that go and name each other: AWS lets none of them go before the others. So each lets go of the others first,
    /// once nothing else uses it. The steps that do that.
    pub fn release(
        &mut self,
        together: &[ResourceId],
        leaving: &BTreeMap<&ResourceId, &Undeclared<'_>>,
        retiring: &BTreeMap<&ResourceId, Vec<&Replaced<'_>>>,
    ) -> BTreeSet<StepId> {
        let mut released = BTreeSet::new();
        let mut going: Vec<(&ResourceId, &Incarnation)> = Vec::new();
        for id in together.iter().filter(|_| together.len() > 1) {
            let leaving = leaving.get(id).filter(|one| one.on_delete != OnDelete::Retain);
            going.extend(leaving.into_iter().flat_map(|one| one.incarnations.iter().map(|live| (id, *live))));
            let retiring = retiring.get(id).into_iter().flatten();
            going.extend(retiring.filter(|one| one.on_delete != OnDelete::Retain).map(|one| (id, one.live)));
        }
        for (id, live) in &going {
            let others = going.iter().filter(|(other, _)| other != id);
            let others: BTreeSet<&str> = others.flat_map(|(_, live)| uses::denoted(live)).collect();
            if let Some(want) = self.without(id, live, &others) {
                let after = self.users(id, together, &released);
                let because = "what it names goes as well, and AWS lets neither go before the other";
                released.insert(self.let_go(id, live, want, after, because));
            }
        }
        released
    }

    /// What an incarnation is without these names, and without what it has let go of already; nothing, if it holds none that it
    /// can do without.
    fn without(&self, id: &ResourceId, live: &Incarnation, names: &BTreeSet<&str>) -> Option<Document> {
        let kind = self.kinds.of(&id.kind)?;
        let steps = self.of.get(id).into_iter().flatten().rev().filter_map(|step| self.steps.get(*step));
        let mut earlier = steps.filter(|step| step.verb == Verb::Update && step.physical == live.physical);
        let now = earlier.next().map_or(&live.spec, |step| &step.want);
        let want = cycles::released(now, &kind.facts().rules, &|text| names.contains(text));
        (want != *now).then_some(want)
    }

    fn let_go(
        &mut self,
        id: &ResourceId,
        live: &Incarnation,
        want: Document,
        after: BTreeSet<StepId>,
        because: &str,
    ) -> StepId {
        let (tags, because) = (live.tags.clone(), Reason(because.to_owned()));
        self.add(id, Verb::Update, &live.physical, live.revision, want, tags, after, because)
    }
}

fn makes_room(operation: &Operation) -> bool {
    matches!(operation, Operation::Replace { order: Order::DeleteFirst, .. })
}
