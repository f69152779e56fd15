//! A plan for a terminal (behaviours: symbols, one header sentence, changed fields, reasons, totals last).

use std::fmt::Write;

use super::value::{Line, Shown, inline, masked, plain, shown};
use super::{Paint, impact, surroundings};
use crate::diff::ChangeRule;
use crate::kind::{Effect, Manner, Order, Work};
use crate::kinds;
use crate::plan::review::Difference;
use crate::plan::{Action, Change, Objection, Plan, Warning};
use crate::resource::{Position, ResourceId};

/// The whole plan: changes, what speaks against them, the fingerprint, totals.
pub fn plan(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    let place = &plan.place;
    let _ = writeln!(
        text,
        "{} in account {}, {}\n",
        paint.strong(&format!("Plan for {}", plan.environment)),
        place.account,
        place.region
    );
    text.push_str(&surroundings::looked_up(plan, paint));
    for change in &plan.changes {
        write_change(&mut text, plan, change, paint);
    }
    due(&mut text, plan);
    text.push_str(&stays(plan, paint));
    text.push_str(&warnings(&plan.warnings, paint));
    objections(&mut text, "Refused, as it stands:", &plan.objections, paint);
    if !plan.changes.is_empty() {
        let _ = writeln!(text, "{}", paint.faint(&format!("Fingerprint: {}", plan.fingerprint())));
    }
    let _ = writeln!(text, "{}", paint.strong(&totals(plan)));
    text
}

/// The last line: a fixed grammar that scripts and people rely on. Whatever speaks against the plan stands in it.
pub(super) fn totals(plan: &Plan) -> String {
    let (later, now): (Vec<_>, Vec<_>) = plan.objections.iter().partition(|it| it.only_stops_apply());
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let refused = match now.len() {
        0 => None,
        count => Some(format!("Refused: {count} objection{}.", plural(count))),
    };
    let first = match later.len() {
        0 => None,
        count => Some(format!("Before it can be applied: {count} thing{} to do.", plural(count))),
    };
    let parts = if plan.is_empty() {
        // "No changes" is said of a plan that is good.
        let none = refused.is_none().then(|| "No changes.".to_owned());
        [none, refused, as_declared(plan.unchanged), first]
    } else {
        [Some(counts(plan)), impact::total(plan), refused, first]
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// How many resources are as declared; nothing, where none is.
pub(super) fn as_declared(unchanged: usize) -> Option<String> {
    match unchanged {
        0 => None,
        1 => Some("1 resource is as declared.".to_owned()),
        many => Some(format!("{many} resources are as declared.")),
    }
}

fn counts(plan: &Plan) -> String {
    let count = |action| plan.count(action);
    let mut text = format!(
        "Plan: {} to add, {} to change, {} to replace, {} to delete",
        count(Action::Create),
        count(Action::Update),
        count(Action::Replace),
        count(Action::Delete)
    );
    for (action, word) in [(Action::Adopt, "adopt"), (Action::Forget, "forget")] {
        if count(action) > 0 {
            let _ = write!(text, ", {} to {word}", count(action));
        }
    }
    text.push('.');
    text
}

/// The symbol of a change; always beside a word.
pub(super) fn symbol(change: &Change) -> &'static str {
    match (change.action, &change.effect) {
        (Action::Create, _) => "+",
        (Action::Update, _) => "~",
        (Action::Delete, _) => "-",
        (Action::Replace, Some(Effect::Replace(Order::DeleteFirst))) => "-/+",
        (Action::Replace, _) => "+/-",
        (Action::Adopt, _) => "→",
        (Action::Forget, _) => ".",
    }
}

/// In which of several ways something changes that jobs run on; `None` for other kinds and actions.
pub(super) fn strategy(change: &Change) -> Option<&'static str> {
    if kinds::kind(&change.id.kind)?.facts().work != Work::Runs {
        return None;
    }
    match change.effect.as_ref()? {
        Effect::Update(Manner::Repair) => None,
        Effect::Update(manner) => Some(manner.name()),
        Effect::Replace(Order::CreateFirst) => Some("blue/green"),
        Effect::Impossible(_) => Some("impossible"),
        _ => None,
    }
}

