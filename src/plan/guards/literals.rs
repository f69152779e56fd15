//! Names that are written out where a reference is meant: of what is declared here, or of nothing that there is.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::diff::{Compare, Rules};
use crate::kind::{AnyKind, Effect, Invalid};
use crate::nearest::nearest;
use crate::plan::guards::input::Input;
use crate::plan::model::{Action, Change, Objection, Objector};
use crate::plan::request::Registry;
use crate::plan::scope::Scope;
use crate::resource::{Declared, Desired, Observed};

/// A name, an id or an ARN in a field that takes references.
struct Literal<'a> {
    path: String,
    text: &'a str,
    rules: &'a Rules,
}

impl Literal<'_> {
    /// The name that it says: where a name and an ARN that ends in it mean the same, normal forms write either.
    fn name(&self) -> &str {
        match self.rules.compare {
            Compare::NameOrArn => self.text.rsplit(['/', ':']).next().unwrap_or(self.text),
            _ => self.text,
        }
    }
}

/// All of a document, with the rules of the field that each stands in.
fn literals<'a>(value: &'a Value, rules: &'a Rules, path: &str, found: &mut Vec<Literal<'a>>) {
    match value {
        Value::String(text) if !rules.refers.is_empty() && !text.is_empty() && !text.contains("${") => {
            found.push(Literal { path: path.to_owned(), text, rules });
        }
        Value::Array(items) => {
            let Some(rules) = rules.items.as_deref() else { return };
            for (index, item) in items.iter().enumerate() {
                literals(item, rules, &format!("{path}[{index}]"), found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let Some(rules) = rules.fields.get(name).or(rules.values.as_deref()) else { continue };
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                literals(value, rules, &path, found);
            }
        }
        _ => {}
    }
}

fn of<'a>(declared: &'a Declared, kind: &'a dyn AnyKind) -> Vec<Literal<'a>> {
    let mut found = Vec::new();
    literals(&declared.spec, &kind.facts().rules, "", &mut found);
    found.retain(|literal| !declared.ignore.contains(&literal.path));
    found
}

/// The reference that may stand in a field in place of the name of something declared.
struct Meant {
    reference: String,
    what: String,
    /// The name is the one in AWS, not the one in the manifests.
    in_aws: bool,
}

/// What is declared, by the names that it has.
pub struct Named<'a> {
    /// In AWS: its physical name, and whatever AWS makes of that, such as its ARN.
    in_aws: HashMap<String, Vec<&'a Declared>>,
    /// In the manifests.
    here: HashMap<&'a str, Vec<&'a Declared>>,
}

impl<'a> Named<'a> {
    /// Everything of an environment.
    pub fn of(desired: &'a Desired, kinds: &Registry) -> Self {
        let (mut in_aws, mut here) = (HashMap::<String, Vec<&Declared>>::new(), HashMap::<_, Vec<_>>::new());
        for declared in desired.resources.values() {
            here.entry(declared.id.name.as_str()).or_default().push(declared);
            let physical = &declared.physical_name;
            let predicted = kinds
                .of(&declared.id.kind)
                .map(|kind| kind.predict(physical, &declared.spec, &desired.place))
                .unwrap_or_default();
            let mut texts: BTreeSet<String> =
                predicted.into_values().filter(|text| text.contains(physical.as_str())).collect();
            texts.insert(physical.clone());
            for text in texts {
                in_aws.entry(text).or_default().push(declared);
            }
        }
        Self { in_aws, here }
    }

    /// What is declared under a name and may be referred to here. What is called so in AWS is meant rather than what is called so
    /// in the manifests.
    fn meant(&self, literal: &Literal<'_>, of: &Declared) -> Option<Meant> {
        let find = |found: Option<&Vec<&Declared>>, in_aws: bool| {
            let others = found.into_iter().flatten().filter(|other| other.id != of.id);
            others.copied().find_map(|other| {
                let output = output_of(literal.rules, &other.id.kind)?;
                let reference = format!("${{{}.{output}}}", other.id);
                Some(Meant { reference, what: other.id.to_string(), in_aws })
            })
        };
        find(self.in_aws.get(literal.text), true).or_else(|| find(self.here.get(literal.name()), false))
    }
}

/// The output that a reference to this kind names here.
fn output_of<'r>(rules: &'r Rules, kind: &str) -> Option<&'r str> {
    rules.refers.iter().find_map(|target| target.strip_prefix(kind)?.strip_prefix('.'))
}

