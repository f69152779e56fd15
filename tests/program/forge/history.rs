//! What the local GitHub knows of the branch `prod`: its commits, runs of workflows for them, and who edited a comment.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{World, paged, parameter, refuse};

/// The branch that is rolled out.
pub const BRANCH: &str = "prod";

impl World {
    /// A commit becomes the head of `prod`; one that was there before stays where it is.
    pub fn commit(&mut self, sha: &str) {
        if !self.history.iter().any(|known| known == sha) {
            self.history.push(sha.to_owned());
        }
    }

    /// A run of a workflow begins, for a commit of `prod`.
    pub fn begin_run(&mut self, workflow: &str, commit: &str) -> u64 {
        let id = self.number() + 50_000;
        self.runs.push(json!({
            "id": id, "path": format!(".github/workflows/{workflow}"), "head_sha": commit, "head_branch": BRANCH,
            "status": "queued", "conclusion": null,
        }));
        id
    }

    /// It ends.
    pub fn end_run(&mut self, id: u64, conclusion: &str) {
        let run = self.runs.iter_mut().find(|run| run["id"] == id).expect("it began");
        run["status"] = "completed".into();
        run["conclusion"] = conclusion.into();
    }

    /// Somebody who may write to the repository edits somebody's comment.
    pub fn edit(&mut self, who: &str, id: u64, body: &str) {
        let (_, comment) = self.comments.get_mut(&id).expect("the comment is there");
        comment["body"] = body.into();
        self.editors.insert(id, who.to_owned());
    }
}

/// What is asked about commits, branches and runs.
pub fn serve(world: &World, api: &str, path: &str, parts: &[&str], query: &str) -> Response {
    match parts {
        ["git", "ref", "heads", BRANCH] => match world.history.last() {
            Some(head) => {
                let object = json!({"type": "commit", "sha": head});
                axum::Json(json!({"ref": "refs/heads/prod", "object": object})).into_response()
            }
            None => refuse(StatusCode::NOT_FOUND, "Not Found"),
        },
        ["compare", range] => {
            let (base, head) = range.split_once("...").unwrap_or((range, ""));
            let at = |sha: &str| world.history.iter().position(|known| known == sha);
            let (Some(base), Some(head)) = (at(base), at(head)) else {
                return refuse(StatusCode::NOT_FOUND, "Not Found");
            };
            let commits = world.history.get(base + 1..=head).unwrap_or_default().iter();
            let commits: Vec<Value> = commits.map(|sha| json!({ "sha": sha })).collect();
            paged(commits, Some(("total_commits", "commits")), api, path, query)
        }
        ["actions", "workflows", workflow, "runs"] => {
            let asked = |name: &str| parameter(query, name);
            let fits = |run: &&Value| {
                let status = |it: &String| run["status"] == *it || run["conclusion"] == *it;
                run["path"] == format!(".github/workflows/{workflow}")
                    && asked("branch").is_none_or(|it| run["head_branch"] == it)
                    && asked("head_sha").is_none_or(|it| run["head_sha"] == it)
                    && asked("status").as_ref().is_none_or(status)
            };
            let runs = world.runs.iter().rev().filter(fits).cloned().collect();
            paged(runs, Some(("total_count", "workflow_runs")), api, path, query)
        }
        ["pulls"] => {
            let closed = world.merged.values().flatten().rev().cloned();
            let of = |pull: &Value| parameter(query, "base").is_none_or(|base| pull["base"]["ref"] == base);
            paged(closed.filter(of).collect(), None, api, path, query)
        }
        _ => refuse(StatusCode::NOT_FOUND, "Not Found"),
    }
}

/// The one question that is asked of the GraphQL API: who wrote a comment, and who edited it last.
pub fn answer(world: &World, sent: &Value) -> Response {
    let text = sent["query"].as_str().unwrap_or_default();
    assert!(text.contains("node(id: $id)") && text.contains("editor { __typename login }"), "{text}");
    let id = sent["variables"]["id"].as_str().and_then(|id| id.strip_prefix("IC_")?.parse().ok());
    let actor = |login: &str| match login.strip_suffix("[bot]") {
        Some(bot) => json!({"__typename": "Bot", "login": bot}),
        None => json!({"__typename": "User", "login": login}),
    };
    let Some((_, comment)) = id.and_then(|id: u64| world.comments.get(&id)) else {
        let error = json!({"data": {"node": null}, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a node"}]});
        return axum::Json(error).into_response();
    };
    let editor = id.and_then(|id| world.editors.get(&id)).map_or(Value::Null, |login| actor(login));
    let author = actor(comment["user"]["login"].as_str().unwrap_or_default());
    axum::Json(json!({"data": {"node": {"author": author, "editor": editor}}})).into_response()
}

/// Refuses labels: names that are too long, and new ones where the token may not write issues, whatever else it may.
pub fn unless_labels_may_be(world: &mut World, sent: &Value) -> Option<Response> {
    let names = sent["labels"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.iter().any(|name| name.chars().count() > 50) {
        let error = json!({"message": "Validation Failed", "errors": [
            {"resource": "Label", "code": "invalid", "field": "name", "message": "name is too long (maximum is 50 characters)"},
        ]});
        return Some((StatusCode::UNPROCESSABLE_ENTITY, axum::Json(error)).into_response());
    }
    let makes = world.grants.as_ref().is_none_or(|grants| grants["issues"] == "write");
    if !makes && names.iter().any(|name| !world.known_labels.contains(name)) {
        let message = "You do not have permission to create labels on this repository.";
        return Some(refuse(StatusCode::FORBIDDEN, message));
    }
    world.known_labels.extend(names);
    None
}

/// Whether the token may do that: what the job's `permissions` say.
pub fn may(world: &World, write: bool, path: &str) -> bool {
    let Some(grants) = &world.grants else { return true };
    let has = |name: &str| {
        let given = grants[name].as_str().unwrap_or_default();
        given == "write" || (given == "read" && !write)
    };
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match first {
        "actions" => has("actions"),
        "compare" | "git" => has("contents"),
        "graphql" | "pulls" | "commits" => has("pull-requests"),
        _ => {
            let mut numbers = path.split('/').filter_map(|part| part.parse::<u64>().ok());
            let issue = numbers.next().map(|id| match path.starts_with("/issues/comments/") {
                true => world.comments.get(&id).map_or(0, |(issue, _)| *issue),
                false => id,
            });
            let issue = issue.and_then(|issue| world.issues.get(&issue));
            let pull = issue.is_some_and(|it| it.get("pull_request").is_some());
            has(if pull { "pull-requests" } else { "issues" })
        }
    }
}
