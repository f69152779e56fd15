//! A GitHub of this machine: what the program uses of its REST API, with its pages, limits, refusals and other people.

#![allow(dead_code, reason = "each test uses a part of it")]

pub mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The longest body of a comment or an issue, in characters.
const LONGEST: usize = 65_536;
/// Who the token belongs to.
pub const BOT: &str = "github-actions[bot]";
pub const TOKEN: &str = "a-token-of-nobody";
pub const REPOSITORY: &str = "acme/jobs";

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 403 of the secondary rate limit, with a `retry-after` of no seconds; nothing is done.
    TooFast,
    /// 502 after the work was done.
    LostAnswer,
    /// 503 before anything was done.
    Unavailable,
}

#[derive(Debug, Default)]
pub struct World {
    next: u64,
    /// By number: the issue or pull request.
    pub issues: BTreeMap<u64, Value>,
    /// By id; each names its issue.
    pub comments: BTreeMap<u64, (u64, Value)>,
    /// Open pull requests by number.
    pub pulls: BTreeMap<u64, Value>,
    /// Pull requests by the commit that their merge made.
    pub merged: BTreeMap<String, Vec<Value>>,
    /// The commits of `prod`, the oldest first.
    pub history: Vec<String>,
    /// Runs of workflows for them.
    pub runs: Vec<Value>,
    /// Who edited a comment last, by its id.
    pub editors: BTreeMap<u64, String>,
    /// What the token may do, as a job's `permissions`; everything, if nobody says.
    pub grants: Option<Value>,
    /// The labels that the repository has; another is made when it is first given.
    pub known_labels: BTreeSet<String>,
    /// Every request, as `PATCH /issues/1`.
    pub requests: Vec<String>,
    /// What happens to the next requests of a method.
    pub troubles: Vec<(Method, Trouble)>,
}

impl World {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A pull request, or an issue, of somebody.
    pub fn open(&mut self, author: &str, pull: bool, title: &str) -> u64 {
        let number = self.number();
        let mut issue = json!({
            "number": number, "title": title, "body": "", "state": "open", "state_reason": null,
            "user": {"login": author, "type": "User"}, "labels": [],
        });
        if pull {
            issue["pull_request"] = json!({"url": "…"});
        }
        self.issues.insert(number, issue);
        number
    }

    /// A comment of somebody.
    pub fn say(&mut self, author: &str, issue: u64, body: &str) -> u64 {
        let id = self.number() + 9_000;
        let comment = json!({
            "id": id, "node_id": format!("IC_{id}"), "body": body, "html_url": format!("https://example.test/{id}"),
            "user": {"login": author},
        });
        self.comments.insert(id, (issue, comment));
        id
    }

    /// The ids of one author's comments, oldest first.
    pub fn ids(&self, author: &str, issue: u64) -> Vec<u64> {
        let of =
            |(_, (on, comment)): &(&u64, &(u64, Value))| *on == issue && comment["user"]["login"] == author;
        self.comments.iter().filter(of).map(|(id, _)| *id).collect()
    }

