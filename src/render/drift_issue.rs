//! Drift as an issue: field by field what AWS has and git says, since when, who did it, and the ways out.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::drift::is_about_live;
use super::markdown::{cell, code, fence, write_field};
use super::value::{MASK, Shown, masked, plain, shown};
use crate::outside::Markdown;
use crate::plan::{Action, Change, Plan};
use crate::resource::ResourceId;

/// GitHub takes 65,536 characters; bytes are counted.
const LIMIT: usize = 60_000;
/// How sightings of one time begin in the hidden lines at the end of the text; a key for each follows the time.
const SEEN: &str = "<!-- seen ";
/// Of this much, the oldest sightings are remembered.
const REMEMBERED: usize = 12_000;
/// The ways out name as much as fits into this much.
const WAYS: usize = 10_000;
/// So much of an objection is said.
const SAID: usize = 300;

/// Who changed a resource last, as CloudTrail tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The user or the role's session.
    pub actor: String,
    /// The call, such as `PutRolePolicy`.
    pub event: String,
    /// When, as `2026-05-04 03:02 UTC`.
    pub at: String,
}

/// What is known of who did it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// The resources that CloudTrail was asked about; it may know nothing of one.
    pub asked: BTreeMap<ResourceId, Option<Deed>>,
    /// Why it could not be asked about the others.
    pub unreadable: Option<String>,
}

/// What stands around the drift.
#[derive(Debug, Clone)]
pub struct Around<'a> {
    /// The hidden first line.
    pub marker: String,
    /// What the issue said so far: first sightings are kept in it.
    pub before: &'a str,
    /// Who did it.
    pub who: &'a Who,
    /// Now, as `2026-05-04 03:02 UTC`.
    pub time: String,
    /// The page of the run.
    pub run_url: Option<&'a str>,
}

/// What changes when, and only when, the drift changes.
pub fn state(plan: &Plan) -> String {
    let mut text = plan.fingerprint_of_changes();
    for objection in plan.objections.iter().filter(|it| is_about_live(it)) {
        let _ = write!(text, "\n{} {}", objection.id, objection.message);
    }
    hash(&text)
}

/// One line: `Drift: prod (2 objects)`.
pub fn title(plan: &Plan) -> String {
    let objects = plan.changes.len() + unplanned(plan).count();
    let plural = if objects == 1 { "" } else { "s" };
    format!("Drift: {} ({objects} object{plural})", plan.environment)
}

/// What is commented when the drift changed: one line a resource.
pub fn news(plan: &Plan, run_url: Option<&str>) -> Markdown {
    const SHOWN: usize = 50;
    let mut text = "The drift changed. Now:\n\n".to_owned();
    for change in plan.changes.iter().take(SHOWN) {
        let paths: Vec<String> =
            change.fields.iter().take(6).map(|field| code(&field.path).to_string()).collect();
        let _ =
            writeln!(text, "- {} {}: {}", code(&change.id.to_string()), verdict(change), paths.join(", "));
    }
    for objection in unplanned(plan).take(SHOWN) {
        let _ = writeln!(text, "- {}: {}", code(&objection.id.to_string()), said(objection));
    }
    if let Some(url) = run_url {
        let _ = writeln!(text, "\n<sub>[The run]({url}).</sub>");
    }
    Markdown::of(text)
}

