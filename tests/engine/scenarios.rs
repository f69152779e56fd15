//! Scenarios: a folder with manifests and what AWS has → the plan as people and programs read it.
//!
//! `tests/scenarios/<case>/` holds `after.yaml` (the manifests), `observed.json` (what AWS has), and the golden
//! `plan.txt`, `plan.md` and `plan.json`. Where a case has a `before.yaml`, `observed.json` is what a cloud in memory holds
//! once that was applied. `BLESS=1 cargo test --test engine scenarios` writes what is generated; a new case is a new folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::world::World;
use crate::world::golden::differing;
use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::diff;
use batchwright::execute::{Limits, Shutdown, execute};
use batchwright::kind::Identity;
use batchwright::kinds::{self, KINDS};
use batchwright::manifest;
use batchwright::plan::{Guard, Objection, Plan, Request, check, plan};
use batchwright::render::{self, Paint, json};
use batchwright::resource::{Desired, Incarnation, Observed, ResourceId};
use batchwright::sandbox::Sandbox;

const ENVIRONMENT: &str = "project: acme/scenario\naccount: \"333333333333\"\nregion: eu-west-1\nnamePrefix: test-\nstacks: [main]\n";

const ACCOUNT: &str = "333333333333";

/// Loads one file of manifests as the only stack of an environment.
fn load(file: &Path) -> Desired {
    read(&fs::read_to_string(file).unwrap(), ACCOUNT)
}

/// The same of their text, in an account.
fn read(text: &str, account: &str) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("test")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/main")).unwrap();
    let environment = ENVIRONMENT.replace(ACCOUNT, account);
    fs::write(folder.path().join("test/environment.yaml"), environment).unwrap();
    fs::write(folder.path().join("stacks/main/all.yaml"), text).unwrap();
    let mut desired = manifest::load(folder.path(), "test", &manifest::Options::default())
        .unwrap_or_else(|errors| panic!("{errors}"));
    for declared in desired.resources.values_mut() {
        declared.position.file = "all.yaml".to_owned();
        declared.positions.values_mut().for_each(|position| position.file = "all.yaml".to_owned());
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
    let first = plan(&Request::new(desired, &observed, KINDS, &Guard::default()));
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    let report = now(execute(&first, &observed, &cloud, KINDS, &Limits::default(), stop, &mut |_| ()));
    assert!(report.complete(), "{:?}", report.failures().collect::<Vec<_>>());
    now(cloud.observe(&scope)).unwrap()
}

/// Compares with a golden file, or writes it.
fn golden(path: &Path, text: &str, stale: &mut Vec<String>) {
    if differing(path, text).is_some() {
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
    let made = plan(&Request::new(&desired, &observed, KINDS, &Guard::default()));
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

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 5, "{cases:?}");
    cases
}

#[test]
fn every_scenario_gives_its_plan() {
    let mut stale = Vec::new();
    for case in cases() {
        walk(&case, &mut stale);
    }
    assert!(stale.is_empty(), "{}\nBLESS=1 cargo test --test engine scenarios writes them", stale.join("\n"));
}

/// D32: what the planner and executor make of a scenario in memory, they make of it on the sandbox too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_ends_alike_in_memory_and_on_the_sandbox() {
    let mut told = Vec::new();
    for (index, case) in cases().iter().enumerate() {
        // Sandboxes of one process share what they pass calls on to; an account of its own keeps each case apart.
        let account = format!("{:012}", 333_333_333_334 + index);
        let text = |name: &str| fs::read_to_string(case.join(name)).ok();
        let mut texts: Vec<String> = ["before.yaml", "after.yaml"].into_iter().filter_map(text).collect();
        let place = read(&texts[0], &account);
        let World { sandbox, cloud: aws, account: _alone } = World::of(&place).await;
        surround(&sandbox, &mut texts).await;
        let memory = Simulated::new(KINDS, place.place.clone());
        for desired in texts.iter().map(|text| read(text, &account)) {
            let (in_memory, refused) = settled(&desired, &memory).await;
            let (on_sandbox, refused_there) = settled(&desired, &aws).await;
            assert_eq!(refused, refused_there, "{}", case.display());
            told.extend(
                differences(&called_alike(in_memory), &called_alike(on_sandbox))
                    .map(|line| format!("{}: {line}", case.display())),
            );
        }
    }
    assert!(told.is_empty(), "memory and sandbox differ:\n{}", told.join("\n"));
}

