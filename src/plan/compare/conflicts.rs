//! What stands between a declared resource and what AWS has under its name: another owner, several of one generation, a
//! revision of somebody else's, something that still uses it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kind::{AnyKind, Identity, Ownership};
use crate::plan::model::{Objection, Objector};
use crate::resource::{Declared, Desired, Incarnation, Incarnations, Owner};
use crate::value::reference::{self, Reference};

/// Why what exists under its name is not ours to change.
pub fn foreign(
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
pub fn ambiguous(seen: &Incarnations, current: &Incarnation, identity: Identity) -> Option<String> {
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
pub fn newer_of_somebody_else(identity: Identity, current: &Incarnation, owner: &Owner) -> Option<String> {
    (identity == Identity::Revisioned && current.owner().as_ref() != Some(owner)).then(|| {
        let revision = current.revision.map_or_else(String::new, |revision| format!(" {revision}"));
        format!("revision{revision} was registered by somebody else")
    })
}

/// Whether its name in AWS is no longer the one that is declared. Names of revisions and of shared things are their identity.
/// What was renamed in the manifests keeps the name that it had, unless another is said in so many words.
pub fn moved(
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
pub fn family(current: &Incarnation, declared: &Declared) -> String {
    format!(
        "its revisions are registered as {old}, and a family can't be renamed: say `physicalName: {old}`, or declare {new} under another name beside it and take this one out once nothing uses it",
        old = current.physical,
        new = declared.physical_name
    )
}

/// Images that a resource names and nobody has pushed (D6).
pub fn unpushed(declared: &Declared, want: &Value, desired: &Desired) -> Vec<Objection> {
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
