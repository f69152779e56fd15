//! A tree against a JSON Schema: all that is wrong, each in our words and at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, Keyword, ValidationError, Validator};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::choices::{branch, constants, tag};
use super::error::Complaint;
use super::nearest::{did_you_mean, listed};
use super::source::Span;
use super::tree::{Data, Node, Step, path_of, shortened, steps};
use super::unknown::said_elsewhere;
use crate::diff::Rules;
use crate::kind::Facts;

/// How labels of fixed choices begin.
const ONE_OF: &str = "expected one of: ";

/// Of one mapping's unknown fields, this many are named one by one.
const MOST_UNKNOWN: usize = 20;

/// The keyword of ours that stands beside each `type: integer`.
const WHOLE: &str = "writtenWhole";

/// To JSON Schema `7.0` is a whole number; to the types that manifests are decoded into it is none.
struct WrittenWhole;

impl<'i> Keyword<'i> for WrittenWhole {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            return Ok(());
        }
        Err(ValidationError::custom("a whole number is written without a point"))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        !instance.is_f64() || instance.as_f64().is_some_and(|number| number.fract() != 0.0)
    }
}

/// What has to change before the rest of a tree can be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The value at this path is wrong, or nothing may stand there.
    Wrong(Vec<Step>),
    /// The mapping at this path lacks a field.
    Missing(Vec<Step>, String),
}

/// A schema that trees are checked against.
pub struct Checker {
    validator: Result<Validator, String>,
    rules: Rules,
    kind: Option<&'static Facts>,
}

impl Checker {
    /// The schema of a type.
    pub fn of<T: JsonSchema>() -> Self {
        let generator = SchemaSettings::draft2020_12().into_generator();
        Self::new(&generator.into_root_schema_for::<T>().to_value(), None)
    }

