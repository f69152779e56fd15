//! Drift: a plan read the other way round. Live has X, git says Y.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::terminal::{as_declared, objections, write_lines};
use super::value::{Line, Shown, plain, shown};
use super::{Paint, surroundings};
use crate::plan::{Action, Change, Objection, Objector, Plan};
use crate::resource::ResourceId;

/// What differs between AWS and the manifests, as a report rather than a proposal.
pub fn drift(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    let place = &plan.place;
    let title = paint.strong(&format!("Drift of {}", plan.environment));
    let _ = writeln!(text, "{title} in account {}, {}\n", place.account, place.region);
    let (moved, others): (Vec<_>, Vec<_>) = plan.changes.iter().partition(|change| plan.is_moved(change));
    others.into_iter().for_each(|change| write_change(&mut text, change, paint));
    if !moved.is_empty() {
        let _ = writeln!(
            text,
            "{}\n",
            paint.strong("Moved: what is looked up is another now than what AWS has:")
        );
        text.push_str(&surroundings::looked_up(plan, paint));
        moved.into_iter().for_each(|change| write_change(&mut text, change, paint));
    }
    let live: Vec<Objection> = plan.objections.iter().filter(|it| is_about_live(it)).cloned().collect();
    objections(&mut text, "Not as it should be:", &live, paint);
    let _ = writeln!(text, "{}", paint.strong(&summary(plan)));
    text
}

/// Whether AWS is not as the manifests say.
pub fn has_drifted(plan: &Plan) -> bool {
    !plan.changes.is_empty() || plan.objections.iter().any(is_about_live)
}

/// Whether an objection says something of AWS, and not only of what an apply may do.
pub(super) fn is_about_live(objection: &Objection) -> bool {
    matches!(objection.objector, Objector::Owner | Objector::Ambiguous | Objector::Impossible)
}

fn summary(plan: &Plan) -> String {
    if !has_drifted(plan) {
        let parts = [Some("No drift.".to_owned()), as_declared(plan.unchanged)];
        return parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    }
    let drifted = || plan.changes.iter().filter(|change| !plan.is_moved(change));
    let count = |actions: &[Action]| drifted().filter(|change| actions.contains(&change.action)).count();
    let mut text = format!(
        "Drift: {} missing, {} different, {} not declared",
        count(&[Action::Create]),
        count(&[Action::Update, Action::Replace, Action::Adopt]),
        count(&[Action::Delete, Action::Forget]),
    );
    // What is there and is not ours is none of these, and is not as declared either.
    let told = |id: &ResourceId| plan.changes.iter().any(|change| change.id == *id);
    let others: BTreeSet<&ResourceId> =
        plan.objections.iter().filter(|it| is_about_live(it) && !told(&it.id)).map(|it| &it.id).collect();
    if !others.is_empty() {
        text += &format!(", {} in the way", others.len());
    }
    let moved = plan.changes.len() - drifted().count();
    if moved > 0 {
        text += &format!(", {moved} moved");
    }
    format!("{text}, {} as declared.", plan.unchanged)
}

fn write_change(text: &mut String, change: &Change, paint: Paint) {
    let id = paint.strong(&change.id.to_string());
    let physical = plain(&change.physical);
    let _ = match change.action {
        Action::Create => {
            writeln!(text, "{} {id}: git declares it, AWS has no {physical}", paint.bad("- missing"))
        }
        Action::Delete if change.effect.is_some() => {
            writeln!(text, "{} {id}: AWS still has {physical}", paint.good("+ left behind"))
        }
        Action::Delete | Action::Forget => writeln!(
            text,
            "{} {id}: AWS has {physical} with our tags, git does not declare it",
            paint.good("+ not declared")
        ),
        // A successor's name says nothing of what is there now.
        Action::Replace => writeln!(text, "{} {id}", paint.change("~ different")),
        _ => writeln!(text, "{} {id} ({physical})", paint.change("~ different")),
    };
    if let Some(position) = &change.position {
        let _ = writeln!(text, "    {}", paint.faint(&format!("--> {position}")));
    }
    if change.action == Action::Delete && change.effect.is_some() {
        let _ = writeln!(text, "    {}", plain(&change.reason.0));
    }
    if matches!(change.action, Action::Update | Action::Replace | Action::Adopt) {
        if change.fields.is_empty() && !change.reason.0.is_empty() {
            let _ = writeln!(text, "    {}", plain(&change.reason.0));
        }
        for field in &change.fields {
            write_field(text, &plain(&field.path), &shown(&change.id.kind, field), paint);
        }
    }
    text.push('\n');
}

fn write_field(text: &mut String, path: &str, shown: &Shown, paint: Paint) {
    let _ = match shown {
        Shown::Added(git) => writeln!(text, "    {path}: live has nothing, git says {}", paint.good(git)),
        Shown::Removed(live) => writeln!(text, "    {path}: live has {}, git says nothing", paint.bad(live)),
        Shown::Both(live, git) => {
            writeln!(text, "    {path}: live has {}, git says {}", paint.bad(live), paint.good(git))
        }
        Shown::Lines(lines) => {
            let all = |wanted: fn(&Line) -> bool| lines.iter().all(wanted);
            let says = if all(|line| matches!(line, Line::Added(_))) {
                "live has nothing, git says"
            } else if all(|line| matches!(line, Line::Removed(_))) {
                "git says nothing, live has"
            } else {
                "live has the lines with -, git says those with +"
            };
            let _ = writeln!(text, "    {path}: {says}");
            write_lines(text, "        ", lines, paint);
            Ok(())
        }
    };
}
