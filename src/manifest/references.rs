//! What resources say of each other: references, names, order.

use std::collections::BTreeMap;

use super::cycles::{self, Edge};
use super::environment::Loaded;
use super::error::{Complaint, MOST};
use super::nearest::{listed, nearest};
use super::resources::{Resource, spec_of};
use super::source::{Sources, Span};
use super::tree::{Data, Node, Step, path_steps};
use super::unknown::unknown_kind;
use super::unread::Unread;
use crate::diff::{Compare, Rules};
use crate::kind::{Facts, Identity};
use crate::kinds;
use crate::resource::{Lookup, Place, ResourceId};
use crate::value::policy;
use crate::value::reference::{self, Reference};

/// Everything that can only be checked once all documents are read.
pub struct Web<'a> {
    resources: &'a [Resource],
    by_id: BTreeMap<&'a ResourceId, &'a Resource>,
    sources: &'a Sources,
    place: &'a Place,
    existing: &'a BTreeMap<String, Lookup>,
    /// The documents that were not understood: what is not found may be one of them.
    unread: &'a Unread,
    complaints: Vec<Complaint>,
    edges: Vec<Edge<'a>>,
}

/// A reference where it stands.
struct Found<'r> {
    reference: Reference,
    span: Span,
    /// It is the whole of the value.
    whole: bool,
    /// What the field takes; empty: anything.
    refers: &'r [String],
    /// It stands in a policy document.
    in_policy: bool,
    /// A second step of the same resource may fill it in: a principal of a policy, and what is marked so (D17).
    deferrable: bool,
}

impl<'a> Web<'a> {
    /// All complaints about how resources refer to each other.
    pub fn check(
        resources: &'a [Resource],
        loaded: &'a Loaded,
        sources: &'a Sources,
        unread: &'a Unread,
    ) -> Vec<Complaint> {
        let mut web = Web {
            resources,
            by_id: BTreeMap::new(),
            sources,
            place: &loaded.place,
            existing: &loaded.existing,
            unread,
            complaints: Vec::new(),
            edges: Vec::new(),
        };
        web.same_names();
        web.same_physical_names();
        for resource in resources {
            web.references_of(resource);
            web.order_of(resource);
        }
        web.images(loaded);
        web.outputs(loaded);
        let cycles = cycles::find(&web.edges);
        web.complaints.extend(cycles);
        web.complaints
    }

    fn same_names(&mut self) {
        for resource in self.resources {
            match self.by_id.get(&resource.id) {
                Some(first) => self.complaints.push(
                    Complaint::new(resource.at, format!("`{}` is declared twice", resource.id))
                        .label("declared again here")
                        .related(first.at, "first here"),
                ),
                None => {
                    self.by_id.insert(&resource.id, resource);
                }
            }
        }
    }

    fn same_physical_names(&mut self) {
        let mut names: BTreeMap<(&str, String), &Resource> = BTreeMap::new();
        for (id, resource) in &self.by_id {
            let Some(name) = &resource.physical else { continue };
            let facts = resource.kind.facts();
            if facts.identity == Identity::Assigned {
                continue;
            }
            let key = if facts.caseless_names { name.to_lowercase() } else { name.clone() };
            if let Some(first) = names.insert((&id.kind, key), resource) {
                let same = if first.physical.as_ref() == Some(name) { "the same name" } else { "one name" };
                let case = if same == "one name" { ": case does not tell them apart" } else { "" };
                let message = format!("`{id}` and `{}` have {same} in AWS, `{name}`{case}", first.id);
                let complaint = Complaint::new(resource.at, message).related(first.at, "the other one");
                self.complaints.push(complaint.help("give one of them another `metadata.physicalName`"));
            }
        }
    }

    fn references_of(&mut self, resource: &'a Resource) {
        let (spec, _) = spec_of(&resource.tree);
        let mut found = Vec::new();
        walk(&spec, Some(&resource.kind.facts().rules), (false, false), self.sources, &mut found);
        for found in found {
            if let Reference::Existing { name, output } = &found.reference {
                self.looked_up(&found, name, output);
            }
            let Reference::Output { id, output } = &found.reference else { continue };
            let Some(target) = self.target(resource, id, found.span, Some(output)) else { continue };
            if let Some(complaint) = without(target.kind.facts(), &found, output, &id.to_string()) {
                self.complaints.push(complaint);
                continue;
            }
            if let Some(complaint) = misfit(&found, &id.kind, output, &id.to_string()) {
                self.complaints.push(complaint);
                continue;
            }
            let predicted = found.in_policy && self.predicted(target, output);
            // A revision can't be told the rest afterwards.
            let revisioned = resource.kind.facts().identity == Identity::Revisioned;
            if (!found.deferrable && !predicted) || (found.deferrable && revisioned) {
                self.edge(resource, target, found.span);
            }
        }
    }