    /// The schema of a kind's specs: made once, as `watch` reads the same manifests again and again.
    pub fn of_kind(facts: &'static Facts) -> Arc<Self> {
        static MADE: Mutex<BTreeMap<&str, Arc<Checker>>> = Mutex::new(BTreeMap::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let checker =
            made.entry(facts.name).or_insert_with(|| Arc::new(Self::new(&facts.schema, Some(facts))));
        Arc::clone(checker)
    }

    fn new(schema: &Value, kind: Option<&'static Facts>) -> Self {
        let mut exact = schema.clone();
        bounded(&mut exact);
        Self {
            validator: jsonschema::options()
                .with_keyword(WHOLE, |_, _, _| Ok(Box::new(WrittenWhole)))
                .build(&exact)
                .map_err(|error| error.to_string()),
            rules: Rules::of(schema),
            kind,
        }
    }

    /// What it says of fields.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// All that is wrong. `at` is where something missing in the node itself is marked.
    pub fn check(&self, node: &Node, at: Span) -> Vec<Complaint> {
        let validator = match &self.validator {
            Ok(validator) => validator,
            Err(error) => {
                let message = format!("the schema itself is wrong: {error}");
                return vec![Complaint::new(at, message).help(BUG)];
            }
        };
        let json = node.to_json();
        let mut complaints = Vec::new();
        for error in validator.iter_errors(&json) {
            self.explain(node, at, &error, &mut complaints);
        }
        // A wrong type is often no choice of an enum either: the choices say more.
        complaints.sort_by_key(|it| !it.label.starts_with(ONE_OF));
        let mut said = BTreeSet::new();
        complaints.retain(|it| said.insert((it.span, it.message.clone())));
        complaints
    }

    /// Where something is wrong, as far as the outermost mistakes tell.
    pub fn faults(&self, node: &Node) -> Vec<Fault> {
        let json = node.to_json();
        let Ok(validator) = &self.validator else { return vec![Fault::Wrong(Vec::new())] };
        let mut faults = Vec::new();
        for error in validator.iter_errors(&json) {
            let path = steps(node, error.instance_path().as_str());
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    let at = |key: &String| [path.clone(), vec![Step::Key(key.clone())]].concat();
                    faults.extend(unexpected.iter().map(at).map(Fault::Wrong));
                }
                ValidationErrorKind::Required { property } => {
                    faults.push(Fault::Missing(path, property.as_str().unwrap_or_default().to_owned()));
                }
                _ => faults.push(Fault::Wrong(path)),
            }
        }
        faults
    }

    fn explain(&self, root: &Node, at: Span, error: &ValidationError<'_>, complaints: &mut Vec<Complaint>) {
        let path = steps(root, error.instance_path().as_str());
        let (node, key) = root.follow(&path);
        let key = if path.is_empty() { at } else { key };
        if matches!(node.data, Data::Broken(_)) {
            return;
        }
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                complaints.extend(self.unknown(node, &path, unexpected));
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                let here = error.instance_path().as_str();
                // The choices themselves, or those of the field that tells the choices apart.
                let chosen = tag(context, here).unwrap_or_else(|| here.to_owned());
                let names = constants(context, &chosen);
                if !names.is_empty() {
                    let path = steps(root, &chosen);
                    let (node, _) = root.follow(&path);
                    let complaint = choice(node.span, &named(&path), node, &names);
                    complaints.push(with_origin(complaint, node));
                    return;
                }
                for error in branch(context, here) {
                    self.explain(root, at, error, complaints);
                }
            }
            ValidationErrorKind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                let place =
                    if path.is_empty() { "here".to_owned() } else { format!("in `{}`", path_of(&path)) };
                complaints.push(Complaint::new(key, format!("the field `{property}` is missing {place}")));
            }
            kind => {
                let items = self.rules.at(&path_of(&path)).and_then(|rules| rules.items.as_deref());
                let of_mappings = items.is_some_and(|items| !items.fields.is_empty());
                if let Some(complaint) = of_value(node, key, &path, (kind, of_mappings), error) {
                    complaints.push(with_origin(complaint, node));
                }
            }
        }
    }

    fn unknown(&self, node: &Node, path: &[Step], unexpected: &[String]) -> Vec<Complaint> {
        let rules = self.rules.at(&path_of(path));
        let known = || rules.into_iter().flat_map(|rules| rules.fields.keys()).map(String::as_str);
        let missing = || known().filter(|name| node.entry(name).is_none());
        let mut complaints = Vec::new();
        for name in unexpected.iter().take(MOST_UNKNOWN) {
            let span = node.entry(name).map_or(node.span, |entry| entry.at);
            if let Some(why) = self.left_out(path, name) {
                let complaint = Complaint::new(span, format!("unknown field `{}`", shortened(name)));
                let elsewhere = why.starts_with("metadata.");
                let how = if elsewhere { "this is said as" } else { "left out on purpose:" };
                complaints.push(complaint.label(format!("{how} {why}")));
                continue;
            }
            let expected = match listed(known()) {
                none if none.is_empty() => "no fields are expected here".to_owned(),
                names => format!("{ONE_OF}{names}"),
            };
            let complaint =
                Complaint::new(span, format!("unknown field `{}`", shortened(name))).label(expected);
            complaints.push(complaint.help_if(did_you_mean(name, missing())));
        }
        if let Some(next) = unexpected.get(MOST_UNKNOWN) {
            let span = node.entry(next).map_or(node.span, |entry| entry.at);
            let more = unexpected.len() - MOST_UNKNOWN;
            complaints
                .push(Complaint::new(span, format!("and {more} more unknown fields in the same mapping")));
        }
        complaints
    }
}

impl Checker {
    /// Why there is no such field although AWS has one, or where it is said instead.
    fn left_out(&self, path: &[Step], name: &str) -> Option<&'static str> {
        let facts = self.kind?;
        let keys = path.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Item(_) => None,
        });
        let whole = keys.chain([name]).collect::<Vec<_>>().join(".");
        // AWS's own spelling begins with a capital. A field that is listed without a path is meant wherever it stands.
        let is = |field: &str| {
            field.eq_ignore_ascii_case(&whole) || (field != "tags" && field.eq_ignore_ascii_case(name))
        };
        let left_out = facts.not_managed.iter().find(|(field, _)| is(field)).map(|(_, why)| *why);
        left_out.or_else(|| said_elsewhere(facts, name).filter(|_| path.is_empty()))
    }
}

const BUG: &str = "this is a bug of batchwright: please report it with this manifest";

/// A document that passes its schema and yet can't be decoded.
pub fn undecodable(span: Span, error: &dyn std::fmt::Display) -> Complaint {
    Complaint::new(span, format!("this passes the schema and still can't be read: {error}")).help(BUG)
}

