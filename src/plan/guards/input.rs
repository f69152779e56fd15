//! What the rules look at.

use std::collections::BTreeMap;

use crate::kind::FinalState;
use crate::plan::compare::Compared;
use crate::plan::guards::{final_state, impact};
use crate::plan::model::{Change, Impact};
use crate::plan::removals::Removals;
use crate::plan::scope::Scope;
use crate::plan::steps::Steps;
use crate::resource::ResourceId;

/// What was renamed, by the new id: the old one.
pub type Renamed = BTreeMap<ResourceId, ResourceId>;

/// A plan but for what speaks against it.
pub struct Input<'a> {
    pub scope: &'a Scope<'a>,
    pub compared: &'a Compared,
    pub removals: &'a Removals<'a>,
    pub steps: &'a Steps,
    pub changes: &'a [Change],
    /// Where it leads to.
    pub end: FinalState<'a>,
    /// What becomes of jobs.
    pub impact: Vec<Impact>,
    /// What goes under one name and comes under another.
    pub renamed: &'a Renamed,
}

impl<'a> Input<'a> {
    pub fn of(
        scope: &'a Scope<'a>,
        compared: &'a Compared,
        removals: &'a Removals<'a>,
        steps: &'a Steps,
        changes: &'a [Change],
        renamed: &'a Renamed,
    ) -> Self {
        let end = final_state::of(scope, compared, removals);
        let impact = impact::impact(scope, &steps.list, changes);
        Self { scope, compared, removals, steps, changes, end, impact, renamed }
    }
}
