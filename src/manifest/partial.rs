//! An environment's file with mistakes in it: what can be read of it nevertheless, so that the mistakes in its stacks are
//! told together with its own.

use super::check::{Checker, Fault};
use super::tree::{Data, Entry, Node, Step};

/// What of an environment's file could not be read. Nothing that would follow from it is complained about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsure {
    /// There may be further variables.
    pub variables: bool,
    /// There may be further images.
    pub images: bool,
    /// Account or region are others.
    pub place: bool,
    /// The project is another.
    pub project: bool,
    /// The prefix of names is another.
    pub prefix: bool,
    /// There may be further stacks.
    pub stacks: bool,
}

/// What is wrong may hide more that is wrong, but not without end.
const ROUNDS: usize = 16;

/// A file with more mistakes than this has enough of its own to tell.
const MOST: usize = 1000;

/// The file without what is wrong in it. Nothing, if it does not tell which stacks there are.
pub fn readable(mut tree: Node, checker: &Checker) -> Option<(Node, Unsure)> {
    let mut unsure = Unsure::default();
    for _ in 0..ROUNDS {
        let mut faults = checker.faults(&tree);
        broken(&tree, &mut Vec::new(), &mut faults);
        if faults.is_empty() {
            return Some((tree, unsure));
        }
        if faults.len() > MOST {
            return None;
        }
        faults.sort();
        faults.dedup();
        let is_supplied = |fault: &Fault| matches!(fault, Fault::Missing(path, _) if path.is_empty());
        for Fault::Wrong(path) | Fault::Missing(path, _) in faults.iter().filter(|it| !is_supplied(it)) {
            note(&tree, path, &mut unsure)?;
        }
        // From the back: the items before it keep their places.
        for fault in faults.into_iter().rev() {
            match fault {
                Fault::Missing(path, field) if path.is_empty() => supply(&mut tree, &field, &mut unsure)?,
                Fault::Wrong(path) | Fault::Missing(path, _) => remove(&mut tree, &path),
            }
        }
    }
    None
}

/// What a section that is misspelt may have been.
pub fn may_be_misspelt(tree: &Node, checker: &Checker) -> Unsure {
    let mut unsure = Unsure::default();
    for fault in checker.faults(tree) {
        if let Fault::Wrong(path) = fault
            && path.len() == 1
        {
            note(tree, &path, &mut unsure);
        }
    }
    unsure
}

/// Where a text could not be told. Variables may be broken until somebody uses them, and patches are not replaced yet.
fn broken(node: &Node, path: &mut Vec<Step>, faults: &mut Vec<Fault>) {
    if matches!(node.data, Data::Broken(_)) {
        faults.push(Fault::Wrong(path.clone()));
    }
    for entry in node.entries() {
        let apart = path.is_empty() && matches!(entry.key.as_str(), "variables" | "patches");
        if apart && !matches!(entry.value.data, Data::Broken(_)) {
            continue;
        }
        path.push(Step::Key(entry.key.clone()));
        broken(&entry.value, path, faults);
        path.pop();
    }
    for (index, item) in node.items().iter().enumerate() {
        path.push(Step::Item(index));
        broken(item, path, faults);
        path.pop();
    }
}

/// Puts something in the place of what is missing.
fn supply(tree: &mut Node, field: &str, unsure: &mut Unsure) -> Option<()> {
    let text = match field {
        "project" => "unread",
        "account" => "000000000000",
        "region" => "us-east-1",
        // Without stacks there is nothing to go on with.
        _ => return None,
    };
    match field {
        "project" => unsure.project = true,
        _ => unsure.place = true,
    }
    let value = Node::new(Data::Text(text.to_owned()), tree.span);
    let Data::Map(fields) = &mut tree.data else { return None };
    fields.entries_mut().push(Entry { key: field.to_owned(), at: value.span, value });
    Some(())
}

/// Notes what is not known without the value at a path. Nothing, if that is everything.
fn note(tree: &Node, path: &[Step], unsure: &mut Unsure) -> Option<()> {
    let Step::Key(section) = path.first()? else { return None };
    match section.as_str() {
        "variables" => unsure.variables = true,
        "images" => unsure.images = true,
        "account" | "region" => unsure.place = true,
        "namePrefix" => unsure.prefix = true,
        "stacks" => unsure.stacks = true,
        "project" => unsure.project = true,
        "tags" | "patches" | "limits" | "allowDelete" | "existing" | "outputs" => {}
        // Misspelt, it may be any of those that are not there.
        _ => {
            let lacks = |name: &str| tree.get(name).is_none();
            unsure.variables |= lacks("variables");
            unsure.images |= lacks("images");
            unsure.prefix |= lacks("namePrefix");
        }
    }
    Some(())
}

fn remove(node: &mut Node, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else { return };
    match (&mut node.data, step) {
        (Data::Map(fields), Step::Key(key)) if rest.is_empty() => {
            fields.entries_mut().retain(|entry| entry.key != *key);
        }
        (Data::List(items), Step::Item(index)) if rest.is_empty() && *index < items.len() => {
            items.remove(*index);
        }
        (Data::Map(fields), Step::Key(key)) => {
            if let Some(entry) = fields.entries_mut().iter_mut().find(|entry| entry.key == *key) {
                remove(&mut entry.value, rest);
            }
        }
        (Data::List(items), Step::Item(index)) => {
            if let Some(item) = items.get_mut(*index) {
                remove(item, rest);
            }
        }
        _ => {}
    }
}
