//! What a plan is asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::AnyKind;
use crate::plan::review::Expected;
use crate::resource::{Desired, Observed, ResourceId};

/// What a plan is for, what the user has allowed by name, and what it is held against.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Resources that may be deleted (`--allow-delete`).
    pub allow_delete: BTreeSet<ResourceId>,
    /// Resources whose jobs may be cut off (`--allow-interrupt`).
    pub allow_interrupt: BTreeSet<ResourceId>,
    /// `destroy`: everything goes, so counts do not matter; protection and data still do.
    pub destroy: bool,
    /// Nothing but these resources and what they need; nothing is deleted then (`--only`).
    pub only: Option<BTreeSet<ResourceId>>,
    /// What was reviewed: what is due to be deleted and was not stays (D20).
    pub expected: Option<Expected>,
    /// The role by which this run came in, if it did by one: it changes none of those that let GitHub in by it (D36).
    pub caller: Option<String>,
}

/// All that a plan is made of.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What is declared, also of what is to be destroyed.
    pub desired: &'a Desired,
    /// What AWS has.
    pub observed: &'a Observed,
    /// The kinds there are.
    pub kinds: &'a [&'static dyn AnyKind],
    /// What it is for, and what is allowed.
    pub guard: &'a Guard,
}

impl<'a> Request<'a> {
    /// A request.
    pub fn new(
        desired: &'a Desired,
        observed: &'a Observed,
        kinds: &'a [&'static dyn AnyKind],
        guard: &'a Guard,
    ) -> Self {
        Self { desired, observed, kinds, guard }
    }
}

/// The kinds, by name.
pub struct Registry(BTreeMap<&'static str, &'static dyn AnyKind>);

impl Registry {
    /// These.
    pub fn new(kinds: &[&'static dyn AnyKind]) -> Self {
        Self(kinds.iter().map(|kind| (kind.facts().name, *kind)).collect())
    }

    /// The kind of this name.
    pub fn of(&self, name: &str) -> Option<&'static dyn AnyKind> {
        self.0.get(name).copied()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn AnyKind> {
        self.0.values().copied()
    }
}
