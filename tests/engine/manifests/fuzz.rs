//! Manifests, environments, references and policy documents that nobody would write: what is stored under tests/corpus, and what
//! is drawn from it. By hand for as long as `BATCHWRIGHT_FUZZ_SECONDS` says (docs/contributing.md).

use std::fs;
use std::path::Path;

use batchwright::kinds::KINDS;
use batchwright::manifest::{Errors, ManifestError};
use batchwright::plan::{self, Guard, Request};
use batchwright::render;
use batchwright::resource::{Desired, Observed, Position};

use super::{Folder, load};
use mutate::{Said, Target, run};

mod graft;
mod mutate;
mod policies;
mod printed;
mod references;

/// What all manifests that are tried may name.
const AROUND: &str = "\
project: acme/jobs
account: \"111111111111\"
region: us-east-1
namePrefix: dev-
stacks: [main]
variables: {days: 30, on: true, off: false, team: payments, many: [a, b], map: {Team: x}, dollar: $, open: '$${'}
tags: {Team: '${var.team}'}
images: {worker: {repository: ecr/Repository/ground}}
";

/// What images and references lead to, beside the file that is tried.
const GROUND: &str = "\
apiVersion: batchwright/v1
kind: ecr/Repository
metadata: {name: ground}
---
apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: ground}
spec:
  assumeRolePolicyDocument:
    Version: 2012-10-17
    Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
---
apiVersion: batchwright/v1
kind: logs/LogGroup
metadata: {name: ground}
";

const WORDS: &[&str] = &[
    "apiVersion: batchwright/v1",
    "kind: logs/LogGroup",
    "metadata",
    "spec",
    "name",
    "physicalName",
    "tags",
    "when",
    "protect",
    "ignore",
    "onDelete",
    "dependsOn",
    "renamedFrom",
    "lifecycle",
    "drainTimeout",
    "keepRevisions",
    "90s",
    "Effect",
    "Allow",
    "Principal",
    "Statement",
    "Version",
    "Resource",
    "Action",
    "Condition",
    "StringLike",
    "*",
    "${var.days}",
    "${var.on}",
    "${var.off}",
    "${var.team}",
    "${var.many}",
    "${var.map}",
    "${var.dollar}",
    "${var.open}",
    "${env.name}",
    "${env.account}",
    "${env.region}",
    "${image.worker}",
    "${iam/Role/ground.arn}",
    "$${",
    "${aws:username}",
    "${logs/LogGroup/ground.name}",
    "iam/Role/ground",
    "iam/Role",
    "batch/JobQueue",
    "s3/Bucket",
    "ec2/Subnet",
    "arn:aws:iam::111111111111:role/x",
    "111111111111",
    "us-east-1",
    "10.0.0.0/16",
    "0.0.0.0/0",
    "::/0",
    "sg-0123456789abcdef0",
    "subnet-0123456789abcdef0",
    "MANAGED",
    "EC2",
    "SPOT",
    "FARGATE",
    "m5.large",
    "0",
    "1",
    "256",
    "4294967296",
    "-1",
    "1.5",
    "[]",
    "{}",
    "null",
    "true",
    "false",
    "''",
    "- a",
    "a: b",
    "|\n    x",
    "stacks",
    "variables",
    "images",
    "patches",
    "limits",
    "parallel",
    "steps",
    "allowDelete",
    "account",
    "region",
    "project",
    "namePrefix",
    "repository",
    "environment",
    "value",
];

/// The manifests of the contract suite, which say every field of every kind.
fn contracts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let text = |path| {
        let document: serde_json::Value = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        document["manifests"].as_str().unwrap().to_owned()
    };
    files.iter().map(text).collect()
}

/// A folder with this environment and this manifest, beside what they may name.
fn folder(environment: &str, manifest: &str) -> Folder {
    let folder = Folder::new(environment, manifest.as_bytes());
    fs::write(folder.0.path().join("stacks/main/ground.yaml"), GROUND).unwrap();
    folder
}

/// Loads them, and checks all that holds whatever they say.
fn tried(environment: &str, manifest: &str) -> Result<Said, String> {
    let folder = folder(environment, manifest);
    let (once, twice) = (load(folder.0.path()), load(folder.0.path()));
    if once != twice {
        return Err("loaded twice, it is not the same".to_owned());
    }
    match once {
        Ok(desired) => {
            accepted(&desired)?;
            let like = desired.resources.values().flat_map(|it| {
                it.positions.keys().map(|path| format!("{} {}", it.id.kind, without_numbers(path)))
            });
            Ok(Said { taken: true, like: like.collect() })
        }
        Err(errors) => {
            let texts = [("environment.yaml", environment), ("a.yaml", manifest), ("ground.yaml", GROUND)];
            bounded(&errors)?;
            errors.0.iter().try_for_each(|error| placed(error, &texts))?;
            let like = errors.0.iter().map(|error| skeleton(&error.message));
            Ok(Said { taken: false, like: like.collect() })
        }
    }
}

