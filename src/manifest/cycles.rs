//! Resources that wait for each other: an order of creation does not exist.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::error::Complaint;
use super::source::Span;
use crate::resource::ResourceId;

/// One resource needs another to exist first.
#[derive(Debug, Clone, Copy)]
pub struct Edge<'a> {
    /// What needs.
    pub from: &'a ResourceId,
    /// What is needed.
    pub to: &'a ResourceId,
    /// Where that is said.
    pub span: Span,
}

type Graph<'a> = BTreeMap<&'a ResourceId, Vec<Edge<'a>>>;

/// A complaint for each knot of resources, showing its shortest cycle.
pub fn find(edges: &[Edge<'_>]) -> Vec<Complaint> {
    let mut graph: Graph<'_> = BTreeMap::new();
    for edge in edges {
        graph.entry(edge.from).or_default().push(*edge);
    }
    let mut complaints = Vec::new();
    loop {
        prune(&mut graph);
        let Some(start) = graph.keys().next().copied() else { return complaints };
        match graph.keys().find_map(|start| cycle(&graph, start)) {
            Some(cycle) => {
                for edge in &cycle {
                    graph.remove(edge.from);
                }
                complaints.push(complaint(&cycle));
            }
            None => {
                graph.remove(start);
            }
        }
    }
}

/// Removes what waits for nothing that waits, and what nothing waits for: neither is in a cycle.
fn prune(graph: &mut Graph<'_>) {
    let mut before: BTreeMap<&ResourceId, BTreeSet<&ResourceId>> = BTreeMap::new();
    let mut after: BTreeMap<&ResourceId, BTreeSet<&ResourceId>> = BTreeMap::new();
    for edge in graph.values().flatten() {
        after.entry(edge.from).or_default().insert(edge.to);
        after.entry(edge.to).or_default();
        before.entry(edge.to).or_default().insert(edge.from);
        before.entry(edge.from).or_default();
    }
    let ends = |id: &&ResourceId| {
        after.get(*id).is_none_or(BTreeSet::is_empty) || before.get(*id).is_none_or(BTreeSet::is_empty)
    };
    let mut open: Vec<&ResourceId> = after.keys().copied().filter(ends).collect();
    while let Some(id) = open.pop() {
        let gone = (after.remove(id).unwrap_or_default(), before.remove(id).unwrap_or_default());
        for next in gone.0 {
            open.extend(without(&mut before, next, id));
        }
        for previous in gone.1 {
            open.extend(without(&mut after, previous, id));
        }
    }
    graph.retain(|id, edges| {
        edges.retain(|edge| after.contains_key(edge.to));
        after.contains_key(id) && !edges.is_empty()
    });
}

/// Takes `gone` off the neighbours of `id`; `id`, if it was the last.
fn without<'a>(
    neighbours: &mut BTreeMap<&'a ResourceId, BTreeSet<&'a ResourceId>>,
    id: &'a ResourceId,
    gone: &ResourceId,
) -> Option<&'a ResourceId> {
    let set = neighbours.get_mut(id)?;
    (set.remove(gone) && set.is_empty()).then_some(id)
}

/// The shortest way from a resource back to itself.
fn cycle<'a>(graph: &Graph<'a>, start: &'a ResourceId) -> Option<Vec<Edge<'a>>> {
    let mut came: BTreeMap<&ResourceId, Edge<'a>> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for edge in graph.get(at).into_iter().flatten() {
            if edge.to == start {
                let mut way = vec![*edge];
                let mut back = at;
                while back != start {
                    let step = came.get(back)?;
                    way.push(*step);
                    back = step.from;
                }
                way.reverse();
                return Some(way);
            }
            if !came.contains_key(edge.to) {
                came.insert(edge.to, *edge);
                queue.push_back(edge.to);
            }
        }
    }
    None
}

fn complaint(cycle: &[Edge<'_>]) -> Complaint {
    let mut names: Vec<String> = cycle.iter().map(|edge| edge.from.to_string()).collect();
    names.extend(cycle.first().map(|edge| edge.from.to_string()));
    let first = cycle.first();
    let message = match cycle.len() {
        1 => format!("a resource can't wait for itself: {}", names.join(" → ")),
        _ => format!("these resources wait for each other: {}", names.join(" → ")),
    };
    let needs = |edge: &Edge<'_>| format!("`{}` needs `{}`", edge.from.name, edge.to.name);
    let mut complaint = Complaint::new(first.map(|edge| edge.span).unwrap_or_default(), message);
    complaint.label = first.map(needs).unwrap_or_default().into();
    for edge in cycle.iter().skip(1) {
        complaint = complaint.related(edge.span, needs(edge));
    }
    complaint.help("remove one of these references, or write that name out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(&str, &str)]) -> Vec<String> {
        let ids: Vec<(ResourceId, ResourceId)> =
            pairs.iter().map(|(a, b)| (ResourceId::new("x/Y", *a), ResourceId::new("x/Y", *b))).collect();
        let edges: Vec<Edge<'_>> =
            ids.iter().map(|(from, to)| Edge { from, to, span: Span::default() }).collect();
        find(&edges).into_iter().map(|complaint| complaint.message.replace("x/Y/", "")).collect()
    }

    #[test]
    fn the_shortest_cycle_of_each_knot_is_named() {
        assert_eq!(found(&[("a", "b"), ("b", "c"), ("a", "c")]), Vec::<String>::new());
        assert_eq!(found(&[("a", "a")]), ["a resource can't wait for itself: a → a"]);
        let knots = [("a", "b"), ("b", "c"), ("c", "a"), ("b", "a"), ("z", "a"), ("p", "q"), ("q", "p")];
        assert_eq!(
            found(&knots),
            [
                "these resources wait for each other: a → b → a",
                "these resources wait for each other: p → q → p"
            ]
        );
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let names: Vec<String> = (0..20_000).map(|n| format!("n{n:05}")).collect();
        let mut pairs: Vec<(&str, &str)> = names.windows(2).map(|w| (w[1].as_str(), w[0].as_str())).collect();
        assert_eq!(found(&pairs), Vec::<String>::new());
        pairs.truncate(50);
        pairs.push(("n00000", "n00050"));
        assert_eq!(found(&pairs).len(), 1);
    }
}
