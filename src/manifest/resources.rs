//! One document → one resource: patched, its variables replaced, checked against its kind, decoded.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Checker, named, undecodable};
use super::document::{self, Envelope};
use super::environment::{Loaded, resource_id};
use super::error::{self, Complaint};
use super::existing;
use super::fields::Fields;
use super::free_form;
use super::masked;
use super::meaning::Scope;
use super::nearest::did_you_mean;
use super::patch;
use super::room::{Room, Size};
use super::source::{Hidden, Sources, Span};
use super::tree::{Data, Node, Step, path_steps};
use super::unknown::unknown_kind;
use super::unread::Unread;
use super::variables::substitute;
use super::when;
use crate::diff::{Compare, Rules};
use crate::kind::{AnyKind, Ownership};
use crate::kinds;
use crate::resource::{Declared, Document, ResourceId, Tags};

/// Where so much is wrong, the rest is not read.
pub const ENOUGH: usize = 5000;

/// So many resources an environment may declare: twice what is known to be asked for, and held in memory however small they are.
pub const MOST: usize = 20_000;

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
    /// Its spec in normal form, unless that is what it declares.
    spec: Option<Document>,
    /// Its name in AWS. Nothing, if it is off or its name can't be told.
    pub physical: Option<String>,
    /// What it was called.
    pub renamed_from: Option<ResourceId>,
    /// What it declares. Nothing, if it is off or something in it is wrong.
    pub declared: Option<Declared>,
}

impl Resource {
    /// Its spec in normal form. Nothing, if it is off or its spec can't be decoded.
    pub fn spec(&self) -> Option<&Document> {
        self.declared.as_ref().map(|declared| &declared.spec).or(self.spec.as_ref())
    }
}

/// Reads documents of one environment. What is wrong in one part of a document hides nothing of the others.
pub struct Reader<'a> {
    environment: &'a str,
    loaded: &'a Loaded,
    sources: &'a Sources,
    images: Vec<String>,
    existing: Vec<String>,
    envelope: &'static Checker,
    patched: BTreeSet<String>,
    room: &'a Room,
    /// What is wrong so far.
    pub complaints: Vec<Complaint>,
    /// What is masked in the documents so far.
    pub hidden: Vec<Hidden>,
    /// Documents whose identity nobody knows: what refers to them can't be told from what dangles.
    pub unread: Unread,
}

impl<'a> Reader<'a> {
    /// A reader of an environment's documents.
    pub fn new(environment: &'a str, loaded: &'a Loaded, sources: &'a Sources, room: &'a Room) -> Self {
        Self {
            environment,
            loaded,
            sources,
            images: loaded.file.images.keys().cloned().collect(),
            existing: loaded.file.existing.keys().cloned().collect(),
            envelope: document::checker(),
            patched: BTreeSet::new(),
            room,
            complaints: Vec::new(),
            hidden: Vec::new(),
            unread: Unread::default(),
        }
    }

    /// Reads a document of a stack.
    pub fn read(&mut self, stack: &str, document: Node) -> Option<Resource> {
        let before = self.complaints.len();
        if before > ENOUGH || self.room.is_full() {
            self.unread.cut = true;
            return None;
        }
        let mut tree = self.prepared(document);
        masked::mark(&mut tree);
        let marked = tree;
        let scope = Scope {
            environment: self.environment,
            place: &self.loaded.place,
            project: &self.loaded.file.project,
            owner: &self.loaded.owner.0,
            variables: &self.loaded.variables,
            images: &self.images,
            existing: &self.existing,
            unsure: self.loaded.unsure,
            room: self.room,
        };
        let so_far = self.complaints.len();
        let mut tree = substitute(&marked, &scope, self.sources, &mut self.complaints);
        if self.complaints.len() > so_far {
            // What could not be replaced may have taken with it what stands beside it.
            masked::hidden(&marked, &mut self.hidden);
        }
        drop(marked);
        existing::in_lists(&mut tree, &self.loaded.existing);
        self.complaints.extend(when::settle(&mut tree));
        masked::mark(&mut tree);
        masked::hidden(&tree, &mut self.hidden);
        self.complaints.extend(document::unreferring(&tree, self.sources));
        self.complaints.extend(self.envelope.check(&tree, tree.span));
        self.complaints.extend(document::settings(&tree));
        let depends_on = self.depends_on(&tree);
        let kind = self.kind(&tree);
        if let Some(kind) = kind {
            self.complaints.extend(ignored(&tree, &kind.facts().rules));
        }
        let spec = kind.and_then(|kind| self.spec(kind, &tree));
        let name = tree.get("metadata").and_then(|it| it.get("name"));
        let (Some(kind), Some(name)) = (kind, name.filter(|name| name.text().is_some())) else {
            self.unread.note(kind.map(|kind| kind.facts().name), name.and_then(Node::text));
            return None;
        };
        let id = ResourceId::new(kind.facts().name, name.text().unwrap_or_default());
        let physical = self.physical(before, &id, kind, &tree, spec.as_ref());
        let renamed_from = self.renamed_from(&id, &tree);
        let when = tree.get("metadata").and_then(|it| it.get("when")).map(|it| &it.data);
        let on = !matches!(when, Some(Data::Bool(false, _)));
        // Where nobody can tell whether it exists, nothing is said of it and others together.
        let surely = matches!(when, None | Some(Data::Bool(true, _)));
        let (spec, physical) = if surely { (spec, physical) } else { (None, None) };
        let at = name.span;
        let mut resource = Resource { id, at, kind, on, spec, physical, renamed_from, declared: None, tree };
        // What could not be told has been complained about, here or in the environment.
        if self.complaints.len() == before && !resource.tree.is_broken() {
            resource.declared = self.declared(stack, &resource, depends_on);
        }
        // Held once.
        resource.spec.take_if(|_| resource.declared.is_some());
        Some(resource)
    }

