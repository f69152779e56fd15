//! What a reviewer has seen of a change, as a digest that stays the same while nothing but knowledge grows (D19).
//!
//! A reference that becomes known (its target was made by a run that was cut off) does not change a digest: values are
//! turned back into the references that they come from. Beside the digest of the whole there are those of its *parts*,
//! the fields, so that what is left of a change that was cut off is known again; and that of its *end*, what the resource
//! is to be, so that a resource that was made in part is finished. What a run may bring along by itself, the digest of an
//! image, is left out of these.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::diff::{Compare, FieldChange, Rules};
use crate::kind::{Effect, Facts, Order, Removal};
use crate::plan::compare::resolve::Resolver;
use crate::plan::model::{Action, Change, Digests};
use crate::resource::{Declared, OnDelete, ResourceId, Tags};
use crate::value::reference::{self, Reference};

/// What the references of one spec stand for.
#[derive(Debug, Clone, Default)]
pub struct Canonical {
    /// Values that are known now, longest first, each with its reference.
    known: Vec<(String, String)>,
    /// Repositories of the images that the spec names: where they are, what stands for any digest of theirs, the image,
    /// and whether this run declares its digest.
    images: Vec<(String, String, String, bool)>,
    /// References to what has nothing but another image's digest in this plan, each with what it meant before.
    follows: Vec<(String, String)>,
    /// The kind's rules: the order of a set says nothing.
    rules: Option<&'static Rules>,
    /// How it is removed.
    removal: Removal,
}

impl Canonical {
    /// The lens of a declared resource.
    pub fn of(declared: &Declared, facts: &'static Facts, resolver: &Resolver<'_>) -> Self {
        let mut lens = Self { rules: Some(&facts.rules), removal: facts.removal, ..Self::default() };
        let mut images: Vec<String> = Vec::new();
        reference::each(&declared.spec, "", &mut |_, found| match &found {
            Reference::Image(name) => images.push(name.clone()),
            Reference::Existing { .. } | Reference::Zone(_) => {}
            Reference::Output { id, output } => {
                if let Some(value) = resolver.value(&found).filter(|value| !value.is_empty()) {
                    lens.known.push((value, found.to_string()));
                }
                if let Some((named, before)) = resolver.delta(id, output) {
                    lens.follows.push((found.to_string(), before));
                    images.extend(named);
                }
            }
        });
        lens.known.sort_by(|a, b| (b.0.len(), a).cmp(&(a.0.len(), b)));
        lens.known.dedup();
        images.sort();
        images.dedup();
        lens.images = images.into_iter().filter_map(|name| image(name, resolver)).collect();
        lens
    }

    /// The value of a field with its sets in order.
    fn ordered(&self, path: &str, value: &Value) -> Value {
        ordered(value, self.rules.and_then(|rules| rules.at(path)))
    }

    /// A value with the references that it comes from.
    fn referring(&self, value: &Value) -> Value {
        texts(value, &|text| {
            self.known.iter().fold(text.to_owned(), |text, (value, reference)| match text == *value {
                true => reference.clone(),
                false => outside(&text, value, reference),
            })
        })
    }

    /// A value without what a run may bring along.
    fn based(&self, value: &Value) -> Value {
        texts(value, &|text| {
            let mut text = text.to_owned();
            for (reference, before) in &self.follows {
                text = text.replace(reference, before);
            }
            for (uri, any, name, _) in &self.images {
                text = undigested(&text.replace(&format!("${{image.{name}}}"), any), uri, any);
            }
            text
        })
    }
}

fn ordered(value: &Value, rules: Option<&Rules>) -> Value {
    match (value, rules) {
        (Value::Array(items), Some(rules)) => {
            let mut items: Vec<Value> =
                items.iter().map(|item| ordered(item, rules.items.as_deref())).collect();
            if matches!(rules.compare, Compare::Set | Compare::AtLeast | Compare::Keyed(_)) {
                items.sort_by_cached_key(Value::to_string);
            }
            Value::Array(items)
        }
        (Value::Object(fields), Some(rules)) => fields
            .iter()
            .map(|(key, value)| {
                (key.clone(), ordered(value, rules.fields.get(key).or(rules.values.as_deref())))
            })
            .collect(),
        _ => value.clone(),
    }
}

fn image(name: String, resolver: &Resolver<'_>) -> Option<(String, String, String, bool)> {
    let image = resolver.desired.images.get(&name)?;
    let uri = || {
        let output = Reference::Output { id: image.repository.clone(), output: "uri".to_owned() };
        resolver.value(&output)
    };
    let known = resolver.value(&Reference::Image(name.clone()));
    let uri = known.and_then(|known| known.split_once('@').map(|(uri, _)| uri.to_owned())).or_else(uri)?;
    Some((uri, format!("an image of {}", image.repository), name, image.resolved.is_some()))
}

/// Replaces a value in a text, but not inside the references that it holds by now.
fn outside(text: &str, value: &str, reference: &str) -> String {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        let end = from.find('}').map_or(from.len(), |end| end + 1);
        let (whole, after) = from.split_at(end);
        parts.push(before.replace(value, reference));
        parts.push(whole.to_owned());
        rest = after;
    }
    parts.push(rest.replace(value, reference));
    parts.concat()
}

