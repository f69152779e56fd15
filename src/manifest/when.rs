//! `metadata.when`: whether a resource exists in an environment.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::check::with_origin;
use super::error::Complaint;
use super::source::Span;
use super::tree::{Data, Node};
use crate::value::reference;

/// Whether something holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "read from the tree, so that it is known of documents that do not decode")]
pub enum Condition {
    /// `true` or `false`, mostly by a variable.
    Is(bool),
    /// It does not.
    Not(Not),
    /// Two values are the same.
    Equals(Equals),
}

/// What does not hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read from the tree, so that it is known of documents that do not decode")]
pub struct Not {
    /// What does not hold.
    pub not: Box<Condition>,
}

/// What is the same.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read from the tree, so that it is known of documents that do not decode")]
pub struct Equals {
    /// The two values.
    #[schemars(length(min = 2, max = 2))]
    pub equals: Vec<Value>,
}

/// Puts `true` or `false` in the place of a document's condition, once its variables are replaced.
pub fn settle(document: &mut Node) -> Option<Complaint> {
    let Data::Map(fields) = &mut document.data else { return None };
    let metadata = fields.entries_mut().iter_mut().find(|entry| entry.key == "metadata")?;
    let Data::Map(fields) = &mut metadata.value.data else { return None };
    let when = fields.entries_mut().iter_mut().find(|entry| entry.key == "when")?;
    // Nothing has no place of its own.
    let at = if when.value.data == Data::Null { when.at } else { when.value.span };
    match holds(&when.value, at) {
        Ok(holds) => {
            when.value.data =
                holds.map_or_else(|| Data::Broken(String::new()), |it| Data::Bool(it, it.to_string()));
            None
        }
        Err(complaint) => {
            when.value.data = Data::Broken(String::new());
            Some(*complaint)
        }
    }
}

/// Whether a condition holds; nothing, where that can't be told and has been complained about.
fn holds(condition: &Node, at: Span) -> Result<Option<bool>, Box<Complaint>> {
    match &condition.data {
        Data::Bool(holds, _) => return Ok(Some(*holds)),
        _ if condition.is_broken() => return Ok(None),
        _ => {}
    }
    if let [only] = condition.entries() {
        match (only.key.as_str(), only.value.items()) {
            ("not", _) => return Ok(holds(&only.value, only.value.span)?.map(|holds| !holds)),
            ("equals", [one, other]) => return equal(one, other, only.at).map(Some),
            _ => {}
        }
    }
    let complaint = Complaint::new(at, format!("a condition is {}", condition.described()));
    let complaint = complaint.label("expected `true`, `false`, `{not: …}` or `{equals: […, …]}`");
    let said = condition.text().unwrap_or_default().trim();
    let help = if said.contains("==") || said.contains("!=") {
        Some("write `when: {equals: [ONE, OTHER]}`, or `when: {not: {equals: [ONE, OTHER]}}`")
    } else if said.starts_with('!') || said.starts_with("not ") {
        Some("write `when: {not: …}`")
    } else {
        match said.to_lowercase().as_str() {
            "true" | "false" => Some("remove the quotes"),
            "yes" | "on" | "y" => Some("write `true`: in YAML 1.2 this is a text"),
            "no" | "off" | "n" => Some("write `false`: in YAML 1.2 this is a text"),
            _ => None,
        }
    };
    Err(Box::new(with_origin(complaint.help_if(help.map(str::to_owned)), condition)))
}

/// Whether two values are the same. A number and a text never are, which nobody means.
fn equal(one: &Node, other: &Node, at: Span) -> Result<bool, Box<Complaint>> {
    let differ = std::mem::discriminant(&one.data) != std::mem::discriminant(&other.data);
    for node in [one, other] {
        // Its text would be compared, and not what it stands for.
        if let Some(found) = node.text().and_then(|text| reference::references(text).into_iter().next()) {
            let message = format!("`{found}` can't be used in `when`");
            let complaint =
                Complaint::new(node.span, message).label("expected a text, `${var.…}` or `${env.…}`");
            return Err(Box::new(complaint));
        }
    }
    let nothing = |node: &Node| node.data == Data::Null;
    if differ && !nothing(one) && !nothing(other) {
        let message = format!("{} and {} are never equal", one.described(), other.described());
        let help = "compare two texts, two numbers or two booleans: quotes make a text";
        return Err(Box::new(Complaint::new(at, message).help(help)));
    }
    Ok(one.to_json() == other.to_json())
}
