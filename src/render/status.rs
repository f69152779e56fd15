//! What an environment's resources are right now, as a table.

use std::fmt::Write;

use super::Paint;
use super::value::plain;
use crate::kind::Ownership;
use crate::resource::{Desired, Incarnation, Observed, Readiness};

/// One line for each incarnation of each resource, declared or owned.
pub fn status(desired: &Desired, observed: &Observed, paint: Paint) -> String {
    let mut rows: Vec<[String; 3]> = Vec::new();
    let mut missing = 0;
    let ids = desired.resources.keys().chain(observed.resources.keys());
    let ids: std::collections::BTreeSet<_> = ids.collect();
    for id in ids {
        let incarnations = observed.resources.get(id);
        let found: Vec<&Incarnation> = incarnations.into_iter().flat_map(|seen| seen.iter()).collect();
        if found.is_empty() {
            missing += 1;
            rows.push([id.to_string(), "-".to_owned(), "missing".to_owned()]);
        }
        for (index, incarnation) in found.iter().enumerate() {
            let mut state = readiness(&incarnation.readiness);
            if let Some(named) = incarnation.spec.get("state").and_then(serde_json::Value::as_str) {
                let _ = write!(state, ", {named}");
            }
            let owned =
                crate::kinds::kind(&id.kind).is_some_and(|kind| kind.facts().ownership != Ownership::Shared);
            if owned && incarnation.owner().as_ref() != Some(&desired.owner) {
                state += &incarnation
                    .owner()
                    .map_or(", no owner".to_owned(), |other| format!(", owned by {other}"));
            }
            if !desired.resources.contains_key(id) {
                state += ", not declared";
            } else if index > 0 || incarnation.retiring() {
                state += ", older";
            }
            let revision = incarnation.revision.map(|revision| format!(":{revision}")).unwrap_or_default();
            rows.push([id.to_string(), plain(&incarnation.physical) + &revision, plain(&state)]);
        }
    }
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let (first, second) = (width(0), width(1));
    let mut text = String::new();
    for [id, physical, state] in &rows {
        let shown = if state.starts_with("ready") { paint.good(state) } else { paint.change(state) };
        let _ = writeln!(text, "{id:<first$}  {physical:<second$}  {shown}");
    }
    let declared = desired.resources.len();
    let _ = writeln!(text, "\n{declared} resources are declared, {missing} of them missing.");
    text
}

fn readiness(readiness: &Readiness) -> String {
    match readiness {
        Readiness::Ready => "ready".to_owned(),
        Readiness::Pending(why) => format!("pending: {why}"),
        Readiness::Repairable(why) => format!("broken, may be mended: {why}"),
        Readiness::Failed(why) => format!("broken: {why}"),
    }
}