/// The word of an action.
pub(super) fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
        Action::Replace => "replace",
        Action::Adopt => "adopt",
        Action::Forget => "forget",
    }
}

/// What is said after the resource's name.
pub(super) fn manner(change: &Change) -> String {
    let physical = plain(&change.physical);
    match (change.action, &change.effect) {
        (Action::Create, _) => format!("as {physical}"),
        (Action::Update, Some(Effect::Tag)) => format!("({physical}), tags only"),
        (Action::Update, Some(Effect::NewRevision)) => format!("({physical}), by a new revision"),
        (Action::Update, Some(Effect::Update(Manner::InPlace))) => format!("({physical}), in place"),
        (Action::Update, Some(Effect::Update(manner))) => {
            format!("({physical}), in place: {}", manner.name())
        }
        (Action::Update, _) => format!("({physical})"),
        (Action::Replace, Some(Effect::Replace(Order::DeleteFirst))) => {
            format!("({physical}), the old one goes first")
        }
        (Action::Replace, _) => {
            let how = strategy(change).map(|how| format!("{how}: ")).unwrap_or_default();
            format!("{how}by {physical}, beside the old one until everything has moved")
        }
        (Action::Delete | Action::Adopt, _) => format!("({physical})"),
        (Action::Forget, _) => format!("({physical}): it stays in AWS, without our tags"),
    }
}

/// Colours a symbol or line by what it does.
pub(super) fn coloured(action: Action, text: &str, paint: Paint) -> String {
    match action {
        Action::Create => paint.good(text),
        Action::Update => paint.change(text),
        Action::Delete | Action::Replace => paint.bad(text),
        Action::Adopt | Action::Forget => paint.note(text),
    }
}

fn write_change(text: &mut String, plan: &Plan, change: &Change, paint: Paint) {
    let head = format!("{} {}", symbol(change), word(change.action));
    let _ = writeln!(
        text,
        "{} {} {}",
        coloured(change.action, &head, paint),
        paint.strong(&change.id.to_string()),
        manner(change)
    );
    if let Some(line) = reason(change) {
        let _ = writeln!(text, "    {}", paint.faint(&line));
    }
    for line in impact::lines(plan, change) {
        let _ = writeln!(text, "    {} {line}", paint.change("!"));
    }
    for field in &change.fields {
        let mark = if change.action == Action::Replace && field.rule == ChangeRule::CreateOnly {
            paint.bad("  # forces replacement")
        } else {
            String::new()
        };
        write_field(text, &field.path, &shown(&change.id.kind, field), &mark, paint);
    }
    if change.unchanged > 0 {
        let _ = writeln!(text, "      {}", paint.faint(&format!("({} unchanged)", change.unchanged)));
    }
    text.push('\n');
}

/// Why, on a line of its own.
pub(super) fn reason(change: &Change) -> Option<String> {
    let why = plain(&change.reason.0);
    if why.is_empty() {
        return None;
    }
    Some(match change.action {
        Action::Replace => format!("# forces replacement: {why}"),
        Action::Delete | Action::Forget => format!("(because {why})"),
        _ => format!("# {why}"),
    })
}

fn write_field(text: &mut String, path: &str, shown: &Shown, mark: &str, paint: Paint) {
    let path = plain(path);
    let _ = match shown {
        Shown::Added(value) => writeln!(text, "    {} {path}: {value}{mark}", paint.good("+")),
        Shown::Removed(value) => writeln!(text, "    {} {path}: {value}{mark}", paint.bad("-")),
        Shown::Both(old, new) => writeln!(text, "    {} {path}: {old} → {new}{mark}", paint.change("~")),
        Shown::Lines(lines) => {
            let symbol = symbol_of(lines, paint);
            let _ = writeln!(text, "    {symbol} {path}:{mark}");
            write_lines(text, "        ", lines, paint);
            Ok(())
        }
    };
}

