//! The planner: its stages, in order. Each is a folder, and adds what it knows; nothing changes what one before it said.

use crate::plan::model::{Change, Plan};
use crate::plan::request::Request;
use crate::plan::scope::Scope;
use crate::plan::{check, compare, guards, looked_up, removals, steps, warnings};
use crate::value::existing;

/// Computes what differs and what to run.
pub fn plan(request: &Request<'_>) -> Plan {
    let declared = request.desired;
    let settled = existing::settled(declared, &request.observed.surroundings);
    let desired = settled.as_ref().unwrap_or(declared);
    let request = &Request::new(desired, request.observed, request.kinds, request.guard);
    let scope = Scope::of(request); // 1 what is planned, and what needs what
    let compared = compare::all(&scope); // 2 one decision for each declared resource that differs
    let removals = removals::all(&scope, &compared.decisions); // 3 what was replaced, what is no longer declared, what has to wait
    let steps = steps::all(&scope, &compared, &removals); // 4 in which order
    let changes = changes(&compared, &removals, &steps);
    let renamed = warnings::renamed::confirmed(&scope, &compared, &changes);
    let input = guards::Input::of(&scope, &compared, &removals, &steps, &changes, &renamed);
    let found = guards::all(&input); // 5 what speaks against it
    let warnings = warnings::all(&scope, &found.doubts, &renamed); // 6 what is doubtful
    let impact = input.impact;
    let looked_up = looked_up::told(declared, request.observed, &changes);
    let plan = Plan {
        environment: scope.desired.environment.clone(),
        owner: scope.desired.owner.clone(),
        place: scope.desired.place.clone(),
        changes,
        objections: found.objections,
        warnings,
        notes: compare::notes(&scope, compared.notes),
        due: compared.in_progress.into_iter().map(|one| one.due).chain(removals.deferred).collect(),
        impact,
        looked_up,
        unchanged: compared.unchanged,
        keeps: compare::revisions::kept(&scope.desired),
        steps: steps.list,
    };
    tracing::debug!(changes = plan.changes.len(), steps = plan.steps.len(), "a plan is made");
    debug_assert_eq!(check(&plan), Vec::<String>::new(), "a plan that does not hold together");
    plan
}

/// Everything that differs, for people: what is declared, what goes, and what is made to delete something with.
fn changes(
    compared: &compare::Compared,
    removals: &removals::Removals<'_>,
    steps: &steps::Steps,
) -> Vec<Change> {
    let declared = compared.decisions.iter().map(|decision| &decision.change);
    declared.chain(&removals.changes).chain(&steps.changes).cloned().collect()
}
