//! What is allowed and hardly meant: said with a plan and by `validate`, and never in the way of anything.

use crate::kind::{AnyKind, Beside, Invalid};
use crate::plan::guards::literals::Named;
use crate::plan::guards::{Renamed, literals};
use crate::plan::model::Warning;
use crate::plan::request::Registry;
use crate::plan::scope::Scope;
use crate::plan::warnings::pinned::Digests;
use crate::resource::{Declared, Desired, Observed};

pub mod pinned;
pub mod renamed;

/// All doubts of a plan: about what is declared, about its end, and about what looks renamed.
pub fn all(scope: &Scope<'_>, of_the_end: &[Warning], renamed: &Renamed) -> Vec<Warning> {
    let mut found = doubts(&scope.desired, Some(scope.observed), &scope.kinds);
    found.extend(of_the_end.iter().cloned());
    found.extend(renamed::hints(scope, renamed));
    found
}

/// All doubts about what is declared, in order of resources and places; more of them where AWS was asked what is there.
pub fn warnings(
    desired: &Desired,
    observed: Option<&Observed>,
    kinds: &[&'static dyn AnyKind],
) -> Vec<Warning> {
    doubts(desired, observed, &Registry::new(kinds))
}

fn doubts(desired: &Desired, observed: Option<&Observed>, kinds: &Registry) -> Vec<Warning> {
    let unsearched = observed.and_then(|observed| observed.unsearched.clone());
    let general = |message| Warning { id: None, message, position: None };
    let mut found: Vec<Warning> = unsearched.into_iter().map(general).collect();
    let beside = Beside::of(desired);
    let (digests, named) = (Digests::of(desired, observed), Named::of(desired, kinds));
    for declared in desired.resources.values() {
        let Some(kind) = kinds.of(&declared.id.kind) else { continue };
        let seen = observed.and_then(|observed| observed.resources.get(&declared.id));
        let live = seen.and_then(|seen| seen.current.as_ref()).map(|live| &live.spec);
        let mut doubts = kind.warnings(&declared.spec, live);
        if let Some(pinned) = digests.pinned(declared, kind, desired) {
            doubts.extend(kind.expiring(&declared.spec, &pinned));
        }
        let together = kind.clashes(&declared.spec, &declared.id, &beside);
        doubts.extend(together.into_iter().filter(|clash| clash.is_doubt).map(|clash| clash.invalid));
        doubts.extend(literals::doubts(declared, kind, &named));
        doubts.extend(kept(declared, kind, observed.is_some(), live));
        doubts.retain(|doubt| !declared.ignore.contains(&doubt.path));
        found.extend(doubts.into_iter().map(|doubt| Warning {
            id: Some(declared.id.clone()),
            position: Some(declared.position_of(&doubt.path).clone()),
            message: doubt.message,
        }));
    }
    found
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
