//! Scenarios: a folder with manifests and what AWS has → the plan as people and programs read it.
//!
//! `tests/scenarios/<case>/` holds `after.yaml` (the manifests), `observed.json` (what AWS has), and the golden
//! `plan.txt`, `plan.md` and `plan.json`. Where a case has a `before.yaml`, `observed.json` is what a cloud in memory holds
//! once that was applied. `BLESS=1 cargo test --test scenarios` writes what is generated; a new case is a new folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test: what fails here fails it"
)]

use std::fs;
use std::path::{Path, PathBuf};

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::execute::{Limits, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest;
use batchwright::plan::{Guard, Plan, check, plan};
use batchwright::render::{self, Paint, json};
use batchwright::resource::{Desired, Observed};

const ENVIRONMENT: &str = "project: acme/scenario\naccount: \"333333333333\"\nregion: eu-west-1\nnamePrefix: test-\nstacks: [main]\n";

/// Loads one file of manifests as the only stack of an environment.
fn load(file: &Path) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("test")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/main")).unwrap();
    fs::write(folder.path().join("test/environment.yaml"), ENVIRONMENT).unwrap();
    fs::copy(file, folder.path().join("stacks/main/all.yaml")).unwrap();
    let mut desired = manifest::load(folder.path(), "test", &manifest::Options::default())
        .unwrap_or_else(|errors| panic!("{}: {errors}", file.display()));
    for declared in desired.resources.values_mut() {
        declared.position.file = "all.yaml".to_owned();
    }
    desired
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// What a cloud in memory holds once these manifests were applied.
fn applied(desired: &Desired) -> Observed {
    let cloud = Simulated::new(KINDS, desired.place.clone());
    let scope = Scope::of(desired);
    let observed = now(cloud.observe(&scope)).unwrap();
    let first = plan(desired, &observed, KINDS, &Guard::default());
    let (_go_on, stop) = tokio::sync::watch::channel(false);
    let report = now(execute(&first, &observed, &cloud, KINDS, &Limits::default(), stop, &mut |_| ()));
    assert!(report.complete(), "{:?}", report.failures().collect::<Vec<_>>());
    now(cloud.observe(&scope)).unwrap()
}

fn blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// Compares with a golden file, or writes it.
fn golden(path: &Path, text: &str, stale: &mut Vec<String>) {
    if blessing() {
        fs::write(path, text).unwrap();
    } else if fs::read_to_string(path).unwrap_or_default() != text {
        stale.push(format!("{} is not what comes out now:\n{text}", path.display()));
    }
}

fn walk(case: &Path, stale: &mut Vec<String>) -> Plan {
    let desired = load(&case.join("after.yaml"));
    let before = case.join("before.yaml");
    if before.exists() {
        let observed = serde_json::to_string_pretty(&applied(&load(&before))).unwrap();
        golden(&case.join("observed.json"), &(observed + "\n"), stale);
    }
    let observed: Observed =
        serde_json::from_str(&fs::read_to_string(case.join("observed.json")).unwrap()).unwrap();
    let made = plan(&desired, &observed, KINDS, &Guard::default());
    assert_eq!(check(&made), Vec::<String>::new(), "{}", case.display());
    let steps: Vec<String> = made
        .steps
        .iter()
        .map(|s| format!("{:2} {:?} {} {} after {:?}", s.id, s.verb, s.resource, s.physical, s.after))
        .collect();
    let text = format!("{}\nSteps:\n{}\n", render::plan(&made, Paint::none()), steps.join("\n"));
    golden(&case.join("plan.txt"), &text, stale);
    golden(&case.join("plan.md"), &render::markdown(&made), stale);
    golden(&case.join("plan.json"), &json::document(&made), stale);
    made
}

#[test]
fn every_scenario_gives_its_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= 5, "{cases:?}");
    let mut stale = Vec::new();
    for case in &cases {
        walk(case, &mut stale);
    }
    assert!(stale.is_empty(), "{}\nBLESS=1 cargo test --test scenarios writes them", stale.join("\n"));
}
