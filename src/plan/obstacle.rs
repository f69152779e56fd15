//! What stands between a declared resource and what AWS has under its name: another owner, several of one generation, a
//! revision of somebody else's, something that still uses it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::drafts::{Draft, How};
use super::graph;
use super::guard::{Objection, Objector};
use crate::kind::{AnyKind, Identity, Order, Ownership};
use crate::resource::{Declared, Desired, Incarnation, Incarnations, Observed, Owner, ResourceId};
use crate::value::reference::{self, Reference};

/// Why what exists under its name is not ours to change.
pub(super) fn foreign(
    declared: &Declared,
    kind: &dyn AnyKind,
    seen: &Incarnations,
    current: &Incarnation,
    owner: &Owner,
    environment: &str,
) -> Option<String> {
    let facts = kind.facts();
    let ours = match (facts.ownership, facts.identity) {
        (Ownership::Shared | Ownership::ViaParent, _) => true,
        (_, Identity::Revisioned) => seen.iter().any(|i| i.owner().as_ref() == Some(owner)),
        _ => current.owner().as_ref() == Some(owner),
    };
    if ours {
        return None;
    }
    let id = &declared.id;
    Some(match current.owner() {
        Some(other) => format!(
            "{} exists and belongs to {other}: rename it here, or let {other} give it up first",
            current.physical
        ),
        None => format!(
            "{} exists and has no owner: take it over with `batchwright adopt {environment} {id}`, or rename it here",
            current.physical
        ),
    })
}

/// Two incarnations of one generation: a crash cannot make them, so a person must say which one counts (D14).
pub(super) fn ambiguous(seen: &Incarnations, current: &Incarnation, identity: Identity) -> Option<String> {
    if identity == Identity::Revisioned {
        return None;
    }
    let same: Vec<&str> = seen
        .iter()
        .filter(|i| i.generation() == current.generation() && !i.retiring())
        .map(|i| i.physical.as_str())
        .collect();
    (same.len() > 1).then(|| {
        format!("{} of them exist: {}; remove the ownership tags of all but one", same.len(), same.join(", "))
    })
}

/// Why the newest revision of a family is not the one that is declared.
pub(super) fn newer_of_somebody_else(
    identity: Identity,
    current: &Incarnation,
    owner: &Owner,
) -> Option<String> {
    (identity == Identity::Revisioned && current.owner().as_ref() != Some(owner)).then(|| {
        let revision = current.revision.map_or_else(String::new, |revision| format!(" {revision}"));
        format!("revision{revision} was registered by somebody else")
    })
}

/// Whether its name in AWS is no longer the one that is declared. Names of revisions and of shared things are their identity.
/// What was renamed in the manifests keeps the name that it had, unless another is said in so many words.
pub(super) fn moved(
    declared: &Declared,
    identity: Identity,
    current: &Incarnation,
    name: &str,
    prefix: &str,
) -> bool {
    let said = declared.physical_name != format!("{prefix}{}", declared.id.name);
    identity != Identity::Assigned
        && (declared.renamed_from.is_none() || said)
        && current.owner().is_some()
        && current.physical != name
        && current.physical != declared.physical_name
}

/// Why a family can't have another name: its revisions stay where they are.
pub(super) fn family(current: &Incarnation, declared: &Declared) -> String {
    format!(
        "its revisions are registered as {old}, and a family can't be renamed: say `physicalName: {old}`, or declare {new} under another name beside it and take this one out once nothing uses it",
        old = current.physical,
        new = declared.physical_name
    )
}

/// What is to go before its successor comes, while something still uses it: never a silent cascade (P21).
pub(super) fn held(drafts: &[Draft], edges: &graph::Edges, observed: &Observed) -> Vec<Objection> {
    let exists = |id: &ResourceId| observed.resources.get(id).is_some_and(|seen| seen.current.is_some());
    drafts
        .iter()
        .filter(|draft| matches!(draft.how, How::Replace { order: Order::DeleteFirst, .. }))
        .filter_map(|draft| {
            let id = &draft.change.id;
            let users = edges.iter().filter(|(user, needs)| needs.contains(id) && exists(user));
            let users: Vec<String> = users.map(|(user, _)| user.to_string()).collect();
            (!users.is_empty()).then(|| in_the_way(draft, &users))
        })
        .collect()
}

/// The same of what is no longer declared, and goes only after something that needs the successor.
pub(super) fn stuck(drafts: &[Draft], stuck: &[(ResourceId, ResourceId)]) -> Vec<Objection> {
    let draft = |id: &ResourceId| drafts.iter().find(|draft| draft.change.id == *id);
    stuck.iter().filter_map(|(id, user)| Some(in_the_way(draft(id)?, &[user.to_string()]))).collect()
}

fn in_the_way(draft: &Draft, users: &[String]) -> Objection {
    let message = format!(
        "it would have to be deleted before its successor is made ({}), while {} use{} it: give the new one another name, move what uses it, then remove the old one",
        draft.change.reason,
        users.join(", "),
        if users.len() == 1 { "s" } else { "" }
    );
    let (id, position) = (draft.change.id.clone(), draft.change.position.clone());
    Objection { id, objector: Objector::Held, message, position }
}

/// A replacement while something that names it is left out of the plan (`--only`): it would keep the old one.
pub(super) fn left_out(
    drafts: &[Draft],
    links: &graph::Links,
    part: &BTreeSet<ResourceId>,
) -> Vec<Objection> {
    drafts
        .iter()
        .filter(|draft| matches!(draft.how, How::Replace { .. }))
        .filter_map(|draft| {
            let id = &draft.change.id;
            let users = links.naming(id).into_iter().filter(|user| !part.contains(*user));
            let users: Vec<String> = users.map(|user| format!("--only={user}")).collect();
            let message = format!(
                "it would be replaced, and what uses it would be left behind: add {}",
                users.join(" ")
            );
            let position = draft.change.position.clone();
            (!users.is_empty()).then(|| Objection {
                id: id.clone(),
                objector: Objector::Held,
                message,
                position,
            })
        })
        .collect()
}

/// Images that a resource names and nobody has pushed (D6).
pub(super) fn unpushed(declared: &Declared, want: &Value, desired: &Desired) -> Vec<Objection> {
    let mut unknown = BTreeSet::new();
    reference::each(want, "", &mut |_, reference| {
        if let Reference::Image(name) = reference {
            unknown.insert(name);
        }
    });
    let objection = |name: String| {
        let image = desired.images.get(&name);
        let tag = image.map(|image| format!("{}:{}", image.repository.name, image.tag)).unwrap_or_default();
        let message = format!(
            "the image `{name}` ({tag}) is not in the registry yet: push it, or give its digest with --image {name}=<repository>@sha256:…"
        );
        let position = Some(declared.position.clone());
        Objection { id: declared.id.clone(), objector: Objector::Image, message, position }
    };
    unknown.into_iter().map(objection).collect()
}
