//! What a resource is called, in AWS and before, and what it names in our own settings.

use super::Reader;
use crate::kind::{AnyKind, Ownership};
use crate::manifest::environment::resource_id;
use crate::manifest::error::Complaint;
use crate::manifest::tree::Node;
use crate::resource::{Document, ResourceId};

impl Reader<'_> {
    /// The name in AWS, as far as it can be told. Of what has been complained about since `before` nothing follows.
    pub(super) fn physical(
        &mut self,
        before: usize,
        id: &ResourceId,
        kind: &'static dyn AnyKind,
        tree: &Node,
        spec: Option<&Document>,
    ) -> Option<String> {
        let metadata = tree.get("metadata")?;
        let given = metadata.entry("physicalName");
        let written = given.or_else(|| metadata.entry("name"))?;
        let since = self.complaints.get(before..).unwrap_or_default();
        let wrong = since.iter().any(|it| it.span == written.value.span);
        let text = written.value.literal().filter(|_| !wrong)?;
        let name = match given {
            Some(_) => text.to_owned(),
            None if self.loaded.unsure.prefix => return None,
            None => format!("{}{}", self.loaded.file.name_prefix, id.name),
        };
        let name = match spec {
            Some(spec) => kind.physical(spec, &name, &self.loaded.place),
            // What is the account's is called as its spec says.
            None if kind.facts().ownership == Ownership::Shared => return None,
            None => name,
        };
        if let Some(message) = kind.validate_name(&name, spec) {
            let complaint = Complaint::new(written.at, message);
            self.complaints.push(if name == text { complaint } else { self.made_of(complaint, &name) });
        }
        Some(name)
    }

    /// Says which name in AWS a logical name leads to, and what stands before it.
    fn made_of(&self, complaint: Complaint, name: &str) -> Complaint {
        let complaint = complaint.label(format!("in AWS this is `{name}`"));
        match self.loaded.tree.entry("namePrefix") {
            Some(prefix) => complaint
                .related(prefix.at, "what the name begins with")
                .help("change the prefix, or give this one a `metadata.physicalName`"),
            None => complaint,
        }
    }

    pub(super) fn depends_on(&mut self, tree: &Node) -> Vec<ResourceId> {
        let list = tree.get("metadata").and_then(|it| it.get("dependsOn"));
        let mut ids = Vec::new();
        for item in list.map(Node::items).unwrap_or_default() {
            match item.literal().map(|text| resource_id(text, item.span)) {
                Some(Ok(id)) => ids.push(id),
                Some(Err(complaint)) => self.complaints.push(complaint),
                None => {}
            }
        }
        ids
    }

    pub(super) fn renamed_from(&mut self, id: &ResourceId, tree: &Node) -> Option<ResourceId> {
        let node = tree.get("metadata").and_then(|it| it.get("renamedFrom"))?;
        let text = node.literal()?;
        if !text.contains('/') {
            return Some(ResourceId::new(id.kind.clone(), text));
        }
        match resource_id(text, node.span) {
            Ok(old) if old.kind == id.kind => Some(old),
            Ok(old) => {
                let message = format!("a new name can't make `{}` a `{}`", old.kind, id.kind);
                self.complaints.push(Complaint::new(node.span, message));
                None
            }
            Err(complaint) => {
                self.complaints.push(complaint);
                None
            }
        }
    }
}
