//! A plan for a pull request's comment (behaviours §4.4).

use std::fmt::Write;

use super::impact;
use super::terminal::{manner, reason, symbol, totals, word};
use super::value::{Line, Shown, plain, shown};
use crate::outside::Markdown;
use crate::plan::{Action, Change, Plan};

/// The whole comment. Its first line is a hidden marker, by which the comment is found again.
pub fn markdown(plan: &Plan) -> Markdown {
    let mut text = String::new();
    let fingerprint = plan.fingerprint();
    let _ = writeln!(text, "<!-- batchwright environment={} fingerprint={fingerprint} -->", plan.environment);
    let _ = writeln!(text, "{}", plan.reviewed().comment());
    let _ = writeln!(text, "## batchwright plan: {}\n", cell(&plan.environment));
    let _ = writeln!(text, "{} **{}**\n", icon(plan), totals(plan));
    warnings(&mut text, plan);
    doubts(&mut text, plan);
    table(&mut text, plan);
    for change in &plan.changes {
        details(&mut text, change);
    }
    due(&mut text, plan);
    let _ = writeln!(
        text,
        "<sub>Account {}, {}. `batchwright plan {}` shows the same. Fingerprint `{fingerprint}`.</sub>",
        plan.place.account, plan.place.region, plan.environment
    );
    Markdown::of(text)
}

pub(super) fn icon(plan: &Plan) -> &'static str {
    if plan.objections.iter().any(|objection| !objection.only_stops_apply()) {
        "⛔"
    } else if plan.changes.iter().any(is_dangerous) {
        "⚠️"
    } else if plan.is_empty() {
        "✅"
    } else {
        "📝"
    }
}

pub(super) fn is_dangerous(change: &Change) -> bool {
    matches!(change.action, Action::Delete | Action::Replace)
}

/// What must not be overlooked, before anything that is collapsed.
pub(super) fn warnings(text: &mut String, plan: &Plan) {
    let dangerous: Vec<&Change> = plan.changes.iter().filter(|change| is_dangerous(change)).collect();
    if !dangerous.is_empty() {
        let _ = writeln!(text, "> [!CAUTION]\n> **Resources will be deleted or replaced:**\n>");
        for change in dangerous {
            let why = reason(change).map(|why| format!(" {}", cell(&why))).unwrap_or_default();
            let _ = writeln!(text, "> - {} {}{why}", word(change.action), code(&change.id.to_string()));
        }
        text.push('\n');
    }
    let about_jobs = plan.changes.iter().map(|change| (change, impact::lines(plan, change)));
    let about_jobs: Vec<_> = about_jobs.filter(|(_, lines)| !lines.is_empty()).collect();
    if !about_jobs.is_empty() {
        let _ = writeln!(text, "> [!CAUTION]\n> **Jobs are concerned:**\n>");
        for (change, lines) in about_jobs {
            let _ = writeln!(text, "> - {} {}", word(change.action), code(&change.id.to_string()));
            for line in lines {
                let _ = writeln!(text, ">   - {}", cell(line.trim()));
            }
        }
        text.push('\n');
    }
    let (later, now): (Vec<_>, Vec<_>) = plan.objections.iter().partition(|it| it.only_stops_apply());
    for (list, heading) in [(now, "Refused, as it stands"), (later, "Before it can be applied")] {
        if list.is_empty() {
            continue;
        }
        let _ = writeln!(text, "> [!WARNING]\n> **{heading}:**\n>");
        for objection in list {
            let at = objection
                .position
                .as_ref()
                .map(|at| format!(" ({})", code(&at.to_string())))
                .unwrap_or_default();
            let _ =
                writeln!(text, "> - {}: {}{at}", code(&objection.id.to_string()), cell(&objection.message));
        }
        text.push('\n');
    }
}

/// What is doubtful, and in nobody's way.
pub(super) fn doubts(text: &mut String, plan: &Plan) {
    if plan.warnings.is_empty() {
        return;
    }
    let _ = writeln!(text, "> [!NOTE]\n> **Warnings:**\n>");
    for warning in &plan.warnings {
        let at =
            warning.position.as_ref().map(|at| format!(" ({})", code(&at.to_string()))).unwrap_or_default();
        let of = warning.id.as_ref().map(|id| format!("{}: ", code(&id.to_string()))).unwrap_or_default();
        let _ = writeln!(text, "> - {of}{}{at}", cell(&warning.message));
    }
    text.push('\n');
}

fn table(text: &mut String, plan: &Plan) {
    if plan.changes.is_empty() {
        return;
    }
    text.push_str(&table_head());
    plan.changes.iter().for_each(|change| text.push_str(&table_row(change)));
    text.push('\n');
}

pub(super) fn table_head() -> String {
    "| | Object | Action | Why |\n|---|---|---|---|\n".to_owned()
}

pub(super) fn table_row(change: &Change) -> String {
    format!(
        "| {} | {} | {} | {} |\n",
        code(symbol(change)),
        code(&change.id.to_string()),
        cell(&format!("{} {}", word(change.action), manner(change))),
        cell(&why(change))
    )
}

/// The reason, or else which fields differ.
fn why(change: &Change) -> String {
    const SHOWN: usize = 4;
    if !change.reason.0.is_empty() || change.action == Action::Create {
        return change.reason.0.clone();
    }
    let mut paths: Vec<&str> = change.fields.iter().take(SHOWN).map(|field| field.path.as_str()).collect();
    if change.fields.len() > SHOWN {
        paths.push("…");
    }
    paths.join(", ")
}

pub(super) fn details(text: &mut String, change: &Change) {
    if change.fields.is_empty() {
        return;
    }
    let mut body = String::new();
    for field in &change.fields {
        write_field(&mut body, &plain(&field.path), &shown(&change.id.kind, field));
    }
    if change.unchanged > 0 {
        let _ = writeln!(body, "  ({} unchanged)", change.unchanged);
    }
    let fence = fence(&body);
    let _ = writeln!(
        text,
        "<details><summary><code>{}</code> {} <code>{}</code></summary>\n\n{fence}diff\n{body}{fence}\n\n</details>\n",
        symbol(change),
        word(change.action),
        change.id
    );
}

/// The sign stands in the first column, so that it is coloured.
pub(super) fn write_field(body: &mut String, path: &str, shown: &Shown) {
    let _ = match shown {
        Shown::Added(value) => writeln!(body, "+ {path}: {value}"),
        Shown::Removed(value) => writeln!(body, "- {path}: {value}"),
        Shown::Both(old, new) => writeln!(body, "! {path}: {old} → {new}"),
        Shown::Lines(lines) => {
            let _ = writeln!(body, "  {path}:");
            for line in lines {
                let _ = match line {
                    Line::Same(line) => writeln!(body, "      {line}"),
                    Line::Added(line) => writeln!(body, "+     {line}"),
                    Line::Removed(line) => writeln!(body, "-     {line}"),
                    Line::Gap => writeln!(body, "      …"),
                };
            }
            Ok(())
        }
    };
}

pub(super) fn due(text: &mut String, plan: &Plan) {
    for due in &plan.due {
        let _ = writeln!(text, "Due: {} {}\n", code(&due.id.to_string()), cell(&due.what));
    }
}

/// A fence that is longer than every run of backticks inside.
pub(super) fn fence(body: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for c in body.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(longest.max(2) + 1)
}

/// See [`Markdown::code`].
pub(super) fn code(text: &str) -> Markdown {
    Markdown::code(text)
}

/// See [`Markdown::text`].
pub(super) fn cell(text: &str) -> Markdown {
    Markdown::text(text)
}