    /// The texts of one author's comments, oldest first.
    pub fn said(&self, author: &str, issue: u64) -> Vec<String> {
        let of = |(on, comment): &&(u64, Value)| *on == issue && comment["user"]["login"] == author;
        self.comments
            .values()
            .filter(of)
            .map(|(_, it)| it["body"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub fn labels(&self, issue: u64) -> Vec<String> {
        let labels = self.issues[&issue]["labels"].as_array().cloned().unwrap_or_default();
        labels.iter().map(|label| label["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The requests that wrote something since the last time this was asked.
    pub fn writes(&mut self) -> Vec<String> {
        let all = std::mem::take(&mut self.requests);
        all.into_iter().filter(|request| !request.starts_with("GET ")).collect()
    }
}

/// The server; it ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Forge {
    world: Arc<Mutex<World>>,
    pub api: String,
}

impl Forge {
    pub async fn start() -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let api = format!("http://{}", listener.local_addr().expect("it has an address"));
        let forge = Self { world, api };
        let app = Router::new().fallback(answer).with_state(forge.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        forge
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(
    State(forge): State<Forge>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = forge.world();
    let authorised = headers.get("authorization").is_some_and(|it| it == &format!("Bearer {TOKEN}"));
    if !authorised {
        return refuse(StatusCode::UNAUTHORIZED, "Bad credentials");
    }
    if !headers.contains_key("user-agent") {
        return refuse(
            StatusCode::FORBIDDEN,
            "Request forbidden by administrative rules. A User-Agent is required.",
        );
    }
    let sent: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let asks = method == Method::POST && uri.path() == "/graphql";
    let path = if asks { Some(uri.path()) } else { uri.path().strip_prefix(&format!("/repos/{REPOSITORY}")) };
    let Some(path) = path else {
        return refuse(StatusCode::NOT_FOUND, "Not Found");
    };
    if !history::may(&world, !asks && method != Method::GET, path) {
        return refuse(StatusCode::FORBIDDEN, "Resource not accessible by integration");
    }
    if asks {
        return history::answer(&world, &sent);
    }
    world.requests.push(format!("{method} {path}"));
    let trouble =
        world.troubles.iter().position(|(of, _)| *of == method).map(|at| world.troubles.remove(at).1);
    match trouble {
        Some(Trouble::TooFast) => {
            let said = json!({"message": "You have exceeded a secondary rate limit. Please wait."});
            return (StatusCode::FORBIDDEN, [("retry-after", "0")], axum::Json(said)).into_response();
        }
        Some(Trouble::Unavailable) => {
            return (StatusCode::SERVICE_UNAVAILABLE, "<html>Unicorn!</html>").into_response();
        }
        Some(Trouble::LostAnswer) | None => {}
    }
    let too_long = sent["body"].as_str().is_some_and(|body| body.chars().count() > LONGEST);
    let response = if too_long {
        let error = json!({"message": "Validation Failed", "errors": [
            {"resource": "IssueComment", "code": "unprocessable", "field": "data",
             "message": format!("Body is too long (maximum is {LONGEST} characters)")},
        ]});
        (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(error)).into_response()
    } else {
        serve(&mut world, &forge.api, &method, path, uri.query().unwrap_or_default(), &sent)
    };
    match trouble {
        Some(_) => (StatusCode::BAD_GATEWAY, "<html>Server Error</html>").into_response(),
        None => response,
    }
}

fn serve(world: &mut World, api: &str, method: &Method, path: &str, query: &str, sent: &Value) -> Response {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    let page = |items: Vec<Value>| paged(items, None, api, path, query);
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["issues"]) => {
            let wanted = parameter(query, "labels");
            let creator = parameter(query, "creator");
            let has = |issue: &&Value| {
                let labels = issue["labels"].as_array().cloned().unwrap_or_default();
                wanted.as_ref().is_none_or(|wanted| labels.iter().any(|label| label["name"] == *wanted))
                    && creator.as_ref().is_none_or(|creator| issue["user"]["login"] == *creator)
                    && (parameter(query, "state").as_deref() == Some("all") || issue["state"] == "open")
            };
            page(world.issues.values().rev().filter(has).cloned().collect())
        }
        ("POST", ["issues"]) => {
            if let Some(refused) = history::unless_labels_may_be(world, sent) {
                return refused;
            }
            let number = world.open(BOT, false, sent["title"].as_str().unwrap_or_default());
            let labels: Vec<Value> =
                sent["labels"].as_array().into_iter().flatten().map(|name| json!({"name": name})).collect();
            let issue = world.issues.get_mut(&number).expect("it was just made");
            issue["body"] = sent["body"].clone();
            issue["labels"] = labels.into();
            made(issue.clone())
        }
        ("PATCH", ["issues", issue]) => match world.issues.get_mut(&number(issue)) {
            None => refuse(StatusCode::NOT_FOUND, "Not Found"),
            Some(issue) => {
                for key in ["title", "body", "state", "state_reason"] {
                    if let Some(value) = sent.get(key) {
                        issue[key] = value.clone();
                    }
                }
                if sent["state"] == "open" {
                    issue["state_reason"] = Value::Null;
                }
                axum::Json(issue.clone()).into_response()
            }
        },
        ("GET", ["issues", issue, "comments"]) => {
            let on = number(issue);
            page(
                world
                    .comments
                    .values()
                    .filter(|(of, _)| *of == on)
                    .map(|(_, comment)| comment.clone())
                    .collect(),
            )
        }
        ("POST", ["issues", issue, "comments"]) if world.issues.contains_key(&number(issue)) => {
            let id = world.say(BOT, number(issue), sent["body"].as_str().unwrap_or_default());
            made(world.comments[&id].1.clone())
        }
        ("PATCH", ["issues", "comments", id]) => match world.comments.get_mut(&number(id)) {
            Some((_, comment)) if comment["user"]["login"] == BOT => {
                comment["body"] = sent["body"].clone();
                let answer = axum::Json(comment.clone()).into_response();
                world.editors.insert(number(id), BOT.to_owned());
                answer
            }
            Some(_) => refuse(StatusCode::FORBIDDEN, "Resource not accessible by integration"),
            None => refuse(StatusCode::NOT_FOUND, "Not Found"),
        },
        ("DELETE", ["issues", "comments", id]) => {
            world.comments.remove(&number(id));
            StatusCode::NO_CONTENT.into_response()
        }
        ("GET", ["issues", issue, "labels"]) => {
            page(world.issues[&number(issue)]["labels"].as_array().cloned().unwrap_or_default())
        }
        ("POST", ["issues", issue, "labels"]) => {
            if let Some(refused) = history::unless_labels_may_be(world, sent) {
                return refused;
            }
            let issue = world.issues.get_mut(&number(issue)).expect("the issue is there");
            let mut labels = issue["labels"].as_array().cloned().unwrap_or_default();
            labels.extend(sent["labels"].as_array().into_iter().flatten().map(|name| json!({"name": name})));
            issue["labels"] = labels.clone().into();
            axum::Json(labels).into_response()
        }
        ("DELETE", ["issues", issue, "labels", label]) => {
            let name = percent_encoding::percent_decode_str(label).decode_utf8_lossy().into_owned();
            let issue = world.issues.get_mut(&number(issue)).expect("the issue is there");
            let labels = issue["labels"].as_array().cloned().unwrap_or_default();
            issue["labels"] = labels.into_iter().filter(|label| label["name"] != name).collect();
            axum::Json(issue["labels"].clone()).into_response()
        }
        ("GET", ["pulls", pull]) => match world.pulls.get(&number(pull)) {
            Some(pull) => axum::Json(pull.clone()).into_response(),
            None => refuse(StatusCode::NOT_FOUND, "Not Found"),
        },
        ("GET", ["commits", commit, "pulls"]) => page(world.merged.get(*commit).cloned().unwrap_or_default()),
        ("GET", parts) => history::serve(world, api, path, parts, query),
        _ => refuse(StatusCode::NOT_FOUND, "Not Found"),
    }
}

/// A page of a list, and the link to the next one. `under`: where the count and the list stand, of one that is no plain list.
fn paged(
    items: Vec<Value>,
    under: Option<(&'static str, &'static str)>,
    api: &str,
    path: &str,
    query: &str,
) -> Response {
    let of = |name: &str, otherwise: usize| {
        parameter(query, name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    };
    let (page, size) = (of("page", 1).max(1), of("per_page", 30).clamp(1, 100));
    let shown: Vec<Value> = items.iter().skip((page - 1) * size).take(size).cloned().collect();
    let response = match under {
        None => axum::Json(shown).into_response(),
        Some((count, list)) => axum::Json(json!({ count: items.len(), list: shown })).into_response(),
    };
    if items.len() <= page * size {
        return response;
    }
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("page=")).collect();
    let url = format!("{api}/repos/{REPOSITORY}{path}?{}&page={}", rest.join("&"), page + 1);
    let link = format!("<{url}>; rel=\"next\", <{url}>; rel=\"last\"");
    ([("link", link)], response).into_response()
}

fn parameter(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, v)| percent_encoding::percent_decode_str(v).decode_utf8_lossy().into_owned())
}

fn made(it: Value) -> Response {
    (StatusCode::CREATED, axum::Json(it)).into_response()
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({"message": message, "documentation_url": "https://docs.github.com/rest"})))
        .into_response()
}
