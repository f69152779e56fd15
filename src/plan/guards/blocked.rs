//! What can't be replaced: something still uses it, or would be left behind.

use crate::kind::Order;
use crate::plan::compare::decision::{Decision, Decisions, Operation};
use crate::plan::guards::input::Input;
use crate::plan::model::{Objection, Objector};
use crate::plan::scope::Scope;
use crate::resource::ResourceId;

/// What is to go before its successor comes, while something still uses it: never a silent cascade (P21).
pub fn held(scope: &Scope<'_>, decisions: &Decisions) -> Vec<Objection> {
    let edges = &scope.links.needs;
    let exists =
        |id: &ResourceId| scope.observed.resources.get(id).is_some_and(|seen| seen.current.is_some());
    decisions
        .iter()
        .filter(|decision| matches!(decision.operation, Operation::Replace { order: Order::DeleteFirst, .. }))
        .filter_map(|decision| {
            let id = &decision.change.id;
            let users = edges.iter().filter(|(user, needs)| needs.contains(id) && exists(user));
            let users: Vec<String> = users.map(|(user, _)| user.to_string()).collect();
            (!users.is_empty()).then(|| in_the_way(decision, &users))
        })
        .collect()
}

/// The same of what is no longer declared, and goes only after something that needs the successor.
pub fn stuck(input: &Input<'_>) -> Vec<Objection> {
    let decisions = &input.compared.decisions;
    let stuck = input.steps.stuck.iter();
    stuck.filter_map(|(id, user)| Some(in_the_way(decisions.get(id)?, &[user.to_string()]))).collect()
}

fn in_the_way(decision: &Decision, users: &[String]) -> Objection {
    let message = format!(
        "it would have to be deleted before its successor is made ({}), while {} use{} it: give the new one another name, move what uses it, then remove the old one",
        decision.change.reason,
        users.join(", "),
        if users.len() == 1 { "s" } else { "" }
    );
    let (id, position) = (decision.change.id.clone(), decision.change.position.clone());
    Objection { id, objector: Objector::Held, message, position }
}

/// A replacement while something that names it is left out of the plan (`--only`): it would keep the old one.
pub fn left_out(input: &Input<'_>) -> Vec<Objection> {
    let Scope { links, members, whole, .. } = input.scope;
    if *whole {
        return Vec::new();
    }
    let decisions = &input.compared.decisions;
    decisions
        .iter()
        .filter(|decision| matches!(decision.operation, Operation::Replace { .. }))
        .filter_map(|decision| {
            let id = &decision.change.id;
            let users = links.naming(id).into_iter().filter(|user| !members.contains(*user));
            let users: Vec<String> = users.map(|user| format!("--only={user}")).collect();
            let message = format!(
                "it would be replaced, and what uses it would be left behind: add {}",
                users.join(" ")
            );
            let position = decision.change.position.clone();
            (!users.is_empty()).then(|| Objection {
                id: id.clone(),
                objector: Objector::Held,
                message,
                position,
            })
        })
        .collect()
}
