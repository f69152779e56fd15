//! What holds on to something that goes, and is no resource of any kind: AWS would let go of it without a word, or refuse
//! the delete.

use crate::diff::fields;
use crate::kind::{ExternalUser, FinalState};
use crate::plan::guards::dependents::sides::Dependent;
use crate::plan::guards::final_state::held;
use crate::plan::model::Objection;
use crate::plan::request::Registry;

/// One objection for each of them.
pub fn objections(end: &FinalState<'_>, users: &[Dependent<'_>], kinds: &Registry) -> Vec<Objection> {
    let mut found = Vec::new();
    for (id, live) in end.ending() {
        let external = kinds.of(&id.kind).map(|kind| kind.external_users(live)).unwrap_or_default();
        for one in external {
            let through: Vec<&Dependent<'_>> = users.iter().filter(|user| names(user, &one, kinds)).collect();
            found.push(held(end, id, format!("{} is to go, while {}", live.physical, says(&one, &through))));
        }
    }
    found
}

/// Whether something that stays uses a resource by way of what is outside.
fn names(user: &Dependent<'_>, external: &ExternalUser, kinds: &Registry) -> bool {
    let rules = kinds.of(user.kind).map(|kind| &kind.facts().rules);
    let mut found = false;
    fields(user.spec, "", rules, &mut |path, text| {
        found |= external.denoted.iter().any(|denoted| denoted.is(path, text));
    });
    found
}

fn says(external: &ExternalUser, through: &[&Dependent<'_>]) -> String {
    let through: Vec<&str> = through.iter().map(|user| user.who.trim_end_matches(',')).collect();
    let ExternalUser { says, way_out, says_used, .. } = external;
    match through.is_empty() {
        true => format!("{says}: {way_out}"),
        false => format!("{says}{}", says_used.replace("{}", &through.join(" and "))),
    }
}
