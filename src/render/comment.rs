//! A plan as a pull request's comment that always fits: what is deleted or replaced is left out last.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use super::impact;
use super::markdown::{
    cell, code, details, doubts, due, icon, is_dangerous, table_head, table_row, warnings,
};
use super::picture::picture;
use super::terminal::{totals, word};
use super::value::plain;
use crate::outside::Markdown;
use crate::plan::{Action, Change, Plan};

/// GitHub takes 65,536 characters; bytes are counted, and some room is kept for what is added later.
pub const LIMIT: usize = 60_000;
/// What was reviewed takes at most a third of it.
pub const LONGEST_REVIEWED: usize = LIMIT / 3;
/// What is kept of a comment for what comes after the dangers.
const REST: usize = 4_000;
/// The comment with its result stays under GitHub's own limit.
const LIMIT_WITH_RESULT: usize = 65_000;
/// A job summary takes 1 MiB for each step.
const LIMIT_OF_SUMMARY: usize = 1_000_000;
/// Room for the end of a list, and for how much it leaves out.
const TAIL: usize = 80;
/// What is added after the deployment.
const RESULT: (&str, &str) = ("<!-- batchwright result -->\n", "<!-- /batchwright result -->\n\n");

/// What stands around the plan.
#[derive(Debug, Clone, Default)]
pub struct Around<'a> {
    /// The hidden first lines, by which the comment is found again.
    pub marker: String,
    /// The commit that was planned.
    pub head: Option<&'a str>,
    /// The page of the run.
    pub run_url: Option<&'a str>,
    /// When, as `2026-05-04 03:02 UTC`.
    pub time: String,
    /// What comes before the plan: that another one was reviewed, for example.
    pub note: String,
    /// The plan of the manifests that the pull request starts from: what AWS has otherwise already (D30).
    pub outside: Option<&'a Plan>,
}

/// The whole comment, of at most [`LIMIT`] bytes.
pub fn comment(plan: &Plan, around: &Around<'_>) -> Markdown {
    within(LIMIT, plan, around)
}

/// The same for a job summary, which has more room: what the comment omits mostly stands here.
pub fn summary(plan: &Plan, around: &Around<'_>) -> Markdown {
    within(LIMIT_OF_SUMMARY, plan, around)
}

fn within(limit: usize, plan: &Plan, around: &Around<'_>) -> Markdown {
    let mut head = format!("{}\n## batchwright plan: {}\n\n", around.marker, cell(&plan.environment));
    if !around.note.is_empty() {
        let _ = writeln!(head, "{}\n", around.note);
    }
    let _ = writeln!(head, "{} **{}**\n", icon(plan), totals(plan));
    let mut foot = String::new();
    due(&mut foot, plan);
    if foot.len() > limit / 20 {
        foot = format!("{} steps are due, see the run.\n\n", plan.due.len());
    }
    foot += &footer(plan, around);
    let mut room = limit.saturating_sub(head.len() + foot.len());
    let mut text = head + &dangers(plan, room.saturating_sub(REST));
    room = limit.saturating_sub(text.len() + foot.len());

    let rows = rows(plan, room / 2);
    let drawn = picture(plan).filter(|drawn| rows.len() + drawn.len() <= room / 2);
    text += &rows;
    if let Some(drawn) = drawn {
        let _ = writeln!(text, "<details><summary>What comes first</summary>\n\n{drawn}\n</details>\n");
    }
    if let Some(before) = around.outside {
        text += &outside(before, limit.saturating_sub(text.len() + foot.len()) / 4);
    }
    room = limit.saturating_sub(text.len() + foot.len());
    text += &diffs(plan, room, around.run_url);
    let hidden = around.marker.len();
    text += &foot;
    // Whatever was counted wrong above.
    let shown = shortened(text.get(hidden..).unwrap_or_default(), limit.saturating_sub(hidden));
    text.truncate(hidden);
    Markdown::of(text + &shown)
}

