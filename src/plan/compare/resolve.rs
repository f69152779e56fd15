//! References → values, as far as they are known before an apply (D13).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::plan::scope::references::Predicted;
use crate::resource::{Desired, Observed, ResourceId};
use crate::value::reference::{self, Reference};

/// The resources that a plan creates, replaces or registers anew: what references to them denote afterwards.
#[derive(Clone, Default, PartialEq)]
pub struct Renewed {
    /// What can be said of the new incarnation of each.
    pub outputs: BTreeMap<ResourceId, BTreeMap<String, String>>,
    /// Those of them in which nothing differs but the digests of these images.
    pub deltas: BTreeMap<ResourceId, Vec<String>>,
}

/// What references denote: outputs that were observed, outputs that can be predicted of what this plan makes, images.
pub struct Resolver<'a> {
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    /// What can be said beforehand of declared resources that do not exist yet: references that make no edge (D17) may
    /// meet them before their turn.
    pub predicted: &'a Predicted,
    /// What this plan makes anew.
    pub renewed: Renewed,
}

impl Resolver<'_> {
    /// The document with every reference replaced that is known; the others stay and mean "known after apply".
    pub fn resolve(&self, document: &Value) -> Value {
        reference::resolve(document, &|reference| self.value(reference))
    }

    /// The same, with the references to these resources left as they are.
    pub fn resolve_without(&self, document: &Value, without: &BTreeSet<ResourceId>) -> Value {
        reference::resolve(document, &|reference| match reference {
            Reference::Output { id, .. } if without.contains(id) => None,
            other => self.value(other),
        })
    }

    /// The ARNs by which a resource may be named without a reference.
    pub fn arns<'s>(&'s self, id: &ResourceId) -> impl Iterator<Item = &'s str> {
        let known = [self.renewed.outputs.get(id), self.predicted.get(id)];
        known.into_iter().flatten().filter_map(|outputs| outputs.get("arn")).map(String::as_str)
    }

    /// What references to something that does not exist denote before it was considered.
    pub fn expected(&self, id: &ResourceId) -> Option<&BTreeMap<String, String>> {
        let exists = self.observed.resources.get(id).is_some_and(|seen| seen.current.is_some());
        self.predicted.get(id).filter(|_| !exists)
    }

    pub fn value(&self, reference: &Reference) -> Option<String> {
        match reference {
            Reference::Output { id, output } => {
                if let Some(predicted) = self.renewed.outputs.get(id) {
                    return predicted.get(output).cloned();
                }
                match self.observed.resources.get(id).and_then(|seen| seen.current.as_ref()) {
                    Some(live) => text(live.outputs.get(output)?),
                    None => self.predicted.get(id)?.get(output).cloned(),
                }
            }
            Reference::Image(name) => {
                let declared = self.desired.images.get(name).and_then(|image| image.resolved.clone());
                declared.or_else(|| self.observed.images.get(name).cloned())
            }
            // Put in before anything is planned, as far as they are known.
            Reference::Existing { .. } | Reference::Zone(_) => None,
        }
    }

    /// Of a resource in which nothing differs but images' digests: these images, and what its output was before.
    pub fn delta(&self, id: &ResourceId, output: &str) -> Option<(Vec<String>, String)> {
        let images = self.renewed.deltas.get(id)?.clone();
        let live = self.observed.resources.get(id)?.current.as_ref()?;
        Some((images, text(live.outputs.get(output)?)?))
    }
}

/// An output as it stands in a string.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
