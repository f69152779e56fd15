//! Holds a lookup at what it found: its value is written beside it, and nothing else in the file changes.

use super::parse::parse;
use super::source::{Sources, Span};
use super::tree::{Data, Node};

/// The text of an `environment.yaml` in which a lookup is held at a value. Nothing, where it is written in a way that can't be
/// changed without changing something else.
pub fn held(text: &str, lookup: &str, value: &str) -> Option<String> {
    let tree = read(text)?;
    let node = tree.get("existing")?.get(lookup)?;
    if node.via.is_some() || !matches!(node.data, Data::Map(_)) {
        return None;
    }
    let written = quoted(value);
    let changed = match node.entry("held") {
        Some(entry) if entry.value.via.is_some() || entry.value.span.width == Span::OVER_LINES => {
            return None;
        }
        Some(entry) => {
            let at = offset(text, entry.value.span)?;
            let old = text.get(at..)?.chars().take(entry.value.span.width).map(char::len_utf8).sum::<usize>();
            splice(text, at, old, &written)?
        }
        None => {
            let opening = offset(text, node.span)?;
            match text.get(opening..)?.starts_with('{') {
                true => splice(text, opening + 1, 0, &format!("held: {written}, "))?,
                false => {
                    let first = node.entries().first()?.at;
                    let indent = " ".repeat(first.column.saturating_sub(1));
                    let line = offset(text, Span { column: 1, ..first })?;
                    splice(text, line, 0, &format!("{indent}held: {written}\n"))?
                }
            }
        }
    };
    // Whatever the file looks like: nothing but this is another than before.
    let after = read(&changed)?;
    let said = |tree: &Node| -> Option<serde_json::Value> {
        let mut document = tree.to_json();
        document.get_mut("existing")?.get_mut(lookup)?.as_object_mut()?.remove("held");
        Some(document)
    };
    let is_held = after.get("existing")?.get(lookup)?.get("held")?.text() == Some(value);
    (is_held && said(&after) == said(&tree)).then_some(changed)
}

fn read(text: &str) -> Option<Node> {
    let mut sources = Sources::default();
    let file = sources.add("environment.yaml".to_owned(), text.to_owned());
    let mut parsed = parse(file, &mut sources);
    (parsed.complaints.is_empty() && parsed.documents.len() == 1).then(|| parsed.documents.remove(0))
}

/// Where a place is in a text, in bytes.
fn offset(text: &str, span: Span) -> Option<usize> {
    let line: usize = text.split_inclusive('\n').take(span.line.checked_sub(1)?).map(str::len).sum();
    let within: usize = text.get(line..)?.chars().take(span.column.checked_sub(1)?).map(char::len_utf8).sum();
    Some(line + within)
}

fn splice(text: &str, at: usize, old: usize, new: &str) -> Option<String> {
    Some(format!("{}{new}{}", text.get(..at)?, text.get(at + old..)?))
}

/// A text as YAML takes it for nothing else.
fn quoted(value: &str) -> String {
    let is_plain = value.starts_with(|it: char| it.is_ascii_alphabetic())
        && value.contains('-')
        && value.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.' | '/'));
    if is_plain { value.to_owned() } else { serde_json::Value::String(value.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use super::held;

    #[test]
    fn only_the_value_is_written() {
        let text = "a: 1 # first\nexisting:\n  # the image\n  ami: {ssm: /x} # of ECS\n  vpc:\n    kind: ec2/Vpc   # ours\n    default: true\nz: [1]\n";
        let flow = held(text, "ami", "ami-1").unwrap();
        assert_eq!(flow, text.replace("{ssm", "{held: ami-1, ssm"));
        assert_eq!(held(&flow, "ami", "ami-22").unwrap(), text.replace("{ssm", "{held: ami-22, ssm"));
        let block = held(text, "vpc", "vpc-1").unwrap();
        assert_eq!(block, text.replace("    kind", "    held: vpc-1\n    kind"));
        assert_eq!(
            held(&block, "vpc", "1: 2").unwrap(),
            text.replace("    kind", "    held: \"1: 2\"\n    kind")
        );
        assert_eq!(held(text, "none", "x"), None);
        assert_eq!(held("existing: &a {ami: &b {ssm: /x}, b: *b}\n", "b", "x"), None);
        assert_eq!(held("existing: [", "b", "x"), None);
    }
}
