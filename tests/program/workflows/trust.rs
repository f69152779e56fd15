//! Whom the roles of the github stack trust, against the token that GitHub gives a job; and that deployments do not overlap.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::forge::REPOSITORY;

/// Whether the role trusts this job's token, and lasts as long as is asked for.
#[track_caller]
pub fn check(arn: &str, lasts: &str, job: &Value, context: &Value) {
    let role = role(arn.rsplit_once("-github-").expect("a role of the github stack").1);
    let statement = &role["assumeRolePolicyDocument"]["Statement"][0];
    let trusted = &statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"];
    for prefix in prefixes() {
        let trusted: BTreeSet<String> = match trusted {
            Value::Array(subjects) => {
                subjects.iter().map(|it| filled(it.as_str().unwrap(), &prefix)).collect()
            }
            one => BTreeSet::from([filled(one.as_str().unwrap(), &prefix)]),
        };
        let subjects = prefixes().map(|prefix| subject(&prefix, job, context));
        let taken: Vec<&String> = subjects.iter().filter(|it| trusted.contains(*it)).collect();
        assert_eq!(taken, [&subject(&prefix, job, context)], "{arn} trusts {trusted:?}");
    }
    if !lasts.is_empty() {
        let longest = role["maxSessionDuration"].as_u64().unwrap_or(3600);
        assert!(lasts.parse::<u64>().unwrap() <= longest, "{arn} lasts {longest} seconds, not {lasts}");
        let job = job["timeout-minutes"].as_u64().unwrap() * 60;
        assert_eq!(lasts, job.to_string(), "as long as the job");
    }
}

/// How a token names the repository: by its names, or, where it was made, renamed or moved since 2026-07-15 or has opted in, with the
/// ids of its owner and itself. <https://docs.github.com/actions/concepts/security/openid-connect>
fn prefixes() -> [String; 2] {
    let (owner, name) = REPOSITORY.split_once('/').unwrap();
    [format!("repo:{REPOSITORY}"), format!("repo:{owner}@123456/{name}@456789")]
}

/// What GitHub says in the token: the environment of the job before anything else.
/// <https://docs.github.com/actions/reference/security/oidc#example-subject-claims>
fn subject(prefix: &str, job: &Value, context: &Value) -> String {
    let github = &context["github"];
    let of = match (job["environment"].as_str(), github["event_name"].as_str()) {
        (Some(environment), _) => format!("environment:{environment}"),
        (None, Some("pull_request")) => "pull_request".to_owned(),
        // Of the default branch, where the event names none.
        (None, _) => format!("ref:{}", github["ref"].as_str().unwrap_or("refs/heads/main")),
    };
    format!("{prefix}:{of}")
}

/// A subject of the github stack's, with the variables as the environment says them.
fn filled(subject: &str, prefix: &str) -> String {
    subject
        .replace("${var.subject}", prefix)
        .replace("${env.name}", "prod")
        .replace("${var.defaultBranch}", "main")
}

/// The spec of a role that the github stack declares.
fn role(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/stacks/github");
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let document: Value = serde::Deserialize::deserialize(document).unwrap();
            if document["kind"] == "iam/Role" && document["metadata"]["name"] == name {
                return document["spec"].clone();
            }
        }
    }
    panic!("the github stack declares no role {name}");
}

/// Whoever takes a role that writes does so alone in its environment, and is never cut off.
#[test]
fn no_two_deployments_of_an_environment_overlap() {
    let mut writing = BTreeSet::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows")).unwrap() {
        let path = file.unwrap().path();
        let workflow: Value = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let text = job["steps"].to_string();
            if !["vars.APPLY_ROLE", "vars.PUSH_ROLE"].iter().any(|role| text.contains(role)) {
                continue;
            }
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let environment =
                job["environment"].as_str().unwrap_or_else(|| panic!("{file}: {name} has none"));
            assert_eq!(job["env"]["ENVIRONMENT"], environment, "{file}: {name}");
            assert_eq!(workflow["concurrency"]["group"], format!("deploy-{environment}"), "{file}");
            assert_eq!(workflow["concurrency"]["cancel-in-progress"], false, "{file}");
            assert!(job.get("concurrency").is_none(), "{file}: {name}");
            writing.insert(file);
        }
    }
    assert_eq!(writing, BTreeSet::from(["deploy.yml".to_owned()]));
}
