//! 2. What becomes of each declared resource: compared with what AWS has of it.

use crate::plan::compare::comparer::Comparer;
use crate::plan::compare::decision::Decisions;
use crate::plan::compare::resolve::Renewed;
use crate::plan::compare::revisions::Pins;
use crate::plan::compare::up_to_date::InProgress;
use crate::plan::model::{Note, Objection};
use crate::plan::scope::order::Edges;
use crate::plan::scope::{Scope, order};
use crate::resource::ResourceId;

mod comparer;
mod conflicts;
pub mod cycles;
pub mod decision;
pub mod digest;
mod ignore;
pub mod lost_tags;
pub mod names;
pub mod resolve;
pub mod revisions;
mod strategy;
pub mod tags;
pub mod up_to_date;

/// What becomes of what is declared.
pub struct Compared {
    /// Of what differs.
    pub decisions: Decisions,
    /// Which of these come before which.
    pub before: Edges,
    /// As declared, and AWS is still at work on it.
    pub in_progress: Vec<InProgress>,
    /// How many are as declared.
    pub unchanged: usize,
    /// What is left alone.
    pub notes: Vec<Note>,
    /// What speaks against a resource by itself.
    pub objections: Vec<Objection>,
}

/// What becomes of each declared resource. Each is looked at after those that it needs; what it names otherwise may come later,
/// and what that denotes after the plan is known all the same: they are looked at until nothing new is made anew (D17).
pub fn all(scope: &Scope<'_>) -> Compared {
    let (order, _) = order::order(&scope.links.needs);
    let pins = Pins::of(&scope.desired, scope.observed);
    let mut known = Renewed::default();
    // Each round but the last finds something new.
    let mut rounds = scope.desired.resources.len();
    loop {
        let before = known.outputs.clone();
        let mut comparer = Comparer::new(scope, &pins, known);
        for id in order.iter().filter(|id| scope.members.contains(*id)) {
            if let (Some(declared), Some(kind)) = (scope.desired.resources.get(id), scope.kinds.of(&id.kind))
            {
                comparer.decide(declared, kind);
            }
        }
        let resolver = &comparer.resolver;
        let is_news = |id: &ResourceId| {
            let now = resolver.renewed.outputs.get(id);
            now.is_some() && now != before.get(id).or_else(|| resolver.expected(id))
        };
        if rounds > 0 && scope.links.looks_ahead(&is_news) {
            rounds -= 1;
            known = comparer.resolver.renewed;
            continue;
        }
        let Comparer { resolver, mut decisions, objections, unchanged, in_progress, notes, .. } = comparer;
        let before = cycles::split(&mut decisions, &resolver, scope);
        return Compared { decisions, before, in_progress, unchanged, notes, objections };
    }
}

/// What is left alone: of a `destroy`, also what is declared and not ours.
pub fn notes(scope: &Scope<'_>, mut notes: Vec<Note>) -> Vec<Note> {
    if scope.guard.destroy {
        notes.extend(lost_tags::not_ours(scope.declared, scope.observed, &scope.kinds));
    }
    notes
}
