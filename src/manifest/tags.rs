//! Tags against what the service of each resource takes: the environment's, the resource's own, and ours beside them.

use std::collections::BTreeMap;

use super::document;
use super::environment::Loaded;
use super::error::Complaint;
use super::resources::Resource;
use super::source::Span;
use super::tree::{Entry, Node, Step};
use crate::kind::Ownership;
use crate::resource::{
    COMMIT_TAG, GENERATION_TAG, NAME_TAG, ON_DELETE_TAG, OWNER_TAG, PROTECT_TAG, RETIRING_TAG, STACK_TAG,
};
use crate::services::TagRules;
use crate::services::tag_rules::{LONGEST_VALUE, MOST};
use crate::value::reference::references;

/// Ours that any resource may carry in its life: a run of CI adds the commit, a replacement the other two.
const OURS: [&str; 6] = [OWNER_TAG, NAME_TAG, STACK_TAG, COMMIT_TAG, GENERATION_TAG, RETIRING_TAG];

/// A tag of a resource, where it is written, and whether that is the environment's file.
#[derive(Clone, Copy)]
struct Tag<'t> {
    entry: &'t Entry,
    everywhere: bool,
}

/// What is wrong at one place of the environment's file, and the resources that have it from there.
struct Shared<'t> {
    complaint: Complaint,
    carriers: Vec<&'t Resource>,
}

/// What services refuse of the tags that resources are to carry. A tag of the environment is complained about once.
pub fn check(environment: &str, loaded: &Loaded, resources: &[Resource]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut shared: BTreeMap<Span, Shared<'_>> = BTreeMap::new();
    for resource in resources.iter().filter(|resource| resource.on) {
        if !carries_tags(resource) {
            complaints.extend(never_written(resource));
            continue;
        }
        let mut say = |complaint: Complaint, everywhere: bool| match everywhere {
            false => complaints.push(complaint),
            true => {
                let known = shared.entry(complaint.span);
                known.or_insert(Shared { complaint, carriers: Vec::new() }).carriers.push(resource);
            }
        };
        let tags = tags_of(loaded, resource);
        let rules = &resource.kind.facts().tags;
        for tag in tags.values() {
            if let Some(complaint) = refused(tag.entry, rules) {
                say(complaint, tag.everywhere);
            }
        }
        for (complaint, everywhere) in same_but_for_case(&tags, rules) {
            say(complaint, everywhere);
        }
        if let Some((complaint, everywhere)) = too_many(loaded, resource, &tags) {
            say(complaint, everywhere);
        }
        for complaint in ours(environment, loaded, rules) {
            say(complaint, true);
        }
    }
    complaints.extend(shared.into_values().map(|Shared { complaint, carriers }| {
        complaint.help(match carriers.as_slice() {
            [one] => format!("{} carries it", one.id),
            [first, rest @ ..] => format!("{} and {} more carry it", first.id, rest.len()),
            [] => String::new(),
        })
    }));
    complaints
}

/// What is the account's, and what can't be tagged, carries none.
fn carries_tags(resource: &Resource) -> bool {
    matches!(resource.kind.facts().ownership, Ownership::Tagged | Ownership::TagAfterCreate)
}

/// Tags that nobody would write. Those of the environment are for whatever carries tags.
fn never_written(resource: &Resource) -> Option<Complaint> {
    let tags =
        resource.tree.get("metadata")?.entry("tags").filter(|tags| !tags.value.entries().is_empty())?;
    let message = format!("batchwright writes no tags to `{}`, which is the account's", resource.id);
    Some(Complaint::new(tags.at, message).help("remove them"))
}

/// The tags of a resource by key: its own over the environment's. What is refused everywhere has been complained about.
fn tags_of<'t>(loaded: &'t Loaded, resource: &'t Resource) -> BTreeMap<&'t str, Tag<'t>> {
    let metadata = resource.tree.get("metadata");
    let own = metadata.and_then(|it| it.get("tags")).map(Node::entries).unwrap_or_default();
    let environment = loaded.tree.get("tags").map(Node::entries).unwrap_or_default();
    let tags = environment.iter().map(|entry| Tag { entry, everywhere: true });
    tags.chain(own.iter().map(|entry| Tag { entry, everywhere: false }))
        .filter(|tag| document::tag(tag.entry.at, &tag.entry.key, tag.entry.value.text()).is_none())
        .map(|tag| (tag.entry.key.as_str(), tag))
        .collect()
}