    /// Complains of patches on what no stack declares.
    pub fn unused_patches(&mut self, resources: &[Resource]) {
        let names: Vec<String> = resources.iter().map(|resource| resource.id.to_string()).collect();
        for entry in self.loaded.tree.get("patches").map(Node::entries).unwrap_or_default() {
            let (kind, name) = entry.key.rsplit_once('/').unwrap_or(("", entry.key.as_str()));
            if !self.patched.contains(&entry.key) && !self.unread.may_be(kind, name) {
                let complaint = Complaint::new(entry.at, format!("no stack declares `{}`", entry.key));
                // Each is compared with all names: of so many mistakes not all are told.
                let is_few = self.complaints.len() < error::MOST;
                let near = || did_you_mean(&entry.key, names.iter().map(String::as_str));
                let help = is_few.then(near).flatten();
                self.complaints.push(complaint.label("nothing to patch").help_if(help));
            }
        }
    }

    fn prepared(&mut self, mut document: Node) -> Node {
        let Some((kind, name)) = document::identity(&document) else { return document };
        let key = format!("{kind}/{name}");
        let patches = self.loaded.tree.get("patches");
        let Some(entry) = patches.and_then(|patches| patches.entry(&key)) else { return document };
        if let Some(renamed) = entry.value.get("metadata").and_then(|it| it.entry("name")) {
            self.complaints.push(Complaint::new(renamed.at, "a patch can't change a resource's name"));
        }
        self.patched.insert(key);
        // What the patch replaces stays where it is written.
        masked::mark(&mut document);
        masked::hidden(&document, &mut self.hidden);
        patch::merge(&document, &entry.value)
    }

