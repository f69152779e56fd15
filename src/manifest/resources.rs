//! One document → one resource: patched, its variables replaced, checked against its kind, decoded.

use std::collections::BTreeMap;

use super::check::{Checker, undecodable};
use super::document::{self, Envelope, Metadata};
use super::environment::{Loaded, resource_id};
use super::error::Complaint;
use super::nearest::{did_you_mean, nearest};
use super::patch;
use super::source::{Sources, Span};
use super::tree::{Data, Node, Step, path_steps};
use super::variables::{Scope, substitute};
use crate::diff::Rules;
use crate::kind::AnyKind;
use crate::kinds;
use crate::resource::{Declared, ResourceId, Tags};
use crate::value::reference;

/// A document whose identity is known.
pub struct Resource {
    /// Its identity.
    pub id: ResourceId,
    /// Where its name is written.
    pub at: Span,
    /// Its kind.
    pub kind: &'static dyn AnyKind,
    /// The document, patched, its variables replaced.
    pub tree: Node,
    /// Whether it exists in this environment.
    pub on: bool,
    /// What it declares. Nothing, if it is off or something in it is wrong.
    pub declared: Option<Declared>,
}

/// Reads documents of one environment.
pub struct Reader<'a> {
    environment: &'a str,
    loaded: &'a Loaded,
    sources: &'a Sources,
    images: Vec<String>,
    envelope: Checker,
    kinds: BTreeMap<&'static str, Checker>,
    patched: Vec<String>,
    /// What is wrong so far.
    pub complaints: Vec<Complaint>,
    /// Documents whose identity nobody knows: what refers to them can't be told from what dangles.
    pub nameless: usize,
}

impl<'a> Reader<'a> {
    /// A reader of an environment's documents.
    pub fn new(environment: &'a str, loaded: &'a Loaded, sources: &'a Sources) -> Self {
        Self {
            environment,
            loaded,
            sources,
            images: loaded.file.images.keys().cloned().collect(),
            envelope: document::checker(),
            kinds: BTreeMap::new(),
            patched: Vec::new(),
            complaints: Vec::new(),
            nameless: 0,
        }
    }

    /// Reads a document of a stack.
    pub fn read(&mut self, stack: &str, document: &Node) -> Option<Resource> {
        let before = self.complaints.len();
        let tree = self.prepared(document);
        let scope = Scope {
            environment: self.environment,
            place: &self.loaded.place,
            variables: &self.loaded.variables,
            images: &self.images,
        };
        let tree = substitute(&tree, &scope, self.sources, &mut self.complaints);
        self.complaints.extend(unreferring(&tree, self.sources));
        self.complaints.extend(self.envelope.check(&tree, tree.span));
        let kind = self.kind(&tree);
        let identity = kind.zip(document::identity(&tree).map(|(_, name)| name.to_owned()));
        let Some((kind, name)) = identity else {
            self.nameless += 1;
            return None;
        };
        self.check_spec(kind, &tree);
        let id = ResourceId::new(kind.facts().name, name);
        let at = tree.follow(&path_steps("metadata.name")).0.span;
        let sound = self.complaints.len() == before;
        let envelope: Option<Envelope> = if sound { self.envelope(&tree) } else { None };
        let on =
            tree.get("metadata").and_then(|it| it.get("when")).is_none_or(|it| it.data != Data::Bool(false));
        let declared =
            envelope.and_then(|envelope| self.declared(stack, &id, kind, &tree, &envelope.metadata));
        Some(Resource { id, at, kind, on, declared: declared.filter(|_| on), tree })
    }

    /// Complains of patches on what no stack declares.
    pub fn unused_patches(&mut self, resources: &[Resource]) {
        if self.nameless > 0 {
            return;
        }
        for entry in self.loaded.tree.get("patches").map(Node::entries).unwrap_or_default() {
            if !self.patched.contains(&entry.key) {
                let names: Vec<String> = resources.iter().map(|resource| resource.id.to_string()).collect();
                let complaint = Complaint::new(entry.at, format!("no stack declares `{}`", entry.key));
                let help = did_you_mean(&entry.key, names.iter().map(String::as_str));
                self.complaints.push(complaint.label("nothing to patch").help_if(help));
            }
        }
    }