/// What a scenario's manifests take for granted: the subnet and the security group that they name by id, and the
/// instance profile `nodes`.
async fn surround(sandbox: &Sandbox, texts: &mut [String]) {
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    iam.create_instance_profile().instance_profile_name("nodes").send().await.unwrap();
    let ec2 = aws_sdk_ec2::Client::new(&sandbox.sdk_config());
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    let vpc = vpc.vpc().and_then(|vpc| vpc.vpc_id()).unwrap();
    let subnet = ec2.create_subnet().vpc_id(vpc).cidr_block("10.0.1.0/24").send().await.unwrap();
    let subnet = subnet.subnet().and_then(|subnet| subnet.subnet_id()).unwrap();
    let group = ec2.create_security_group().vpc_id(vpc).group_name("jobs").description("jobs").send();
    let group = group.await.unwrap();
    for text in texts {
        *text = text.replace(SUBNET, subnet).replace(GROUP, group.group_id().unwrap());
    }
}

const SUBNET: &str = "subnet-0123456789abcdef0";
const GROUP: &str = "sg-0123456789abcdef0";

/// What is there once these manifests were applied, and what spoke against it.
async fn settled(desired: &Desired, cloud: &dyn Cloud) -> (Observed, Vec<Objection>) {
    let scope = Scope::of(desired);
    let observed = cloud.observe(&scope).await.unwrap();
    let made = plan(&Request::new(desired, &observed, KINDS, &Guard::default()));
    if made.objections.is_empty() {
        let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
        let report = execute(&made, &observed, cloud, KINDS, &crate::world::hasty(), stop, &mut |_| ()).await;
        assert!(report.complete(), "{:?}", report.failures().collect::<Vec<_>>());
    }
    (cloud.observe(&scope).await.unwrap(), made.objections)
}

/// What was observed, with the logical name of everything that AWS gave an id to in the place of that.
fn called_alike(observed: Observed) -> Observed {
    let mut text = serde_json::to_string(&observed).unwrap();
    for (id, seen) in &observed.resources {
        if kinds::kind(&id.kind).unwrap().facts().identity == Identity::Assigned {
            seen.iter().for_each(|live| text = text.replace(&live.physical, &format!("<{id}>")));
        }
    }
    serde_json::from_str(&text).unwrap()
}

/// Where two clouds differ, by each kind's own rules of what means the same.
fn differences(left: &Observed, right: &Observed) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let ids: BTreeSet<&ResourceId> = left.resources.keys().chain(right.resources.keys()).collect();
    for id in ids {
        let of = |observed: &Observed| -> Vec<(String, Incarnation)> {
            let seen = observed.resources.get(id).into_iter().flat_map(|seen| seen.iter().cloned());
            let mut seen: Vec<_> =
                seen.filter(|it| it.owner().is_some()).map(|it| (it.physical.clone(), it)).collect();
            seen.sort_by_key(|(physical, it)| (physical.clone(), it.revision));
            seen
        };
        let (left, right) = (of(left), of(right));
        let names = |of: &[(String, Incarnation)]| {
            of.iter().map(|(name, it)| (name.clone(), it.revision, it.tags.clone())).collect::<Vec<_>>()
        };
        if names(&left) != names(&right) {
            found.push(format!("{id}: {:?} and {:?}", names(&left), names(&right)));
            continue;
        }
        let rules = &kinds::kind(&id.kind).unwrap().facts().rules;
        for ((name, left), (_, right)) in left.iter().zip(&right) {
            let changes = diff::walk(&right.spec, &left.spec, rules, &[]);
            found.extend(
                changes
                    .iter()
                    .map(|it| format!("{id} {name} {}: {:?} and {:?}", it.path, it.after, it.before)),
            );
        }
    }
    found.into_iter()
}
