//! 3. What goes: what was replaced, what is no longer declared, and what has to wait.

use crate::plan::compare::decision::{Draft, How};
use crate::resource::{Desired, ResourceId};

pub mod deferred;
pub mod replaced;
pub mod undeclared;

/// The declared resources of which something old may go. Of a part of an environment: only what this plan replaces, for
/// what still uses an old revision or generation may be left out of it.
pub fn settled(desired: &Desired, drafts: &[Draft], whole: bool) -> Desired {
    let mut settled = desired.clone();
    if !whole {
        let replaced = |id: &ResourceId| {
            drafts.iter().any(|draft| draft.change.id == *id && matches!(draft.how, How::Replace { .. }))
        };
        settled.resources.retain(|id, _| replaced(id));
    }
    settled
}
