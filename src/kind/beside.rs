//! What else an environment declares: for pairs of resources that cannot go together.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Invalid, Kind};
use crate::resource::{Desired, Document, ResourceId, RunsOn};
use crate::value::reference::{self, Reference};

/// Why a resource cannot go together with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// What is wrong, and where.
    pub invalid: Invalid,
    /// The other one, if that is declared here.
    pub with: Option<ResourceId>,
    /// Nobody can tell before it is tried: it is warned of, and in the way of nothing.
    pub is_doubt: bool,
}

impl From<Invalid> for Clash {
    fn from(invalid: Invalid) -> Self {
        Self { invalid, with: None, is_doubt: false }
    }
}

impl Clash {
    /// One complaint.
    pub fn new(path: impl Into<String>, with: &ResourceId, message: impl Into<String>) -> Self {
        Self { invalid: Invalid::new(path, message), with: Some(with.clone()), is_doubt: false }
    }

    /// The same as a doubt.
    pub fn doubted(self) -> Self {
        Self { is_doubt: true, ..self }
    }
}

/// A resource that an environment declares, in normal form.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// Its identity.
    pub id: &'a ResourceId,
    /// Its name in AWS.
    pub physical: &'a str,
    /// What its jobs run on.
    pub runs_on: Option<&'a RunsOn>,
    spec: &'a Document,
    ignored: &'a [String],
}

impl<'a> Other<'a> {
    /// A field of its spec. Nothing, if it is not declared, or if AWS may hold something else (`metadata.ignore`).
    pub fn field(&self, name: &str) -> Option<&'a Value> {
        self.spec.get(name).filter(|_| !self.ignores(name))
    }

    /// A field of its spec that is a text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.field(name).and_then(Value::as_str)
    }

    /// The texts of a field that is a list.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.field(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether AWS may hold something else in a field than what is declared.
    pub fn ignores(&self, name: &str) -> bool {
        let of = |path: &String| path.split(['.', '[']).next() == Some(name);
        self.ignored.iter().any(of)
    }

    /// All that it declares.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.spec.clone()).ok()
    }
}

/// Everything that one environment declares, found as a spec would name it.
#[derive(Debug, Default)]
pub struct Beside<'a> {
    all: BTreeMap<&'a ResourceId, Other<'a>>,
    names: BTreeMap<(&'a str, &'a str), &'a ResourceId>,
}

impl<'a> Beside<'a> {
    /// Everything that is declared.
    pub fn of(desired: &'a Desired) -> Self {
        let mut beside = Self::default();
        for (id, declared) in &desired.resources {
            beside.add(
                id,
                &declared.physical_name,
                (&declared.spec, Some(&declared.runs_on)),
                &declared.ignore,
            );
        }
        beside
    }

    /// Adds a resource with its name in AWS, and the paths that `metadata.ignore` lists.
    pub fn add(
        &mut self,
        id: &'a ResourceId,
        physical: &'a str,
        (spec, runs_on): (&'a Document, Option<&'a RunsOn>),
        ignored: &'a [String],
    ) {
        self.all.insert(id, Other { id, physical, runs_on, spec, ignored });
        self.names.insert((id.kind.as_str(), physical), id);
    }

    /// The resource of this identity.
    pub fn get(&self, id: &ResourceId) -> Option<Other<'a>> {
        self.all.get(id).copied()
    }

    /// All of one kind, in order of their names.
    pub fn all<K: Kind>(&self) -> impl Iterator<Item = Other<'a>> {
        self.all.values().copied().filter(|it| it.id.kind == K::NAME)
    }

    /// Those of one kind whose names come before this one's: of two that cannot go together one is complained of.
    pub fn before<K: Kind>(&self, id: &ResourceId) -> impl Iterator<Item = Other<'a>> {
        self.all::<K>().take_while(move |it| it.id < id)
    }

    /// The resource of a kind that a text denotes: a reference to it, its name in AWS, or an ARN that ends in that. Nothing,
    /// if it is not declared here.
    pub fn find<K: Kind>(&self, text: &str) -> Option<(&'a ResourceId, K::Spec)> {
        let other = match reference::whole(text) {
            Some(Reference::Output { id, .. }) => self.get(&id).filter(|it| it.id.kind == K::NAME)?,
            Some(Reference::Image(_) | Reference::Existing { .. } | Reference::Zone(_)) => return None,
            None => {
                let name = text.rsplit('/').next().unwrap_or(text);
                self.get(self.names.get(&(K::NAME, name))?)?
            }
        };
        Some((other.id, other.read()?))
    }
}
