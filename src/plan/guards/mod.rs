//! 5. What speaks against a plan: all of it at once, as data (D18, D22).

use crate::plan::compare::decision::Decisions;
use crate::plan::model::{Objection, Objector, Warning};
use crate::plan::scope::Scope;

mod between;
mod blocked;
mod collisions;
mod consent;
mod data;
mod dependents;
mod final_state;
mod gate;
pub mod impact;
mod input;
mod interrupted;
pub mod jobs;
pub mod literals;
mod unknown_fields;

pub use input::{Input, Renamed};

/// What speaks against a plan in one respect.
type Rule = fn(&Input<'_>) -> Vec<Objection>;

/// Every rule. In which order says nothing: objections are put in order of their resources.
const RULES: &[Rule] = &[
    |input| input.compared.objections.clone(),
    |input| of_decisions(input.scope, &input.compared.decisions),
    blocked::stuck,
    blocked::left_out,
    consent::objections,
    data::objections,
    between::objections,
    gate::objections,
    interrupted::objections,
    jobs::objections,
    literals::objections,
    unknown_fields::objections,
];

/// What speaks against a plan, and what is doubtful about its end.
pub struct Found {
    pub objections: Vec<Objection>,
    pub doubts: Vec<Warning>,
}

/// Everything, in order.
pub fn all(input: &Input<'_>) -> Found {
    let (mut objections, doubts) = dependents::found(&input.end, &input.scope.kinds);
    objections.extend(RULES.iter().flat_map(|rule| rule(input)));
    objections.sort();
    objections.dedup();
    for (new, old) in input.renamed {
        let instead = format!(
            "; or, if it is only renamed, write `renamedFrom: {}` under the `metadata` of {new}",
            old.name
        );
        let ends = |it: &&mut Objection| {
            it.id == *old && matches!(it.objector, Objector::Delete | Objector::Protected | Objector::Data)
        };
        objections.iter_mut().filter(ends).for_each(|objection| objection.message.push_str(&instead));
    }
    Found { objections, doubts }
}

/// What speaks against decisions by themselves.
pub fn of_decisions(scope: &Scope<'_>, decisions: &Decisions) -> Vec<Objection> {
    let mut found = blocked::held(scope, decisions);
    found.extend(collisions::objections(scope, decisions));
    found
}
