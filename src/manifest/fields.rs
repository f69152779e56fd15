//! The entries of a mapping, of which any number is found by name in the same time.

use std::cell::OnceCell;
use std::ops::Deref;

use super::tree::Entry;

/// The entries of a mapping, in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    entries: Vec<Entry>,
    /// Made when one of many is looked up: whoever looks one up often looks up all. Boxed, as there are more small mappings than
    /// large ones.
    by_key: OnceCell<Box<ByKey>>,
}

/// Where the entries stand, in the order of their keys.
#[derive(Debug, Clone)]
struct ByKey(Vec<usize>);

/// Fewer are looked through.
const MANY: usize = 32;

impl Fields {
    /// The first entry with this key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        if self.entries.len() < MANY {
            return self.entries.iter().find(|entry| entry.key == key);
        }
        let key_at = |at: &usize| self.entries.get(*at).map(|entry| entry.key.as_str());
        let ByKey(order) = &**self.by_key.get_or_init(|| {
            let mut order: Vec<usize> = (0..self.entries.len()).collect();
            order.sort_by_key(key_at);
            Box::new(ByKey(order))
        });
        let first = order.partition_point(|at| key_at(at) < Some(key));
        self.entries.get(*order.get(first)?).filter(|entry| entry.key == key)
    }

    /// The entries, to be changed.
    pub fn entries_mut(&mut self) -> &mut Vec<Entry> {
        self.by_key.take();
        &mut self.entries
    }
}

impl From<Vec<Entry>> for Fields {
    fn from(entries: Vec<Entry>) -> Self {
        Self { entries, by_key: OnceCell::new() }
    }
}

impl Deref for Fields {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.entries
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Span;
    use super::super::tree::{Data, Node};
    use super::*;

    fn entry(key: &str, line: usize) -> Entry {
        let at = Span { line, ..Span::default() };
        Entry { key: key.to_owned(), at, value: Node::new(Data::Null, at) }
    }

    #[test]
    fn the_first_of_a_name_is_found_among_few_and_among_many_also_after_a_change() {
        for count in [0, 1, MANY - 1, MANY, 1000] {
            let mut fields =
                Fields::from((0..count).rev().map(|n| entry(&n.to_string(), n)).collect::<Vec<_>>());
            for change in 0..2 {
                for n in 0..count {
                    assert_eq!(
                        fields.entry(&n.to_string()).map(|it| it.at.line),
                        Some(n),
                        "{count} {change}"
                    );
                }
                assert_eq!(fields.entry(""), None);
                assert_eq!(fields.entry("x").map(|it| it.at.line), (change == 1).then_some(7));
                fields.entries_mut().insert(0, entry("x", 7));
                fields.entries_mut().push(entry("x", 8));
            }
        }
    }
}
