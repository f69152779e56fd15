//! Who needs whom: what references say about the order of resources, and orders that respect it.

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::ResourceId;

/// For each resource, a set of others.
pub type Edges = BTreeMap<ResourceId, BTreeSet<ResourceId>>;

/// For each that is needed, those that need it.
pub fn reversed(edges: &Edges) -> Edges {
    let mut reversed = Edges::new();
    for (id, needs) in edges {
        for need in needs {
            reversed.entry(need.clone()).or_default().insert(id.clone());
        }
    }
    reversed
}

/// An order in which each comes after what it needs; the same for the same input. What a cycle holds up comes last, and
/// is named in the second list.
pub fn order(edges: &Edges) -> (Vec<ResourceId>, Vec<ResourceId>) {
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
pub fn components(edges: &Edges) -> BTreeMap<&ResourceId, usize> {
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
