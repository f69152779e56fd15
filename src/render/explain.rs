//! What a kind and its fields are, from its schema and the rules that the differ reads.

use std::fmt::Write;

use serde_json::Value;

use super::Paint;
use crate::diff::{Absent, ChangeRule, Compare, Rules};
use crate::kind::{Facts, Identity, Ownership};

/// A path that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoField {
    /// As far as the first wrong step.
    pub path: String,
    /// The wrong step.
    pub field: String,
    /// What there is in its place.
    pub fields: Vec<String>,
}

/// All kinds, one line each.
pub fn kinds(kinds: &[&Facts], paint: Paint) -> String {
    let width = kinds.iter().map(|facts| facts.name.len()).max().unwrap_or_default();
    let line =
        |facts: &&Facts| format!("{}  {}\n", paint.strong(&format!("{:<width$}", facts.name)), facts.about);
    kinds.iter().map(line).collect()
}

/// A kind (of an empty path), or one of its fields.
pub fn explain(facts: &Facts, path: &str, paint: Paint) -> Result<String, NoField> {
    let root = &facts.schema;
    let mut at = At::spec(facts);
    let mut so_far = String::new();
    for field in path.split('.').filter(|field| !field.is_empty()) {
        let field = field.split('[').next().unwrap_or_default();
        if !so_far.is_empty() {
            so_far.push('.');
        }
        so_far.push_str(field);
        at = at.field(root, field).ok_or_else(|| NoField {
            path: so_far.clone(),
            field: field.to_owned(),
            fields: at.item(root).fields(root).into_iter().map(|(name, _)| name).collect(),
        })?;
    }
    let mut text = String::new();
    if path.is_empty() {
        kind(&mut text, facts, paint);
    } else {
        field(&mut text, facts, &so_far, &at, paint);
    }
    let inside = at.item(root);
    let fields = inside.fields(root);
    if !fields.is_empty() {
        let _ = writeln!(text, "\n{}", paint.strong("Fields:"));
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, at) in &fields {
            let doc = first_sentence(&at.doc(root));
            let mark = if at.required { paint.change(" (required)") } else { String::new() };
            let _ = writeln!(text, "  {name:<width$}  {}{mark}. {doc}", paint.note(&at.typed(root)));
        }
    }
    if path.is_empty() {
        let _ = writeln!(text, "\n{}", paint.strong("Example:"));
        for line in facts.example.trim().lines() {
            let _ = writeln!(text, "{}", format!("  {line}").trim_end());
        }
    }
    Ok(text)
}

fn kind(text: &mut String, facts: &Facts, paint: Paint) {
    let _ = writeln!(text, "{}: {}", paint.strong(facts.name), facts.about);
    let _ = writeln!(text, "  known by   {}", identity(facts));
    let _ = writeln!(text, "  owned      {}", ownership(facts));
    if facts.holds_data {
        let _ = writeln!(text, "  data       {DATA}");
    }
    let _ = writeln!(text, "  outputs    {}", facts.outputs.join(", "));
    let _ = writeln!(text, "  in AWS     {}", facts.cloudformation);
}

/// What is said of a kind that holds data.
pub(super) const DATA: &str = "deleting one destroys data: see metadata.onDelete";

pub(super) fn identity(facts: &Facts) -> &'static str {
    match facts.identity {
        Identity::Named => "its name; a second one of that name can't be made",
        Identity::Assigned => "an id that AWS assigns; our tags say which is which",
        Identity::Revisioned => "a name and a revision; a change makes a new revision",
    }
}

pub(super) fn ownership(facts: &Facts) -> &'static str {
    match facts.ownership {
        Ownership::Tagged => "by tags in the call that makes it",
        Ownership::TagAfterCreate => "by tags, in a second call",
        Ownership::ViaParent => "by its parent",
        Ownership::Shared => "not at all: it is the account's, made sure of and never deleted",
    }
}

fn field(text: &mut String, facts: &Facts, path: &str, at: &At<'_>, paint: Paint) {
    let root = &facts.schema;
    let name = format!("{}.{path}", facts.name);
    let _ = writeln!(text, "{} {}", paint.strong(&name), paint.note(&at.typed(root)));
    let doc = at.doc(root);
    if !doc.is_empty() {
        let _ = writeln!(text, "  {}", doc.replace('\n', "\n  "));
    }
    let absent = match &at.rules.absent {
        _ if at.required => "it is required".to_owned(),
        Absent::Required | Absent::Empty => "none: what AWS has is removed".to_owned(),
        Absent::Server => "unmanaged: AWS's own value is left alone".to_owned(),
        Absent::Default(value) => format!("{value}"),
    };
    let change = match at.rules.change {
        ChangeRule::CreateOnly => "needs a new resource in its place",
        ChangeRule::WriteOnly => "is not seen: AWS does not report it",
        ChangeRule::RuntimeOwned => "is left alone: AWS moves it",
        ChangeRule::Tag => "changes a tag",
        ChangeRule::InPlace if facts.identity == Identity::Revisioned => {
            "registers another revision, as every change of this kind does"
        }
        ChangeRule::InPlace => "is made in place, unless the kind's own rules say otherwise",
    };
    let _ = writeln!(text, "  absent     {absent}");
    let _ = writeln!(text, "  a change   {change}");
    if let Some(compared) = compared(at.rules) {
        let _ = writeln!(text, "  compared   {compared}");
    }
    let refers = references(at.rules);
    if !refers.is_empty() {
        let _ = writeln!(text, "  refers to  {}", refers.join(", "));
    }
    if at.rules.sensitive {
        let _ = writeln!(text, "  sensitive  masked wherever it is shown");
    }
}

