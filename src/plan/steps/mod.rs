//! 4. What is decided and what goes → steps: in which order, and what an old incarnation still needs.

use std::collections::BTreeMap;

use crate::plan::compare::Compared;
use crate::plan::compare::decision::Decision;
use crate::plan::model::{Change, Step};
use crate::plan::removals::Removals;
use crate::plan::scope::uses::Users;
use crate::plan::scope::{Scope, order};
use crate::plan::steps::scheduler::Scheduler;
use crate::resource::ResourceId;

pub mod asks_jobs;
mod bridge;
mod declared;
mod numbered;
mod release;
mod removals;
mod scheduler;
mod staged;
mod temporary_role;

/// What to run.
pub struct Steps {
    pub list: Vec<Step>,
    /// What can't go before its successor is made: beside it, what uses it for as long as that is not there.
    pub stuck: Vec<(ResourceId, ResourceId)>,
    /// What is made only to delete something else with.
    pub changes: Vec<Change>,
}

/// The steps of a plan. Of what is settled, something old may go. A step's number is greater than those of the steps that it
/// waits for.
pub fn all(scope: &Scope<'_>, compared: &Compared, removals: &Removals<'_>) -> Steps {
    let (steps, stuck) = scheduled(scope, compared, removals);
    let roles = temporary_role::needed(scope, removals);
    let mut list = temporary_role::weave(steps, &roles);
    list.iter_mut().for_each(|step| step.interrupts = scope.guard.allow_interrupt.contains(&step.resource));
    asks_jobs::ask_again(&mut list, scope.observed, &scope.kinds);
    Steps { list, stuck, changes: roles.into_iter().map(|role| role.change).collect() }
}

fn scheduled(
    scope: &Scope<'_>,
    compared: &Compared,
    removals: &Removals<'_>,
) -> (Vec<Step>, Vec<(ResourceId, ResourceId)>) {
    let Compared { decisions, in_progress, before, .. } = compared;
    let mut scheduler = Scheduler {
        steps: Vec::new(),
        of: BTreeMap::new(),
        needs: &scope.links.needs,
        before,
        needed_by: order::reversed(&scope.links.needs),
        used_by: Users::of(scope.observed, &scope.kinds),
        observed: scope.observed,
        owner: &scope.desired.owner,
        kinds: &scope.kinds,
        released: BTreeMap::new(),
    };
    for one in in_progress {
        scheduler.settle(one);
    }
    let ordered = order::order(before).0;
    let ordered = ordered.iter().filter_map(|id| decisions.get(id));
    let (off, others): (Vec<&Decision>, Vec<&Decision>) =
        ordered.partition(|decision| scheduler.switches_off(decision));
    scheduler.make_room(decisions);
    for decision in &others {
        scheduler.carry_out(decision);
    }
    for decision in off {
        scheduler.switch_off(decision);
    }
    for decision in others {
        scheduler.complete(decision);
    }
    scheduler.remove_all(scope, decisions, removals);
    let stuck = scheduler.wait_for_users(decisions);
    (numbered::numbered(scheduler.steps), stuck)
}
