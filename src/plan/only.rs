//! A part of an environment: some resources, and what they need (`--only`).

use std::collections::BTreeSet;

use super::drafts::{Draft, How};
use super::graph::Links;
use crate::resource::{Desired, ResourceId};

/// These resources and everything that they need. All of the environment, if none is named.
pub(super) fn part(only: Option<&BTreeSet<ResourceId>>, links: &Links) -> BTreeSet<ResourceId> {
    let Some(only) = only else { return links.needs.keys().cloned().collect() };
    let mut found = BTreeSet::new();
    let mut next: Vec<&ResourceId> = only.iter().collect();
    while let Some(id) = next.pop() {
        if let (Some(needs), Some(names)) = (links.needs.get(id), links.weak.get(id))
            && found.insert(id.clone())
        {
            next.extend(needs.iter().chain(names));
        }
    }
    found
}

/// The declared resources of which something old may go. Of a part of an environment: only what this plan replaces, for
/// what still uses an old revision or generation may be left out of it.
pub(super) fn settled(desired: &Desired, drafts: &[Draft], whole: bool) -> Desired {
    let mut settled = desired.clone();
    if !whole {
        let replaced = |id: &ResourceId| {
            drafts.iter().any(|draft| draft.change.id == *id && matches!(draft.how, How::Replace { .. }))
        };
        settled.resources.retain(|id, _| replaced(id));
    }
    settled
}