/// What is wrong with one value. Nothing, if it holds a reference whose value nobody knows yet.
fn of_value(
    node: &Node,
    key: Span,
    path: &[Step],
    (kind, of_mappings): (&ValidationErrorKind, bool),
    error: &ValidationError<'_>,
) -> Option<Complaint> {
    // What is written as nothing has no place of its own.
    let span = if node.data == Data::Null { key } else { node.span };
    let what = named(path);
    let is = node.described();
    if let ValidationErrorKind::Type { kind } = kind {
        let expected = types(kind);
        let complaint = Complaint::new(span, format!("{what} is {is}")).label(format!("expected {expected}"));
        return Some(complaint.help_if(retyped(node, kind, of_mappings)));
    }
    if node.text().is_some_and(|text| text.contains("${")) {
        return None;
    }
    let wrong = |label: String| Some(Complaint::new(span, format!("{what} is {is}")).label(label));
    match kind {
        ValidationErrorKind::Enum { options } => {
            let names: Vec<&str> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            Some(choice(span, &what, node, &names))
        }
        ValidationErrorKind::Constant { expected_value } => wrong(format!("expected {expected_value}")),
        ValidationErrorKind::Minimum { limit } => wrong(format!("expected at least {limit}")),
        ValidationErrorKind::Maximum { limit } => wrong(format!("expected at most {limit}")),
        ValidationErrorKind::ExclusiveMinimum { limit } => wrong(format!("expected more than {limit}")),
        ValidationErrorKind::ExclusiveMaximum { limit } => wrong(format!("expected less than {limit}")),
        ValidationErrorKind::Pattern { pattern } => wrong(format!("expected a text of the form {pattern}")),
        ValidationErrorKind::MinLength { limit: 1 } => wrong("expected a text that is not empty".to_owned()),
        ValidationErrorKind::MinLength { limit } => wrong(format!("expected at least {limit} characters")),
        ValidationErrorKind::MaxLength { limit } => wrong(format!("expected at most {limit} characters")),
        ValidationErrorKind::MinItems { limit } => {
            wrong(format!("expected at least {limit}: {}", items(*limit)))
        }
        ValidationErrorKind::MaxItems { limit } => {
            wrong(format!("expected at most {limit}: {}", items(*limit)))
        }
        ValidationErrorKind::MinProperties { limit } => wrong(format!("expected at least {limit} entries")),
        ValidationErrorKind::MaxProperties { limit } => wrong(format!("expected at most {limit} entries")),
        // No other keyword is ours.
        ValidationErrorKind::Custom { .. } => {
            wrong("expected a whole number".to_owned()).map(|complaint| complaint.help_if(whole(node)))
        }
        ValidationErrorKind::UniqueItems => Some(
            Complaint::new(span, format!("{what} holds the same item twice"))
                .label("expected different items"),
        ),
        _ if node.masked => Some(Complaint::new(span, format!("{what} is wrong"))),
        _ => Some(Complaint::new(span, format!("{what} is wrong: {}", shortened(&error.to_string())))),
    }
}

/// The field or item that a path leads to.
pub fn named(path: &[Step]) -> String {
    match path.last() {
        Some(Step::Key(key)) => format!("`{}`", shortened(key)),
        Some(Step::Item(_)) => "this item".to_owned(),
        None => "this".to_owned(),
    }
}

/// A value that is none of those that may be.
fn choice(span: Span, what: &str, node: &Node, names: &[&str]) -> Complaint {
    let near =
        node.text().filter(|_| !node.masked).and_then(|text| did_you_mean(text, names.iter().copied()));
    let complaint = Complaint::new(span, format!("{what} is {}", node.described()));
    complaint.label(format!("{ONE_OF}{}", listed(names.iter().copied()))).help_if(near)
}

fn items(limit: u64) -> &'static str {
    if limit == 1 { "one item" } else { "items" }
}

/// Says where the value comes from that a variable brought here.
pub fn with_origin(complaint: Complaint, node: &Node) -> Complaint {
    match node.via.as_deref().filter(|via| via.is_variable) {
        Some(via) => complaint.related(via.span, "the variable's value"),
        None => complaint,
    }
}

