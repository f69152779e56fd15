//! What an environment tells whoever uses it: its `outputs`, as far as what they name is known. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::plan::output_text;
use crate::resource::{Desired, Observed, ResourceId};
use crate::value::existing;
use crate::value::reference::{self, Reference};

/// What AWS assigned, of what there is.
pub type Known = BTreeMap<ResourceId, BTreeMap<String, Value>>;

/// One output.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// Its value; what is not there yet stays as it is named.
    pub value: Value,
    /// The first of the references in it that nothing is known of.
    pub unknown: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is shown only to who asks for it by name.
    pub sensitive: bool,
}

/// What is known of what was observed.
pub fn known(observed: &Observed) -> Known {
    let current = observed.resources.iter();
    current.filter_map(|(id, seen)| Some((id.clone(), seen.current.as_ref()?.outputs.clone()))).collect()
}

/// All outputs of an environment, by name.
pub fn told(desired: &Desired, observed: &Observed, known: &Known) -> Vec<Told> {
    let one = |(name, output): (&String, &crate::resource::Output)| {
        let value = resolved(&output.value, desired, observed, known);
        let unknown = reference::first(&value).map(|unknown| unknown.to_string());
        let (description, sensitive) = (output.description.clone(), output.sensitive);
        Told { name: name.clone(), value, unknown, description, sensitive }
    };
    desired.outputs.iter().map(one).collect()
}

/// A value with all that is known.
pub fn resolved(value: &Value, desired: &Desired, observed: &Observed, known: &Known) -> Value {
    let value = existing::resolved(value, &observed.surroundings);
    reference::resolve(&value, &|reference| match reference {
        Reference::Output { id, output } => output_text(known.get(id)?.get(output)?),
        Reference::Image(name) => {
            let declared = desired.images.get(name).and_then(|image| image.resolved.clone());
            declared.or_else(|| observed.images.get(name).cloned())
        }
        Reference::Existing { .. } | Reference::Zone(_) => None,
    })
}
