//! Which values of a manifest are masked, and are repeated by nothing that is said of it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::check::Checker;
use super::document;
use super::environment;
use super::nearest::nearest;
use super::source::{Hidden, Span};
use super::tree::{Data, Entry, Node, Via};
use crate::diff::{Cover, Rules};
use crate::kinds::{self, KINDS};

/// Fields that some kind masks: where nobody knows what stands where, their names tell.
static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    KINDS.iter().for_each(|kind| masked_fields(&kind.facts().rules, &mut names, &mut |_| {}));
    names
});

/// Fields inside of those.
static INSIDE: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut inside = BTreeSet::new();
    for kind in KINDS {
        masked_fields(&kind.facts().rules, &mut BTreeSet::new(), &mut |field| all_fields(field, &mut inside));
    }
    inside
});

/// All that our documents name: fields and kinds.
static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut words: BTreeSet<String> = KINDS.iter().map(|kind| kind.facts().name.to_owned()).collect();
    KINDS.iter().for_each(|kind| all_fields(&kind.facts().rules, &mut words));
    [document::checker(), environment::checker()].iter().for_each(|it| all_fields(it.rules(), &mut words));
    words
});

fn masked_fields(rules: &Rules, names: &mut BTreeSet<String>, see: &mut dyn FnMut(&Rules)) {
    for (name, field) in &rules.fields {
        if field.sensitive {
            names.insert(name.clone());
            see(field);
        } else {
            masked_fields(field, names, see);
        }
    }
    rules.items.iter().chain(&rules.values).for_each(|inner| masked_fields(inner, names, see));
}

fn all_fields(rules: &Rules, names: &mut BTreeSet<String>) {
    for (name, field) in &rules.fields {
        names.insert(name.clone());
        all_fields(field, names);
    }
    rules.items.iter().chain(&rules.values).for_each(|inner| all_fields(inner, names));
}

/// Whether a text is the name of a field or a kind, which is no secret wherever it stands.
pub fn is_a_word(text: &str) -> bool {
    WORDS.contains(text)
}

/// Marks what is masked in a document. Asked before variables are replaced, so that what is wrong with them is told accordingly, and
/// again of what they brought.
pub fn mark(document: &mut Node) {
    let kind = document.get("kind").and_then(Node::text).and_then(kinds::kind);
    let fields = match &mut document.data {
        Data::Map(fields) => fields,
        _ => return cover_whole(document),
    };
    let envelope = document::checker();
    for entry in fields.entries_mut() {
        let cover = match (entry.key.as_str(), kind) {
            // Our own settings hold no values that are masked, and what is none of them may be anything.
            ("metadata", _) => {
                mark_strange(&mut entry.value, envelope, "metadata");
                continue;
            }
            ("spec", Some(kind)) => Cover::of(&kind.facts().rules, &kind.facts().free),
            (key, _) if is_strange(key, envelope, "") => {
                cover_whole(&mut entry.value);
                continue;
            }
            (key, _) => within(Cover::unknown(&kinds::FREE), key),
        };
        cover_up(&mut entry.value, cover);
    }
}

/// Marks what is masked in an environment's file: in its patches, and where they or the variables may be meant.
pub fn mark_environment(file: &mut Node) {
    mark_strange(file, environment::checker(), "");
    let Data::Map(fields) = &mut file.data else { return };
    for entry in fields.entries_mut() {
        let is_like = |name: &str| entry.key != name && nearest(&entry.key, [name]).is_some();
        let cover = match entry.key.as_str() {
            "patches" => Cover::unknown(&kinds::FREE),
            key if !is_a_word(key) && (is_like("patches") || is_like("variables")) => {
                Cover::unknown(&kinds::FREE).masked()
            }
            _ => continue,
        };
        cover_up(&mut entry.value, cover);
    }
}

/// Masks the fields of a mapping of ours that it does not have.
fn mark_strange(node: &mut Node, checker: &Checker, at: &str) {
    let Data::Map(fields) = &mut node.data else { return };
    for entry in fields.entries_mut().iter_mut().filter(|entry| is_strange(&entry.key, checker, at)) {
        cover_whole(&mut entry.value);
    }
}

/// Masks a value that may be anything, from its beginning to its end: it may hold more values than are to be remembered one by one.
fn cover_whole(node: &mut Node) {
    cover_up(node, Cover::unknown(&kinds::FREE).masked());
    node.masked = true;
}

/// Whether there is no field of this name, and none that may be meant.
fn is_strange(key: &str, checker: &Checker, at: &str) -> bool {
    let Some(rules) = checker.rules().at(at) else { return true };
    !rules.fields.contains_key(key) && nearest(key, rules.fields.keys().map(String::as_str)).is_none()
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
            // Only in what is masked `name` is covered as it is, and its text shown.
            let name = cover.field("name");
            let is_masked = name.hides(false) && !name.hides(true);
            let mut has_slipped = false;
            for entry in fields.entries_mut() {
                let mut inside = within(cover, &entry.key);
                // Behind a masked field that holds nothing, what is not indented may be meant for it.
                if has_slipped && inside.is_unknown() {
                    inside = inside.masked();
                }
                has_slipped |= entry.value.data == Data::Null && inside.hides(true);
                entry.value.key_masked |= is_masked && !may_be_inside(&entry.key);
                cover_up(&mut entry.value, inside);
            }
        }
        data => node.masked |= cover.hides(matches!(data, Data::Text(_) | Data::Broken(_))),
    }
}

/// Whether a key is, or is like, one that a masked field holds.
fn may_be_inside(key: &str) -> bool {
    INSIDE.contains(key) || nearest(key, INSIDE.iter().map(String::as_str)).is_some()
}

/// Where masked values are written, and what they are.
pub fn hidden(node: &Node, found: &mut Vec<Hidden>) {
    let whole = |span: Span, last: usize| Hidden { span, last: last.max(span.line), value: String::new() };
    // What a variable brings is written elsewhere.
    let is_whole =
        |node: &Node| node.masked && node.via.is_none() && matches!(node.data, Data::List(_) | Data::Map(_));
    if is_whole(node) {
        return found.push(whole(Span { width: Span::OVER_LINES, ..node.span }, node.ends()));
    }
    node.items().iter().for_each(|item| hidden(item, found));
    for Entry { key, at, value } in node.entries() {
        if value.key_masked {
            found.push(Hidden { span: *at, last: at.line, value: key.clone() });
        }
        if is_whole(value) {
            found.push(whole(at.rest(), value.ends()));
            continue;
        }
        // An anchor or a comment may stand there.
        if value.masked && (value.data == Data::Null || value.span.line != at.line) {
            found.push(whole(at.rest(), at.line));
        }
        hidden(value, found);
    }
    let (true, Some(value)) = (node.masked, node.written()) else { return };
    let last = node.last_line.max(node.span.line);
    found.push(Hidden { span: node.span, last, value: value.to_owned() });
    let mut via = node.via.as_deref();
    while let Some(Via { span, last_line, before, .. }) = via {
        let over_lines = span.line + value.lines().count();
        let last = if span.width == Span::OVER_LINES { over_lines.max(*last_line) } else { span.line };
        found.push(Hidden { span: *span, last, value: String::new() });
        via = before.as_deref();
    }
}