/// The whole text, of at most 60,000 bytes: where it is too long, the largest details are dropped, then lines of the table.
pub fn body(plan: &Plan, around: &Around<'_>) -> Markdown {
    let before = sightings(around.before);
    let seen = |key: &str| before.get(key).cloned().unwrap_or_else(|| around.time.clone());
    let mut head = format!("{}\n", around.marker);
    let place = &plan.place;
    let _ = writeln!(
        head,
        "AWS (account {}, {}) is not as git says for **{}**. This text is kept up to date; closing the issue *as not planned* keeps it quiet until the drift changes.\n",
        place.account, place.region, plan.environment
    );
    head += "| Object | | Since | Last change |\n|---|---|---|---|\n";
    let mut remembered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut rows, mut details) = (Vec::new(), Vec::new());
    for change in &plan.changes {
        let keys: Vec<String> = keys(change);
        let since = keys.iter().map(|key| seen(key)).min().unwrap_or_else(|| around.time.clone());
        let id = code(&change.id.to_string());
        rows.push(format!("| {id} | {} | {since} | {} |\n", verdict(change), who(around.who, &change.id)));
        for key in keys {
            remembered.entry(seen(&key)).or_default().push(key);
        }
        details.push(detail(change));
    }
    for objection in unplanned(plan) {
        rows.push(format!("| {} | {} | | |\n", code(&objection.id.to_string()), said(objection)));
    }
    let mut details_head = String::new();
    let mut foot = ways_out(plan);
    let link = around.run_url.map_or_else(String::new, |url| format!(" [The run]({url})."));
    let _ = writeln!(
        foot,
        "<sub>Last seen {}.{link} The same in a terminal: `batchwright drift {}`.</sub>\n",
        around.time, plan.environment
    );
    foot += &hidden(&remembered);
    if let Some(why) = &around.who.unreadable {
        let why: String = why.chars().take(SAID).collect();
        let _ =
            writeln!(details_head, "Who did it is not known: CloudTrail can't be read ({}).\n", cell(&why));
    }
    let mut room = LIMIT.saturating_sub(head.len() + details_head.len() + foot.len());
    head += &table(rows, room.saturating_mul(2) / 3);
    head += &details_head;
    room = LIMIT.saturating_sub(head.len() + foot.len());
    Markdown::of(head + &fitting(details, room) + &foot)
}

/// As many rows as there is room for, and how many are missing.
fn table(rows: Vec<String>, room: usize) -> String {
    let whole = rows.iter().map(String::len).sum::<usize>() <= room;
    let (mut text, mut omitted) = (String::new(), 0);
    for row in rows {
        if !whole && text.len() + row.len() + 60 > room { omitted += 1 } else { text += &row }
    }
    if omitted > 0 {
        let _ = writeln!(text, "\n*{omitted} rows omitted, see the run.*");
    }
    text + "\n"
}

/// First sightings as hidden lines, the oldest first; what has no room counts as seen for the first time next time.
fn hidden(remembered: &BTreeMap<String, Vec<String>>) -> String {
    let mut text = String::new();
    for (time, keys) in remembered {
        let room = REMEMBERED.saturating_sub(text.len() + SEEN.len() + time.len() + 5);
        let fit = keys.iter().take(room / (KEY + 1)).map(String::as_str).collect::<Vec<_>>();
        if !fit.is_empty() {
            let _ = writeln!(text, "{SEEN}{time} {} -->", fit.join(" "));
        }
    }
    text
}

fn said(objection: &crate::plan::Objection) -> Markdown {
    cell(&objection.message.chars().take(SAID).collect::<String>())
}

/// What an issue says while AWS can't be read: what was found before stays.
pub fn unreadable(environment: &str, error: &str, around: &Around<'_>) -> Markdown {
    let error: String = error.chars().take(4_000).collect();
    let (fence, environment) = (fence(&error), cell(environment));
    let rest = around.before.lines().skip(1).collect::<Vec<_>>().join("\n");
    // What an earlier failure said goes; what was seen before it stays.
    let rest = rest.split_once("<!-- /unreadable -->").map_or(rest.as_str(), |(_, rest)| rest).trim_start();
    let link = around.run_url.map_or_else(String::new, |url| format!(" [The run]({url})."));
    Markdown::of(format!(
        "{}\n> [!WARNING]\n> **{environment} could not be read: whether it has drifted is not known.** Not \"no drift\".\n\n{fence}text\n{}\n{fence}\n\n<sub>Last tried {}.{link}</sub>\n\n<!-- /unreadable -->\n{rest}",
        around.marker,
        error.trim_end(),
        around.time
    ))
}

