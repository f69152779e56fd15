//! What AWS refuses from a request alone, `validate` refuses at its place: `tests/data/batch_refusals.yaml` says it of Batch,
//! `tests/data/fixes_refusals.yaml` of the services beside it, `tests/data/ec2_refusals.yaml` of pairs in a VPC, and
//! `tests/data/policy_refusals.yaml` of policy documents. They have to know every text with which the sandbox refuses: Batch's own,
//! the corrections of moto, and moto's validator of documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use batchwright::manifest::{self, Options};
use batchwright::sandbox::install;
use regex::Regex;
use serde::Deserialize;
use serde_json::json;

use super::none;

const BATCH: &str = include_str!("../../data/batch_refusals.yaml");
const FIXES: &str = include_str!("../../data/fixes_refusals.yaml");
const EC2: &str = include_str!("../../data/ec2_refusals.yaml");
const POLICIES: &str = include_str!("../../data/policy_refusals.yaml");
const SCRIPT: &str = include_str!("refusals.py");

const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"111122223333\"\nregion: eu-west-1\nstacks: [examples]\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    bases: BTreeMap<String, String>,
    refused: Vec<Refused>,
    live: Vec<Live>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    #[serde(default)]
    says: Texts,
    by: Option<String>,
    base: Option<String>,
    add: String,
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Live {
    why: String,
    says: Texts,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Texts {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn list(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl Table {
    fn of(text: &str) -> Self {
        serde_yaml::from_str(text).unwrap()
    }

    /// Every text that it knows, whether `validate` refuses it or not.
    fn texts(&self) -> BTreeSet<String> {
        assert!(self.live.iter().all(|group| !group.why.is_empty()));
        let refused = self.refused.iter().map(|entry| &entry.says);
        let live = self.live.iter().map(|group| &group.says);
        refused.chain(live).flat_map(Texts::list).cloned().collect()
    }
}

/// The lines of a manifest that are complained of, and what is said.
fn complaints(folder: &Path, text: &str) -> (BTreeSet<usize>, String) {
    fs::write(folder.join("stacks/examples/a.yaml"), text).unwrap();
    let Err(errors) = manifest::load(folder, "dev", &Options::default()) else { return Default::default() };
    let said = errors.to_string();
    assert!(!said.contains("not valid YAML"), "{text}\n{said}");
    let place = Regex::new(r"(?m)^ *--> .*a\.yaml:([0-9]+):[0-9]+$").unwrap();
    let lines = place.captures_iter(&said).map(|found| found[1].parse().unwrap()).collect();
    (lines, said)
}

fn ground() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["dev", "stacks/examples"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
    }
    fs::write(folder.path().join("dev/environment.yaml"), ENVIRONMENT).unwrap();
    folder
}

/// What is long or many stands in angle brackets.
fn manifest_of(text: &str) -> String {
    let list =
        |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(", ");
    format!("apiVersion: batchwright/v1\n{}\n", text.trim_end())
        .replace("<24 KiB>", &"x".repeat(24 * 1024))
        .replace("<129 characters>", &"x".repeat(129))
        .replace("<257 characters>", &"x".repeat(257))
        .replace("<501 shares>", &list(501, &|index| format!("{{shareIdentifier: s{index}}}")))
        .replace("<101 items>", &list(101, &|index| format!("client-{index}")))
        .replace("<51 entries>", &list(51, &|index| format!("key-{index}: value")))
}

#[test]
fn nothing_is_wrong_with_what_is_added_to() {
    let folder = ground();
    let mut wrong = Vec::new();
    for (name, base) in [BATCH, FIXES, EC2, POLICIES].into_iter().flat_map(|table| Table::of(table).bases) {
        let (lines, said) = complaints(folder.path(), &manifest_of(&base));
        if !name.starts_with("bare") && (!lines.is_empty() || !said.is_empty()) {
            wrong.push(format!("{name}: {said}"));
        }
    }
    none("refused without a reason", &wrong);
}

#[test]
fn what_batch_refuses_from_a_request_alone_is_refused_at_its_place() {
    refused_at_its_place(&Table::of(BATCH));
}

#[test]
fn what_other_services_refuse_from_a_request_alone_is_refused_at_its_place() {
    refused_at_its_place(&Table::of(FIXES));
}

#[test]
fn what_cannot_stand_in_one_vpc_is_refused_at_its_place() {
    refused_at_its_place(&Table::of(EC2));
}

#[test]
fn what_a_policy_may_not_say_is_refused_at_its_place() {
    refused_at_its_place(&Table::of(POLICIES));
}

fn refused_at_its_place(Table { bases, refused, .. }: &Table) {
    let folder = ground();
    let mut wrong = Vec::new();
    for (number, entry) in refused.iter().enumerate() {
        let what = entry.says.list().first().or(entry.by.as_ref());
        let what = what.unwrap_or_else(|| panic!("entry {number} has neither `says` nor `by`"));
        let base = entry.base.as_ref().map_or("", |base| bases[base].as_str());
        let text = manifest_of(&format!("{base}{}", entry.add));
        let marked = |line: &str| {
            line.ends_with("# <-") || entry.at.as_ref().is_some_and(|at| line.contains(at.as_str()))
        };
        let mut expected: BTreeSet<usize> =
            text.lines().enumerate().filter(|(_, line)| marked(line)).map(|(index, _)| index + 1).collect();
        if entry.at.is_some() {
            expected = expected.into_iter().take(1).collect();
        }
        let (found, said) = complaints(folder.path(), &text);
        if found != expected || expected.is_empty() {
            let said: String = said.chars().take(3000).collect();
            let text: String = text.chars().take(3000).collect();
            wrong.push(format!("{what}: lines {expected:?} expected, {found:?} found\n{text}\n{said}"));
        }
    }
    none("not refused, or elsewhere", &wrong);
}

/// Every text in the sandbox's source with which it refuses a request.
fn texts_of_the_sandbox() -> BTreeSet<String> {
    let refusal = Regex::new(r#"(?:invalid|refuse)!\(\s*"((?:[^"\\]|\\.|\\\n)*)""#).unwrap();
    let folded = Regex::new(r"\\\n\s*").unwrap();
    let mut texts = BTreeSet::new();
    let mut folders = vec![PathBuf::from("src/sandbox/batch")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") {
                let source = fs::read_to_string(&path).unwrap();
                let calls = source.matches("invalid!(").count() + source.matches("refuse!(").count();
                let found: Vec<&str> =
                    refusal.captures_iter(&source).map(|it| it.get(1).unwrap().as_str()).collect();
                assert_eq!(found.len(), calls, "{}: a refusal that is no text", path.display());
                texts.extend(found.into_iter().map(|text| folded.replace_all(text, "").into_owned()));
            }
        }
    }
    texts
}

/// The same of the corrections of moto, each with its file, or without their folder of moto's validator of documents.
async fn texts_of_moto(folder: Option<&str>) -> BTreeSet<String> {
    let home = install::ensure(&mut |_| ()).await.unwrap();
    let output = Command::new(install::python(&home)).args(["-c", SCRIPT]).args(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What AWS's own managed policies say, as moto carries them, each action, resource and condition once.
const OF_AWS: &str = r#"
import json
from moto.iam.aws_managed_policies import aws_managed_policies_data

listed = lambda it: it if isinstance(it, list) else [it]
actions, resources, conditions = set(), set(), set()
for policy in json.loads(aws_managed_policies_data).values():
    document = policy["Document"]
    for it in listed((json.loads(document) if isinstance(document, str) else document)["Statement"]):
        actions.update(listed(it.get("Action", [])) + listed(it.get("NotAction", [])))
        resources.update(listed(it.get("Resource", [])) + listed(it.get("NotResource", [])))
        conditions.add(json.dumps(it.get("Condition", {}), sort_keys=True))
named = {"Effect": "Allow", "Action": sorted(actions), "Resource": sorted(resources)}
under = [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": json.loads(it)} for it in sorted(conditions)]
print(json.dumps([named, *under], separators=(",", ":")))
"#;

/// None of it is refused but a document's size, and two resources that IAM takes of AWS alone.
#[tokio::test]
async fn nothing_is_wrong_with_what_aws_writes() {
    let home = install::ensure(&mut |_| ()).await.unwrap();
    let output = Command::new(install::python(&home)).args(["-c", OF_AWS]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let statements: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(statements.len() > 1000, "{}", statements.len());
    let folder = ground();
    let mut wrong = Vec::new();
    // A manifest takes so much and no more.
    for some in statements.chunks(1000) {
        let text = format!(
            "kind: iam/Policy\nmetadata: {{name: a}}\nspec: {{policyDocument: {{Version: \"2012-10-17\", Statement: {}}}}}",
            json!(some)
        );
        let (_, said) = complaints(folder.path(), &manifest_of(&text));
        let size = "characters without white space";
        assert!(said.contains(size), "{said}");
        let errors = said.lines().filter(|line| line.starts_with("error:") && line.contains('`'));
        let known = |line: &&str| [size, ":root`", ":role-template/"].iter().any(|it| line.contains(it));
        wrong.extend(errors.filter(|line| !known(line)).map(str::to_owned));
    }
    none("refused, and AWS takes it", &wrong);
}

#[tokio::test]
async fn every_refusal_of_the_sandbox_is_known() {
    for (name, table, texts, least) in [
        ("batch", [BATCH].as_slice(), texts_of_the_sandbox(), 100),
        ("fixes", &[FIXES, EC2], texts_of_moto(Some("src/sandbox/fixes")).await, 100),
        ("policy", &[POLICIES], texts_of_moto(None).await, 50),
    ] {
        let listed: BTreeSet<String> = table.iter().flat_map(|table| Table::of(table).texts()).collect();
        assert!(texts.len() >= least, "hardly any refusal was found: {texts:?}");
        let unknown: Vec<String> = texts.difference(&listed).cloned().collect();
        none(
            &format!(
                "the sandbox refuses this, and tests/data/{name}_refusals.yaml does not say whether validate does"
            ),
            &unknown,
        );
        let stale: Vec<String> = listed.difference(&texts).cloned().collect();
        none("no refusal of the sandbox any more", &stale);
    }
}
