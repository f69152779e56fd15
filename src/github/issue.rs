//! One issue of ours for each environment and concern: opened, edited only if it changed, closed when all is well, reopened
//! when it comes back.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Client, Error, Marker, Result};
use crate::outside::{self, Markdown};

/// An issue of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its text.
    pub body: String,
    /// Whether it is open.
    pub open: bool,
    /// Whether somebody closed it as not planned: do not speak of this again until it changes.
    pub muted: bool,
}

/// What is wrong, as an issue says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One line.
    pub title: String,
    /// The text, which begins with the marker's line; the marker remembers `state`.
    pub body: Markdown,
    /// What changes when, and only when, what is wrong changes.
    pub state: String,
    /// What is commented when it changed.
    pub news: Markdown,
}

/// What became of the issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong, and no issue was open.
    Fine,
    /// It was opened.
    Opened(u64),
    /// It says so already: nothing was written.
    Same(u64),
    /// It was edited, and the change commented.
    Edited(u64),
    /// It was closed before, and is open again.
    Reopened(u64),
    /// Somebody closed it as not planned, and nothing has changed since: nothing was written.
    Muted(u64),
    /// All is well again.
    Closed(u64),
}

/// How often an issue is looked for after an answer got lost.
const LOOKS: usize = 3;

/// Our issue: begins with the marker and was written by `author`. An open one goes before closed ones, a younger before older.
/// Somebody may have taken its label away: then it is looked for among all that the author wrote.
pub async fn find(client: &Client, marker: Marker<'_>, label: &str, author: &str) -> Result<Option<Issue>> {
    let labelled = client.list(&format!("/issues?state=all&labels={label}&per_page=100")).await?;
    if let Some(found) = ours(&labelled, marker, author) {
        return Ok(Some(found));
    }
    let creator = utf8_percent_encode(author, NON_ALPHANUMERIC);
    match client.list(&format!("/issues?state=all&creator={creator}&per_page=100")).await {
        // GitHub knows nobody of this name who writes issues.
        Err(Error::Refused { status: 404 | 422, .. }) => Ok(None),
        other => Ok(ours(&other?, marker, author)),
    }
}

fn ours(all: &[Value], marker: Marker<'_>, author: &str) -> Option<Issue> {
    let ours = all.iter().filter(|issue| {
        let by_us = issue.pointer("/user/login").and_then(Value::as_str) == Some(author);
        by_us && issue.get("pull_request").is_none()
    });
    let marked = ours.filter_map(read).filter(|issue| marker.opens(&issue.body));
    marked.max_by_key(|issue| (issue.open, issue.number))
}

/// Brings the issue to what was found; `None` is that nothing is wrong, and `well` is then said while it is closed.
pub async fn settle(
    client: &Client,
    marker: Marker<'_>,
    label: &str,
    author: &str,
    finding: Option<&Finding>,
    well: &Markdown,
) -> Result<Outcome> {
    let Some(finding) = finding else {
        return match find(client, marker, label, author).await?.filter(|issue| issue.open) {
            None => Ok(Outcome::Fine),
            Some(issue) => {
                say(client, issue.number, well).await?;
                let closed = json!({ "state": "closed", "state_reason": "completed" });
                client.patch(&format!("/issues/{}", issue.number), &closed).await?;
                Ok(Outcome::Closed(issue.number))
            }
        };
    };
    let mut lost = None;
    for _ in 0..LOOKS {
        if let Some(issue) = find(client, marker, label, author).await? {
            return update(client, marker, &issue, finding).await;
        }
        let new =
            json!({ "title": outside::line(&finding.title), "body": &*finding.body, "labels": [label] });
        match client.post("/issues", &new).await {
            Ok(made) => return read(&made).map(|issue| Outcome::Opened(issue.number)).ok_or_else(malformed),
            Err(error @ Error::Unknown { .. }) => lost = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(lost.unwrap_or_else(malformed))
}

async fn update(client: &Client, marker: Marker<'_>, issue: &Issue, finding: &Finding) -> Result<Outcome> {
    let number = issue.number;
    let same = marker.recall(&issue.body, "state") == Some(finding.state.as_str());
    let edit = json!({ "title": outside::line(&finding.title), "body": &*finding.body, "state": "open" });
    match (issue.open, same) {
        (true, true) => Ok(Outcome::Same(number)),
        (true, false) => {
            client.patch(&format!("/issues/{number}"), &edit).await?;
            say(client, number, &finding.news).await?;
            Ok(Outcome::Edited(number))
        }
        (false, true) if issue.muted => Ok(Outcome::Muted(number)),
        (false, _) => {
            client.patch(&format!("/issues/{number}"), &edit).await?;
            say(client, number, &finding.news).await?;
            Ok(Outcome::Reopened(number))
        }
    }
}

async fn say(client: &Client, number: u64, text: &Markdown) -> Result<()> {
    client.post(&format!("/issues/{number}/comments"), &json!({ "body": &**text })).await.map(drop)
}

fn read(issue: &Value) -> Option<Issue> {
    let text = |key: &str| issue.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(Issue {
        number: issue.get("number")?.as_u64()?,
        body: text("body").to_owned(),
        open: text("state") == "open",
        muted: text("state_reason") == "not_planned",
    })
}

fn malformed() -> Error {
    Error::Unknown {
        method: "POST",
        path: "/issues".to_owned(),
        message: "the answer names no issue".to_owned(),
    }
}