/// First sightings in an issue's text.
fn sightings(body: &str) -> BTreeMap<String, String> {
    const ZONE: &str = " UTC";
    let read = |line: &str| {
        let (time, keys) = line.strip_prefix(SEEN)?.strip_suffix(" -->")?.split_once(&format!("{ZONE} "))?;
        let time = format!("{time}{ZONE}");
        Some(keys.split(' ').map(move |key| (key.to_owned(), time.clone())).collect::<Vec<_>>())
    };
    body.lines().filter_map(read).flatten().collect()
}

/// One for each field, so that a second change of a resource does not make the first look new.
fn keys(change: &Change) -> Vec<String> {
    let one = |path: &str| hash(&format!("{} {:?} {path}", change.id, change.action));
    match change.fields.is_empty() || !has_fields(change) {
        true => vec![one("")],
        false => change.fields.iter().map(|field| one(&field.path)).collect(),
    }
}

fn has_fields(change: &Change) -> bool {
    matches!(change.action, Action::Update | Action::Replace | Action::Adopt)
}

/// What is not right and is no change of the plan.
fn unplanned(plan: &Plan) -> impl Iterator<Item = &crate::plan::Objection> {
    plan.objections.iter().filter(|objection| {
        is_about_live(objection) && !plan.changes.iter().any(|change| change.id == objection.id)
    })
}

fn verdict(change: &Change) -> &'static str {
    match change.action {
        Action::Create => "missing",
        Action::Delete | Action::Forget => "not declared",
        Action::Update | Action::Replace | Action::Adopt => "different",
    }
}

fn who(who: &Who, id: &ResourceId) -> String {
    match who.asked.get(id) {
        None => String::new(),
        Some(None) => "nothing in CloudTrail".to_owned(),
        Some(Some(deed)) => format!("{}, {} by {}", deed.at, code(&deed.event), code(&deed.actor)),
    }
}

/// One resource: a table of its fields, and what is too long for a table below it.
fn detail(change: &Change) -> String {
    let mut text = format!("### {}\n\n", code(&change.id.to_string()));
    let physical = code(&change.physical);
    let at = change.position.as_ref().map(|at| format!(" ({})", code(&at.to_string()))).unwrap_or_default();
    match change.action {
        Action::Create => {
            let _ = writeln!(text, "Git declares it{at}; AWS has no {physical}.\n");
            return text;
        }
        Action::Delete | Action::Forget => {
            let _ = writeln!(text, "AWS has {physical} with our tags; git does not declare it.\n");
            return text;
        }
        Action::Update | Action::Replace | Action::Adopt => {
            let _ = writeln!(text, "{physical} in AWS{at}.\n");
        }
    }
    if change.fields.is_empty() {
        let _ = writeln!(text, "{}\n", cell(&change.reason.0));
    }
    let mut long = String::new();
    let mut rows = String::new();
    for field in &change.fields {
        let said = shown(&change.id.kind, field);
        let path = plain(&field.path);
        let (live, git) = match &said {
            Shown::Added(git) => (Markdown::of("nothing"), code(git)),
            Shown::Removed(live) => (code(live), Markdown::of("nothing")),
            Shown::Both(live, git) => (code(live), code(git)),
            Shown::Lines(_) => {
                write_field(&mut long, &path, &said);
                (Markdown::of("lines with `-` below"), Markdown::of("lines with `+` below"))
            }
        };
        let _ = writeln!(rows, "| {} | {live} | {git} |", code(&path));
    }
    if !rows.is_empty() {
        let _ = writeln!(text, "| Field | Live has | Git says |\n|---|---|---|\n{rows}");
    }
    if !long.is_empty() {
        let fence = fence(&long);
        let _ = writeln!(text, "{fence}diff\n{long}{fence}\n");
    }
    text
}

