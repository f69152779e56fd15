//! Single requests: lost answers, limits, refusals; and that a comment always fits.

use std::time::Duration;

use axum::http::Method;
use batchwright::github::{self, Client, Context, Finding, Marker, Outcome, Patience};
use batchwright::outside::Markdown;
use batchwright::plan::Plan;
use batchwright::plan::review::hidden;
use batchwright::render::comment::{Around, LIMIT, LONGEST_REVIEWED, comment, with_result};
use batchwright::render::drift_issue::{self, Who};

use super::{Scene, head};
use crate::forge::{BOT, Forge, REPOSITORY, TOKEN, Trouble};

/// A client that waits for nothing.
fn client(forge: &Forge) -> Client {
    let api = forge.api.clone();
    let lookup = move |name: &str| match name {
        "GITHUB_API_URL" => Some(api.clone()),
        "GITHUB_REPOSITORY" => Some(REPOSITORY.to_owned()),
        "GITHUB_TOKEN" => Some(TOKEN.to_owned()),
        _ => None,
    };
    let patience = Patience { pause: Duration::ZERO, ..Patience::default() };
    Client::new(&Context::read(&lookup).unwrap(), patience).unwrap()
}

const MARKER: Marker<'static> = Marker { about: "plan", environment: "dev" };

fn md(text: &str) -> Markdown {
    Markdown::of(text)
}

