//! Merge patches of an environment on manifests (RFC 7396): `null` removes, a list is replaced whole (D5).

use super::tree::{Data, Entry, Node};

/// The patched value. Places follow the values: what the patch brings stands in the environment's file.
pub fn merge(target: &Node, patch: &Node) -> Node {
    let Data::Map(changes) = &patch.data else { return patch.clone() };
    let mut entries: Vec<Entry> = target.entries().to_vec();
    for change in changes {
        let index = entries.iter().position(|entry| entry.key == change.key);
        match (index, &change.value.data) {
            (Some(index), Data::Null) => {
                entries.remove(index);
            }
            (None, Data::Null) => {}
            (Some(index), _) => {
                if let Some(entry) = entries.get_mut(index) {
                    let both =
                        matches!((&entry.value.data, &change.value.data), (Data::Map(_), Data::Map(_)));
                    let at = if both { entry.at } else { change.at };
                    *entry = Entry { key: change.key.clone(), at, value: merge(&entry.value, &change.value) };
                }
            }
            (None, _) => {
                let empty = Node::new(Data::Map(Vec::new()), change.value.span);
                entries.push(Entry { value: merge(&empty, &change.value), ..change.clone() });
            }
        }
    }
    let span = if matches!(target.data, Data::Map(_)) { target.span } else { patch.span };
    Node::new(Data::Map(entries), span)
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
