//! Who needs whom: what references say about the order of resources, and orders that respect it.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::{Stands, texts};
use crate::kind::{AnyKind, Identity};
use crate::resource::{Declared, Desired, ResourceId};
use crate::value::reference::{self, Reference};

/// For each resource, a set of others.
pub(super) type Edges = BTreeMap<ResourceId, BTreeSet<ResourceId>>;

/// What the references of an environment say about order (D17).
pub(super) struct Links {
    /// What must be there before it: references and `dependsOn`.
    pub needs: Edges,
    /// What must be there for AWS to take all that it says, itself included: a rule for another group, a principal of a policy.
    /// Where resources wait for each other, it is made without, and told the rest afterwards.
    pub weak: Edges,
    /// What it names by a text that is known beforehand: an ARN that a policy allows to be used. Nothing waits for it.
    pub named: Edges,
}

impl Links {
    /// The links of everything declared.
    pub fn of(desired: &Desired, kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>) -> Self {
        let predicted = predicted(desired, kind_of);
        let arns: BTreeMap<&str, &ResourceId> =
            predicted.iter().filter_map(|(id, outputs)| Some((outputs.get("arn")?.as_str(), id))).collect();
        let mut links = Self { needs: Edges::new(), weak: Edges::new(), named: Edges::new() };
        for (id, declared) in &desired.resources {
            let mut found = Found::default();
            let rules = kind_of(&id.kind).map(|kind| &kind.facts().rules);
            texts(&declared.spec, rules, Stands::Alone, &mut |stands, text| {
                for reference in reference::references(text) {
                    match reference {
                        Reference::Output { id: target, output } => {
                            let known = || predicted.get(&target).is_some_and(|it| it.contains_key(&output));
                            found.add(stands, known, target.clone());
                        }
                        Reference::Image(name) => {
                            found
                                .needs
                                .extend(desired.images.get(&name).map(|image| image.repository.clone()));
                        }
                    }
                }
                if let (Stands::AsPrincipal, Some(target)) = (stands, arns.get(text)) {
                    found.weak.insert((*target).clone());
                }
            });
            found.needs.extend(declared.depends_on.iter().cloned());
            found.needs.remove(id);
            // A revision can't be told the rest afterwards.
            if kind_of(&id.kind).is_some_and(|kind| kind.facts().identity == Identity::Revisioned) {
                found.needs.append(&mut found.weak);
            }
            for (edges, targets) in [
                (&mut links.needs, found.needs),
                (&mut links.weak, found.weak),
                (&mut links.named, found.named),
            ] {
                let declared = targets.into_iter().filter(|target| desired.resources.contains_key(target));
                edges.insert(id.clone(), declared.collect());
            }
        }
        links
    }

    /// What names a resource, in whatever way.
    pub fn naming(&self, id: &ResourceId) -> BTreeSet<&ResourceId> {
        let all = [&self.needs, &self.weak, &self.named];
        let naming = all.into_iter().flatten().filter(|(_, targets)| targets.contains(id));
        naming.map(|(user, _)| user).filter(|user| *user != id).collect()
    }

    /// Whether one names another in a way that lets it be compared before the other is.
    pub fn looks_ahead(&self, changed: &dyn Fn(&ResourceId) -> bool) -> bool {
        self.weak.values().chain(self.named.values()).flatten().any(changed)
    }
}

#[derive(Default)]
struct Found {
    needs: BTreeSet<ResourceId>,
    weak: BTreeSet<ResourceId>,
    named: BTreeSet<ResourceId>,
}

impl Found {
    fn add(&mut self, stands: Stands, known: impl Fn() -> bool, target: ResourceId) {
        match stands {
            Stands::Deferrable | Stands::AsPrincipal => self.weak.insert(target),
            Stands::InPolicy if known() => self.named.insert(target),
            Stands::InPolicy | Stands::Alone => self.needs.insert(target),
        };
    }
}

/// What follows from names alone, of everything declared.
pub(super) fn predicted(
    desired: &Desired,
    kind_of: &dyn Fn(&str) -> Option<&'static dyn AnyKind>,
) -> BTreeMap<ResourceId, BTreeMap<String, String>> {
    let outputs = |declared: &Declared| {
        let kind = kind_of(&declared.id.kind)?;
        Some((declared.id.clone(), kind.predict(&declared.physical_name, &declared.spec, &desired.place)))
    };
    desired.resources.values().filter_map(outputs).collect()
}