/// What AWS has otherwise than the manifests before the pull request: so that nobody takes it for the pull request's own.
fn outside(before: &Plan, room: usize) -> String {
    let told = super::drift(before, super::Paint::none());
    // Below the title: the objects, and how many they are.
    let told = told.split_once("\n\n").map_or(told.as_str(), |(_, objects)| objects).trim_end();
    let mut shown = String::new();
    for line in told.lines() {
        if shown.len() + line.len() > room {
            let _ = writeln!(shown, "… the rest is omitted, see `batchwright drift {}`", before.environment);
            break;
        }
        shown += line;
        shown.push('\n');
    }
    let (fence, count) = (super::markdown::fence(&shown), before.changes.len());
    let plural = if count == 1 { "" } else { "s" };
    let told = format!(
        "<details><summary>Changed outside git: {count} object{plural}</summary>\n\nAWS is not as the commit says that this pull request starts from: somebody changed it there, or an earlier merge is not rolled out yet. The plan above puts it as the pull request says.\n\n{fence}text\n{shown}{fence}\n\n</details>\n\n"
    );
    if told.len() > room + 800 {
        return format!(
            "*Changed outside git: {count} object{plural}, see `batchwright drift {}`.*\n\n",
            before.environment
        );
    }
    told
}

/// A comment that says why there is no plan.
pub fn failure(environment: &str, error: &str, around: &Around<'_>) -> Markdown {
    let error: String = error.chars().take(LIMIT / 8).collect();
    let (fence, environment) = (super::markdown::fence(&error), cell(environment));
    Markdown::of(format!(
        "{}\n## batchwright plan failed: {environment}\n\n⛔ **There is no plan: nothing is known of what an apply would do.**\n\n{fence}text\n{}\n{fence}\n\n{}",
        around.marker,
        error.trim_end(),
        signature(around, "")
    ))
}

/// The comment with what became of it, in the place of what was said of an earlier run. Where both are too long, the plan's
/// details go, the last first; the hidden lines and the result stay.
pub fn with_result(body: &str, result: &Markdown) -> Markdown {
    let plain = match (body.find(RESULT.0), body.find(RESULT.1)) {
        (Some(start), Some(end)) if start < end => {
            let rest = body.get(end + RESULT.1.len()..).unwrap_or_default();
            format!("{}{rest}", body.get(..start).unwrap_or_default())
        }
        _ => body.to_owned(),
    };
    let at = plain.find("## batchwright plan").unwrap_or(plain.len());
    let (hidden, shown) = plain.split_at(at);
    let head = format!("{hidden}{}{}\n{}", RESULT.0, result.trim_end(), RESULT.1);
    let shown = shortened(shown, LIMIT_WITH_RESULT.saturating_sub(head.len()));
    Markdown::of(head + &shown)
}

/// A text without its last collapsed parts, or its last lines, so that it has so many bytes.
fn shortened(text: &str, room: usize) -> String {
    const NOTE: &str = "\n*The rest is omitted, see the run.*\n";
    const END: &str = "</details>\n";
    let mut text = text.to_owned();
    if text.len() <= room {
        return text;
    }
    let room = room.saturating_sub(NOTE.len());
    while text.len() > room
        && let Some(start) = text.rfind("<details>")
    {
        let rest = text.get(start..).and_then(|part| part.split_once(END)).map(|(_, rest)| rest.to_owned());
        text.truncate(start);
        text += rest.as_deref().unwrap_or_default();
    }
    while text.len() > room {
        let line = text.trim_end_matches('\n').rfind('\n').unwrap_or_default();
        text.truncate(line);
    }
    text + NOTE
}

/// Deletes, replacements and objections; shorter where there are very many, but each by its name as long as the names fit.
fn dangers(plan: &Plan, room: usize) -> String {
    let mut full = String::new();
    warnings(&mut full, plan);
    doubts(&mut full, plan);
    if full.len() <= room {
        return full;
    }
    let others = beside(plan);
    going(plan, room.saturating_sub(others.len())) + &others
}

/// What is deleted or replaced, name by name: those of one kind and action in one line. Where that is still too long, the rest
/// is counted.
fn going(plan: &Plan, room: usize) -> String {
    let mut lines: BTreeMap<(Reverse<Action>, &str), Vec<String>> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| is_dangerous(change)) {
        lines
            .entry((Reverse(change.action), change.id.kind.as_str()))
            .or_default()
            .push(code(&change.id.name).to_string());
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut text = "> [!CAUTION]\n> **Resources will be deleted or replaced:**\n>\n".to_owned();
    let mut omitted = 0;
    for ((action, kind), names) in lines {
        let line = format!("> - {} {} {}:", word(action.0), names.len(), code(kind));
        if text.len() + line.len() + TAIL > room {
            omitted += names.len();
            continue;
        }
        text += &line;
        for name in names {
            if text.len() + name.len() + TAIL > room {
                omitted += 1;
            } else {
                text.push(' ');
                text += &name;
            }
        }
        text.push('\n');
    }
    if omitted > 0 {
        let _ = writeln!(text, "> - **and {omitted} more: see the run**");
    }
    text.push('\n');
    text
}

