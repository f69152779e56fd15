//! `metadata.each`: one document for each key of a mapping, or each name of a list; and all of them together.

use std::sync::LazyLock;

use regex::Regex;

use super::error::Complaint;
use super::fields::Fields;
use super::source::Span;
use super::tree::{Data, Entry, Node};
use crate::resource::ResourceId;
use crate::value::reference::{self, Reference};

/// What one of them stands for.
#[derive(Debug, Clone, Copy)]
pub struct One<'a> {
    /// `${each.key}`.
    pub key: &'a str,
    /// `${each.value}`.
    pub value: &'a Node,
}

/// The keys and values that a document is made for, in the order in which they are written. `each` has its variables replaced.
pub fn items(each: &Node) -> Result<Vec<(String, Node)>, Complaint> {
    let wrong = |span: Span, message: String| {
        Err(Complaint::new(span, message).label("expected a mapping, or a list of names, each of them once"))
    };
    match &each.data {
        Data::Map(entries) => Ok(entries.iter().map(|it| (it.key.clone(), it.value.clone())).collect()),
        Data::List(items) => {
            let mut found: Vec<(String, Node)> = Vec::new();
            for item in items {
                let Some(name) = item.text() else {
                    return wrong(item.span, format!("`each` holds {}", item.described()));
                };
                if found.iter().any(|(known, _)| known == name) {
                    return wrong(item.span, format!("`each` holds `{name}` twice"));
                }
                found.push((name.to_owned(), item.clone()));
            }
            Ok(found)
        }
        _ => wrong(each.span, format!("`each` is {}", each.described())),
    }
}

/// The `each` of a document, and the document without it. Nothing, if it has none.
pub fn taken(document: &Node) -> Option<(Node, Node)> {
    let each = document.get("metadata")?.get("each")?.clone();
    let mut rest = document.clone();
    let Data::Map(fields) = &mut rest.data else { return None };
    let metadata = fields.entries_mut().iter_mut().find(|entry| entry.key == "metadata")?;
    let Data::Map(fields) = &mut metadata.value.data else { return None };
    fields.entries_mut().retain(|entry| entry.key != "each");
    Some((each, rest))
}

/// Names that all are made of one document must tell one from the other.
pub fn unnamed(document: &Node) -> Option<Complaint> {
    let name = document.get("metadata")?.entry("name")?;
    let says = name.value.text().is_some_and(|text| text.contains("${each."));
    (!says).then(|| {
        Complaint::new(name.value.span, "with `each`, this is the name of several resources")
            .help("say `${each.key}` in it, such as `worker-${each.key}`: names come from keys, so that taking one away touches no other")
    })
}

#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static ALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$\{([a-z0-9]+/[A-Za-z0-9]+)/([A-Za-z0-9_-]*)\*\.([A-Za-z][A-Za-z0-9]*)\}")
        .expect("the pattern of all")
});

/// A reference to all whose names begin alike: `${ec2/Subnet/private-*.id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct All {
    /// As it is written.
    pub written: String,
    kind: String,
    start: String,
}

/// The first such reference in a value, outside of lists that it holds: these say it for themselves.
pub fn all_in(node: &Node) -> Option<All> {
    match &node.data {
        Data::Text(text) if text.contains('*') => {
            let found = ALL.captures(text)?;
            let part = |at: usize| found.get(at).map(|it| it.as_str().to_owned()).unwrap_or_default();
            let before = text.get(..found.get(0)?.start()).unwrap_or_default();
            let (written, kind, start) = (part(0), part(1), part(2));
            (!before.ends_with('$')).then_some(All { written, kind, start })
        }
        Data::Map(entries) => entries.iter().find_map(|entry| all_in(&entry.value)),
        _ => None,
    }
}

impl All {
    /// The names that it stands for, in the order in which they are declared: those of the stack that it stands in, if there are any.
    pub fn names<'a>(&self, declared: &'a [ResourceId], renamed: Option<&Renamed<'_>>) -> Vec<&'a str> {
        let of_kind = || declared.iter().filter(|id| id.kind == self.kind);
        let is_own = |renamed: &Renamed<'_>, id: &ResourceId| {
            let own = id.name.strip_prefix(renamed.prefix).filter(|own| own.starts_with(&self.start));
            // Another stack's name may begin with this one's.
            own.is_some_and(|own| renamed.own.contains(&ResourceId::new(id.kind.clone(), own)))
        };
        let own = renamed.map(|renamed| of_kind().filter(|id| is_own(renamed, id)));
        let own: Vec<&str> = own.into_iter().flatten().map(|id| id.name.as_str()).collect();
        if !own.is_empty() {
            return own;
        }
        of_kind().map(|id| id.name.as_str()).filter(|name| name.starts_with(&self.start)).collect()
    }

    /// The same for one of the names.
    pub fn of(&self, name: &str) -> String {
        self.written.replace(&format!("/{}*.", self.start), &format!("/{name}."))
    }

    /// What is said where there is none.
    pub fn none(&self, span: Span, in_stack: bool) -> Complaint {
        if !in_stack {
            let message = format!("`{}` stands for several only in a stack's manifests", self.written);
            return Complaint::new(span, message).help("name each of them here");
        }
        let message = format!(
            "no {} whose name begins with `{}` is declared in this environment",
            self.kind, self.start
        );
        Complaint::new(span, message).help("name one that is declared, or take this away")
    }
}