/// What is accepted says the same when it is printed and loaded again, and can be planned.
fn accepted(desired: &Desired) -> Result<(), String> {
    let (environment, manifest) = printed::printed(desired);
    let again = Folder::new(&environment, manifest.as_bytes());
    let again = load(again.0.path())
        .map_err(|errors| format!("printed, it is refused: {errors}\n{environment}\n{manifest}"))?;
    let (before, after) = (printed::without_places(desired), printed::without_places(&again));
    if before != after {
        return Err(format!("printed, it says something else: {before:#}\nand not\n{after:#}\n{manifest}"));
    }
    let plan = plan::plan(&Request::new(desired, &Observed::default(), KINDS, &Guard::default()));
    if plan.objections.is_empty() && plan.is_empty() {
        return Err("nothing of it is there, and nothing is to be made".to_owned());
    }
    let shown = render::markdown(&plan).to_string() + &render::json::document(&plan);
    if shown.contains('\u{1b}') {
        return Err("a terminal's orders are in what is shown".to_owned());
    }
    Ok(())
}

/// What users are told stays readable, whatever is wrong.
fn bounded(errors: &Errors) -> Result<(), String> {
    let longest = |error: &ManifestError| {
        let labels = error.related.iter().map(|it| it.label.chars().count());
        error.message.chars().count()
            + labels.sum::<usize>()
            + error.help.iter().map(String::len).sum::<usize>()
    };
    if errors.0.is_empty() || errors.0.len() > 200 {
        return Err(format!("{} errors are told", errors.0.len()));
    }
    if let Some(long) = errors.0.iter().find(|error| longest(error) > 12_000) {
        return Err(format!("a message has {} characters", longest(long)));
    }
    let text = errors.render(false);
    match text.chars().find(|c| c.is_control() && *c != '\n') {
        Some(raw) => Err(format!("{raw:?} is told raw")),
        None => Ok(()),
    }
}

/// An error points at a character of a file, or right behind the last one of a line.
fn placed(error: &ManifestError, texts: &[(&str, &str)]) -> Result<(), String> {
    let wrong = |at: &Position, why: &str| Err(format!("{why} at {}:{}: {error}", at.line, at.column));
    for at in std::iter::once(&error.at).chain(&error.related) {
        let place = &at.position;
        // A file as a whole, of which there is no line to point at.
        if place.line == 0
            && (error.message.contains("is empty") || error.message.contains("more than 1 MiB"))
        {
            continue;
        }
        let Some((_, text)) = texts.iter().find(|(file, _)| place.file.ends_with(file)) else {
            return wrong(place, "there is no such file");
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<&str> =
            text.split('\n').flat_map(|line| line.trim_end_matches('\r').split('\r')).collect();
        let Some(line) = place.line.checked_sub(1).and_then(|line| lines.get(line)) else {
            return wrong(place, "there is no such line");
        };
        if place.column == 0 || place.column > line.chars().count() + 1 {
            return wrong(place, "there is no such column");
        }
        if at.line.is_none() {
            return wrong(place, "the line is not shown");
        }
    }
    if error.message.trim().is_empty() {
        return wrong(error.position(), "nothing is said");
    }
    Ok(())
}

fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// A message without what it quotes: what kind of mistake it tells of.
fn skeleton(message: &str) -> String {
    let said: Vec<&str> = message.split('`').step_by(2).collect();
    without_numbers(&said.join("`"))
}

#[test]
fn manifests_that_nobody_writes_are_refused_at_their_place_or_say_the_same_when_printed() {
    run(&Target {
        name: "manifests",
        more: contracts(),
        words: WORDS,
        is_yaml: true,
        cases: 15,
        attempt: &|manifest| tried(AROUND, manifest),
    });
}

#[test]
fn environments_that_nobody_writes_are_refused_at_their_place_or_say_the_same_when_printed() {
    let manifest = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: jobs}\nspec: {retentionInDays: 30}\n";
    run(&Target {
        name: "environments",
        more: vec![AROUND.to_owned()],
        words: WORDS,
        is_yaml: true,
        cases: 30,
        attempt: &|environment| tried(environment, manifest),
    });
}
