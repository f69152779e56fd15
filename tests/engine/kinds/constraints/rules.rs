//! Rules of AWS's models, each at the field that says the value.

use batchwright::diff;
use batchwright::kind::Ownership;
use batchwright::kinds;
use regex::Regex;
use serde_json::Value;

use super::api::{self, Said, Section};
use super::place::{Place, Step};

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    pub field: Place,
    pub word: String,
    pub value: Value,
    origin: String,
}

impl Rule {
    /// The rules that stand at what a manifest of this kind can say, each once.
    pub fn of(kind: &str, origins: &[String], data: &str) -> Vec<Self> {
        let mut rules: Vec<Self> = Vec::new();
        let sections = api::sections();
        for line in data.lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.splitn(4, ' ');
            let [origin, path, word, value] = [(); 4].map(|()| parts.next().unwrap_or_default());
            if !origins.iter().any(|it| it == origin) {
                continue;
            }
            let Some(field) = field(kind, origin, path, &sections).map(|field| of_item(kind, field, word))
            else {
                continue;
            };
            let value: Value = serde_json::from_str(value).unwrap();
            let rule = Self { field, word: word.to_owned(), value, origin: origin.to_owned() };
            let known = |it: &Self| it.field == rule.field && it.named() == rule.named();
            if !rule.is_empty() && !rules.iter().any(known) {
                rules.push(rule);
            }
        }
        rules
    }

    /// Whether nothing can break it: ours are always among the tags.
    fn is_empty(&self) -> bool {
        if matches!(&self.field, Place::Tags(steps) if steps.is_empty()) && self.word.starts_with("min") {
            return true;
        }
        (self.word.starts_with("min") && self.word != "minimum" && self.value == 0)
            || matches!(self.value.as_str(), Some(".*" | r"[\s\S]*" | ".+"))
    }

    /// Its name, which tells it from the others at its field.
    pub fn named(&self) -> String {
        match &self.value {
            Value::Number(number) => format!("{}={number}", self.word),
            // Patterns are told by who has them: two of the same are one.
            Value::String(_) if self.word == "pattern" && self.is_cloudformations() => {
                "pattern=type".to_owned()
            }
            _ => self.word.clone(),
        }
    }

    /// The rule and whose it is.
    pub fn said(&self) -> String {
        let value: String = self.value.to_string().chars().take(120).collect();
        format!("{}: {} {value}", self.origin, self.word)
    }

    fn is_cloudformations(&self) -> bool {
        self.origin.contains("::")
    }

    /// What a text that keeps to the pattern matches. A service matches the whole text, JSON Schema what it finds in it.
    pub fn pattern(&self) -> Regex {
        let pattern = ours(self.value.as_str().unwrap_or_default());
        let pattern = if self.is_cloudformations() { pattern } else { format!(r"\A(?:{pattern})\z") };
        Regex::new(&pattern).unwrap_or_else(|error| panic!("{}: {error}", self.said()))
    }
}

/// What looks ahead, which the crate does not, and the same without: a folder whose name begins with no dot; a tag's key that does
/// not begin with `aws:`, which `validate` refuses of all tags.
const LOOKS: &[(&str, &str)] = &[
    (r"(?!\.)+[^$#<>;`|&?{}^*/\n]+", r"[^.$#<>;`|&?{}^*/\n][^$#<>;`|&?{}^*/\n]*"),
    ("(?![aA]{1}[wW]{1}[sS]{1}:)", ""),
];