/// The three ways out, as commands and lines of a manifest.
fn ways_out(plan: &Plan) -> String {
    let environment = &plan.environment;
    let only: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::Delete)
        .take(5)
        .map(|change| format!(" --only {}", change.id))
        .collect();
    let mut text = "## Ways out\n\n".to_owned();
    let _ = writeln!(
        text,
        "1. **Put AWS back as git says.** Run the deployment again, or look and decide yourself:\n\n   ```sh\n   gh workflow run deploy.yml --ref prod\n   batchwright apply {environment}{}\n   ```\n",
        only.concat()
    );
    text += "2. **Take it into git.** Change the manifests, in a pull request:\n\n";
    let mut ignore = String::new();
    for change in plan.changes.iter().take(20) {
        if text.len() + ignore.len() > WAYS {
            break;
        }
        let id = code(&change.id.to_string());
        let at =
            change.position.as_ref().map(|at| format!(" in {}", code(&at.to_string()))).unwrap_or_default();
        match change.action {
            Action::Create => {
                let _ = writeln!(text, "   - {id}: remove it{at}");
            }
            Action::Delete | Action::Forget => {
                let _ = writeln!(
                    text,
                    "   - {id}: declare it, then `batchwright adopt {environment} {}`",
                    change.id
                );
            }
            Action::Update | Action::Replace | Action::Adopt => {
                for field in change.fields.iter().take(10) {
                    if text.len() > WAYS {
                        break;
                    }
                    let (live, _) = masked(&change.id.kind, field);
                    let _ = writeln!(text, "   - {id}{at}: {}", edit(&field.path, live.as_ref()));
                }
                let paths: Vec<String> = change
                    .fields
                    .iter()
                    .filter(|field| !field.path.starts_with("tags."))
                    .take(10)
                    .map(|field| plain(&field.path))
                    .collect();
                if !paths.is_empty() {
                    let _ = writeln!(
                        ignore,
                        "   {}:\n     metadata:\n       ignore: [{}]",
                        change.id,
                        paths.join(", ")
                    );
                }
            }
        }
    }
    if plan.changes.len() > 20 || text.len() > WAYS {
        text += "   - and so on, for the others\n";
    }
    text += "\n3. **Leave it alone from now on.** ";
    if ignore.is_empty() {
        text += "Fields can be ignored (`metadata.ignore`); a resource that is missing, or that nobody declares, can't.\n\n";
    } else {
        let _ = writeln!(
            text,
            "As patches in `{environment}/environment.yaml`, or as `metadata` in the manifest:\n\n   ```yaml\n{ignore}   ```\n"
        );
    }
    text
}

/// How a manifest comes to say what AWS has.
fn edit(path: &str, live: Option<&Value>) -> String {
    const LONG: usize = 200;
    let path = plain(path);
    let path = if path.starts_with("tags.") { format!("metadata.{path}") } else { format!("spec.{path}") };
    match live {
        None => format!("remove {}", code(&path)),
        Some(live) if live == MASK => format!("set {} to what AWS has, which is not shown here", code(&path)),
        Some(live) if live.to_string().len() <= LONG => {
            format!("set {} to {}", code(&path), code(&live.to_string()))
        }
        Some(_) => format!("set {} to what stands above", code(&path)),
    }
}

/// As many details as there is room for: the largest go first.
fn fitting(mut details: Vec<String>, room: usize) -> String {
    let mut omitted = 0;
    while details.iter().map(String::len).sum::<usize>() + 100 > room {
        let largest =
            details.iter_mut().max_by_key(|detail| detail.len()).filter(|detail| !detail.is_empty());
        let Some(largest) = largest else { break };
        largest.clear();
        omitted += 1;
    }
    let mut text = details.concat();
    if omitted > 0 {
        let _ = writeln!(text, "*{omitted} details omitted, see the run.*\n");
    }
    text
}

/// The characters of a key.
const KEY: usize = 16;

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(KEY / 2).map(|byte| format!("{byte:02x}")).collect()
}
