//! What a runner tells a step: <https://docs.github.com/actions/reference/workflows-and-actions/variables>.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Error, Result};

/// Where we run, and on what.
#[derive(Debug, Clone)]
pub struct Context {
    /// `https://api.github.com`, or that of an enterprise server.
    pub api: String,
    /// Its GraphQL API.
    pub graphql: String,
    /// `owner/name`.
    pub repository: String,
    /// The pull request that the run is about.
    pub number: Option<u64>,
    /// The commit that people look at: a pull request's head, not the merge that GitHub tests.
    pub head: Option<String>,
    /// The commit that the run was started for: of a deployment, the merge.
    pub commit: Option<String>,
    /// The branch that the run was started for.
    pub branch: Option<String>,
    /// The file of the workflow that runs, such as `deploy.yml`.
    pub workflow: Option<String>,
    /// The page of this run.
    pub run_url: Option<String>,
    /// `GITHUB_STEP_SUMMARY`.
    pub summary: Option<PathBuf>,
    /// `GITHUB_OUTPUT`.
    pub output: Option<PathBuf>,
    token: Option<String>,
}

impl Context {
    /// From the runner's variables, as `lookup` answers them.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let repository = get("GITHUB_REPOSITORY")
            .ok_or(Error::Variable { name: "GITHUB_REPOSITORY", why: "it is not set".to_owned() })?;
        if !is_repository(&repository) {
            let why = format!("{repository:?} is not owner/name");
            return Err(Error::Variable { name: "GITHUB_REPOSITORY", why });
        }
        let event = match get("GITHUB_EVENT_PATH") {
            Some(path) => read_event(Path::new(&path))?,
            None => Value::Null,
        };
        let server = get("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
        let run_url = get("GITHUB_RUN_ID").map(|run| format!("{server}/{repository}/actions/runs/{run}"));
        let head = event.pointer("/pull_request/head/sha").and_then(Value::as_str).map(str::to_owned);
        let api = get("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        let api = api.trim_end_matches('/').to_owned();
        // An enterprise server has its REST API under /api/v3, and this one beside it.
        let graphql = || format!("{}/graphql", api.strip_suffix("/v3").unwrap_or(&api));
        Ok(Self {
            graphql: get("GITHUB_GRAPHQL_URL").unwrap_or_else(graphql),
            api,
            repository,
            number: event.pointer("/pull_request/number").and_then(Value::as_u64),
            head: head.or_else(|| get("GITHUB_SHA")).filter(|head| is_commit(head)),
            commit: get("GITHUB_SHA").filter(|commit| is_commit(commit)),
            branch: get("GITHUB_REF").and_then(|name| Some(name.strip_prefix("refs/heads/")?.to_owned())),
            workflow: get("GITHUB_WORKFLOW_REF").and_then(|name| workflow(&name)),
            run_url,
            summary: get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            output: get("GITHUB_OUTPUT").map(PathBuf::from),
            token: get("GITHUB_TOKEN"),
        })
    }

    /// The token, which is asked for only where GitHub is spoken to.
    pub(super) fn token(&self) -> Result<&str> {
        let missing = "it is not set; in a workflow: `env: {GITHUB_TOKEN: \"${{ github.token }}\"}`";
        self.token.as_deref().ok_or(Error::Variable { name: "GITHUB_TOKEN", why: missing.to_owned() })
    }
}

fn read_event(path: &Path) -> Result<Value> {
    let wrong = |why: String| Error::Variable { name: "GITHUB_EVENT_PATH", why };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

/// Only what can stand in a path: the name becomes part of every request.
fn is_repository(name: &str) -> bool {
    let part = |part: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && part.chars().all(plain) && !part.chars().all(|c| c == '.')
    };
    name.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

/// `deploy.yml` of `owner/name/.github/workflows/deploy.yml@refs/heads/prod`.
fn workflow(name: &str) -> Option<String> {
    let (path, _) = name.split_once('@')?;
    let (_, file) = path.split_once("/.github/workflows/")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (file.ends_with("ml") && file.chars().all(plain)).then(|| file.to_owned())
}

/// Forty or more hexadecimal digits.
pub fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.len() <= 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Context> {
        Context::read(&|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn a_repository_is_owner_and_name() {
        for name in ["", "acme", "acme/", "a/b/c", "acme/..", "acme/x?y", "acme/x y"] {
            assert!(with(&[("GITHUB_REPOSITORY", name)]).is_err(), "{name}");
        }
        let context = with(&[("GITHUB_REPOSITORY", "acme/pay.ments_1"), ("GITHUB_RUN_ID", "7")]).unwrap();
        assert_eq!(context.run_url.unwrap(), "https://github.com/acme/pay.ments_1/actions/runs/7");
        assert_eq!(context.api, "https://api.github.com");
    }

    #[test]
    fn branch_and_workflow_are_read_off_their_references() {
        let of = |branch: &str, workflow: &str| {
            let context = with(&[
                ("GITHUB_REPOSITORY", "acme/jobs"),
                ("GITHUB_API_URL", "https://github.acme.test/api/v3/"),
                ("GITHUB_REF", branch),
                ("GITHUB_WORKFLOW_REF", workflow),
            ]);
            let context = context.unwrap();
            assert_eq!(context.graphql, "https://github.acme.test/api/graphql");
            (context.branch, context.workflow)
        };
        let roll = "acme/jobs/.github/workflows/deploy.yml@refs/heads/prod";
        assert_eq!(of("refs/heads/prod", roll), (Some("prod".to_owned()), Some("deploy.yml".to_owned())));
        assert_eq!(of("refs/tags/prod", "acme/jobs/.github/workflows/x/../y@z"), (None, None));
    }

    #[test]
    fn a_pull_requests_head_goes_before_the_merge_that_is_tested() {
        let folder = tempfile::tempdir().unwrap();
        let event = folder.path().join("event.json");
        let (head, merge) = ("a".repeat(40), "b".repeat(40));
        let text = serde_json::json!({"pull_request": {"number": 12, "head": {"sha": head}}}).to_string();
        std::fs::write(&event, text).unwrap();
        let path = event.to_str().unwrap();
        let context = with(&[
            ("GITHUB_REPOSITORY", "acme/jobs"),
            ("GITHUB_EVENT_PATH", path),
            ("GITHUB_SHA", merge.as_str()),
        ]);
        let context = context.unwrap();
        assert_eq!((context.number, context.head), (Some(12), Some(head)));
    }
}