/// Doubts about names of what is declared: they are looked for in AWS as they are written, and nothing waits for them.
pub fn doubts(declared: &Declared, kind: &dyn AnyKind, named: &Named<'_>) -> Vec<Invalid> {
    let doubt = |literal: Literal<'_>| {
        let Meant { reference, what, in_aws } = named.meant(&literal, declared)?;
        let text = literal.name();
        let message = match in_aws {
            true => format!(
                "`{text}` is what {what} is called in AWS: write `{reference}`, so that it comes first"
            ),
            false => format!(
                "`{text}` is looked for in AWS under this very name; if {what} is meant, which is declared here, write `{reference}`"
            ),
        };
        Some(Invalid::new(literal.path, message))
    };
    of(declared, kind).into_iter().filter_map(doubt).collect()
}

/// Objections to what a change would send to AWS although nothing there bears the name. Of a kind that was not read, or not
/// as a whole, nothing is known.
pub fn objections(input: &Input<'_>) -> Vec<Objection> {
    let (changes, Scope { desired, observed, kinds, .. }) = (input.changes, input.scope);
    let (mut found, mut named) = (Vec::new(), None);
    for change in changes {
        let (Some(declared), Some(kind)) = (desired.resources.get(&change.id), kinds.of(&change.id.kind))
        else {
            continue;
        };
        for literal in of(declared, kind).into_iter().filter(|literal| is_sent(change, &literal.path)) {
            if !is_nowhere(&literal, desired, observed) {
                continue;
            }
            found.push(Objection {
                id: change.id.clone(),
                objector: Objector::Nowhere,
                message: {
                    let named = named.get_or_insert_with(|| Named::of(desired, kinds));
                    message(&literal, declared, desired, observed, named)
                },
                position: Some(declared.position_of(&literal.path).clone()),
            });
        }
    }
    found
}

/// Whether a change tells AWS what stands in this field: what is as it was has been taken before.
fn is_sent(change: &Change, path: &str) -> bool {
    let first = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
    match (change.action, &change.effect) {
        (Action::Create | Action::Replace, _) | (_, Some(Effect::NewRevision)) => true,
        (Action::Update, _) => change.fields.iter().any(|field| first(&field.path) == first(path)),
        _ => false,
    }
}

fn is_nowhere(literal: &Literal<'_>, desired: &Desired, observed: &Observed) -> bool {
    let kinds = kinds_of(literal.rules);
    let has = |kind: &&str| {
        observed.listed.get(*kind).and_then(|listing| listing.has(literal.text, &desired.place))
    };
    !literal.rules.beyond && !kinds.is_empty() && kinds.iter().all(|kind| has(kind) == Some(false))
}

/// The kinds that a field may refer to.
fn kinds_of(rules: &Rules) -> BTreeSet<&str> {
    rules.refers.iter().filter_map(|target| target.split('.').next()).collect()
}

fn message(
    literal: &Literal<'_>,
    declared: &Declared,
    desired: &Desired,
    observed: &Observed,
    named: &Named<'_>,
) -> String {
    let text = literal.name();
    let kinds = kinds_of(literal.rules);
    let what = kinds.iter().copied().collect::<Vec<_>>().join(" and no ");
    let says = format!("{} names `{text}`, and there is no {what} of that name in AWS", literal.path);
    if let Some(Meant { reference, what, in_aws }) = named.meant(literal, declared) {
        return match in_aws {
            true => format!("{says} yet: write `{reference}`, so that {what} comes first"),
            false => format!("{says}: write `{reference}` for {what}, which is declared here"),
        };
    }
    let references = desired.resources.values().filter(|other| other.id != declared.id).filter_map(|other| {
        let output = output_of(literal.rules, &other.id.kind)?;
        Some((other.id.name.as_str(), format!("${{{}.{output}}}", other.id)))
    });
    let references: Vec<(&str, String)> = references.collect();
    let near = nearest(text, references.iter().map(|(name, _)| *name));
    if let Some((_, reference)) = references.iter().find(|(name, _)| Some(*name) == near) {
        return format!("{says}: did you mean `{reference}`?");
    }
    let there = kinds.iter().filter_map(|kind| observed.listed.get(*kind)).flat_map(|listing| &listing.names);
    match nearest(text, there.map(String::as_str)) {
        Some(near) => format!("{says}: did you mean `{near}`?"),
        None => format!("{says}: correct the name, make it first, or declare it here and refer to it"),
    }
}
