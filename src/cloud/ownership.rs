//! Which logical resource each observed incarnation is: by our tags, else by its name (D8, D14).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Incarnation, Incarnations, NAME_TAG, Owner, ResourceId};

/// Sorts the incarnations of one kind by logical resource. What neither carries our tags nor bears a name that is looked
/// for is nobody's business here.
pub fn identify(
    kind: &str,
    seen: Vec<Incarnation>,
    names: &BTreeMap<ResourceId, BTreeSet<String>>,
    owner: &Owner,
    by_name: bool,
) -> BTreeMap<ResourceId, Incarnations> {
    let mut looked_for: BTreeMap<&str, &ResourceId> = BTreeMap::new();
    for (id, names) in names.iter().filter(|(id, _)| id.kind == kind && by_name) {
        looked_for.extend(names.iter().map(|name| (name.as_str(), id)));
    }
    let mut found: BTreeMap<ResourceId, Vec<Incarnation>> = BTreeMap::new();
    for incarnation in seen {
        let ours = incarnation.owner().as_ref() == Some(owner);
        let tagged =
            incarnation.tags.get(NAME_TAG).filter(|_| ours).and_then(|name| name.parse::<ResourceId>().ok());
        // Batch copies tags to what it makes itself: a tag that names another kind says nothing of this one.
        let tagged = tagged.filter(|id| id.kind == kind);
        let named = || looked_for.get(incarnation.physical.as_str()).map(|id| (*id).clone());
        if let Some(id) = tagged.or_else(named) {
            found.entry(id).or_default().push(incarnation);
        }
    }
    found.into_iter().map(|(id, incarnations)| (id, rank(incarnations, owner))).collect()
}

/// The newest that is not retiring is current. What is not ours counts only if nothing else is there, or if it is a
/// newer revision of a family that is ours.
fn rank(mut incarnations: Vec<Incarnation>, owner: &Owner) -> Incarnations {
    let revisioned = incarnations.iter().any(|i| i.revision.is_some());
    let is_ours = |i: &Incarnation| i.owner().as_ref() == Some(owner);
    if !revisioned && incarnations.iter().any(is_ours) {
        incarnations.retain(is_ours);
    }
    incarnations.sort_by_key(|i| Reverse((!i.retiring(), i.revision, i.generation())));
    let mut incarnations = incarnations.into_iter();
    let first = incarnations.next();
    let (current, retiring) = match first {
        Some(first) if first.retiring() => (None, Some(first)),
        first => (first, None),
    };
    Incarnations { current, others: retiring.into_iter().chain(incarnations).collect() }
}
