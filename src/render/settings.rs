//! Our own settings in the terminal: `explain environment.existing`, `explain metadata.each`, `explain variables`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::Paint;

/// The page with an example of each.
const PAGE: &str = "docs/language.md";

/// What a section of ours is, or one of its fields, out of the schema of all manifests. Nothing, if there is none of this name.
pub fn settings(schema: &Value, path: &str, paint: Paint) -> Option<String> {
    let mut parts = path.split('.');
    let section = parts.next()?;
    let start = match section {
        "environment" => schema.pointer("/$defs/Environment")?,
        "metadata" => schema.pointer("/properties/metadata")?,
        "variables" => schema.pointer("/$defs/Variables")?,
        _ => return None,
    };
    let node = parts.try_fold(start, |node, part| field(schema, node, part))?;
    let mut text = String::new();
    let _ = writeln!(text, "{}", paint.strong(path));
    let about = described(schema, node);
    if !about.is_empty() {
        let _ = writeln!(text, "  {about}");
    }
    let fields = fields(schema, node);
    if !fields.is_empty() {
        let _ = writeln!(text, "\nFields:");
        let width = fields.keys().map(|name| name.len()).max().unwrap_or_default();
        for (name, inner) in fields {
            let _ = writeln!(text, "  {name:width$}  {}", described(schema, inner));
        }
    }
    let _ = writeln!(text, "\n{}", paint.faint(&format!("An example stands in {PAGE}.")));
    Some(text)
}

/// What a description says, on one line.
fn described(schema: &Value, node: &Value) -> String {
    let said = |node: &Value| node.get("description").and_then(Value::as_str).map(str::to_owned);
    let text = said(node).or_else(|| choices(schema, node).into_iter().find_map(said)).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A schema, and those that it stands for.
fn choices<'s>(schema: &'s Value, node: &'s Value) -> Vec<&'s Value> {
    let mut found = vec![node];
    let mut at = 0;
    while let Some(one) = found.get(at).copied() {
        let target =
            one.get("$ref").and_then(Value::as_str).and_then(|it| schema.pointer(it.strip_prefix('#')?));
        found.extend(target);
        for key in ["anyOf", "oneOf"] {
            found.extend(one.get(key).and_then(Value::as_array).into_iter().flatten());
        }
        at += 1;
        // No schema of ours stands for so many.
        if at > 64 {
            break;
        }
    }
    found
}

/// The fields of a mapping; where it has names of the user's own, or is a list, those of one of them.
fn fields<'s>(schema: &'s Value, node: &'s Value) -> BTreeMap<&'s str, &'s Value> {
    let all = choices(schema, node);
    let mut found = BTreeMap::new();
    for one in &all {
        let properties = one.get("properties").and_then(Value::as_object).into_iter().flatten();
        found.extend(properties.map(|(name, inner)| (name.as_str(), inner)));
    }
    if found.is_empty() {
        let inside =
            all.iter().filter_map(|one| one.get("additionalProperties").or_else(|| one.get("items")));
        let inside = inside.filter(|inner| inner.is_object());
        found.extend(inside.flat_map(|inner| choices(schema, inner)).flat_map(|one| {
            let properties = one.get("properties").and_then(Value::as_object).into_iter().flatten();
            properties.map(|(name, inner)| (name.as_str(), inner))
        }));
    }
    found
}

fn field<'s>(schema: &'s Value, node: &'s Value, name: &str) -> Option<&'s Value> {
    fields(schema, node).get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_settings_are_told_as_kinds_are() {
        let schema = crate::manifest::schema();
        let said = |path: &str| settings(&schema, path, Paint::none()).unwrap_or_default();
        for (path, word) in [
            ("environment", "existing"),
            ("environment.existing", "ssm"),
            ("environment.existing.default", "default VPC"),
            ("environment.outputs", "sensitive"),
            ("environment.stacks", "with"),
            ("metadata", "each"),
            ("metadata.when", "equals"),
            ("variables", "allowed"),
            ("variables.required", "has to say it"),
        ] {
            assert!(said(path).contains(word), "{path}: {}", said(path));
        }
        assert_eq!(settings(&schema, "environment.nothing", Paint::none()), None);
    }
}