fn types(kind: &TypeKind) -> String {
    let word = |kind: JsonType| match kind {
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "a text",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Array => "a list",
        JsonType::Object => "a mapping",
        JsonType::Null => "nothing",
    };
    let words: Vec<&str> = match kind {
        TypeKind::Single(kind) => vec![word(*kind)],
        // That a field may also be left empty helps nobody.
        TypeKind::Multiple(set) => set.iter().filter(|it| *it != JsonType::Null).map(word).collect(),
    };
    words.join(" or ")
}

fn takes(kind: &TypeKind, wanted: JsonType) -> bool {
    match kind {
        TypeKind::Single(kind) => *kind == wanted,
        TypeKind::Multiple(set) => set.contains(wanted),
    }
}

/// The smallest change that gives a value the type that was expected.
fn retyped(node: &Node, kind: &TypeKind, of_mappings: bool) -> Option<String> {
    match &node.data {
        Data::Number(..) | Data::Bool(..) if node.masked && takes(kind, JsonType::String) => {
            Some("put it in quotes".to_owned())
        }
        Data::Number(_, text) | Data::Bool(_, text) if takes(kind, JsonType::String) => {
            Some(format!("put it in quotes: \"{text}\""))
        }
        Data::Text(text) if takes(kind, JsonType::Boolean) => match text.to_lowercase().as_str() {
            "true" | "false" => Some("remove the quotes".to_owned()),
            "yes" | "on" | "y" => Some("write `true`: in YAML 1.2 this is a text".to_owned()),
            "no" | "off" | "n" => Some("write `false`: in YAML 1.2 this is a text".to_owned()),
            _ => None,
        },
        Data::Text(text) if takes(kind, JsonType::Integer) && text.parse::<i64>().is_ok() => {
            Some("remove the quotes".to_owned())
        }
        Data::Text(_) if node.masked => None,
        Data::Text(text) if takes(kind, JsonType::Array) && !of_mappings => Some(as_list(text)),
        _ => None,
    }
}

/// A text of words as the list that it was meant to be.
fn as_list(text: &str) -> String {
    if text.contains(['"', '\'', '\\', '\n']) || text.chars().count() > 60 {
        return "write it as a list, each word an item: [\"…\", \"…\"]".to_owned();
    }
    // What reads as something else than a text, or ends an item, stands in quotes.
    let is_plain = |word: &str| {
        word.starts_with(|it: char| it.is_ascii_alphabetic() || it == '/')
            && word.bytes().all(|it| it.is_ascii_alphanumeric() || b"/._-".contains(&it))
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
                .contains(&word.to_lowercase().as_str())
    };
    let item = |word: &str| if is_plain(word) { word.to_owned() } else { format!("\"{word}\"") };
    format!("write it as a list: [{}]", text.split_whitespace().map(item).collect::<Vec<_>>().join(", "))
}

/// How a number with a point and nothing behind it is written as a whole number.
fn whole(node: &Node) -> Option<String> {
    /// Beyond this, digits would be made up.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Data::Number(number, _) = &node.data else { return None };
    if node.masked {
        return None;
    }
    let number = number.as_f64().filter(|it| it.abs() <= EXACT)?;
    Some(format!("write {}", number as i64))
}

/// The formats of whole numbers say how large they may be, and their type how they are written; the schema alone would
/// let others pass.
fn bounded(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let bounds = match fields.get("format").and_then(Value::as_str) {
                Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
                Some("uint32") => Some((json!(0), json!(u32::MAX))),
                Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
                Some("uint16") => Some((json!(0), json!(u16::MAX))),
                Some("uint8") => Some((json!(0), json!(u8::MAX))),
                _ => None,
            };
            let takes = |name: &str| match fields.get("type") {
                Some(Value::Array(types)) => types.iter().any(|it| it == name),
                kind => kind.is_some_and(|it| it == name),
            };
            if takes("integer") && !takes("number") {
                fields.insert(WHOLE.to_owned(), json!(true));
            }
            if let Some((least, most)) = bounds {
                fields.entry("minimum").or_insert(least);
                fields.entry("maximum").or_insert(most);
            }
            fields.values_mut().for_each(bounded);
        }
        Value::Array(items) => items.iter_mut().for_each(bounded),
        _ => {}
    }
}
