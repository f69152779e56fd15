//! What can't be replaced: something still uses it, or would be left behind.

use std::collections::BTreeSet;

use crate::kind::Order;
use crate::plan::compare::decision::{Draft, How};
use crate::plan::model::{Objection, Objector};
use crate::plan::scope::order::Edges;
use crate::plan::scope::references::Links;
use crate::resource::{Observed, ResourceId};

/// What is to go before its successor comes, while something still uses it: never a silent cascade (P21).
pub fn held(drafts: &[Draft], edges: &Edges, observed: &Observed) -> Vec<Objection> {
    let exists = |id: &ResourceId| observed.resources.get(id).is_some_and(|seen| seen.current.is_some());
    drafts
        .iter()
        .filter(|draft| matches!(draft.how, How::Replace { order: Order::DeleteFirst, .. }))
        .filter_map(|draft| {
            let id = &draft.change.id;
            let users = edges.iter().filter(|(user, needs)| needs.contains(id) && exists(user));
            let users: Vec<String> = users.map(|(user, _)| user.to_string()).collect();
            (!users.is_empty()).then(|| in_the_way(draft, &users))
        })
        .collect()
}

/// The same of what is no longer declared, and goes only after something that needs the successor.
pub fn stuck(drafts: &[Draft], stuck: &[(ResourceId, ResourceId)]) -> Vec<Objection> {
    let draft = |id: &ResourceId| drafts.iter().find(|draft| draft.change.id == *id);
    stuck.iter().filter_map(|(id, user)| Some(in_the_way(draft(id)?, &[user.to_string()]))).collect()
}

fn in_the_way(draft: &Draft, users: &[String]) -> Objection {
    let message = format!(
        "it would have to be deleted before its successor is made ({}), while {} use{} it: give the new one another name, move what uses it, then remove the old one",
        draft.change.reason,
        users.join(", "),
        if users.len() == 1 { "s" } else { "" }
    );
    let (id, position) = (draft.change.id.clone(), draft.change.position.clone());
    Objection { id, objector: Objector::Held, message, position }
}

/// A replacement while something that names it is left out of the plan (`--only`): it would keep the old one.
pub fn left_out(drafts: &[Draft], links: &Links, part: &BTreeSet<ResourceId>) -> Vec<Objection> {
    drafts
        .iter()
        .filter(|draft| matches!(draft.how, How::Replace { .. }))
        .filter_map(|draft| {
            let id = &draft.change.id;
            let users = links.naming(id).into_iter().filter(|user| !part.contains(*user));
            let users: Vec<String> = users.map(|user| format!("--only={user}")).collect();
            let message = format!(
                "it would be replaced, and what uses it would be left behind: add {}",
                users.join(" ")
            );
            let position = draft.change.position.clone();
            (!users.is_empty()).then(|| Objection {
                id: id.clone(),
                objector: Objector::Held,
                message,
                position,
            })
        })
        .collect()
}
