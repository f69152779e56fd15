//! What is allowed and hardly meant: said with a plan and by `validate`, and never in the way of anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::literals;
use crate::kind::{AnyKind, Invalid, Pinned};
use crate::resource::{Declared, Desired, Incarnations, Observed, Position, ResourceId};

/// A doubt about what is declared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// Which resource; none: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ResourceId>,
    /// What is doubtful, and what to say instead.
    pub message: String,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// All doubts, in order of resources and places; more of them where AWS was asked what is there.
pub fn warnings(
    desired: &Desired,
    observed: Option<&Observed>,
    kinds: &[&'static dyn AnyKind],
) -> Vec<Warning> {
    let unsearched = observed.and_then(|observed| observed.unsearched.clone());
    let general = |message| Warning { id: None, message, position: None };
    let mut found: Vec<Warning> = unsearched.into_iter().map(general).collect();
    let kind_of = |name: &str| kinds.iter().copied().find(|kind| kind.facts().name == name);
    for declared in desired.resources.values() {
        let kind = kinds.iter().find(|kind| kind.facts().name == declared.id.kind);
        let Some(kind) = kind else { continue };
        let seen = observed.and_then(|observed| observed.resources.get(&declared.id));
        let live = seen.and_then(|seen| seen.current.as_ref()).map(|live| &live.spec);
        let mut doubts = kind.warnings(&declared.spec, live);
        if let Some(pinned) = pinned(declared, *kind, desired, observed) {
            doubts.extend(kind.expiring(&declared.spec, &pinned));
        }
        doubts.extend(literals::doubts(declared, *kind, desired, &kind_of));
        doubts.extend(kept(declared, *kind, observed.is_some(), live));
        doubts.retain(|doubt| !declared.ignore.contains(&doubt.path));
        found.extend(doubts.into_iter().map(|doubt| Warning {
            id: Some(declared.id.clone()),
            position: Some(declared.position_of(&doubt.path).clone()),
            message: doubt.message,
        }));
    }
    found
}

/// Who names a part of it by its digest: what is declared, and what exists, older revisions included. `None`: nobody does, or it
/// has no address to be named by.
fn pinned(
    declared: &Declared,
    kind: &dyn AnyKind,
    desired: &Desired,
    observed: Option<&Observed>,
) -> Option<Pinned> {
    let outputs = kind.predict(&declared.physical_name, &declared.spec, &desired.place);
    let address = format!("{}@sha256:", outputs.get("uri")?);
    let reference = format!("${{{}.uri}}@sha256:", declared.id);
    let images = || desired.images.iter().filter(|(_, image)| image.repository == declared.id);
    let named: Vec<String> = images().map(|(name, _)| format!("${{image.{name}}}")).collect();
    let others = desired.resources.values().filter(|other| other.id != declared.id);
    let mut by: BTreeSet<ResourceId> = others
        .filter(|other| {
            let text = other.spec.to_string();
            named.iter().chain([&address, &reference]).any(|it| text.contains(it))
        })
        .map(|other| other.id.clone())
        .collect();
    let live = observed.into_iter().flat_map(|observed| &observed.resources);
    let names = |seen: &Incarnations| seen.iter().any(|live| live.spec.to_string().contains(&address));
    by.extend(live.filter(|(id, seen)| **id != declared.id && names(seen)).map(|(id, _)| id.clone()));
    let tags = images().map(|(_, image)| image.tag.clone()).collect();
    (!by.is_empty()).then_some(Pinned { by, tags })
}

/// What AWS keeps and would not make again. Of what is not there, a plan says so as an objection.
fn kept(
    declared: &Declared,
    kind: &dyn AnyKind,
    asked: bool,
    live: Option<&serde_json::Value>,
) -> Option<Invalid> {
    let retired = kind.retired(&declared.spec).filter(|_| !asked || live.is_some())?;
    let message = match live {
        Some(_) => format!(
            "{}; the one that exists goes on, and once it is gone nothing brings it back",
            retired.message
        ),
        None => format!("{}; one that exists goes on", retired.message),
    };
    Some(Invalid::new(retired.path, message))
}