fn symbol_of(lines: &[Line], paint: Paint) -> String {
    if lines.iter().all(|line| matches!(line, Line::Added(_))) {
        paint.good("+")
    } else if lines.iter().all(|line| matches!(line, Line::Removed(_))) {
        paint.bad("-")
    } else {
        paint.change("~")
    }
}

/// A line difference, each line behind its sign; where all lines have the same one, that of the field says it.
pub(super) fn write_lines(text: &mut String, indent: &str, lines: &[Line], paint: Paint) {
    let one_sided = lines.iter().all(|line| matches!(line, Line::Added(_)))
        || lines.iter().all(|line| matches!(line, Line::Removed(_)));
    for line in lines {
        let line = match line {
            Line::Added(line) | Line::Removed(line) if one_sided => line.clone(),
            Line::Same(line) => format!("  {line}"),
            Line::Added(line) => paint.good(&format!("+ {line}")),
            Line::Removed(line) => paint.bad(&format!("- {line}")),
            Line::Gap => paint.faint("…"),
        };
        let _ = writeln!(text, "{indent}{}", line.trim_end());
    }
}

/// What is not ours and bears a declared name: a line each, also where all else goes.
pub(super) fn stays(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    for note in plan.notes.iter().filter(|note| note.stays) {
        let _ = writeln!(text, "= {} {}", paint.strong(&note.id.to_string()), plain(&note.message));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// What is left alone, and why (`--verbose`); nothing, if nothing is.
pub fn notes(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    for note in plan.notes.iter().filter(|note| !note.stays) {
        let _ = writeln!(text, "= {} {}", paint.strong(&note.id.to_string()), plain(&note.message));
        for field in &note.ignored {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            let (live, declared) = masked(&note.id.kind, field);
            let short =
                |it: Option<serde_json::Value>| it.map(|it| inline(&it).unwrap_or_else(|| "…".to_owned()));
            let _ = writeln!(
                text,
                "    (ignored: {}: live has {}, git says {})",
                plain(&field.path),
                value(&short(live)),
                value(&short(declared))
            );
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// In what a plan is not what was reviewed, one line each.
pub fn differences(differences: &[Difference], paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bad("Not what was reviewed:"));
    for difference in differences {
        let _ = writeln!(text, "  {}", plain(&difference.to_string()));
    }
    text
}

fn due(text: &mut String, plan: &Plan) {
    for due in &plan.due {
        let _ = writeln!(text, "Due: {} ({}): {}", due.id, plain(&due.physical), plain(&due.what));
    }
    if !plan.due.is_empty() {
        text.push('\n');
    }
}

/// What is doubtful, each with its place; nothing, if nothing is.
pub fn warnings(warnings: &[Warning], paint: Paint) -> String {
    let mut text = String::new();
    if !warnings.is_empty() {
        let _ = writeln!(text, "{}", paint.change("Warnings:"));
    }
    for warning in warnings {
        said(&mut text, warning.id.as_ref(), &warning.message, warning.position.as_ref(), paint);
    }
    if !warnings.is_empty() {
        text.push('\n');
    }
    text
}

/// A message about a resource, and where that is declared.
fn said(
    text: &mut String,
    id: Option<&ResourceId>,
    message: &str,
    position: Option<&Position>,
    paint: Paint,
) {
    let of = id.map(|id| format!("{}: ", paint.strong(&id.to_string()))).unwrap_or_default();
    let _ = writeln!(text, "  {of}{}", plain(message));
    if let Some(position) = position {
        let _ = writeln!(text, "    {}", paint.faint(&format!("--> {position}")));
    }
}

/// What speaks against the plan, with the way out and where it is declared.
pub(super) fn objections(text: &mut String, heading: &str, objections: &[Objection], paint: Paint) {
    let (warnings, refusals): (Vec<_>, Vec<_>) = objections.iter().partition(|it| it.only_stops_apply());
    for (list, heading) in
        [(refusals, paint.bad(heading)), (warnings, paint.change("Before it can be applied:"))]
    {
        if list.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{heading}");
        for objection in list {
            said(text, Some(&objection.id), &objection.message, objection.position.as_ref(), paint);
        }
        text.push('\n');
    }
}
