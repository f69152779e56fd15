//! A plan as a picture that GitHub draws: what changes, and what comes first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::terminal::{symbol, word};
use super::value::plain;
use crate::plan::{Action, Change, Plan};
use crate::resource::ResourceId;

/// More boxes than these are drawn by kind.
const MOST: usize = 40;

/// Fill, border and text of an action's boxes: readable on a light page and on a dark one.
fn class(action: Action) -> &'static str {
    match action {
        Action::Create => "fill:#dafbe1,stroke:#1a7f37,color:#0b4a1f",
        Action::Update => "fill:#fff8c5,stroke:#9a6700,color:#4d2d00",
        Action::Replace => "fill:#ffebe9,stroke:#cf222e,color:#82071e,stroke-dasharray:4 3",
        Action::Delete => "fill:#ffebe9,stroke:#cf222e,color:#82071e",
        Action::Adopt => "fill:#ddf4ff,stroke:#0969da,color:#0a3069",
        Action::Forget => "fill:#eaeef2,stroke:#57606a,color:#24292f",
    }
}

/// A mermaid flow chart, in its fence; nothing, if nothing changes.
pub(super) fn picture(plan: &Plan) -> Option<String> {
    if plan.changes.is_empty() {
        return None;
    }
    let mut text = String::from("```mermaid\nflowchart LR\n");
    if plan.changes.len() <= MOST {
        each(&mut text, plan)
    } else {
        by_kind(&mut text, plan)
    }
    let used: BTreeSet<Action> = plan.changes.iter().map(|change| change.action).collect();
    for action in used {
        let _ = writeln!(text, "    classDef {} {}", word(action), class(action));
    }
    text.push_str("```\n");
    Some(text)
}

/// A box for each change, and an arrow from what goes first.
fn each(text: &mut String, plan: &Plan) {
    let mut boxes: BTreeMap<&ResourceId, usize> = BTreeMap::new();
    for (number, change) in plan.changes.iter().enumerate() {
        boxes.insert(&change.id, number);
        let name = format!("{} {}", symbol(change), change.id);
        let _ = writeln!(text, "    n{number}[\"{}\"]:::{}", label(&name), word(change.action));
    }
    for (before, after) in arrows(plan) {
        if let (Some(before), Some(after)) = (boxes.get(before), boxes.get(after)) {
            let _ = writeln!(text, "    n{before} --> n{after}");
        }
    }
}

/// Which resource's steps wait directly for which other's; what follows from two other arrows is left out.
fn arrows(plan: &Plan) -> BTreeSet<(&ResourceId, &ResourceId)> {
    let mut waits: BTreeMap<&ResourceId, BTreeSet<&ResourceId>> = BTreeMap::new();
    for step in &plan.steps {
        let first = step.after.iter().filter_map(|id| plan.steps.get(*id)).map(|first| &first.resource);
        waits.entry(&step.resource).or_default().extend(first.filter(|first| **first != step.resource));
    }
    let mut found = BTreeSet::new();
    for (after, before) in &waits {
        for first in before {
            let detour = before.iter().any(|other| {
                other != first && waits.get(*other).is_some_and(|firsts| firsts.contains(*first))
            });
            if !detour {
                found.insert((*first, *after));
            }
        }
    }
    found
}

/// A box for each kind and action.
fn by_kind(text: &mut String, plan: &Plan) {
    let mut counts: BTreeMap<(&str, Action), (usize, &Change)> = BTreeMap::new();
    for change in &plan.changes {
        counts.entry((&change.id.kind, change.action)).or_insert((0, change)).0 += 1;
    }
    for (number, ((kind, action), (count, change))) in counts.into_iter().enumerate() {
        let name = format!("{} {count} × {kind}", symbol(change));
        let _ = writeln!(text, "    n{number}[\"{}\"]:::{}", label(&name), word(action));
    }
}

/// Text in a quoted box: nothing in it ends the quotes or is taken for markup.
fn label(text: &str) -> String {
    let mut safe = String::new();
    for c in plain(text).chars() {
        match c {
            '"' => safe.push_str("#quot;"),
            '#' => safe.push_str("#35;"),
            '<' => safe.push_str("#lt;"),
            '>' => safe.push_str("#gt;"),
            '`' => safe.push('\''),
            c => safe.push(c),
        }
    }
    safe
}
