//! What stands where a kind takes anything: policy documents and their like, at any depth.
//!
//! Elsewhere the schema wants a text, and a number in its place is refused. Here nothing does: a value that YAML reads
//! as a number, a boolean or nothing would be sent otherwise than it was written, and a condition would never match.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::check::{named, with_origin};
use super::error::Complaint;
use super::scalar;
use super::source::Span;
use super::tree::{Data, Node, Step};
use crate::diff::follow;
use crate::field;

/// Beyond this, readers of JSON make digits up.
const EXACT: u64 = 1 << 53;

/// All values that would not be sent as they are written.
pub fn check(schema: &Value, node: &Node) -> Vec<Complaint> {
    let mut walk = Walk { root: schema, path: Vec::new(), complaints: Vec::new() };
    walk.typed(schema, node);
    walk.complaints
}

struct Walk<'a> {
    root: &'a Value,
    path: Vec<Step>,
    complaints: Vec<Complaint>,
}

impl Walk<'_> {
    /// A value that a schema says something of.
    fn typed(&mut self, schema: &Value, node: &Node) {
        let target = follow(self.root, schema);
        if is_free(target) {
            let said = |key: &str| schema.get(key).or_else(|| target.get(key)).and_then(Value::as_str);
            if let (Some("policy" | "json"), Some(text)) = (said(field::COMPARE), node.text()) {
                self.json_text(text, node);
            }
            return self.free(node, node.span);
        }
        for entry in node.entries() {
            let property = target.get("properties").and_then(|fields| fields.get(&entry.key));
            if let Some(property) = property.or_else(|| target.get("additionalProperties")) {
                self.within(Step::Key(entry.key.clone()), |walk| walk.typed(property, &entry.value));
            }
        }
        if let Some(item) = target.get("items") {
            for (index, node) in node.items().iter().enumerate() {
                self.within(Step::Item(index), |walk| walk.typed(item, node));
            }
        }
    }

    fn within(&mut self, step: Step, inside: impl FnOnce(&mut Self)) {
        self.path.push(step);
        inside(self);
        self.path.pop();
    }

    /// A value that may be anything. What is written as nothing has no place of its own: `key` is marked.
    fn free(&mut self, node: &Node, key: Span) {
        match &node.data {
            Data::Number(number, text) if !is_plain(number, text) => {
                self.otherwise(node, &number.to_string(), text, number_as_written(number, text));
            }
            Data::Bool(it, text) if *text != it.to_string() => {
                self.otherwise(node, &it.to_string(), text, format!(", or write `{it}`"));
            }
            Data::Null => {
                let what = format!("{} is nothing", named(&self.path));
                let complaint = Complaint::new(key, what).label("expected a value");
                self.complaints.push(with_origin(complaint.help("write a value, or remove it"), node));
            }
            _ => {}
        }
        for entry in node.entries() {
            self.within(Step::Key(entry.key.clone()), |walk| walk.free(&entry.value, entry.at));
        }
        for (index, item) in node.items().iter().enumerate() {
            self.within(Step::Item(index), |walk| walk.free(item, item.span));
        }
    }

    fn otherwise(&mut self, node: &Node, sent: &str, text: &str, or: String) {
        let what = format!("{} is {}", named(&self.path), node.described());
        if node.masked {
            let complaint =
                Complaint::new(node.span, what).label("it would be sent otherwise than it is written");
            return self.complaints.push(with_origin(complaint.help("put it in quotes"), node));
        }
        let complaint = Complaint::new(node.span, what).label(format!("it would be sent as {sent}"));
        let complaint = complaint.help(format!("put it in quotes: \"{text}\"{or}"));
        self.complaints.push(with_origin(complaint, node));
    }

    /// A text that holds a JSON document: its numbers are read as well, and of a key that stands twice only the last counts.
    fn json_text(&mut self, text: &str, node: &Node) {
        let what = named(&self.path);
        for written in numbers(text) {
            let Data::Number(number, _) = scalar::plain(written) else { continue };
            if is_plain(&number, written) {
                continue;
            }
            let complaint = Complaint::new(node.span, format!("{what} holds the number `{written}`"));
            let or = number_as_written(&number, written);
            let complaint = complaint.label(format!("it would be sent as {number}"));
            let complaint = complaint.help(format!("put it in quotes: \"{written}\"{or}"));
            self.complaints.push(with_origin(complaint, node));
        }
        if let Some(why) = serde_json::from_str::<Once>(text).err().filter(serde_json::Error::is_data) {
            let complaint = Complaint::new(node.span, format!("{what} holds {why} of the text"));
            let complaint = complaint.help("keep one of the two: nothing says which would count");
            self.complaints.push(with_origin(complaint, node));
        }
    }
}

/// How the number is written that is meant where no text is.
fn number_as_written(number: &Number, text: &str) -> String {
    match number.to_string() {
        same if same == text => String::new(),
        other => format!(", or write {other}"),
    }
}

/// Whether a number is written as JSON writes it, and every reader of JSON reads it so.
fn is_plain(number: &Number, text: &str) -> bool {
    let is_exact = match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => number <= EXACT,
        (None, Some(number)) => number.unsigned_abs() <= EXACT,
        (None, None) => true,
    };
    is_exact && number.to_string() == text
}