/// How many objections there are, and what else stands beside what goes, where there is no room for more.
fn beside(plan: &Plan) -> String {
    let concerned = plan.changes.iter().filter(|change| !impact::lines(plan, change).is_empty()).count();
    let counted = [
        (concerned, "changes that jobs are concerned by"),
        (plan.objections.len(), "objections"),
        (plan.warnings.len(), "warnings"),
    ];
    let counted: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match counted.is_empty() {
        true => String::new(),
        false => format!("> [!WARNING]\n> **{}: see the run.**\n\n", counted.join(", ")),
    }
}

/// The table; where it is too long, what is deleted or replaced goes first, and the rest is counted.
fn rows(plan: &Plan, room: usize) -> String {
    if plan.changes.is_empty() {
        return String::new();
    }
    let all: Vec<(&Change, String)> = plan.changes.iter().map(|change| (change, table_row(change))).collect();
    let whole = table_head().len() + all.iter().map(|(_, row)| row.len()).sum::<usize>() + 1;
    if whole <= room {
        return format!("{}{}\n", table_head(), all.into_iter().map(|(_, row)| row).collect::<String>());
    }
    let (dangerous, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(change, _)| is_dangerous(change));
    let mut text = table_head();
    let mut omitted = 0;
    for (_, row) in dangerous.into_iter().chain(others) {
        if text.len() + row.len() + 60 > room { omitted += 1 } else { text += &row }
    }
    let _ = writeln!(text, "\n*{omitted} rows omitted, see the run.*\n");
    text
}

/// What differs, resource by resource: the largest are dropped first, those of what is deleted or replaced last.
fn diffs(plan: &Plan, room: usize, run_url: Option<&str>) -> String {
    let mut parts: Vec<(bool, String)> = plan
        .changes
        .iter()
        .map(|change| {
            let mut text = String::new();
            details(&mut text, change);
            (is_dangerous(change), text)
        })
        .collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| {
        parts.get(*index).map(|(dangerous, text)| (*dangerous, std::cmp::Reverse(text.len())))
    });
    let mut size: usize = parts.iter().map(|(_, text)| text.len()).sum();
    let mut omitted = 0;
    let note = 200 + run_url.map_or(0, str::len);
    for index in order {
        if size + if omitted > 0 { note } else { 0 } <= room {
            break;
        }
        if let Some((_, text)) = parts.get_mut(index).filter(|(_, text)| !text.is_empty()) {
            size -= text.len();
            text.clear();
            omitted += 1;
        }
    }
    let mut text: String = parts.into_iter().map(|(_, text)| text).collect();
    if omitted > 0 {
        let run = run_url.map_or_else(|| "the run".to_owned(), |url| format!("[the run]({url})"));
        let plural = if omitted == 1 { "" } else { "s" };
        let _ = writeln!(text, "*{omitted} diff{plural} omitted, see {run}.*\n");
    }
    text
}

fn footer(plan: &Plan, around: &Around<'_>) -> String {
    let own = format!(
        "Account {}, {}. `batchwright plan {}` shows the same. Fingerprint `{}`.",
        plan.place.account,
        plan.place.region,
        plan.environment,
        plan.fingerprint()
    );
    signature(around, &own)
}

/// Where it comes from, in small print.
fn signature(around: &Around<'_>, own: &str) -> String {
    let mut parts = vec![own.to_owned()];
    if let Some(head) = around.head {
        parts.push(format!("Commit {}.", plain(head.get(..12).unwrap_or(head))));
    }
    if let Some(url) = around.run_url {
        parts.push(format!("[The run]({url})."));
    }
    parts.push(around.time.clone());
    parts.retain(|part| !part.is_empty());
    format!("<sub>{}</sub>\n", parts.join(" "))
}
