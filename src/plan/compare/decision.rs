//! What becomes of one declared resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::kind::{AnyKind, Order};
use crate::plan::model::Change;
use crate::resource::{Declared, Document, OnDelete, ResourceId, Tags};

/// What one resource's change comes down to, before it is cut into steps.
pub struct Decision {
    pub change: Change,
    pub want: Document,
    pub tags: Tags,
    pub ignore: Vec<String>,
    pub operation: Operation,
    /// What comes first, where it and others wait for each other.
    pub first: Option<First>,
}

/// The decisions of a plan, in the order in which they were made, and by resource.
#[derive(Default)]
pub struct Decisions {
    made: Vec<Decision>,
    at: BTreeMap<ResourceId, usize>,
}

impl Decisions {
    pub fn push(&mut self, decision: Decision) {
        self.at.insert(decision.change.id.clone(), self.made.len());
        self.made.push(decision);
    }

    pub fn get(&self, id: &ResourceId) -> Option<&Decision> {
        self.made.get(*self.at.get(id)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Decision> + Clone {
        self.made.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Decision> {
        self.made.iter_mut()
    }
}

/// The first of two moves of a resource that names what waits for it (D17).
pub struct First {
    /// What it is to be at first; nothing, if there is nothing to do before the rest.
    pub want: Option<Document>,
    /// What it does not name yet.
    pub without: BTreeSet<ResourceId>,
}

/// How a decision is carried out.
pub enum Operation {
    /// Make it, under this name.
    Create { physical: String },
    /// Change it, or only its tags.
    Update { tags_only: bool },
    /// Register a revision.
    Register,
    /// Make another, in this order; and what becomes of the data of the old one.
    Replace { order: Order, physical: String, old: OnDelete },
    /// Nothing but revisions beyond the number to keep.
    Trim,
}

pub fn count(spec: &Value) -> usize {
    spec.as_object().map_or(0, serde_json::Map::len)
}

/// What becomes of the data of what another replaces: what the manifest says, since one review holds both. What holds none
/// goes like any old generation.
pub fn on_delete(declared: &Declared, kind: &dyn AnyKind) -> OnDelete {
    if kind.facts().holds_data { declared.on_delete } else { OnDelete::Refuse }
}
