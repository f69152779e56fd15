//! Who names a part of a resource by its digest, such as an image of a repository: found in one pass over all documents.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{AnyKind, Pinned};
use crate::resource::{Declared, Desired, Observed, ResourceId};
use crate::value;
use crate::value::reference::{self, Reference};

/// What stands between an address and a digest.
const DIGEST: &str = "@sha256:";

type Users = BTreeSet<ResourceId>;

/// Everything that names something by its digest.
#[derive(Default)]
pub struct Digests {
    /// By a reference to its address.
    references: BTreeMap<ResourceId, Users>,
    /// By its address, of what is declared and of what exists, older revisions included.
    addresses: BTreeMap<String, Users>,
    /// By the name of an image.
    images: BTreeMap<String, Users>,
}

impl Digests {
    /// Of an environment.
    pub fn of(desired: &Desired, observed: Option<&Observed>) -> Self {
        let mut digests = Self::default();
        for (id, declared) in &desired.resources {
            value::strings(&declared.spec, &mut |text| digests.read(id, text));
        }
        for (id, seen) in observed.into_iter().flat_map(|observed| &observed.resources) {
            for live in seen.iter() {
                value::strings(&live.spec, &mut |text| digests.addresses(id, text));
            }
        }
        digests
    }

    fn read(&mut self, id: &ResourceId, text: &str) {
        self.addresses(id, text);
        if !text.contains("${") {
            return;
        }
        for reference in reference::references(text) {
            let written = reference.to_string();
            match reference {
                Reference::Image(name) => {
                    self.images.entry(name).or_default().insert(id.clone());
                }
                Reference::Output { id: of, output } if output == "uri" => {
                    if text.contains(&format!("{written}{DIGEST}")) {
                        self.references.entry(of).or_default().insert(id.clone());
                    }
                }
                Reference::Output { .. } | Reference::Existing { .. } | Reference::Zone(_) => {}
            }
        }
    }

    fn addresses(&mut self, id: &ResourceId, text: &str) {
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "._-/".contains(c));
        for (at, _) in text.match_indices(DIGEST) {
            let address = text.get(..at).and_then(|before| before.rsplit(ends).next()).unwrap_or_default();
            if !address.is_empty() {
                self.addresses.entry(address.to_owned()).or_default().insert(id.clone());
            }
        }
    }

    /// Who names a part of a resource. `None`: nobody does, or it has no address to be named by.
    pub fn pinned(&self, declared: &Declared, kind: &dyn AnyKind, desired: &Desired) -> Option<Pinned> {
        let outputs = kind
            .facts()
            .outputs
            .iter()
            .any(|output| output == "uri")
            .then(|| kind.predict(&declared.physical_name, &declared.spec, &desired.place))?;
        let images = || desired.images.iter().filter(|(_, image)| image.repository == declared.id);
        let users = [self.addresses.get(outputs.get("uri")?), self.references.get(&declared.id)];
        let of_images = images().filter_map(|(name, _)| self.images.get(name));
        let by = users.into_iter().flatten().chain(of_images).flatten();
        let by: Users = by.filter(|id| **id != declared.id).cloned().collect();
        let tags = images().map(|(_, image)| image.tag.clone()).collect();
        (!by.is_empty()).then_some(Pinned { by, tags })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_address_ends_where_its_digest_begins() {
        let mut digests = Digests::default();
        let id = ResourceId::new("a/B", "c");
        let texts: Value = json!([
            "1.dkr.ecr.eu-west-1.amazonaws.com/x/y@sha256:00",
            "docker run 'host/z@sha256:00' @sha256:1",
            "${d/E/f.uri}@sha256:00",
            "${d/E/g.uri}:latest ${image.worker}",
        ]);
        value::strings(&texts, &mut |text| digests.read(&id, text));
        let addresses: Vec<&str> = digests.addresses.keys().map(String::as_str).collect();
        assert_eq!(addresses, ["1.dkr.ecr.eu-west-1.amazonaws.com/x/y", "host/z"]);
        let references: Vec<String> = digests.references.keys().map(ToString::to_string).collect();
        assert_eq!(references, ["d/E/f"]);
        assert!(digests.images.contains_key("worker"));
    }
}