/// How the names of a stack are made that is used under a name of its own.
#[derive(Debug, Clone, Copy)]
pub struct Renamed<'a> {
    /// What comes before them.
    pub prefix: &'a str,
    /// What the stack declares, as it says it.
    pub own: &'a [ResourceId],
    /// The environment's file, which speaks of all stacks.
    pub environment: usize,
}

impl Renamed<'_> {
    /// A reference as it is meant, to what the stack declares itself.
    pub fn reference(&self, written: &str, file: usize) -> Option<String> {
        let Some(Reference::Output { id, output }) = reference::whole(written) else { return None };
        let is_own = file != self.environment && self.own.contains(&id);
        is_own.then(|| format!("${{{}.{output}}}", self.id(&id)))
    }

    /// The name that something has which the stack declares.
    pub fn id(&self, id: &ResourceId) -> ResourceId {
        ResourceId::new(id.kind.clone(), format!("{}{}", self.prefix, id.name))
    }

    /// Renames what our own settings name: what comes before it, and what it was called.
    pub fn settings(&self, document: &mut Node) {
        let kind = document.get("kind").and_then(Node::text).unwrap_or_default().to_owned();
        let Data::Map(fields) = &mut document.data else { return };
        let Some(metadata) = fields.entries_mut().iter_mut().find(|entry| entry.key == "metadata") else {
            return;
        };
        let Data::Map(fields) = &mut metadata.value.data else { return };
        for Entry { key, value, .. } in fields.entries_mut() {
            match key.as_str() {
                "dependsOn" => {
                    if let Data::List(items) = &mut value.data {
                        items.iter_mut().for_each(|item| self.text(item, &|id| self.own.contains(id)));
                    }
                }
                "runsOn" => {
                    let Data::Map(fields) = &mut value.data else { continue };
                    let queues = fields.entries_mut().iter_mut().find(|entry| entry.key == "queues");
                    if let Some(Data::List(items)) = queues.map(|entry| &mut entry.value.data) {
                        items.iter_mut().for_each(|item| self.text(item, &|id| self.own.contains(id)));
                    }
                }
                "renamedFrom" => match value.text().map(|text| text.contains('/')) {
                    Some(true) => self.text(value, &|id| id.kind == kind),
                    Some(false) if value.span.file != self.environment => {
                        value.data =
                            Data::Text(format!("{}{}", self.prefix, value.text().unwrap_or_default()));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    fn text(&self, node: &mut Node, is_own: &dyn Fn(&ResourceId) -> bool) {
        let id = node.text().and_then(|text| text.parse::<ResourceId>().ok());
        if let Some(id) = id.filter(|id| node.span.file != self.environment && is_own(id)) {
            node.data = Data::Text(self.id(&id).to_string());
        }
    }
}

/// The document with this name.
pub fn renamed(document: &mut Node, name: String) {
    let Data::Map(fields) = &mut document.data else { return };
    let Some(metadata) = fields.entries_mut().iter_mut().find(|entry| entry.key == "metadata") else {
        return;
    };
    let Data::Map(fields) = &mut metadata.value.data else { return };
    if let Some(entry) = fields.entries_mut().iter_mut().find(|entry| entry.key == "name") {
        entry.value.data = Data::Text(name);
    }
}

/// A document without anything but what tells its name and whether it exists.
pub fn head(document: &Node) -> Node {
    let keep = |entry: &&Entry| matches!(entry.key.as_str(), "kind" | "metadata");
    let metadata = |entry: &Entry| {
        let inner =
            entry.value.entries().iter().filter(|it| matches!(it.key.as_str(), "name" | "when" | "each"));
        let inner: Vec<Entry> = inner.cloned().collect();
        match entry.key == "metadata" {
            true => Entry { value: entry.value.with(Data::Map(Fields::from(inner))), ..entry.clone() },
            false => entry.clone(),
        }
    };
    let entries: Vec<Entry> = document.entries().iter().filter(keep).map(metadata).collect();
    document.with(Data::Map(Fields::from(entries)))
}