/// An order in which each comes after what it needs; the same for the same input. What a cycle holds up comes last, and
/// is named in the second list.
pub(super) fn order(edges: &Edges) -> (Vec<ResourceId>, Vec<ResourceId>) {
    let mut waits: BTreeMap<&ResourceId, usize> = BTreeMap::new();
    let mut users: BTreeMap<&ResourceId, Vec<&ResourceId>> = BTreeMap::new();
    for (id, needs) in edges {
        let needs = needs.iter().filter(|need| edges.contains_key(*need));
        waits.insert(id, needs.clone().count());
        needs.for_each(|need| users.entry(need).or_default().push(id));
    }
    let mut ordered = Vec::with_capacity(edges.len());
    let mut ready: BTreeSet<&ResourceId> =
        waits.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
    while !ready.is_empty() {
        let mut next = BTreeSet::new();
        for id in ready {
            waits.remove(id);
            ordered.push(id.clone());
            for user in users.get(id).into_iter().flatten().copied() {
                if let Some(count) = waits.get_mut(user) {
                    *count -= 1;
                    if *count == 0 {
                        next.insert(user);
                    }
                }
            }
        }
        ready = next;
    }
    let stuck: Vec<ResourceId> = waits.keys().map(|id| (*id).clone()).collect();
    ordered.extend(stuck.iter().cloned());
    (ordered, stuck)
}

/// Which resources wait for each other, directly or by way of others: those of one number do. Alone with its number is what
/// waits for nobody who waits for it. (Tarjan's algorithm, without recursion.)
pub(super) fn components(edges: &Edges) -> BTreeMap<&ResourceId, usize> {
    struct Seen {
        index: usize,
        low: usize,
        open: bool,
    }
    let next = |id: &ResourceId| edges.get(id).into_iter().flatten();
    let (mut seen, mut open, mut found) = (BTreeMap::<&ResourceId, Seen>::new(), Vec::new(), BTreeMap::new());
    let mut number = 0;
    for start in edges.keys() {
        if seen.contains_key(start) {
            continue;
        }
        let mut way = vec![(start, next(start))];
        open.push(start);
        let index = seen.len();
        seen.insert(start, Seen { index, low: index, open: true });
        while let Some((id, needs)) = way.last_mut() {
            let id = *id;
            if let Some((need, _)) = needs.next().and_then(|need| edges.get_key_value(need)) {
                match seen.get(need) {
                    None => {
                        let index = seen.len();
                        seen.insert(need, Seen { index, low: index, open: true });
                        open.push(need);
                        way.push((need, next(need)));
                    }
                    Some(Seen { index, open: true, .. }) => {
                        let index = *index;
                        if let Some(seen) = seen.get_mut(id) {
                            seen.low = seen.low.min(index);
                        }
                    }
                    Some(_) => {}
                }
                continue;
            }
            way.pop();
            let (index, low) = seen.get(id).map(|seen| (seen.index, seen.low)).unwrap_or_default();
            if let Some(parent) = way.last().and_then(|(parent, _)| seen.get_mut(*parent)) {
                parent.low = parent.low.min(low);
            }
            if low == index {
                while let Some(member) = open.pop() {
                    found.insert(member, number);
                    if let Some(seen) = seen.get_mut(member) {
                        seen.open = false;
                    }
                    if member == id {
                        break;
                    }
                }
                number += 1;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(&str, &[&str])]) -> Edges {
        let id = |name: &&str| ResourceId::new("x/Y", *name);
        pairs.iter().map(|(from, to)| (id(from), to.iter().map(id).collect())).collect()
    }

    fn rings(pairs: &[(&str, &[&str])]) -> Vec<String> {
        let edges = edges(pairs);
        let mut rings: BTreeMap<usize, String> = BTreeMap::new();
        for (id, number) in components(&edges) {
            rings.entry(number).or_default().push_str(&id.name);
        }
        let mut rings: Vec<String> = rings.into_values().collect();
        rings.sort();
        rings
    }

    #[test]
    fn what_waits_for_each_other_is_one_component() {
        let two = [("a", &["b"][..]), ("b", &["a", "c"]), ("c", &[]), ("d", &["c", "a"])];
        assert_eq!(rings(&two), ["ab", "c", "d"]);
        let crossed = [
            ("a", &["b"][..]),
            ("b", &["c"]),
            ("c", &["a", "d"]),
            ("d", &["e"]),
            ("e", &["d"]),
            ("f", &["f"]),
        ];
        assert_eq!(rings(&crossed), ["abc", "de", "f"]);
        let eight = [("a", &["b", "c"][..]), ("b", &["d"]), ("c", &["d"]), ("d", &["a"]), ("e", &["a"])];
        assert_eq!(rings(&eight), ["abcd", "e"]);
    }

    #[test]
    fn an_order_comes_in_rounds_and_names_what_is_stuck() {
        let edges =
            edges(&[("a", &["d"]), ("b", &[]), ("c", &["b"]), ("d", &["b", "elsewhere"]), ("e", &["e"])]);
        let (ordered, stuck) = order(&edges);
        let names = |ids: &[ResourceId]| ids.iter().map(|id| id.name.clone()).collect::<String>();
        assert_eq!((names(&ordered).as_str(), names(&stuck).as_str()), ("bcdae", "e"));
    }
}
