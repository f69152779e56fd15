//! Which values of a manifest are masked, and are repeated by nothing that is said of it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::nearest::nearest;
use super::source::{Hidden, Span};
use super::tree::{Data, Node};
use crate::diff::{Cover, Rules};
use crate::kinds::{self, KINDS};

/// Fields that some kind masks: where nobody knows what stands where, their names tell.
static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    KINDS.iter().for_each(|kind| masked_fields(&kind.facts().rules, &mut names));
    names
});

fn masked_fields(rules: &Rules, names: &mut BTreeSet<String>) {
    for (name, field) in &rules.fields {
        if field.sensitive {
            names.insert(name.clone());
        } else {
            masked_fields(field, names);
        }
    }
    rules.items.iter().chain(&rules.values).for_each(|inner| masked_fields(inner, names));
}

/// Marks what is masked in a document. Asked before variables are replaced, so that what is wrong with them is told accordingly, and
/// again of what they brought.
pub fn mark(document: &mut Node) {
    let kind = document.get("kind").and_then(Node::text).and_then(kinds::kind);
    let Data::Map(fields) = &mut document.data else { return };
    // Our own settings hold no values that are masked.
    for entry in fields.entries_mut().iter_mut().filter(|entry| entry.key != "metadata") {
        let cover = match kind.filter(|_| entry.key == "spec") {
            Some(kind) => Cover::of(&kind.facts().rules, &kind.facts().free),
            None => within(Cover::unknown(&kinds::FREE), &entry.key),
        };
        cover_up(&mut entry.value, cover);
    }
}

/// Marks what is masked in the patches of an environment's file.
pub fn mark_patches(file: &mut Node) {
    let Data::Map(fields) = &mut file.data else { return };
    for entry in fields.entries_mut().iter_mut().filter(|entry| entry.key == "patches") {
        cover_up(&mut entry.value, Cover::unknown(&kinds::FREE));
    }
}

fn within<'r>(cover: Cover<'r>, field: &str) -> Cover<'r> {
    let inside = cover.field(field);
    // Misspelt, it holds what it would hold.
    let is_like = || nearest(field, NAMES.iter().map(String::as_str)).is_some();
    if inside.is_unknown() && (NAMES.contains(field) || is_like()) { inside.masked() } else { inside }
}

fn cover_up(node: &mut Node, cover: Cover<'_>) {
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(|item| cover_up(item, cover.item())),
        Data::Map(fields) => {
            for entry in fields.entries_mut() {
                cover_up(&mut entry.value, within(cover, &entry.key));
            }
        }
        data => node.masked |= cover.hides(matches!(data, Data::Text(_) | Data::Broken(_))),
    }
}

/// Where masked values are written, and what they are.
pub fn hidden(node: &Node, found: &mut Vec<Hidden>) {
    node.items().iter().for_each(|item| hidden(item, found));
    node.entries().iter().for_each(|entry| hidden(&entry.value, found));
    let (true, Some(value)) = (node.masked, node.written()) else { return };
    let last = node.last_line.max(node.span.line);
    found.push(Hidden { span: node.span, last, value: value.to_owned() });
    if let Some(via) = node.via.as_deref().copied() {
        let last = via.line + value.lines().count();
        let last = if via.width == Span::OVER_LINES { last } else { via.line };
        found.push(Hidden { span: via, last, value: String::new() });
    }
}
