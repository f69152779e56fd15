//! Who needs whom: the edges of references, and an order that respects them.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::{Compare, Rules};
use crate::kind::AnyKind;
use crate::resource::{Desired, ResourceId};
use crate::value::reference::{self, Reference};

/// For each resource, the resources that must be there before it.
pub(super) type Edges = BTreeMap<ResourceId, BTreeSet<ResourceId>>;

/// The edges of everything declared: references and `dependsOn`. No edge for a reference to oneself, in a deferrable
/// field, or for a predictable output inside a policy document (D17).
pub(super) fn edges(desired: &Desired, kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>) -> Edges {
    let mut edges = Edges::new();
    for (id, declared) in &desired.resources {
        let mut needs: BTreeSet<ResourceId> = declared.depends_on.iter().cloned().collect();
        let rules = kind_of(&id.kind).map(|kind| &kind.facts().rules);
        reference::each(&declared.spec, "", &mut |path, reference| {
            let target = match reference {
                Reference::Output { id: target, output } => {
                    let soft = rules.is_some_and(|rules| {
                        deferrable(rules, path)
                            || (in_policy(rules, path) && predictable(desired, &target, &output, kind_of))
                    });
                    if soft { None } else { Some(target) }
                }
                Reference::Image(name) => desired.images.get(&name).map(|image| image.repository.clone()),
            };
            needs.extend(target);
        });
        needs.remove(id);
        needs.retain(|need| desired.resources.contains_key(need));
        edges.insert(id.clone(), needs);
    }
    edges
}

/// Whether the path lies in a policy document.
fn in_policy(rules: &Rules, path: &str) -> bool {
    prefixes(path).any(|prefix| rules.at(prefix).is_some_and(|rules| rules.compare == Compare::Policy))
}

fn deferrable(rules: &Rules, path: &str) -> bool {
    prefixes(path).any(|prefix| rules.at(prefix).is_some_and(|rules| rules.deferrable))
}

fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices(['.', '[']).map(|(at, _)| &path[..at]).chain(std::iter::once(path))
}

fn predictable(
    desired: &Desired,
    target: &ResourceId,
    output: &str,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> bool {
    let (Some(declared), Some(kind)) = (desired.resources.get(target), kind_of(&target.kind)) else {
        return false;
    };
    kind.predict(&declared.physical_name, &declared.spec, &desired.place).contains_key(output)
}

/// An order in which each comes after what it needs; the same for the same input. What a cycle holds up comes last, and
/// is named in the second list.
pub(super) fn order(edges: &Edges) -> (Vec<ResourceId>, Vec<ResourceId>) {
    let mut waiting: BTreeMap<&ResourceId, BTreeSet<&ResourceId>> = edges
        .iter()
        .map(|(id, needs)| (id, needs.iter().filter(|need| edges.contains_key(*need)).collect()))
        .collect();
    let mut ordered = Vec::with_capacity(edges.len());
    loop {
        let ready: Vec<&ResourceId> =
            waiting.iter().filter(|(_, needs)| needs.is_empty()).map(|(id, _)| *id).collect();
        if ready.is_empty() {
            break;
        }
        for id in ready {
            waiting.remove(id);
            waiting.values_mut().for_each(|needs| {
                needs.remove(id);
            });
            ordered.push(id.clone());
        }
    }
    let stuck: Vec<ResourceId> = waiting.keys().map(|id| (*id).clone()).collect();
    ordered.extend(stuck.iter().cloned());
    (ordered, stuck)
}