/// A pattern in the dialect of the crate: classes are ASCII's, and a class may hold `[`.
fn ours(pattern: &str) -> String {
    let pattern = LOOKS.iter().fold(pattern.to_owned(), |text, (looks, same)| text.replace(looks, same));
    let pattern =
        Regex::new(r"\(\?=\.\{\d+,\d+\}\$\)").unwrap().replace_all(&pattern, "").replace(r"\Z", r"\z");
    let (mut out, mut in_class, mut rest) = (String::new(), false, pattern.chars());
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let class = match rest.next() {
                    Some('w') => "A-Za-z0-9_".to_owned(),
                    Some('d') => "0-9".to_owned(),
                    other => {
                        out.extend(['\\'].into_iter().chain(other));
                        continue;
                    }
                };
                out += &if in_class { class } else { format!("[{class}]") };
            }
            '[' if in_class => out += r"\[",
            '&' if in_class => out += r"\&",
            '[' | ']' => {
                in_class = c == '[';
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// Where a manifest says what a member of a request or a property of a type holds. Nothing, if it does not: why not is told
/// by other tables, which have tests of their own.
fn field(kind: &str, origin: &str, path: &str, sections: &[Section]) -> Option<Place> {
    let facts = kinds::kind(kind)?.facts();
    let steps = steps(path);
    let first = match steps.first()? {
        Step::Field(name) => name.to_lowercase(),
        _ => return None,
    };
    if first == "tags" {
        if facts.ownership == Ownership::Shared {
            return None;
        }
        return tags(&steps[1..]);
    }
    if let Some(steps) = resolved(&facts.rules, &steps) {
        return Some(Place::Spec(steps));
    }
    if origin.contains("::") {
        let (_, why) = facts.not_managed.iter().find(|(name, _)| name.eq_ignore_ascii_case(&first))?;
        return (why.starts_with("metadata.physicalName") && steps.len() == 1).then_some(Place::Name);
    }
    let section = sections.iter().find(|section| section.kind == kind)?;
    let member = path.replace("[]", "").replace("{}", "").replace("{key}", "");
    let line = section.lines.iter().find(|line| line.covers(origin, &member))?;
    match line.said {
        Said::By(field) => {
            // The members above are exchanged for the field; what is below stays.
            let above = line.member.split('.').count();
            let mut seen = 0;
            let below = steps.iter().skip_while(|step| {
                seen += usize::from(matches!(step, Step::Field(_)));
                seen < above || (seen == above && matches!(step, Step::Field(_)))
            });
            let whole: Vec<Step> = self::steps(field).into_iter().chain(below.cloned()).collect();
            resolved(&facts.rules, &whole).map(Place::Spec)
        }
        Said::Not(why) => why.starts_with("metadata.physicalName").then_some(Place::Name),
    }
}

/// Where one call writes each item of a list, the rule is one of the items.
fn of_item(kind: &str, field: Place, word: &str) -> Place {
    let Place::Spec(mut steps) = field else { return field };
    let mut path = String::new();
    for step in &steps {
        match step {
            Step::Field(name) if path.is_empty() => path.push_str(name),
            Step::Field(name) => path.push_str(&format!(".{name}")),
            Step::Item => path.push_str("[0]"),
            Step::Entry | Step::Key => return Place::Spec(steps),
        }
    }
    let schema = kinds::kind(kind).map(|kind| &kind.facts().rules);
    let is_list = schema.and_then(|rules| rules.at(&path)).is_some_and(|rules| rules.items.is_some());
    if is_list && (word.ends_with("Length") || word == "pattern") && steps.last() != Some(&Step::Item) {
        steps.push(Step::Item);
    }
    Place::Spec(steps)
}

/// Tags are a list of pairs here and a map there.
fn tags(below: &[Step]) -> Option<Place> {
    match below {
        [] => Some(Place::Tags(Vec::new())),
        [Step::Key] => Some(Place::Tags(vec![Step::Key])),
        [Step::Entry] => Some(Place::Tags(vec![Step::Entry])),
        [Step::Item, Step::Field(part)] if part.eq_ignore_ascii_case("key") => {
            Some(Place::Tags(vec![Step::Key]))
        }
        [Step::Item, Step::Field(part)] if part.eq_ignore_ascii_case("value") => {
            Some(Place::Tags(vec![Step::Entry]))
        }
        _ => None,
    }
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let end = part.find(['[', '{']).unwrap_or(part.len());
        let (name, mut marks) = part.split_at(end);
        steps.extend((!name.is_empty()).then(|| Step::Field(name.to_owned())));
        for (mark, step) in
            [("[]", Step::Item), ("{key}", Step::Key), ("{}", Step::Entry)].iter().cycle().take(9)
        {
            if let Some(rest) = marks.strip_prefix(mark) {
                steps.push(step.clone());
                marks = rest;
            }
        }
    }
    steps
}

/// The path in the words of the spec, whatever the letters' case. A list that the spec has as a single value, or the other way
/// round, is none of ours to guess.
fn resolved(rules: &diff::Rules, steps: &[Step]) -> Option<Vec<Step>> {
    let mut at = rules;
    let mut path = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Field(part) => {
                let (name, rules) = at.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(part))?;
                at = rules;
                path.push(Step::Field(name.clone()));
            }
            Step::Item | Step::Entry => {
                let inner = if *step == Step::Item { &at.items } else { &at.values };
                path.push(step.clone());
                match inner.as_deref() {
                    Some(inner) => at = inner,
                    // Plain values have no rules of their own.
                    None if index + 1 == steps.len() => {}
                    None => return None,
                }
            }
            Step::Key => path.push(Step::Key),
        }
    }
    Some(path)
}
