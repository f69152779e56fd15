//! One document → one resource: patched, its variables replaced, checked against its kind, decoded.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Checker, named, undecodable};
use super::document::{self, Envelope};
use super::each::{self, One, Renamed};
use super::environment::Loaded;
use super::error::{self, Complaint};
use super::existing;
use super::fields::Fields;
use super::filed::Files;
use super::free_form;
use super::ignored::ignored;
use super::masked;
use super::meaning::Scope;
use super::nearest::did_you_mean;
use super::patch;
use super::room::{Room, Size};
use super::source::{Hidden, Sources, Span};
use super::stacks::Stack;
use super::tree::{Data, Node, Step, path_steps};
use super::unknown::unknown_kind;
use super::unread::Unread;
use super::variables::substitute;
use super::when;
use crate::kind::AnyKind;
use crate::kinds;
use crate::resource::{Declared, Document, ResourceId, Tags};

mod named;

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
    files: &'a Files,
    /// All that is declared, where somebody names several together.
    declared: &'a [ResourceId],
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
    pub fn new(
        (environment, loaded): (&'a str, &'a Loaded),
        sources: &'a Sources,
        files: &'a Files,
        declared: &'a [ResourceId],
        room: &'a Room,
    ) -> Self {
        Self {
            environment,
            loaded,
            sources,
            files,
            declared,
            envelope: document::checker(),
            patched: BTreeSet::new(),
            room,
            complaints: Vec::new(),
            hidden: Vec::new(),
            unread: Unread::default(),
        }
    }

    /// What names stand for in a stack.
    fn scope(&self, stack: &'a Stack) -> Scope<'a> {
        let loaded = self.loaded;
        let prefix = stack.prefix.as_deref();
        Scope {
            environment: self.environment,
            place: &loaded.place,
            project: &loaded.file.project,
            owner: &loaded.owner.0,
            variables: &stack.variables,
            images: &loaded.names.0,
            existing: &loaded.names.1,
            files: self.files,
            each: None,
            in_stack: true,
            declared: self.declared,
            one_of_all: None,
            renamed: prefix.map(|prefix| Renamed {
                prefix,
                own: &stack.own,
                environment: loaded.tree.span.file,
            }),
            unsure: loaded.unsure,
            room: self.room,
        }
    }

    /// Reads a document of a stack: one resource, or one of each of several.
    pub fn read(&mut self, stack: &'a Stack, document: Node) -> Vec<Resource> {
        let scope = self.scope(stack);
        let Some((each, rest)) = each::taken(&document) else {
            return self.one(stack, document, &scope).into_iter().collect();
        };
        let mut found = Vec::new();
        for (key, value) in self.items(&each, &rest, &scope).unwrap_or_default() {
            let scope = Scope { each: Some(One { key: &key, value: &value }), ..scope };
            found.extend(self.one(stack, rest.clone(), &scope));
        }
        found
    }

    /// What a document is made for. Nothing, if that can't be told, which is complained about.
    fn items(&mut self, each: &Node, rest: &Node, scope: &Scope<'_>) -> Option<Vec<(String, Node)>> {
        let before = self.complaints.len();
        let each = substitute(each, scope, self.sources, &mut self.complaints);
        self.complaints.extend(each::unnamed(rest));
        let items = match each::items(&each) {
            Ok(items) => Some(items),
            Err(_) if each.is_broken() => None,
            Err(complaint) => {
                self.complaints.push(complaint);
                None
            }
        };
        let items = items.filter(|_| self.complaints.len() == before);
        if items.is_none() {
            self.unread.note(
                rest.get("kind").and_then(Node::text).and_then(kinds::kind).map(|it| it.facts().name),
                None,
            );
        }
        items
    }

    /// The names that a document of a stack declares, and whether each exists here. Whatever is wrong is told where it is read.
    pub fn names(&mut self, stack: &'a Stack, document: &Node) -> Vec<(ResourceId, bool)> {
        let scope = self.scope(stack);
        let head = each::head(document);
        let Some((each, rest)) = each::taken(&head) else {
            return self.name(stack, head, &scope).into_iter().collect();
        };
        let items = self.items(&each, &rest, &scope).unwrap_or_default();
        let one = |(key, value): &(String, Node)| {
            self.name(stack, rest.clone(), &Scope { each: Some(One { key, value }), ..scope })
        };
        items.iter().filter_map(one).collect()
    }

    fn name(&mut self, stack: &Stack, head: Node, scope: &Scope<'_>) -> Option<(ResourceId, bool)> {
        let head = each::head(&self.prepared(head, stack, scope));
        let mut head = substitute(&head, scope, self.sources, &mut self.complaints);
        let wrong = when::settle(&mut head);
        let (kind, name) = document::identity(&head)?;
        let when = head.get("metadata").and_then(|it| it.get("when")).map(|it| &it.data);
        Some((
            ResourceId::new(kind, name),
            wrong.is_none() && matches!(when, None | Some(Data::Bool(true, _))),
        ))
    }

    /// Reads one resource of a document of a stack.
    fn one(&mut self, stack: &Stack, document: Node, scope: &Scope<'_>) -> Option<Resource> {
        let before = self.complaints.len();
        if before > ENOUGH || self.room.is_full() {
            self.unread.cut = true;
            return None;
        }
        let mut tree = self.prepared(document, stack, scope);
        masked::mark(&mut tree);
        let marked = tree;
        let so_far = self.complaints.len();
        let mut tree = substitute(&marked, scope, self.sources, &mut self.complaints);
        if self.complaints.len() > so_far {
            // What could not be replaced may have taken with it what stands beside it.
            masked::hidden(&marked, &mut self.hidden);
        }
        drop(marked);
        if let Some(renamed) = scope.renamed {
            renamed.settings(&mut tree);
        }
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
            let runs_on = tree.get("metadata").and_then(|it| it.entry("runsOn"));
            if let Some(entry) = runs_on.filter(|_| !kind.facts().defines_jobs) {
                let message = format!("{} makes no jobs, and runs on nothing", kind.facts().name);
                self.complaints.push(Complaint::new(entry.at, message).help("say it of the job definition"));
            }
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
            resource.declared = self.declared(&stack.name, &resource, depends_on);
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

    /// A document under the name that it has here, with what the environment says otherwise.
    fn prepared(&mut self, mut document: Node, stack: &Stack, scope: &Scope<'_>) -> Node {
        let written = document.get("metadata").and_then(|it| it.get("name"));
        let name = written.and_then(|name| {
            let name = substitute(name, scope, self.sources, &mut Vec::new());
            name.text().map(|name| format!("{}{name}", stack.prefix.as_deref().unwrap_or_default()))
        });
        if let Some(name) = name {
            each::renamed(&mut document, name);
        }
        let Some((kind, name)) = document::identity(&document) else { return document };
        let kind = document.get("kind").filter(|_| kind.contains("${"));
        let kind = kind.map(|kind| substitute(kind, scope, self.sources, &mut Vec::new()));
        let kind = kind.as_ref().or_else(|| document.get("kind")).and_then(Node::text).unwrap_or_default();
        let key = format!("{kind}/{name}");
        let patches = self.loaded.tree.get("patches");
        let Some(entry) = patches.and_then(|patches| patches.entry(&key)) else { return document };
        if let Some(renamed) = entry.value.get("metadata").and_then(|it| it.entry("name")) {
            self.complaints.push(Complaint::new(renamed.at, "a patch can't change a resource's name"));
        }
        if let Some(each) = entry.value.get("metadata").and_then(|it| it.entry("each")) {
            let complaint =
                Complaint::new(each.at, "a patch can't change what there is one resource of each for");
            self.complaints.push(complaint.help("say it by a variable in the manifest: `each: ${var.…}`"));
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
            runs_on: metadata.runs_on,
            position: self.sources.position(tree.span),
            positions,
        })
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