    /// Checks a reference to something that is not ours.
    fn looked_up(&mut self, found: &Found<'_>, name: &str, output: &str) {
        // What is wrong with a lookup has been told where it is written.
        let Some(lookup) = self.existing.get(name) else { return };
        let written = format!("existing.{name}");
        let complaint = match lookup.kind().map(kinds::kind) {
            None if output == "value" => None,
            None => {
                let complaint = Complaint::new(found.span, format!("a parameter has no output `{output}`"));
                Some(complaint.label("expected one of: value").help(format!("write `${{{written}.value}}`")))
            }
            Some(None) => None,
            Some(Some(kind)) => without(kind.facts(), found, output, &written)
                .or_else(|| misfit(found, kind.facts().name, output, &written)),
        };
        let part = (lookup.all && !found.whole).then(|| {
            let message = format!("`{}` is a list and can't be part of a longer text", found.reference);
            Complaint::new(found.span, message)
                .help("it takes the place of a whole value, or of an item of a list")
        });
        self.complaints.extend(complaint.or(part));
    }

    /// Checks what outputs refer to.
    fn outputs(&mut self, loaded: &Loaded) {
        let Some(tree) = loaded.tree.get("outputs") else { return };
        let mut found = Vec::new();
        walk(tree, None, (false, false), self.sources, &mut found);
        for found in found {
            if let Reference::Existing { name, output } = &found.reference {
                self.looked_up(&found, name, output);
            }
            let Reference::Output { id, output } = &found.reference else { continue };
            if let Some(complaint) = self.missing(id, found.span, Some(output)) {
                self.complaints.push(complaint);
                continue;
            }
            let Some(target) = self.by_id.get(id) else { continue };
            if !target.on {
                let when = target.tree.follow(&path_steps("metadata.when")).0.span;
                let complaint =
                    Complaint::new(found.span, format!("`{id}` is switched off in this environment"));
                self.complaints
                    .push(complaint.related(when, "this is false here").help("leave this output out here"));
            } else if let Some(complaint) = without(target.kind.facts(), &found, output, &id.to_string()) {
                self.complaints.push(complaint);
            }
        }
    }

    fn order_of(&mut self, resource: &'a Resource) {
        let metadata = resource.tree.get("metadata");
        let wanted = metadata.and_then(|it| it.get("dependsOn")).map(Node::items).unwrap_or_default();
        for item in wanted {
            // What is no name at all has been complained about where the resource was read.
            let Some(id) = item.text().and_then(|text| text.parse::<ResourceId>().ok()) else { continue };
            if kinds::kind(&id.kind).is_some()
                && let Some(target) = self.target(resource, &id, item.span, None)
            {
                self.edge(resource, target, item.span);
            }
        }
        if !resource.on {
            return;
        }
        if let Some(old) = resource.renamed_from.as_ref().and_then(|old| self.by_id.get(old)) {
            let span = resource.tree.follow(&path_steps("metadata.renamedFrom")).1;
            let message = format!("`{}` is still declared, so it can't have been renamed", old.id);
            self.complaints.push(Complaint::new(span, message).related(old.at, "here"));
        }
    }

    fn images(&mut self, loaded: &Loaded) {
        for (name, image) in &loaded.file.images {
            let path = ["images", name.as_str(), "repository"].map(|key| Step::Key(key.to_owned()));
            let span = loaded.tree.follow(&path).0.span;
            match super::environment::resource_id(&image.repository, span) {
                Ok(id) => {
                    if let Some(complaint) = self.missing(&id, span, None) {
                        self.complaints.push(complaint);
                    }
                }
                Err(complaint) => self.complaints.push(complaint),
            }
        }
    }

