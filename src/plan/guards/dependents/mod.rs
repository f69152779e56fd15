//! What goes while something that stays still stands on it. AWS would take a role from under a compute environment without
//! a word, and refuses the delete of others only in the middle of an apply.

use std::collections::BTreeMap;

use crate::diff::fields;
use crate::kind::FinalState;
use crate::plan::guards::dependents::sides::{Removed, dependents};
use crate::plan::guards::final_state::held;
use crate::plan::model::{Objection, Warning};
use crate::plan::request::Registry;

mod external;
mod revisions;
mod sides;

/// One objection for each user, at the end of a plan, of something that the plan takes away, and warnings of uses that hold
/// nothing up. Of what jobs run on, the rules of its service speak, which know more of queues.
pub fn found(end: &FinalState<'_>, kinds: &Registry) -> (Vec<Objection>, Vec<Warning>) {
    let (going, users) = (Removed::of(end, kinds), dependents(end, kinds));
    let rules = |kind: &str| kinds.of(kind).map(|kind| &kind.facts().rules);
    let (mut found, warnings) = revisions::left(end, &going, &users, kinds);
    found.extend(external::objections(end, &users, kinds));
    for user in &users {
        let mut uses = BTreeMap::new();
        fields(user.spec, "", rules(user.kind), &mut |path, text| {
            if let Some((id, live)) = going.named(path, text).filter(|(id, _)| user.id != Some(*id)) {
                uses.entry(id).or_insert_with(|| (path.to_owned(), live));
            }
        });
        for (id, (path, live)) in uses {
            // Of what follows by a reference, others speak.
            let follows = |user| end.needs.get(user).is_some_and(|needs| needs.contains(id));
            let told = |user| end.follows_elsewhere(user, id) || (end.makes_room(id) && follows(user));
            if !user.id.is_some_and(told) {
                let (live, who) = (&live.physical, &user.who);
                let message = format!("{live} is to go, while {who} needs it ({path}): {}", user.way_out);
                found.push(held(end, id, message));
            }
        }
    }
    (found, warnings)
}