    fn prepared(&mut self, document: &Node) -> Node {
        let Some((kind, name)) = document::identity(document) else { return document.clone() };
        let key = format!("{kind}/{name}");
        let patches = self.loaded.tree.get("patches");
        let Some(entry) = patches.and_then(|patches| patches.entry(&key)) else { return document.clone() };
        if let Some(renamed) = entry.value.get("metadata").and_then(|it| it.entry("name")) {
            self.complaints.push(Complaint::new(renamed.at, "a patch can't change a resource's name"));
        }
        self.patched.push(key);
        patch::merge(document, &entry.value)
    }

    fn kind(&mut self, tree: &Node) -> Option<&'static dyn AnyKind> {
        let node = tree.get("kind")?;
        let name = node.text()?;
        let kind = kinds::kind(name);
        if kind.is_none() {
            let names: Vec<&str> = kinds::KINDS.iter().map(|kind| kind.facts().name).collect();
            // `JobQueue` alone, or in another service, is more likely than a slip in both parts.
            let last = name.rsplit('/').next().unwrap_or(name);
            let bare = names.iter().find(|known| known.ends_with(&format!("/{last}")));
            let near = bare.copied().or_else(|| nearest(name, names.iter().copied()));
            let complaint =
                Complaint::new(node.span, format!("unknown kind `{}`", super::tree::shortened(name)));
            let complaint = complaint.help_if(near.map(|near| format!("did you mean `{near}`?")));
            self.complaints.push(if near.is_some() {
                complaint
            } else {
                complaint.help(format!("there are: {}", names.join(", ")))
            });
        }
        kind
    }

    fn check_spec(&mut self, kind: &'static dyn AnyKind, tree: &Node) {
        let facts = kind.facts();
        let checker = self.kinds.entry(facts.name).or_insert_with(|| Checker::new(&facts.schema));
        let (spec, at) = spec_of(tree);
        if matches!(spec.data, Data::Map(_)) {
            self.complaints.extend(checker.check(&spec, at));
        }
    }

    fn envelope(&mut self, tree: &Node) -> Option<Envelope> {
        match tree.decode() {
            Ok(envelope) => Some(envelope),
            Err(error) => {
                self.complaints.push(undecodable(tree.span, &error));
                None
            }
        }
    }

    fn declared(
        &mut self,
        stack: &str,
        id: &ResourceId,
        kind: &'static dyn AnyKind,
        tree: &Node,
        metadata: &Metadata,
    ) -> Option<Declared> {
        let before = self.complaints.len();
        self.complaints.extend(document::settings(tree, metadata));
        let (spec, spec_at) = spec_of(tree);
        let place = &self.loaded.place;
        let spec = match kind.normal(&spec.to_json(), place) {
            Ok(spec) => spec,
            Err(error) => {
                self.complaints.push(undecodable(spec_at, &error));
                return None;
            }
        };
        for invalid in kind.validate(&spec, place) {
            let mut path = vec![Step::Key("spec".to_owned())];
            path.extend(path_steps(&invalid.path));
            let at = if invalid.path.is_empty() { spec_at } else { tree.follow(&path).1 };
            self.complaints.push(Complaint::new(at, invalid.message));
        }
        let default = format!("{}{}", self.loaded.file.name_prefix, id.name);
        let name = metadata.physical_name.clone().unwrap_or(default);
        let physical_name = kind.physical(&spec, &name, place);
        if let Some(message) = kind.validate_name(&physical_name) {
            let path =
                if metadata.physical_name.is_some() { "metadata.physicalName" } else { "metadata.name" };
            self.complaints.push(Complaint::new(tree.follow(&path_steps(path)).1, message));
        }
        let depends_on = self.ids(tree, "dependsOn", &metadata.depends_on);
        let renamed_from = self.renamed_from(id, tree, metadata);
        self.complaints.extend(ignored(tree, &kind.facts().rules));
        let mut tags: Tags = self.loaded.file.tags.clone();
        tags.extend(metadata.tags.clone());
        let mut positions = BTreeMap::new();
        tree.each("", &mut |path, span| {
            positions.insert(path.to_owned(), self.sources.position(span));
        });
        (self.complaints.len() == before).then(|| Declared {
            id: id.clone(),
            physical_name,
            spec,
            tags,
            stack: stack.to_owned(),
            protect: metadata.protect,
            ignore: metadata.ignore.clone(),
            on_delete: metadata.on_delete,
            depends_on,
            renamed_from,
            lifecycle: metadata.lifecycle.clone(),
            position: self.sources.position(tree.span),
            positions,
        })
    }

    fn ids(&mut self, tree: &Node, field: &str, texts: &[String]) -> Vec<ResourceId> {
        let mut ids = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let path = [Step::Key("metadata".into()), Step::Key(field.into()), Step::Item(index)];
            match resource_id(text, tree.follow(&path).1) {
                Ok(id) => ids.push(id),
                Err(complaint) => self.complaints.push(complaint),
            }
        }
        ids
    }

    fn renamed_from(&mut self, id: &ResourceId, tree: &Node, metadata: &Metadata) -> Option<ResourceId> {
        let text = metadata.renamed_from.as_deref()?;
        let span = tree.follow(&path_steps("metadata.renamedFrom")).0.span;
        if !text.contains('/') {
            return Some(ResourceId::new(id.kind.clone(), text));
        }
        match resource_id(text, span) {
            Ok(old) if old.kind == id.kind => Some(old),
            Ok(old) => {
                let message = format!("a new name can't make `{}` a `{}`", old.kind, id.kind);
                self.complaints.push(Complaint::new(span, message));
                None
            }
            Err(complaint) => {
                self.complaints.push(complaint);
                None
            }
        }
    }
}

