//! Merge patches of an environment on manifests (RFC 7396): `null` removes, a list is replaced whole (D5).

use super::fields::Fields;
use super::tree::{Data, Entry, Node};

/// The patched value. Places follow the values: what the patch brings stands in the environment's file.
pub fn merge(target: &Node, patch: &Node) -> Node {
    let Data::Map(changes) = &patch.data else { return patch.clone() };
    let mut entries: Vec<Entry> = Vec::new();
    for entry in target.entries() {
        match changes.entry(&entry.key) {
            Some(Entry { value: Node { data: Data::Null, .. }, .. }) => {}
            Some(change) => {
                let both = matches!((&entry.value.data, &change.value.data), (Data::Map(_), Data::Map(_)));
                let at = if both { entry.at } else { change.at };
                let value = merge(&entry.value, &change.value);
                entries.push(Entry { key: change.key.clone(), at, value });
            }
            None => entries.push(entry.clone()),
        }
    }
    for change in changes.iter().filter(|change| !matches!(change.value.data, Data::Null)) {
        if target.entry(&change.key).is_none() {
            let empty = Node::new(Data::Map(Fields::default()), change.value.span);
            entries.push(Entry { value: merge(&empty, &change.value), ..change.clone() });
        }
    }
    let span = if matches!(target.data, Data::Map(_)) { target.span } else { patch.span };
    Node::new(Data::Map(entries.into()), span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse::parse;
    use crate::manifest::source::Sources;

    fn node(text: &str) -> Node {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml".into(), text.into());
        parse(file, &mut sources).documents.remove(0)
    }

    #[test]
    fn null_removes_lists_are_replaced_and_mappings_merge() {
        let target = node("{a: {b: 1, c: 2}, list: [1, 2], gone: 1}");
        let patch = node("{a: {c: 3, d: {e: null, f: 4}}, list: [9], gone: null, never: null}");
        let merged = merge(&target, &patch).to_json();
        assert_eq!(merged.to_string(), r#"{"a":{"b":1,"c":3,"d":{"f":4}},"list":[9]}"#);
    }
}