/// Whether a schema leaves open what stands in a value.
fn is_free(schema: &Value) -> bool {
    let Some(fields) = schema.as_object() else { return schema == true };
    let open = |key: &str| match fields.get(key) {
        None | Some(Value::Bool(true)) => true,
        Some(other) => other.as_object().is_some_and(serde_json::Map::is_empty),
    };
    let takes = |name: &str| match fields.get("type") {
        Some(Value::Array(types)) => types.iter().any(|it| it == name),
        kind => kind.is_some_and(|it| it == name),
    };
    let says = |key: &&str| fields.contains_key(*key);
    if ["enum", "const", "oneOf", "allOf", "properties"].iter().any(says) {
        return false;
    }
    let untyped = !fields.contains_key("type") && open("items");
    let any_fields = takes("object") && open("additionalProperties");
    untyped || any_fields || (takes("array") && open("items"))
}

/// The numbers that a JSON text holds outside of its texts, as they are written.
fn numbers(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if c == '"' {
            string_length(rest)
        } else if rest.starts_with("${") {
            rest.find('}').map_or(rest.len(), |end| end + 1)
        } else if is_part(c) {
            let word = rest.split(|c| !is_part(c)).next().unwrap_or_default();
            found.push(word);
            word.len()
        } else {
            c.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// How long the quoted text is with which this begins.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// A JSON document in which no key stands twice in one object.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Once;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format!("the key `{key}` twice")));
            }
            seen.insert(key);
            map.next_value::<Once>()?;
        }
        Ok(Once)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Once, A::Error> {
        while items.next_element::<Once>()?.is_some() {}
        Ok(Once)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_str<E>(self, _: &str) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_unit<E>(self) -> Result<Once, E> {
        Ok(Once)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::KINDS;
    use crate::manifest::parse::parse;
    use crate::manifest::source::Sources;

    fn said(schema: &Value, text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml".into(), text.into());
        let node = parse(file, &mut sources).documents.remove(0);
        let one = |it: Complaint| format!("{}; {}; {}", it.message, it.label, it.help.join(", "));
        check(schema, &node).into_iter().map(one).collect()
    }

    /// Every way in which YAML 1.2's core schema (10.3.2) reads something else than what is written.
    #[test]
    fn what_would_be_sent_otherwise_is_refused_at_any_depth() {
        let free = json!({"properties": {"doc": {"type": ["object", "string"]}}});
        for (written, sent) in [
            ("033677994240", "33677994240"),
            ("1.10", "1.1"),
            ("1e3", "1000.0"),
            ("0x10", "16"),
            ("0o7", "7"),
            ("+5", "5"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("-0", "0"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
            ("TRUE", "true"),
            ("False", "false"),
        ] {
            for text in [
                format!("doc: {{a: {{b: {written}}}}}"),
                format!("doc: {{a: {{AWS: [{written}]}}}}"),
                format!("doc: {{<<: {{a: [[{{b: {written}}}]]}}}}"),
            ] {
                let said = said(&free, &text);
                assert_eq!(said.len(), 1, "{text}");
                assert!(said[0].contains(&format!("`{written}`; it would be sent as {sent};")), "{said:?}");
                assert!(said[0].contains(&format!("put it in quotes: \"{written}\"")), "{said:?}");
            }
        }
        assert_eq!(
            said(&free, "doc: {a: [~]}"),
            ["this item is nothing; expected a value; write a value, or remove it"]
        );
        for written in [
            "3600",
            "-3600",
            "111111111111",
            "1.5",
            "true",
            "false",
            "no",
            "1_000",
            "12:30:45",
            "2012-10-17",
            "'033'",
            "!!str 033",
        ] {
            assert_eq!(said(&free, &format!("doc: {{a: [{written}]}}")), [""; 0], "{written}");
        }
        assert_eq!(said(&json!({"properties": {"days": {"type": "integer"}}}), "days: 033"), [""; 0]);
    }

    #[test]
    fn documents_written_as_texts_are_read_as_well() {
        let free = json!({"properties": {"doc": {"type": ["object", "string"], "x-compare": "policy"}}});
        insta::assert_snapshot!(said(&free, r#"doc: '{"a": 033, "b": {"c": [1.10, "1.10", "a\"1.20", 36, true]}}'"#).join("\n"), @r#"
`doc` holds the number `033`; it would be sent as 33; put it in quotes: "033", or write 33
`doc` holds the number `1.10`; it would be sent as 1.1; put it in quotes: "1.10", or write 1.1
"#);
        insta::assert_snapshot!(said(&free, r#"doc: '{"a": [{"b": 1, "b": 2}]}'"#).join("\n"), @"`doc` holds the key `b` twice at line 1 column 19 of the text; ; keep one of the two: nothing says which would count");
        assert_eq!(said(&free, "doc: 'no JSON, 1.10 times'"), said(&free, "doc: 'x 1.10'"));
    }

    /// A field that takes anything is found by its schema: none needs to be told of here.
    #[test]
    fn every_policy_of_every_kind_is_free() {
        fn policies(root: &Value, schema: &Value, depth: usize) -> usize {
            let target = follow(root, schema);
            if matches!(target.get(field::COMPARE).and_then(Value::as_str), Some("policy" | "json")) {
                assert!(is_free(target), "{target}");
                return 1;
            }
            let properties = target.get("properties").and_then(Value::as_object);
            let inner = properties.into_iter().flat_map(|fields| fields.values()).chain(target.get("items"));
            inner.filter(|_| depth < 9).map(|inner| policies(root, inner, depth + 1)).sum()
        }
        let count: usize =
            KINDS.iter().map(|kind| policies(&kind.facts().schema, &kind.facts().schema, 0)).sum();
        assert_eq!(count, 9, "role (2), policy, bucket, repository (2), endpoint, queue, file system");
    }
}
