//! The order of steps in which each comes after those that it waits for.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::model::{Step, StepId};

/// Whether one step waits for another, directly or by way of others.
pub fn waits_for(steps: &[Step], step: StepId, other: StepId) -> bool {
    let (mut next, mut seen) = (vec![step], BTreeSet::new());
    while let Some(id) = next.pop() {
        if id == other {
            return true;
        }
        if seen.insert(id) {
            next.extend(steps.get(id).into_iter().flat_map(|step| step.after.iter().copied()));
        }
    }
    false
}

/// The steps with numbers greater than those of what they wait for, otherwise in the order in which they are given.
pub fn numbered(steps: Vec<Step>) -> Vec<Step> {
    let mut waits: BTreeMap<StepId, usize> = steps.iter().map(|step| (step.id, step.after.len())).collect();
    let mut followers: BTreeMap<StepId, Vec<StepId>> = BTreeMap::new();
    for step in &steps {
        step.after.iter().for_each(|before| followers.entry(*before).or_default().push(step.id));
    }
    let is_ready = |(id, count): (&StepId, &usize)| (*count == 0).then_some(*id);
    let mut ready: BTreeSet<StepId> = waits.iter().filter_map(is_ready).collect();
    let mut numbers: BTreeMap<StepId, StepId> = BTreeMap::new();
    while let Some(id) = ready.pop_first() {
        numbers.insert(id, numbers.len());
        for follower in followers.get(&id).into_iter().flatten() {
            if let Some(count) = waits.get_mut(follower) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*follower);
                }
            }
        }
    }
    let number = |id: &StepId| numbers.get(id).copied().unwrap_or(*id);
    let mut steps = steps;
    for step in &mut steps {
        step.id = number(&step.id);
        step.after = step.after.iter().map(number).collect();
    }
    steps.sort_by_key(|step| step.id);
    steps
}
