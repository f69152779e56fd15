//! What is said about a field, once, where the field is declared.
//!
//! Each function here is a schemars transform: `#[schemars(transform = field::create_only)]`. What it says lands in the
//! kind's JSON Schema, which the differ, the documentation and editors read. A typo is a compile error.

pub use batchwright_fields::{outputs, spec};
use schemars::Schema;
use serde_json::json;

/// Schema key: what a change to the field does.
pub const CHANGE: &str = "x-change";
/// Schema key: what the field's absence means, where its default does not say so.
pub const ABSENT: &str = "x-absent";
/// Schema key: when two values mean the same.
pub const COMPARE: &str = "x-compare";
/// Schema key: the outputs that a reference may name, as `<kind>.<output>`.
pub const REFERS: &str = "x-refers";
/// Schema key: what is referred to may be in another account.
pub const BEYOND: &str = "x-beyond";
/// Schema key: the value is masked wherever it is shown.
pub const SENSITIVE: &str = "x-sensitive";
/// Schema key: a map in which anything may stand under any name.
pub const FREE: &str = "x-free";
/// Schema key: a reference here may be filled in by a second step of the same resource (D17).
pub const DEFERRABLE: &str = "x-deferrable";

/// A change needs a new resource in place of the old one.
pub fn create_only(schema: &mut Schema) {
    schema.insert(CHANGE.to_owned(), json!("create-only"));
}

/// AWS never reports the value back: it is sent on create and not compared.
pub fn write_only(schema: &mut Schema) {
    schema.insert(CHANGE.to_owned(), json!("write-only"));
}

/// AWS itself moves the value (`desiredvCpus`): it is sent on create and never compared.
pub fn runtime_owned(schema: &mut Schema) {
    schema.insert(CHANGE.to_owned(), json!("runtime-owned"));
}

/// Absent means none: what AWS has is removed.
pub fn empty(schema: &mut Schema) {
    schema.insert(ABSENT.to_owned(), json!("empty"));
}

/// Absent means unmanaged: AWS's own value is never compared.
pub fn server(schema: &mut Schema) {
    schema.insert(ABSENT.to_owned(), json!("server"));
}

/// The order of a list's items means nothing, nor do duplicates.
pub fn set(schema: &mut Schema) {
    schema.insert(COMPARE.to_owned(), json!("set"));
}

/// A set that others add to as well: items that are not declared stay, and are no drift.
pub fn at_least(schema: &mut Schema) {
    schema.insert(COMPARE.to_owned(), json!("at-least"));
}

/// A list of objects aligned by one of their fields; its order means nothing.
pub fn keyed(key: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| {
        schema.insert(COMPARE.to_owned(), json!({ "key": key }));
    }
}

/// A number written as a string: `"1"` and `"1.0"` mean the same.
pub fn numeric(schema: &mut Schema) {
    schema.insert(COMPARE.to_owned(), json!("number"));
}

/// Upper and lower case mean the same.
pub fn caseless(schema: &mut Schema) {
    schema.insert(COMPARE.to_owned(), json!("caseless"));
}

/// A text that holds JSON: white space and key order mean nothing.
pub fn json_text(schema: &mut Schema) {
    schema.insert(COMPARE.to_owned(), json!("json"));
}

/// A name or an ARN that ends in it: both mean the same ([`named`](crate::value::named)).
pub fn name_or_arn(schema: &mut Schema) {
    schema.insert(COMPARE.to_owned(), json!("name-or-arn"));
}

/// A reference to one of these outputs, each `<kind>.<output>`; a literal id or ARN is fine as well.
pub fn refers(outputs: &'static [&'static str]) -> impl FnMut(&mut Schema) {
    move |schema| {
        schema.insert(REFERS.to_owned(), json!(outputs));
    }
}

/// What is referred to may be in another account, and is then not seen from here.
pub fn beyond(schema: &mut Schema) {
    schema.insert(BEYOND.to_owned(), json!(true));
}

/// Each item of the list is a reference to one of these outputs.
pub fn items_refer(outputs: &'static [&'static str]) -> impl FnMut(&mut Schema) {
    move |schema| {
        if let Some(items) = schema.get_mut("items").and_then(|items| items.as_object_mut()) {
            items.insert(REFERS.to_owned(), json!(outputs));
        }
    }
}

/// Each item of the list is a name or an ARN that ends in it.
pub fn items_name_or_arn(schema: &mut Schema) {
    if let Some(items) = schema.get_mut("items").and_then(|items| items.as_object_mut()) {
        items.insert(COMPARE.to_owned(), json!("name-or-arn"));
    }
}

/// The value is masked in plans, comments, JSON and logs.
pub fn sensitive(schema: &mut Schema) {
    schema.insert(SENSITIVE.to_owned(), json!(true));
}

/// A map in which anything may stand under any name: what is called like a secret is taken for one, and masked.
pub fn free(schema: &mut Schema) {
    schema.insert(FREE.to_owned(), json!(true));
}

/// A reference here may be filled in later, by a second step of the same resource, to break a cycle (D17).
pub fn deferrable(schema: &mut Schema) {
    schema.insert(DEFERRABLE.to_owned(), json!(true));
}

/// One of these texts; SDK enums list theirs: `one_of(CeState::values())`.
pub fn one_of(values: &'static [&'static str]) -> impl FnMut(&mut Schema) {
    move |schema| {
        schema.insert("enum".to_owned(), json!(values));
        schema.insert("type".to_owned(), json!("string"));
    }
}

/// Each item of the list is one of these texts.
pub fn items_one_of(values: &'static [&'static str]) -> impl FnMut(&mut Schema) {
    move |schema| {
        if let Some(items) = schema.get_mut("items").and_then(|items| items.as_object_mut()) {
            items.insert("enum".to_owned(), json!(values));
        }
    }
}
