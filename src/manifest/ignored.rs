//! Paths of `metadata.ignore`, and the fields that they name.

use super::error::Complaint;
use super::nearest::did_you_mean;
use super::tree::Node;
use crate::diff::{Compare, Rules};

/// `ignore` that matches no field would silently ignore nothing.
pub fn ignored(tree: &Node, rules: &Rules) -> Vec<Complaint> {
    let list = tree.get("metadata").and_then(|it| it.get("ignore")).map(Node::items).unwrap_or_default();
    let unknown = |item: &&Node| item.literal().is_some_and(|path| !leads_somewhere(path, rules));
    let mut fields = Vec::new();
    paths(rules, "", 0, &mut fields);
    let complaint = |item: &Node| {
        let path = item.text().unwrap_or_default();
        Complaint::new(item.span, format!("`{path}` is no field of this kind"))
            .label("expected a field path, such as computeResources.maxvCpus")
            .help_if(items_of(path, rules).or_else(|| did_you_mean(path, fields.iter().map(String::as_str))))
    };
    list.iter().filter(unknown).map(complaint).collect()
}

/// Whether a difference may have this path, or one below it: fields, and the items of lists that are compared item by item,
/// by their key or one after the other.
fn leads_somewhere(path: &str, rules: &Rules) -> bool {
    let mut rules = rules;
    for step in path.split('.') {
        let (name, items) = step.split_once('[').map_or((step, None), |(name, items)| (name, Some(items)));
        let field = rules.fields.get(name).or(rules.values.as_deref()).filter(|_| !name.is_empty());
        let Some(field) = field else { return false };
        rules = field;
        let Some(items) = items else { continue };
        let Some(items) = items.strip_suffix(']') else { return false };
        for item in items.split("][") {
            let is_known = match &rules.compare {
                Compare::Keyed(_) => !item.is_empty() && !item.contains(['[', ']']),
                Compare::Plain => is_of_objects(rules) && item.parse::<usize>().is_ok(),
                _ => false,
            };
            let Some(inner) = rules.items.as_deref().filter(|_| is_known) else { return false };
            rules = inner;
        }
    }
    true
}

fn is_of_objects(list: &Rules) -> bool {
    list.items.as_deref().is_some_and(|item| !item.fields.is_empty())
}

/// How the items of the list are told that a path names wrongly, if it is a list.
fn items_of(path: &str, rules: &Rules) -> Option<String> {
    let (list, _) = path.split_once('[')?;
    if path.split_inclusive(']').next().is_some_and(|first| leads_somewhere(first, rules)) {
        return None;
    }
    let rules = rules.at(list).filter(|rules| rules.items.is_some())?;
    Some(match &rules.compare {
        Compare::Keyed(key) => format!("an item is told by its {key}, as `{list}[<{key}>]`"),
        Compare::Plain if is_of_objects(rules) => format!("an item is told by its place, as `{list}[0]`"),
        _ => format!("its items are compared as a whole: ignore `{list}`"),
    })
}

fn paths(rules: &Rules, above: &str, depth: usize, into: &mut Vec<String>) {
    if depth > 4 {
        return;
    }
    for (name, field) in &rules.fields {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        paths(field, &path, depth + 1, into);
        into.push(path);
    }
}
