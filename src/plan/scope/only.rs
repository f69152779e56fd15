//! A part of an environment: some resources, and what they need (`--only`).

use std::collections::BTreeSet;

use crate::plan::scope::references::Links;
use crate::resource::ResourceId;

/// These resources and everything that they need. All of the environment, if none is named.
pub fn part(only: Option<&BTreeSet<ResourceId>>, links: &Links) -> BTreeSet<ResourceId> {
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
