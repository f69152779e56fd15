//! What a plan is asked for.

use std::collections::BTreeSet;

use crate::resource::ResourceId;

/// What the user has allowed by name.
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
    /// What is due to be deleted stays: what goes after it was not reviewed (D20).
    pub hold_due: bool,
}