/// Puts `any` in the place of `<uri>@sha256:<64 digits>`.
fn undigested(text: &str, uri: &str, any: &str) -> String {
    const DIGITS: usize = 64;
    let marked = format!("{uri}@sha256:");
    let mut parts = text.split(marked.as_str());
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..DIGITS).filter(|digest| digest.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(digest) => {
                found.push_str(any);
                found.push_str(part.get(digest.len()..).unwrap_or_default());
            }
            None => {
                found.push_str(&marked);
                found.push_str(part);
            }
        }
    }
    found
}

/// The value with every text in it replaced, keys included.
fn texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| texts(item, change)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (change(key), texts(value, change))).collect()
        }
        other => other.clone(),
    }
}

/// The part of a change that its digests are made of, whatever its fields are.
type Manner<'a> = (&'a ResourceId, &'a str, &'a str);

impl Change {
    /// Computes the digests of a change that refers to nothing.
    pub(crate) fn with_digests(self) -> Self {
        self.sealed_through(&Canonical::default(), None)
    }

    /// Computes the digests; `end` is what the resource is to be afterwards, and its tags.
    pub fn sealed_through(mut self, lens: &Canonical, end: Option<(&Value, &Tags)>) -> Self {
        let removed_first = self.effect == Some(Effect::Replace(Order::DeleteFirst));
        // The first move of a removal switches off: what a run that was cut off there has left is no other change.
        let switched_off = |field: &&FieldChange| {
            let is_switch = |before| lens.removal.is_switch(&field.path, before);
            removed_first && field.before.as_ref().is_some_and(is_switch)
        };
        let whole: Vec<_> = (self.fields.iter())
            .filter(|field| !switched_off(field))
            .map(|field| {
                let ordered = |value: &Value| lens.ordered(&field.path, value);
                let after = field.after.as_ref().map(|after| ordered(&lens.referring(after)));
                (&field.path, field.before.as_ref().map(ordered), after)
            })
            .collect();
        // The fields of what is made are those of its spec alone; whether it is protected is in its tags.
        let made = end.filter(|_| self.action == Action::Create).map(|(_, tags)| tags);
        let mut digest = hex(&(self.manner(), self.action, &self.effect, &whole, made));
        let in_place = self.action == Action::Update;
        let parts = self.fields.iter().filter(|_| in_place).filter_map(|field| self.part(lens, field));
        let parts: Vec<String> = match self.action {
            // What a replacement left behind, and not what somebody took out of the manifests.
            Action::Delete if self.effect.is_some() => vec![gone(&self.id, &self.physical, OnDelete::Refuse)],
            _ => parts.collect(),
        };
        let seen = |value: &Value| lens.ordered("", &lens.referring(&lens.based(value)));
        let end = end.map(|(want, tags)| (seen(want), tags));
        let end = end.map(|end| hex(&(&self.id, end))).unwrap_or_default();
        let (trims, images) = (self.digests.trims, lens.images.iter());
        if removed_first {
            digest = hex(&(digest, &end));
        }
        if let Some(keep) = trims {
            digest = hex(&(digest, keep));
        }
        self.digests = Digests {
            digest,
            end,
            parts,
            trims,
            images: images.map(|(_, _, name, declared)| (name.clone(), *declared)).collect(),
        };
        self
    }

    /// The digest of one field's change without images' digests; `None` if nothing else differs.
    fn part(&self, lens: &Canonical, field: &FieldChange) -> Option<String> {
        let based = |value: &Value| lens.ordered(&field.path, &lens.based(value));
        let (before, after) = (field.before.as_ref().map(based), field.after.as_ref().map(based));
        if before == after {
            return None;
        }
        let after = after.map(|after| lens.ordered(&field.path, &lens.referring(&after)));
        Some(hex(&(self.manner(), &field.path, before, after)))
    }

    /// Which resource, in which way, under which name: the ways that are all in place are one.
    fn manner(&self) -> Manner<'_> {
        let how = match &self.effect {
            None => "",
            Some(Effect::Tag | Effect::Update(_)) => "in place",
            Some(Effect::NewRevision) => "revision",
            Some(Effect::Replace(Order::CreateFirst)) => "create first",
            Some(Effect::Replace(Order::DeleteFirst)) => "delete first",
            Some(Effect::Impossible(_)) => "impossible",
        };
        (&self.id, how, &self.physical)
    }
}

/// The digest of an incarnation's end: whether it is deleted or replaced, and what becomes of its data.
pub fn gone(id: &ResourceId, physical: &str, on_delete: OnDelete) -> String {
    let end = match on_delete {
        OnDelete::Refuse => "gone",
        OnDelete::Empty => "gone with its data",
        OnDelete::Retain => "given up",
    };
    hex(&(id, end, physical))
}

fn hex(what: &impl Serialize) -> String {
    let hash = Sha256::digest(serde_json::to_string(what).unwrap_or_default().as_bytes());
    hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
