//! What else an environment declares: for pairs of resources that cannot go together.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::Kind;
use crate::resource::{Document, ResourceId};
use crate::value::reference::{self, Reference};

/// Everything that one environment declares, found as a spec would name it.
#[derive(Debug, Default)]
pub struct Beside<'a> {
    specs: BTreeMap<&'a ResourceId, &'a Document>,
    names: BTreeMap<(&'a str, &'a str), &'a ResourceId>,
    own: Option<&'a str>,
}

impl<'a> Beside<'a> {
    /// Adds a resource with its name in AWS.
    pub fn add(&mut self, id: &'a ResourceId, physical: &'a str, spec: &'a Document) {
        self.specs.insert(id, spec);
        self.names.insert((id.kind.as_str(), physical), id);
    }

    /// Whom is asked next: its own name in AWS, where that is known.
    pub fn ask(&mut self, physical: Option<&'a str>) {
        self.own = physical;
    }

    /// The name in AWS of the one that is asked.
    pub fn own_name(&self) -> Option<&'a str> {
        self.own
    }

    /// The name in AWS of another one.
    pub fn name_of(&self, id: &ResourceId) -> Option<&'a str> {
        self.names.iter().find(|(_, known)| **known == id).map(|((_, name), _)| *name)
    }

    /// The resource of a kind that a text denotes: a reference to it, its name in AWS, or an ARN that ends in that. Nothing,
    /// if it is not declared here.
    pub fn find<K: Kind>(&self, text: &str) -> Option<(&'a ResourceId, K::Spec)> {
        let (id, spec) = match reference::whole(text) {
            Some(Reference::Output { id, .. }) => {
                self.specs.get_key_value(&id).filter(|(id, _)| id.kind == K::NAME)?
            }
            Some(Reference::Image(_)) => return None,
            None => {
                let name = text.rsplit('/').next().unwrap_or(text);
                self.specs.get_key_value(*self.names.get(&(K::NAME, name))?)?
            }
        };
        Some((id, decoded(spec)?))
    }
}

fn decoded<T: DeserializeOwned>(spec: &Document) -> Option<T> {
    serde_json::from_value(spec.clone()).ok()
}