    /// The resource that is referred to, if it exists in this environment.
    fn target(
        &mut self,
        from: &Resource,
        id: &ResourceId,
        span: Span,
        output: Option<&str>,
    ) -> Option<&'a Resource> {
        if let Some(complaint) = self.missing(id, span, output) {
            self.complaints.push(complaint);
            return None;
        }
        let target = *self.by_id.get(id)?;
        if !target.on && from.on {
            let when = target.tree.follow(&path_steps("metadata.when")).0.span;
            let message = format!("`{id}` is switched off in this environment");
            let complaint = Complaint::new(span, message).related(when, "this is false here");
            self.complaints
                .push(complaint.help("switch this resource off as well, or patch the reference away"));
            return None;
        }
        Some(target)
    }

    fn missing(&self, id: &ResourceId, span: Span, output: Option<&str>) -> Option<Complaint> {
        let as_written = |id: &str| match output {
            Some(output) => format!("${{{id}.{output}}}"),
            None => id.to_owned(),
        };
        if kinds::kind(&id.kind).is_none() {
            return Some(unknown_kind(&id.kind, span, &|kind| as_written(&format!("{kind}/{}", id.name))));
        }
        if self.by_id.contains_key(id) || self.unread.may_be(&id.kind, &id.name) {
            return None;
        }
        let complaint = Complaint::new(span, format!("`{id}` is not declared in this environment"));
        // Each is compared with all names: of so many mistakes not all are told.
        if self.complaints.len() >= MOST {
            return Some(complaint);
        }
        let ids: Vec<String> = self.by_id.keys().map(ToString::to_string).collect();
        let elsewhere = self.by_id.keys().find(|known| known.name == id.name).map(ToString::to_string);
        let same_kind = self.by_id.keys().filter(|known| known.kind == id.kind);
        let near = nearest(&id.name, same_kind.clone().map(|known| known.name.as_str()))
            .map(|name| format!("{}/{name}", id.kind))
            .or(elsewhere)
            .or_else(|| nearest(&id.to_string(), ids.iter().map(String::as_str)).map(str::to_owned));
        let help = match near {
            Some(near) => Some(format!("did you mean `{}`?", as_written(&near))),
            None => match listed(same_kind.map(|known| known.name.as_str())) {
                none if none.is_empty() => Some(format!("no {} is declared in this environment", id.kind)),
                names => Some(format!("declared of this kind: {names}")),
            },
        };
        Some(complaint.help_if(help))
    }

    fn predicted(&self, target: &Resource, output: &str) -> bool {
        let (Some(name), Some(spec)) = (&target.physical, target.spec()) else { return false };
        target.kind.predict(name, spec, self.place).contains_key(output)
    }

    fn edge(&mut self, from: &'a Resource, to: &'a Resource, span: Span) {
        // What is wrong already is not asked for cycles as well: whether it can be predicted is not known.
        let told = |it: &Resource| it.spec().is_some() && it.physical.is_some();
        if told(from) && told(to) {
            self.edges.push(Edge { from: &from.id, to: &to.id, span });
        }
    }
}

/// A reference to an output that a kind does not have. `written`: how the reference names what has none.
fn without(facts: &Facts, found: &Found<'_>, output: &str, written: &str) -> Option<Complaint> {
    if facts.outputs.iter().any(|it| it == output) {
        return None;
    }
    let names = || facts.outputs.iter().map(String::as_str);
    let complaint = Complaint::new(found.span, format!("`{}` has no output `{output}`", facts.name))
        .label(format!("expected one of: {}", listed(names())));
    let near = nearest(output, names()).map(|near| format!("did you mean `${{{written}.{near}}}`?"));
    Some(complaint.help_if(near))
}

/// A reference to what the field does not take.
fn misfit(found: &Found<'_>, kind: &str, output: &str, written: &str) -> Option<Complaint> {
    let is = format!("{kind}.{output}");
    if !found.whole || found.refers.is_empty() || found.refers.contains(&is) {
        return None;
    }
    let expected = found.refers.iter().map(|it| match it.rsplit_once('.') {
        Some((kind, output)) => format!("${{{kind}/….{output}}}"),
        None => it.clone(),
    });
    let expected = expected.collect::<Vec<_>>().join(" or ");
    let other = found.refers.iter().filter_map(|it| it.strip_prefix(&format!("{kind}."))).next();
    let complaint = Complaint::new(found.span, format!("this field can't take `{}`", found.reference));
    let help = other.map(|output| format!("did you mean `${{{written}.{output}}}`?"));
    Some(complaint.label(format!("expected {expected}")).help_if(help))
}

/// All references in a value, with what the rules of their fields say.
fn walk<'r>(
    node: &Node,
    rules: Option<&'r Rules>,
    (in_policy, deferrable): (bool, bool),
    sources: &Sources,
    into: &mut Vec<Found<'r>>,
) {
    let said = |test: fn(&Rules) -> bool| rules.is_some_and(test);
    let within =
        (in_policy || said(|it| it.compare == Compare::Policy), deferrable || said(|it| it.deferrable));
    let mut note = |text: &str, span: Span, refers: &'r [String]| {
        let whole = reference::whole(text).is_some();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for reference in reference::references(text) {
            let written = reference.to_string();
            let nth = seen.entry(written.clone()).or_default();
            let span = sources.find(span, &written, *nth);
            *nth += 1;
            into.push(Found { reference, span, whole, refers, in_policy: within.0, deferrable: within.1 });
        }
    };
    match &node.data {
        Data::Text(text) => note(text, node.span, rules.map(|it| it.refers.as_slice()).unwrap_or_default()),
        Data::List(items) => {
            for item in items {
                walk(item, rules.and_then(|it| it.items.as_deref()), within, sources, into);
            }
        }
        Data::Map(entries) => {
            for entry in entries.iter() {
                note(&entry.key, entry.at, &[]);
            }
            for entry in entries.iter() {
                let field = rules.and_then(|it| it.fields.get(&entry.key).or(it.values.as_deref()));
                let principals = within.0 && policy::names_principals(&entry.key);
                walk(&entry.value, field, (within.0, within.1 || principals), sources, into);
            }
        }
        Data::Null | Data::Bool(..) | Data::Number(..) | Data::Broken(_) => {}
    }
}
