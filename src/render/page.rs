//! The pages of `docs/kinds/`: what `explain` tells of one field, for all fields of a kind.

use std::fmt::Write;

use serde_json::Value;

use super::explain::{At, DATA, compared, identity, ownership, references};
use crate::diff::{Absent, ChangeRule, Rules};
use crate::kind::Facts;
use crate::kinds::SUCH_AS_FIELD;

/// Says that nobody should edit what follows.
const GENERATED: &str = "<!-- Written by `BLESS=1 cargo test --test engine kinds` from the kinds' own doc comments and rules. -->";

/// The words of the pages, once for all of them.
const WORDS: &str = "\
## How to read a page

A field is named as CloudFormation's property, its first letter lowered. Under *absent* stands what it means that a manifest leaves the
field out:

| absent | means |
|---|---|
| **required** | it has to be said |
| a value | that value: it is compared, and put back where AWS has another |
| none | nothing: what AWS has is removed |
| unmanaged | whatever AWS has is left alone, and never compared |

A change is made in place, unless the field is *create-only*: then another resource takes the place of the old one. Of a kind that is
known by a name and a revision, every change registers another revision. A kind's own rules may say otherwise of several fields together;
the plan tells which, and why. A reference may stand wherever *takes* lists one, and so may a literal id or ARN.

The same in the terminal: `batchwright explain {kind}`, or `batchwright explain {field}` for one field. Editors
read the [JSON Schema](../schema/manifest.json) of all manifests: name it in a manifest's first line, as
`# yaml-language-server: $schema=FILE`.
";

/// The page that leads to the kinds' pages.
pub fn index(kinds: &[&Facts]) -> String {
    let mut text = format!("{GENERATED}\n\n# Kinds\n\n| kind | | in AWS |\n|---|---|---|\n");
    for facts in kinds {
        let (name, file) = (facts.name, file(facts));
        let _ = writeln!(text, "| [{name}]({file}) | {} | `{}` |", cell(facts.about), facts.cloudformation);
    }
    let kind = SUCH_AS_FIELD.split('.').next().unwrap_or_default();
    let _ = write!(text, "\n{}", WORDS.replace("{kind}", kind).replace("{field}", SUCH_AS_FIELD));
    text
}

/// The name of a kind's page.
pub fn file(facts: &Facts) -> String {
    format!("{}.md", facts.name.replace('/', "."))
}

/// A kind's page: what it is, an example, and every field at any depth.
pub fn of(facts: &Facts) -> String {
    let mut text = format!("{GENERATED}\n\n# {}\n\n{}\n\n| | |\n|---|---|\n", facts.name, facts.about);
    let outputs: Vec<String> = facts.outputs.iter().map(|output| format!("`{output}`")).collect();
    let _ = writeln!(text, "| in AWS | `{}` |", facts.cloudformation);
    let _ = writeln!(text, "| known by | {} |", identity(facts));
    let _ = writeln!(text, "| owned | {} |", ownership(facts));
    if facts.holds_data {
        let _ = writeln!(text, "| data | {DATA} |");
    }
    let _ = writeln!(text, "| outputs | {} |", outputs.join(", "));
    let _ = writeln!(text, "\n```yaml\n{}\n```", facts.example.trim_end());

    let root = &facts.schema;
    let mut sections = Vec::new();
    collect(root, At::spec(facts), "spec", &mut sections);
    for section in &sections {
        let _ = writeln!(text, "\n## {}\n", section.path);
        let _ = writeln!(text, "| field | type | absent | |\n|---|---|---|---|");
        for (name, at) in section.at.fields(root) {
            let typed = cell(&at.typed(root));
            let typed = match find(&sections, inside(at, root), root) {
                Some(there) => format!("[{typed}](#{})", anchor(&there.path)),
                None => typed,
            };
            let _ = writeln!(text, "| `{name}` | {typed} | {} | {} |", absent(&at), about(&at, root));
        }
    }
    text
}

/// Fields that stand together: those of the spec, or of one structure in it.
struct Section<'a> {
    path: String,
    at: At<'a>,
}

/// A structure that is used twice under the same rules gets one section, where it is met first.
fn collect<'a>(root: &'a Value, at: At<'a>, path: &str, found: &mut Vec<Section<'a>>) {
    found.push(Section { path: path.to_owned(), at });
    for (name, field) in at.fields(root) {
        let inside = inside(field, root);
        if !inside.fields(root).is_empty() && find(found, inside, root).is_none() {
            collect(root, inside, &format!("{path}.{name}"), found);
        }
    }
}

fn find<'s, 'a>(sections: &'s [Section<'a>], at: At<'a>, root: &'a Value) -> Option<&'s Section<'a>> {
    let same = |section: &&Section<'a>| {
        std::ptr::eq(section.at.target(root), at.target(root)) && section.at.rules.fields == at.rules.fields
    };
    sections.iter().find(same)
}

/// Of a list or a map, what it holds; else itself.
fn inside<'a>(at: At<'a>, root: &'a Value) -> At<'a> {
    let item = at.item(root);
    item.value(root).unwrap_or(item)
}

fn absent(at: &At<'_>) -> String {
    match &at.rules.absent {
        _ if at.required => "**required**".to_owned(),
        Absent::Required | Absent::Empty => "none".to_owned(),
        Absent::Server => "unmanaged".to_owned(),
        Absent::Default(Value::String(text)) => format!("`{}`", cell(text)),
        Absent::Default(value) => format!("`{}`", cell(&value.to_string())),
    }
}

fn about(at: &At<'_>, root: &Value) -> String {
    let mut parts = vec![cell(&at.doc(root))];
    parts.extend(change(at.rules).map(str::to_owned));
    parts.extend(compared(at.rules).map(|how| format!("Compared {how}.")));
    let references: Vec<String> = references(at.rules).iter().map(|target| format!("`{target}`")).collect();
    if !references.is_empty() {
        parts.push(format!("Takes {}.", references.join(", ")));
    }
    if at.rules.sensitive {
        parts.push("Masked wherever it is shown.".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn change(rules: &Rules) -> Option<&'static str> {
    match rules.change {
        ChangeRule::CreateOnly => Some("*Create-only.*"),
        ChangeRule::WriteOnly => Some("*Never compared*: AWS does not report it."),
        ChangeRule::RuntimeOwned => Some("*Never compared*: AWS moves it."),
        ChangeRule::Tag | ChangeRule::InPlace => None,
    }
}

/// A text that fits into a table: one line, and no bar that ends the cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter))
        .collect()
}