/// When two values of a field mean the same, where that is not plain.
pub(super) fn compared(rules: &Rules) -> Option<String> {
    match &rules.compare {
        Compare::Plain => None,
        Compare::Set => Some("as a set: order means nothing".to_owned()),
        Compare::AtLeast => Some("as a set to which others may add".to_owned()),
        Compare::Keyed(key) => Some(format!("item by item, by {key}")),
        Compare::Number => Some("as a number".to_owned()),
        Compare::Caseless => Some("without regard to case".to_owned()),
        Compare::Json => Some("as JSON".to_owned()),
        Compare::Policy => Some("as an IAM policy".to_owned()),
        Compare::NameOrArn => Some("by the name at the end of an ARN".to_owned()),
    }
}

/// What a field, or an item of it, may refer to, as a manifest writes it.
pub(super) fn references(rules: &Rules) -> Vec<String> {
    let items = rules.items.iter().flat_map(|items| &items.refers);
    let targets: Vec<&String> = match rules.refers.is_empty() {
        true => items.collect(),
        false => rules.refers.iter().collect(),
    };
    let shown = |target: &String| match target.split_once('.') {
        Some((kind, output)) => format!("${{{kind}/<name>.{output}}}"),
        None => target.clone(),
    };
    targets.into_iter().map(shown).collect()
}

/// A place in a kind's schema, with the rules that hold there.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    schema: &'a Value,
    pub(super) rules: &'a Rules,
    pub(super) required: bool,
}

impl<'a> At<'a> {
    /// A kind's spec.
    pub(super) fn spec(facts: &'a Facts) -> Self {
        Self { schema: &facts.schema, rules: &facts.rules, required: true }
    }

    /// The schema of what stands here, behind references and `Option`s.
    pub(super) fn target(&self, root: &'a Value) -> &'a Value {
        crate::diff::follow(root, self.schema)
    }

    /// Of a list, its items; else itself.
    pub(super) fn item(self, root: &'a Value) -> Self {
        let items = self.target(root).get("items");
        match (items, self.rules.items.as_deref()) {
            (Some(schema), Some(rules)) => Self { schema, rules, required: false },
            _ => self,
        }
    }

    /// Of a map, its values.
    pub(super) fn value(self, root: &'a Value) -> Option<Self> {
        let schema = self.target(root).get("additionalProperties")?;
        Some(Self { schema, rules: self.rules.values.as_deref()?, required: false })
    }

    fn field(&self, root: &'a Value, name: &str) -> Option<Self> {
        self.item(root).fields(root).into_iter().find(|(field, _)| field == name).map(|(_, at)| at)
    }

    pub(super) fn fields(&self, root: &'a Value) -> Vec<(String, Self)> {
        let target = self.target(root);
        let required: Vec<&str> = target
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let properties = target.get("properties").and_then(Value::as_object);
        let at = |(name, schema): (&String, &'a Value)| {
            let rules = self.rules.fields.get(name)?;
            Some((name.clone(), Self { schema, rules, required: required.contains(&name.as_str()) }))
        };
        properties.into_iter().flatten().filter_map(at).collect()
    }

    pub(super) fn doc(&self, root: &'a Value) -> String {
        let said = |schema: &Value| schema.get("description").and_then(Value::as_str).map(str::to_owned);
        said(self.schema).or_else(|| said(self.target(root))).unwrap_or_default()
    }

    /// The type in one word, or the texts that are allowed.
    pub(super) fn typed(&self, root: &'a Value) -> String {
        let target = self.target(root);
        if let Some(values) = target.get("enum").and_then(Value::as_array) {
            let values: Vec<String> =
                values.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
            return values.join(" | ");
        }
        let named = match target.get("type") {
            Some(Value::String(name)) => name.clone(),
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
                names.collect::<Vec<_>>().join(" or ")
            }
            _ => "any".to_owned(),
        };
        match named.as_str() {
            "array" => match (target.get("items"), self.rules.items.as_deref()) {
                (Some(schema), Some(rules)) => {
                    format!("list of {}", Self { schema, rules, required: false }.typed(root))
                }
                _ => "list".to_owned(),
            },
            "object" if target.get("properties").is_none() => "map".to_owned(),
            other => other.to_owned(),
        }
    }
}

fn first_sentence(doc: &str) -> String {
    let line = doc.lines().take_while(|line| !line.trim().is_empty()).collect::<Vec<_>>().join(" ");
    match line.find(". ") {
        Some(end) => line.chars().take(line.get(..=end).map_or(0, |text| text.chars().count())).collect(),
        None => line,
    }
}
