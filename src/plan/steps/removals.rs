//! What goes: in which order, and what comes before it.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{Identity, Reason, Removal, Work};
use crate::plan::compare::decision::{Decisions, Operation};
use crate::plan::compare::revisions::{Pins, Surplus, surplus};
use crate::plan::model::{StepId, Verb};
use crate::plan::removals::Removals;
use crate::plan::removals::replaced::Replaced;
use crate::plan::removals::undeclared::Undeclared;
use crate::plan::scope::order::Edges;
use crate::plan::scope::{Scope, order};
use crate::plan::steps::scheduler::Scheduler;
use crate::resource::{Declared, Desired, Incarnation, Lifecycle, OnDelete, RETIRING_TAG, ResourceId};

impl Scheduler<'_> {
    /// Users before what they use, so that nothing goes while something still stands on it, be it old or no longer declared.
    pub fn remove_all(&mut self, scope: &Scope<'_>, decisions: &Decisions, removals: &Removals<'_>) {
        let desired: &Desired = &scope.desired;
        let settled = &removals.settled;
        let pins = Pins::of(desired, self.observed);
        let leaving: BTreeMap<&ResourceId, &Undeclared<'_>> =
            removals.undeclared.iter().map(|leaving| (&leaving.change.id, leaving)).collect();
        let mut retiring: BTreeMap<&ResourceId, Vec<&Replaced<'_>>> = BTreeMap::new();
        for one in removals.replaced.iter().filter(|one| settled.contains_key(one.id)) {
            retiring.entry(one.id).or_default().push(one);
        }
        for together in self.departing(settled.keys().copied(), &removals.undeclared) {
            let released = self.release(&together, &leaving, &retiring);
            for id in &together {
                let mut after = self.users(id, &together, &BTreeSet::new());
                after.extend(&released);
                let drain_timeout = self.held_by_tasks(id, desired);
                if let Some(leaving) = leaving.get(id) {
                    self.leave(leaving, &after, drain_timeout);
                }
                let Some(declared) = settled.get(id).copied() else { continue };
                for one in retiring.get(id).into_iter().flatten() {
                    self.retire(declared, one, after.clone(), drain_timeout);
                }
                let Some(decision) = decisions.get(id) else { continue };
                let kind = self.kinds.of(&id.kind);
                let revisioned = kind.is_some_and(|kind| kind.facts().identity == Identity::Revisioned);
                if let Some(seen) = self.observed.resources.get(id).filter(|_| revisioned) {
                    let registers = matches!(decision.operation, Operation::Register);
                    self.trim(declared, &surplus(declared, seen, self.owner, registers, &pins));
                }
            }
        }
    }

    /// Everything of which something may go, users before what they use; together what use each other.
    fn departing<'d>(
        &self,
        declared: impl Iterator<Item = &'d ResourceId>,
        leaving: &'d [Undeclared<'_>],
    ) -> Vec<Vec<ResourceId>> {
        let parts: BTreeSet<&ResourceId> =
            declared.chain(leaving.iter().map(|leaving| &leaving.change.id)).collect();
        // `order` puts what is needed first; here users go first, so an edge leads from what is used to its users.
        let users_of = |id: &ResourceId, users: &[&Edges]| -> BTreeSet<ResourceId> {
            let users = users.iter().filter_map(|users| users.get(id)).flatten();
            users.filter(|user| *user != id && parts.contains(user)).cloned().collect()
        };
        let (needed, used) = (&self.needed_by, &self.used_by);
        let users: Edges =
            parts.iter().map(|id| ((*id).clone(), users_of(id, &[needed, &used.all]))).collect();
        let components = order::components(&users);
        let mut together: BTreeMap<usize, Edges> = BTreeMap::new();
        for (id, number) in &components {
            let mut users = users_of(id, &[needed, &used.alone]);
            users.retain(|user| components.get(user) == Some(number));
            together.entry(*number).or_default().insert((*id).clone(), users);
        }
        let mut firsts = Edges::new();
        let first = |id: &ResourceId| {
            let members = components.get(id).and_then(|number| together.get(number));
            members.and_then(|members| members.keys().next()).unwrap_or(id).clone()
        };
        for (id, users) in &users {
            let its_first = first(id);
            let users: Vec<ResourceId> = users.iter().map(&first).filter(|user| *user != its_first).collect();
            firsts.entry(its_first).or_default().extend(users);
        }
        let ordered = order::order(&firsts).0;
        let members = ordered.iter().filter_map(|id| together.get(components.get(id)?));
        members.map(|members| order::order(members).0).collect()
    }

    /// The steps of what uses a resource, as declared or as AWS reports it, and its own. Of what goes with it and only names it
    /// in passing, not the end.
    pub fn users(
        &self,
        id: &ResourceId,
        together: &[ResourceId],
        released: &BTreeSet<StepId>,
    ) -> BTreeSet<StepId> {
        let of = |edges: &Edges| edges.get(id).cloned().unwrap_or_default();
        let (needed, alone) = (of(&self.needed_by), of(&self.used_by.alone));
        let mut found: BTreeSet<StepId> = self.of.get(id).into_iter().flatten().copied().collect();
        found.retain(|step| !released.contains(step));
        for user in needed.union(&of(&self.used_by.all)).filter(|user| *user != id) {
            let in_passing = together.contains(user) && !needed.contains(user) && !alone.contains(user);
            let ends = |step: &StepId| {
                released.contains(step) || self.steps.get(*step).is_some_and(|step| is_end(step.verb))
            };
            let steps = self.of.get(user).into_iter().flatten();
            found.extend(steps.filter(|step| !(in_passing && ends(step))));
        }
        found
    }

    /// An old incarnation goes once everything that used it has moved.
    fn retire(
        &mut self,
        declared: &Declared,
        retiring: &Replaced<'_>,
        mut after: BTreeSet<StepId>,
        drain_timeout: Option<u64>,
    ) {
        let Replaced { id, live, on_delete, .. } = *retiring;
        after.extend(self.of.get(id).into_iter().flatten().copied());
        let because = Reason("another generation has taken its place".to_owned());
        if on_delete == OnDelete::Retain {
            self.remove(id, live, Verb::Forget, after, on_delete, because);
            return;
        }
        self.depart(id, live, (&declared.lifecycle, drain_timeout), after, on_delete, because);
    }

    /// How many seconds an apply waits for tasks that may hold a network interface in it: an environment that stays moves away from
    /// it, and what runs there goes on. Nothing, of what no tasks hold, or goes with its users.
    fn held_by_tasks(&self, id: &ResourceId, desired: &Desired) -> Option<u64> {
        let kind = self.kinds.of(&id.kind)?;
        let users = self.used_by.alone.get(id).filter(|_| kind.facts().held_by_tasks)?;
        let ends = |user: &ResourceId| {
            let mut steps = self.of.get(user).into_iter().flatten().filter_map(|step| self.steps.get(*step));
            steps.any(|step| step.verb == Verb::Delete)
        };
        let runs =
            |user: &ResourceId| self.kinds.of(&user.kind).is_some_and(|kind| kind.facts().work == Work::Runs);
        let staying = users.iter().filter(|user| runs(user) && !ends(user));
        staying.filter_map(|user| Some(desired.resources.get(user)?.lifecycle.drain_seconds())).max()
    }

    /// Off, drained, deleted: what jobs run on. Deleted at once: everything else.
    fn depart(
        &mut self,
        id: &ResourceId,
        live: &Incarnation,
        (lifecycle, drain_timeout): (&Lifecycle, Option<u64>),
        mut after: BTreeSet<StepId>,
        on_delete: OnDelete,
        because: Reason,
    ) {
        let removal = self.kinds.of(&id.kind).map_or(Removal::Direct, |kind| kind.facts().removal);
        if removal.is_staged() {
            if removal.is_on(&live.spec) || !live.retiring() {
                after.insert(self.disable(id, live, removal, after.clone(), because.clone()));
            }
            let drain = self.remove(id, live, Verb::Drain, after.clone(), on_delete, because.clone());
            if let Some(step) = self.steps.get_mut(drain) {
                step.drain_timeout = Some(lifecycle.drain_seconds());
            }
            after.insert(drain);
        }
        if drain_timeout.is_some() && !live.retiring() {
            let mut tags = live.tags.clone();
            tags.insert(RETIRING_TAG.to_owned(), "true".to_owned());
            let (want, because) = (live.spec.clone(), because.clone());
            let mark = self.add(id, Verb::Tag, &live.physical, None, want, tags, after.clone(), because);
            after.insert(mark);
        }
        let delete = self.remove(id, live, Verb::Delete, after, on_delete, because);
        // What a run before has left to its tasks is asked to go once, and waited for no more.
        let again = live.retiring() && self.kinds.of(&id.kind).is_some_and(|it| it.facts().held_by_tasks);
        if let Some(step) = self.steps.get_mut(delete) {
            step.drain_timeout = drain_timeout.or(again.then_some(0));
        }
    }

    fn disable(
        &mut self,
        id: &ResourceId,
        live: &Incarnation,
        removal: Removal,
        after: BTreeSet<StepId>,
        because: Reason,
    ) -> StepId {
        let (want, mut tags) = (removal.switched_off(&live.spec), live.tags.clone());
        tags.insert(RETIRING_TAG.to_owned(), "true".to_owned());
        self.add(id, Verb::Disable, &live.physical, live.revision, want, tags, after, because)
    }

    /// Revisions beyond the number to keep, after everything that uses the family has moved on.
    fn trim(&mut self, declared: &Declared, surplus: &Surplus<'_>) {
        let holders = self.needed_by.get(&declared.id).into_iter().flatten();
        let mut after: BTreeSet<StepId> =
            holders.filter_map(|holder| self.of.get(holder)).flatten().copied().collect();
        after.extend(self.of.get(&declared.id).into_iter().flatten().copied());
        for revision in &surplus.gone {
            let because = Reason("it is beyond keepRevisions".to_owned());
            self.remove(&declared.id, revision, Verb::Deregister, after.clone(), OnDelete::Refuse, because);
        }
    }

    /// What is no longer declared goes after all that was done to what uses it.
    fn leave(&mut self, leaving: &Undeclared<'_>, after: &BTreeSet<StepId>, drain_timeout: Option<u64>) {
        let id = &leaving.change.id;
        for incarnation in &leaving.incarnations {
            let (after, because) = (after.clone(), leaving.change.reason.clone());
            let verb = match (leaving.on_delete, incarnation.revision) {
                (OnDelete::Retain, _) => Verb::Forget,
                (_, Some(_)) => Verb::Deregister,
                (_, None) => {
                    let (lifecycle, on_delete) = (Lifecycle::default(), leaving.on_delete);
                    self.depart(id, incarnation, (&lifecycle, drain_timeout), after, on_delete, because);
                    continue;
                }
            };
            self.remove(id, incarnation, verb, after, leaving.on_delete, because);
        }
    }
}

/// Whether a verb belongs to the end of a resource.
fn is_end(verb: Verb) -> bool {
    matches!(verb, Verb::Disable | Verb::Drain | Verb::Delete | Verb::Deregister | Verb::Forget)
}