/// The spec, and where it is marked as a whole: a spec that is not written is empty.
pub fn spec_of(tree: &Node) -> (Node, Span) {
    let kind = tree.entry("kind").map_or(tree.span, |entry| entry.at);
    match tree.entry("spec") {
        Some(entry) if entry.value.data == Data::Null => {
            (Node::new(Data::Map(Vec::new()), entry.at), entry.at)
        }
        Some(entry) => (entry.value.clone(), entry.at),
        None => (Node::new(Data::Map(Vec::new()), kind), kind),
    }
}

/// Our own settings are needed before anything exists: they hold no references to what does.
fn unreferring(tree: &Node, sources: &Sources) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let Some(metadata) = tree.get("metadata") else { return complaints };
    let mut nodes = vec![metadata];
    while let Some(node) = nodes.pop() {
        nodes.extend(node.items());
        nodes.extend(node.entries().iter().map(|entry| &entry.value));
        for found in node.text().map(reference::references).unwrap_or_default() {
            let span = sources.find(node.span, &found.to_string(), 0);
            complaints.push(
                Complaint::new(span, format!("`{found}` can't be used in metadata"))
                    .label("expected a text, `${var.…}` or `${env.…}`"),
            );
        }
    }
    complaints
}

/// `ignore` that matches no field would silently ignore nothing.
fn ignored(tree: &Node, rules: &Rules) -> Vec<Complaint> {
    let list = tree.get("metadata").and_then(|it| it.get("ignore")).map(Node::items).unwrap_or_default();
    let unknown = |item: &&Node| item.text().is_some_and(|path| path.is_empty() || rules.at(path).is_none());
    let mut fields = Vec::new();
    paths(rules, "", 0, &mut fields);
    let complaint = |item: &Node| {
        let path = item.text().unwrap_or_default();
        Complaint::new(item.span, format!("`{path}` is no field of this kind"))
            .label("expected a field path, such as computeResources.maxvCpus")
            .help_if(did_you_mean(path, fields.iter().map(String::as_str)))
    };
    list.iter().filter(unknown).map(complaint).collect()
}

fn paths(rules: &Rules, above: &str, depth: usize, into: &mut Vec<String>) {
    if depth > 4 {
        return;
    }
    for (name, field) in &rules.fields {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        paths(field, &path, depth + 1, into);
        into.push(path);
    }
}
