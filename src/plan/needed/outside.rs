//! What holds on to something that goes, and is no resource of any kind: AWS would let go of it without a word, or refuse
//! the delete.

use serde_json::Value;

use super::User;
use crate::plan::guard::Objection;
use crate::plan::holders::{End, GROUND};
use crate::resource::Incarnation;
use crate::value;

/// One objection for each of them.
pub(super) fn objections(end: &End<'_>, users: &[User<'_>]) -> Vec<Objection> {
    let mut found = Vec::new();
    for (id, live) in end.ending() {
        for profile in texts(live, "instanceProfiles").filter(|_| id.kind == "iam/Role") {
            found.push(end.object(id, holds(profile, live, users)));
        }
        // A role that has it attached names it in its own document.
        let people = texts(live, "attachedElsewhere").filter(|who| !who.starts_with("role/"));
        for who in people.filter(|_| id.kind == "iam/Policy") {
            let policy = &live.physical;
            let message = format!(
                "{policy} is to go, while {who}, which is not ours, has it attached: detach it there first, or keep it"
            );
            found.push(end.object(id, message));
        }
    }
    found
}

/// The instance profile `profile` has a role, and so have the instances that run by it.
fn holds(profile: &str, live: &Incarnation, users: &[User<'_>]) -> String {
    let grounds = users.iter().filter(|user| user.kind == GROUND);
    let on_it = grounds.filter(|ground| runs_by(ground.spec, profile));
    let on_it: Vec<&str> = on_it.map(|ground| ground.who.trim_end_matches(',')).collect();
    let (role, on_it) = (&live.physical, on_it.join(" and "));
    match on_it.is_empty() {
        true => format!(
            "{role} is to go, while the instance profile {profile}, which is not ours, holds it: take it out of that, or delete the profile, once no instances run by it; or keep the role"
        ),
        false => format!(
            "{role} is to go, while the instance profile {profile}, which is not ours, holds it, and the instances of {on_it} run by that: give that another role before this apply, or keep this one"
        ),
    }
}

/// Whether the instances of a compute environment run by an instance profile: it names it, or its ARN.
pub fn runs_by(environment: &Value, profile: &str) -> bool {
    let is_it = |text: &str| {
        text.split_once(":instance-profile/").and_then(|(_, path)| path.rsplit('/').next()) == Some(profile)
    };
    let mut found =
        environment.pointer("/computeResources/instanceRole").and_then(Value::as_str) == Some(profile);
    value::strings(environment, &mut |text| found |= is_it(text));
    found
}

fn texts<'l>(live: &'l Incarnation, output: &str) -> impl Iterator<Item = &'l str> {
    let list = live.outputs.get(output).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}