    fn kind(&mut self, tree: &Node) -> Option<&'static dyn AnyKind> {
        let node = tree.get("kind")?;
        let name = node.text()?;
        let kind = kinds::kind(name);
        if kind.is_none() {
            self.complaints.push(unknown_kind(name, node.span, &str::to_owned));
        }
        kind
    }

    /// The spec in normal form, with all that its kind says against it. Nothing, if it can't be decoded.
    fn spec(&mut self, kind: &'static dyn AnyKind, tree: &Node) -> Option<Document> {
        let facts = kind.facts();
        let checker = Checker::of_kind(facts);
        let (spec, at) = spec_of(tree);
        if !matches!(spec.data, Data::Map(_)) {
            return None;
        }
        let mut complaints = checker.check(&spec, at);
        complaints.extend(free_form::check(&facts.schema, &spec));
        if !complaints.is_empty() || spec.is_broken() {
            self.complaints.extend(complaints);
            return None;
        }
        let place = &self.loaded.place;
        let written = spec.to_json();
        let spec = match kind.normal(&written, place) {
            Ok(spec) => spec,
            Err(error) => {
                self.complaints.push(undecodable(at, &error));
                return None;
            }
        };
        let mut wrong = kind.validate_written(&written, place);
        if wrong.is_empty() {
            wrong = kind.validate(&spec, place);
        }
        for invalid in wrong {
            let mut path = vec![Step::Key("spec".to_owned())];
            path.extend(path_steps(&invalid.path));
            let at = if invalid.path.is_empty() { at } else { tree.follow(&path).1 };
            self.complaints.push(Complaint::new(at, with_subject(&path, invalid.message)));
        }
        Some(spec)
    }

    /// The name in AWS, as far as it can be told. Of what has been complained about since `before` nothing follows.
    fn physical(
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

    /// What the resource declares, now that nothing in it is wrong.
    fn declared(&mut self, stack: &str, of: &Resource, depends_on: Vec<ResourceId>) -> Option<Declared> {
        let tree = &of.tree;
        let metadata = match tree.decode::<Envelope>() {
            Ok(envelope) => envelope.metadata,
            Err(error) => {
                self.complaints.push(undecodable(tree.span, &error));
                return None;
            }
        };
        let mut tags: Tags = self.loaded.file.tags.clone();
        tags.extend(metadata.tags);
        let mut positions = BTreeMap::new();
        tree.each("", &mut |path, span| {
            // Paths repeat the keys above them.
            if self.room.take(Size { values: 0, bytes: path.len() / 8 }) {
                positions.insert(path.to_owned(), self.sources.position(span));
            }
        });
        if self.room.is_full() {
            self.complaints
                .extend(self.room.ended(tree.span, "with the paths to all fields: shorten the keys"));
            return None;
        }
        Some(Declared {
            id: of.id.clone(),
            physical_name: of.physical.clone()?,
            spec: of.spec.clone()?,
            tags,
            stack: stack.to_owned(),
            protect: metadata.protect,
            ignore: metadata.ignore,
            on_delete: metadata.on_delete,
            depends_on,
            renamed_from: of.renamed_from.clone(),
            lifecycle: metadata.lifecycle,
            position: self.sources.position(tree.span),
            positions,
        })
    }

    fn depends_on(&mut self, tree: &Node) -> Vec<ResourceId> {
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

    fn renamed_from(&mut self, id: &ResourceId, tree: &Node) -> Option<ResourceId> {
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

/// What is said of a field begins with its verb: here is what it is said of.
pub fn with_subject(path: &[Step], message: String) -> String {
    const VERBS: &[&str] = &[
        "is", "are", "has", "must", "may", "can't", "cannot", "goes", "overlaps", "needs", "takes", "holds",
    ];
    match message.split_once(' ') {
        Some((first, _)) if VERBS.contains(&first) => format!("{} {message}", named(path)),
        _ => message,
    }
}

/// The spec, and where it is marked as a whole: a spec that is not written is empty.
pub fn spec_of(tree: &Node) -> (Node, Span) {
    let kind = tree.entry("kind").map_or(tree.span, |entry| entry.at);
    match tree.entry("spec") {
        Some(entry) if entry.value.data == Data::Null => {
            (Node::new(Data::Map(Fields::default()), entry.at), entry.at)
        }
        Some(entry) => (entry.value.clone(), entry.at),
        None => (Node::new(Data::Map(Fields::default()), kind), kind),
    }
}

/// `ignore` that matches no field would silently ignore nothing.
fn ignored(tree: &Node, rules: &Rules) -> Vec<Complaint> {
    let list = tree.get("metadata").and_then(|it| it.get("ignore")).map(Node::items).unwrap_or_default();
    let unknown = |item: &&Node| item.literal().is_some_and(|path| !leads_somewhere(path, rules));
    let mut fields = Vec::new();
    paths(rules, "", 0, &mut fields);
    let complaint = |item: &Node| {
        let path = item.text().unwrap_or_default();
        Complaint::new(item.span, format!("`{path}` is no field of this kind"))
            .label("expected a field path, such as computeResources.maxvCpus")
            .help_if(items_of(path, rules).or_else(|| did_you_mean(path, fields.iter().map(String::as_str))))
    };
    list.iter().filter(unknown).map(complaint).collect()
}

/// Whether a difference may have this path, or one below it: fields, and the items of lists that are compared item by item,
/// by their key or one after the other.
fn leads_somewhere(path: &str, rules: &Rules) -> bool {
    let mut rules = rules;
    for step in path.split('.') {
        let (name, items) = step.split_once('[').map_or((step, None), |(name, items)| (name, Some(items)));
        let field = rules.fields.get(name).or(rules.values.as_deref()).filter(|_| !name.is_empty());
        let Some(field) = field else { return false };
        rules = field;
        let Some(items) = items else { continue };
        let Some(items) = items.strip_suffix(']') else { return false };
        for item in items.split("][") {
            let is_known = match &rules.compare {
                Compare::Keyed(_) => !item.is_empty() && !item.contains(['[', ']']),
                Compare::Plain => is_of_objects(rules) && item.parse::<usize>().is_ok(),
                _ => false,
            };
            let Some(inner) = rules.items.as_deref().filter(|_| is_known) else { return false };
            rules = inner;
        }
    }
    true
}

fn is_of_objects(list: &Rules) -> bool {
    list.items.as_deref().is_some_and(|item| !item.fields.is_empty())
}

/// How the items of the list are told that a path names wrongly, if it is a list.
fn items_of(path: &str, rules: &Rules) -> Option<String> {
    let (list, _) = path.split_once('[')?;
    if path.split_inclusive(']').next().is_some_and(|first| leads_somewhere(first, rules)) {
        return None;
    }
    let rules = rules.at(list).filter(|rules| rules.items.is_some())?;
    Some(match &rules.compare {
        Compare::Keyed(key) => format!("an item is told by its {key}, as `{list}[<{key}>]`"),
        Compare::Plain if is_of_objects(rules) => format!("an item is told by its place, as `{list}[0]`"),
        _ => format!("its items are compared as a whole: ignore `{list}`"),
    })
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
