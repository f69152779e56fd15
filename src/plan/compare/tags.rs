//! The tags that a resource is to carry, and how they differ.

use serde_json::Value;

use crate::diff::{ChangeRule, FieldChange};
use crate::kind::Ownership;
use crate::resource::{
    COMMIT_TAG, Declared, GENERATION_TAG, Incarnation, NAME_TAG, ON_DELETE_TAG, OWNER_TAG, OnDelete, Owner,
    PROTECT_TAG, RETIRING_TAG, STACK_TAG, Tags,
};

/// All tags of a declared resource: the user's and ours. None, of kinds that are never claimed or cannot be tagged.
pub fn wanted(declared: &Declared, owner: &Owner, ownership: Ownership, generation: u32) -> Tags {
    if matches!(ownership, Ownership::Shared | Ownership::ViaParent) {
        return Tags::new();
    }
    let mut tags = declared.tags.clone();
    tags.insert(OWNER_TAG.to_owned(), owner.0.clone());
    tags.insert(NAME_TAG.to_owned(), declared.id.to_string());
    tags.insert(STACK_TAG.to_owned(), declared.stack.clone());
    if generation > 1 {
        tags.insert(GENERATION_TAG.to_owned(), generation.to_string());
    }
    if declared.protect {
        tags.insert(PROTECT_TAG.to_owned(), "true".to_owned());
    }
    match declared.on_delete {
        OnDelete::Refuse => {}
        OnDelete::Empty => drop(tags.insert(ON_DELETE_TAG.to_owned(), "empty".to_owned())),
        OnDelete::Retain => drop(tags.insert(ON_DELETE_TAG.to_owned(), "retain".to_owned())),
    }
    tags
}

/// The tags that `adopt` writes: what is there, with ours laid over it.
pub fn adoption(declared: &Declared, owner: &Owner, ownership: Ownership, live: &Incarnation) -> Tags {
    let mut tags = live.tags.clone();
    tags.extend(wanted(declared, owner, ownership, live.generation()));
    tags
}

/// How live tags differ from wanted ones. The commit is never compared, nor is the mark of a draining generation.
pub(crate) fn differ(live: &Tags, want: &Tags, ownership: Ownership) -> Vec<FieldChange> {
    if matches!(ownership, Ownership::Shared | Ownership::ViaParent) {
        return Vec::new();
    }
    let compared = |key: &&String| *key != COMMIT_TAG && *key != RETIRING_TAG;
    let mut keys: Vec<&String> = live.keys().chain(want.keys()).filter(compared).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .filter(|key| live.get(*key) != want.get(*key))
        .map(|key| FieldChange {
            path: format!("tags.{key}"),
            before: live.get(key).cloned().map(Value::String),
            after: want.get(key).cloned().map(Value::String),
            rule: ChangeRule::Tag,
            sensitive: false,
        })
        .collect()
}

/// The tag that is missing where something on its way out does not say so yet.
pub(crate) fn retiring_mark(live: &Tags) -> Vec<FieldChange> {
    let mark = FieldChange {
        path: format!("tags.{RETIRING_TAG}"),
        before: None,
        after: Some(Value::String("true".to_owned())),
        rule: ChangeRule::Tag,
        sensitive: false,
    };
    if live.contains_key(RETIRING_TAG) { Vec::new() } else { vec![mark] }
}

/// What a tag says about the data of a resource whose manifest is gone.
pub fn on_delete(tags: &Tags) -> OnDelete {
    match tags.get(ON_DELETE_TAG).map(String::as_str) {
        Some("empty") => OnDelete::Empty,
        Some("retain") => OnDelete::Retain,
        _ => OnDelete::Refuse,
    }
}