fn body(text: &str) -> String {
    format!("{}\n{text}", MARKER.line(&[]))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_gets_lost_makes_no_second_comment() {
    let forge = Forge::start().await;
    let number = forge.world().open("alice", true, "a");
    let client = client(&forge);
    let troubles = [
        (Method::GET, Trouble::Unavailable),
        (Method::GET, Trouble::TooFast),
        (Method::POST, Trouble::TooFast),
        (Method::POST, Trouble::LostAnswer),
    ];
    forge.world().troubles = troubles.to_vec();
    github::upsert(&client, number, MARKER, BOT, &md(&body("one"))).await.unwrap();
    assert_eq!(forge.world().said(BOT, number), [body("one")]);
    assert_eq!(forge.world().troubles, vec![], "all of them happened");

    forge.world().troubles =
        vec![(Method::PATCH, Trouble::LostAnswer), (Method::PATCH, Trouble::Unavailable)];
    github::upsert(&client, number, MARKER, BOT, &md(&body("two"))).await.unwrap();
    assert_eq!(forge.world().said(BOT, number), [body("two")]);

    // A POST of which nothing came through is made after all, and two of one run become one.
    forge.world().troubles = vec![(Method::POST, Trouble::Unavailable)];
    let other = forge.world().open("alice", true, "b");
    github::upsert(&client, other, MARKER, BOT, &md(&body("x"))).await.unwrap();
    forge.world().say(BOT, other, &body("again"));
    github::upsert(&client, other, MARKER, BOT, &md(&body("y"))).await.unwrap();
    assert_eq!(forge.world().said(BOT, other), [body("y")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_cannot_be_made_stops_no_plan() {
    let scene = Scene::set("611111111121").await;
    let number = scene.forge.world().open("alice", true, "a");
    scene.event(number, &head(1));
    scene.forge.world().grants = Some(serde_json::json!({"pull-requests": "write"}));
    let ran = scene.ok(&["github", "comment", "dev"]).await;
    assert!(ran.out.contains("::warning title=batchwright::the pull request has no label"), "{}", ran.out);
    assert!(ran.out.contains("You do not have permission to create labels"), "{}", ran.out);
    assert!(scene.forge.world().said(BOT, number)[0].contains("2 to add"));
    assert_eq!(scene.forge.world().labels(number), Vec::<String>::new());
    // One that is there already needs no such right.
    scene.forge.world().known_labels.insert("batchwright/dev/add-or-update".to_owned());
    scene.ok(&["github", "comment", "dev"]).await;
    assert_eq!(scene.forge.world().labels(number), ["batchwright/dev/add-or-update"]);
    // GitHub takes no label of more than 50 characters.
    scene.forge.world().grants = None;
    let from = std::fs::read_to_string(scene.path("manifests/dev/environment.yaml")).unwrap();
    scene.write("manifests/production-eu-west-1-payments/environment.yaml", &from.replace("dev-", "prod-"));
    let ran = scene.ok(&["github", "comment", "production-eu-west-1-payments"]).await;
    assert!(!ran.out.contains("has no label"), "{}", ran.out);
    assert_eq!(scene.forge.world().labels(number).len(), 2, "{:?}", scene.forge.world().labels(number));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_found_without_its_label() {
    let forge = Forge::start().await;
    let client = client(&forge);
    let marker = Marker { about: "drift", environment: "dev" };
    let body = marker.line(&[("state", "1")]);
    let finding = Finding { title: "Drift".into(), body: md(&body), state: "1".into(), news: md("news") };
    let settle =
        async || github::settle(&client, marker, "drift", BOT, Some(&finding), &md("well")).await.unwrap();
    let Outcome::Opened(number) = settle().await else { panic!("it was opened") };
    forge.world().issues.get_mut(&number).unwrap()["labels"] = serde_json::json!([]);
    assert_eq!(settle().await, Outcome::Same(number));
}

#[tokio::test(flavor = "multi_thread")]
async fn githubs_refusals_are_told_in_its_own_words() {
    let forge = Forge::start().await;
    let number = forge.world().open("alice", true, "a");
    let client = client(&forge);
    let long = body(&"x".repeat(65_536));
    let error = github::upsert(&client, number, MARKER, BOT, &md(&long)).await.unwrap_err().to_string();
    assert!(
        error.contains("422") && error.contains("Body is too long (maximum is 65536 characters)"),
        "{error}"
    );
    let error = github::upsert(&client, 999, MARKER, BOT, &md(&body("x"))).await.unwrap_err().to_string();
    assert_eq!(error, "POST /issues/999/comments: GitHub answers 404: Not Found");
    // One limit after the other: it gives up, and says why.
    forge.world().troubles = vec![(Method::GET, Trouble::TooFast); 5];
    let error = github::comment_of(&client, number, MARKER, BOT).await.unwrap_err();
    assert!(error.to_string().contains("403: You have exceeded a secondary rate limit"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_leads_to_the_pull_request_whose_merge_made_it() {
    let forge = Forge::start().await;
    let commit = head(5);
    let pull = |number: u64, merge: &str, merged: Option<&str>| serde_json::json!({"number": number, "merge_commit_sha": merge, "merged_at": merged, "head": {"sha": head(1)}});
    let pulls = vec![
        pull(3, &commit, None),
        pull(4, &commit, Some("2026-01-01")),
        pull(9, &head(6), Some("2026-01-02")),
    ];
    forge.world().merged.insert(commit.clone(), pulls);
    let found = github::merged_by(&client(&forge), &commit).await.unwrap().unwrap();
    assert_eq!((found.number, found.head), (4, head(1)));
    assert_eq!(github::merged_by(&client(&forge), &head(8)).await.unwrap(), None);
}

/// A plan of so many changes of each action, each with a field of so many lines.
fn large(actions: &[(&str, usize)], lines: usize) -> Plan {
    let text: String = (0..lines).map(|line| format!("line {line} of something long\n")).collect();
    let changes: Vec<serde_json::Value> = actions
        .iter()
        .flat_map(|(action, count)| (0..*count).map(move |number| (*action, number)))
        .map(|(action, number)| {
            serde_json::json!({
                "id": format!("logs/LogGroup/{action}-{number}"), "action": action, "reason": "of a test", "digest": "d",
                "physical": format!("dev-{action}-{number}"), "unchanged": 1,
                "fields": [{"path": "text", "before": null, "after": text.clone(), "rule": "in-place", "sensitive": false}],
            })
        })
        .collect();
    serde_json::from_value(serde_json::json!({
        "environment": "dev", "owner": "acme/jobs/dev", "place": {"account": "111111111111", "region": "eu-west-1", "partition": "aws"},
        "changes": changes, "steps": [], "objections": [], "due": [], "warnings": [], "unchanged": 0,
    }))
    .expect("it is a plan")
}

#[test]
fn a_comment_always_fits_and_never_leaves_out_what_goes() {
    let cases: [(&[(&str, usize)], usize); 4] = [
        (&[("create", 30)], 200),
        (&[("update", 200), ("delete", 5), ("replace", 3)], 50),
        (&[("delete", 900), ("replace", 300), ("update", 500)], 3),
        (&[("update", 1)], 100_000),
    ];
    for (actions, lines) in cases {
        let plan = large(actions, lines);
        let around =
            Around { marker: body(""), run_url: Some("https://example.test/run"), ..Around::default() };
        let text = comment(&plan, &around);
        assert!(text.len() <= LIMIT, "{} bytes for {actions:?}", text.len());
        assert!(text.contains("omitted, see [the run](https://example.test/run)"), "{actions:?}");
        let going = plan.changes.iter().filter(|change| {
            matches!(change.action, batchwright::plan::Action::Delete | batchwright::plan::Action::Replace)
        });
        let dangers = text.split("| | Object |").next().unwrap();
        for change in going {
            assert!(dangers.contains(&format!("{}`", change.id.name)), "{} is left out", change.id);
        }
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }
}

#[test]
fn whatever_its_size_a_comment_fits_with_what_was_reviewed() {
    let long = |name: &str, count: usize| format!("{name}-{}-{count}", "x".repeat(70));
    for count in [0, 1, 20, 100, 300, 536, 540, 700, 1_200, 1_800, 4_000] {
        for action in ["create", "update", "delete", "replace"] {
            let mut plan = large(&[(action, count)], 2);
            for (number, change) in plan.changes.iter_mut().enumerate() {
                change.id.name = long(action, number);
                change.digests.parts.push("a part".to_owned());
            }
            let reviewed = plan.reviewed_within(LONGEST_REVIEWED);
            let marker = format!("{}\n{}", MARKER.line(&[]), hidden(&reviewed));
            let outside = large(&[("update", count)], 2);
            let around = Around { marker, outside: Some(&outside), ..Around::default() };
            let text = comment(&plan, &around);
            assert!(text.len() <= LIMIT, "{count} of {action}: {} bytes", text.len());
            assert!(text.starts_with(&around.marker) && text.contains("Fingerprint `"), "{text}");
            let going = ["delete", "replace"].contains(&action);
            let last = text.contains(&long(action, count.saturating_sub(1)));
            if going && count > 0 {
                assert!(last || text.contains("more: see the run**"), "{count} of {action}: {text}");
                assert!(last || count > 300, "{count} of {action} are named");
            }
        }
    }
}

#[test]
fn a_comment_with_its_result_fits_and_keeps_what_was_reviewed() {
    for (actions, lines) in [(&[("update", 200), ("delete", 5)][..], 50), (&[("delete", 1_500)], 1)] {
        let around = Around { marker: body("<!-- batchwright reviewed=x -->"), ..Around::default() };
        let planned = comment(&large(actions, lines), &around);
        assert!(planned.len() > 58_000, "{}", planned.len());
        let result = "❌ **Failed.**\n".to_owned() + &"- a step that failed, and why\n".repeat(500);
        let text = with_result(&planned, &md(&result));
        assert!(text.len() <= 65_100, "{} bytes", text.len());
        assert!(text.starts_with(&body("<!-- batchwright reviewed=x -->")), "{text}");
        assert!(text.contains(result.trim_end()) && text.contains("The rest is omitted"), "{text}");
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }
    let short = with_result(&body("## batchwright plan: dev\nas it is\n"), &md("well"));
    assert!(short.ends_with("## batchwright plan: dev\nas it is\n") && !short.contains("omitted"), "{short}");
}

#[test]
fn a_drift_issue_always_fits_and_remembers_the_oldest_sightings() {
    for (actions, lines) in [(&[("create", 701)][..], 1), (&[("update", 3_000)], 2), (&[("update", 30)], 900)]
    {
        let plan = large(actions, lines);
        let who = Who::default();
        let around = |before, time: &str| drift_issue::Around {
            marker: "<!-- m -->".to_owned(),
            before,
            who: &who,
            time: time.to_owned(),
            run_url: None,
        };
        let first = drift_issue::body(&plan, &around("", "2026-01-01 00:00 UTC"));
        let second = drift_issue::body(&plan, &around(&first, "2026-02-02 00:00 UTC"));
        for text in [&first, &second] {
            assert!(text.len() <= 60_000, "{} bytes of {actions:?}", text.len());
            assert!(text.contains("omitted, see the run"), "{text}");
        }
        assert!(second.contains("| 2026-01-01 00:00 UTC |"), "{second}");
        assert!(!first.contains("2026-02-02"), "{first}");
    }
}

#[test]
fn parameters_that_are_called_like_a_secret_are_not_shown() {
    let mut plan = serde_json::to_value(large(&[("create", 1), ("update", 1)], 1)).unwrap();
    for (change, path, after) in [
        (
            0,
            "parameters",
            serde_json::json!({"db_password": "hunter2", "apiToken": "hunter2", "file": "a.csv"}),
        ),
        (1, "parameters.DbPassword", serde_json::json!("hunter2")),
    ] {
        plan["changes"][change]["id"] = format!("batch/JobDefinition/job-{change}").into();
        plan["changes"][change]["fields"][0]["path"] = path.into();
        plan["changes"][change]["fields"][0]["after"] = after;
    }
    let plan = serde_json::from_value(plan).unwrap();
    let text = comment(&plan, &Around::default());
    assert!(!text.contains("hunter2") && text.contains("a.csv") && text.contains("db_password"), "{text}");
    assert!(text.contains("+ parameters.DbPassword: "), "{text}");
}