fn refused(entry: &Entry, rules: &TagRules) -> Option<Complaint> {
    // A reference has been complained about: tags hold none.
    if [Some(&*entry.key), entry.value.text()].into_iter().flatten().any(|it| !references(it).is_empty()) {
        return None;
    }
    let value = entry.value.text().unwrap_or_default();
    let (span, part, refused) = match (rules.refused(&entry.key), rules.refused(value)) {
        (Some(refused), _) => (entry.at, "key", refused),
        (None, Some(refused)) => (entry.value.span, "value", refused),
        (None, None) => return None,
    };
    Some(not_taken(span, &format!("the {part} of a tag"), refused, rules))
}

fn not_taken(span: Span, what: &str, refused: char, rules: &TagRules) -> Complaint {
    let refused =
        if refused.is_control() { refused.escape_default().to_string() } else { refused.to_string() };
    Complaint::new(span, format!("{} takes no `{refused}` in {what}", rules.service))
        .label("expected letters, digits, spaces and _.:/=+-@")
}

/// Keys that the service takes for one key.
fn same_but_for_case(tags: &BTreeMap<&str, Tag<'_>>, rules: &TagRules) -> Vec<(Complaint, bool)> {
    let mut seen: BTreeMap<String, Tag<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    // The environment's first: a resource's own tag is the one to be changed.
    let ordered = |everywhere: bool| tags.values().filter(move |tag| tag.everywhere == everywhere);
    for tag in ordered(true).chain(ordered(false)).filter(|_| rules.caseless) {
        if let Some(first) = seen.insert(tag.entry.key.to_lowercase(), *tag) {
            let (key, other) = (&tag.entry.key, &first.entry.key);
            let message = format!("to {} the tag keys `{key}` and `{other}` are the same", rules.service);
            let complaint = Complaint::new(tag.entry.at, message).related(first.entry.at, "the other one");
            found.push((complaint.label("they differ in case alone"), tag.everywhere));
        }
    }
    found
}

/// The tags that are too many with ours: marked where the resource's own are written, if it has some.
fn too_many(
    loaded: &Loaded,
    resource: &Resource,
    tags: &BTreeMap<&str, Tag<'_>>,
) -> Option<(Complaint, bool)> {
    let metadata = resource.tree.get("metadata")?;
    let is_set = |key: &str, default: &str| {
        metadata.get(key).is_some_and(|it| it.to_json() != default && it.to_json() != false)
    };
    let protect = is_set("protect", "").then_some(PROTECT_TAG);
    let on_delete = is_set("onDelete", "refuse").then_some(ON_DELETE_TAG);
    let ours = OURS.into_iter().chain(protect).chain(on_delete).count();
    if tags.len() + ours <= MOST {
        return None;
    }
    let own = tags.values().any(|tag| !tag.everywhere);
    let entry = if own { metadata.entry("tags") } else { loaded.tree.entry("tags") };
    let message = format!(
        "{} tags and the owner's own, up to {ours}, are more than the {MOST} that AWS takes",
        tags.len()
    );
    let complaint =
        Complaint::new(entry?.at, message).label(format!("expected at most {}", MOST - ours)).help(
            "batchwright tags each resource with its owner, name, stack and commit, and what is replaced with more",
        );
    Some((complaint, !own))
}

/// Names of the environment that become values of our tags.
fn ours(environment: &str, loaded: &Loaded, rules: &TagRules) -> Vec<Complaint> {
    let at = |path: &[Step]| loaded.tree.follow(path).1;
    let project = at(&[Step::Key("project".to_owned())]);
    let owner = format!("{}/{environment}", loaded.file.project);
    let mut complaints = Vec::new();
    if let Some(refused) = rules.refused(environment) {
        let what = "a tag, and the environment's name becomes part of one";
        complaints.push(not_taken(project, what, refused, rules).help("rename the environment's folder"));
    } else if owner.chars().count() > LONGEST_VALUE {
        let message = "the project's and the environment's names are too long for a tag together";
        complaints.push(
            Complaint::new(project, message).label(format!("expected at most {LONGEST_VALUE} characters")),
        );
    }
    for (index, stack) in loaded.file.stacks.iter().enumerate() {
        let span = at(&[Step::Key("stacks".to_owned()), Step::Item(index)]);
        let stack = stack.name();
        if let Some(refused) = rules.refused(stack) {
            let what = "a tag, and the stack's name becomes one";
            complaints.push(not_taken(span, what, refused, rules).help("rename the stack's folder"));
        } else if stack.chars().count() > LONGEST_VALUE {
            complaints.push(Complaint::new(span, "the stack's name is too long for a tag"));
        }
    }
    complaints
}
