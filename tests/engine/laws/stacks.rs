//! The stacks that the tests know: those of the project, of the scenarios, and of each kind's contract.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use batchwright::manifest;
use batchwright::resource::{Desired, ResourceId};
use serde_json::Value;

use super::PAYMENTS;

/// The account of all that is no stack of the project's own.
const ACCOUNT: &str = "333333333333";

/// Every stack with its name: payments as in `dev` first.
pub fn stacks() -> Vec<(String, Desired)> {
    let mut stacks = vec![("dev".to_owned(), PAYMENTS.clone()), ("prod".to_owned(), prod())];
    for case in entries("tests/scenarios").into_iter().filter(|path| path.is_dir()) {
        stacks.push((name(&case), read(&text(&case.join("after.yaml")), "eu-west-1")));
    }
    let roles = text(&root().join("tests/aws/roles/main.yaml"));
    stacks.push(("roles".to_owned(), read(&roles.replace("TRUSTED", "batch.amazonaws.com"), "us-east-1")));
    for file in entries("tests/contract") {
        let contract: Value = serde_yaml::from_str(&text(&file)).expect("a contract");
        let manifests = contract["manifests"].as_str().expect("its stack");
        stacks.push((name(&file), read(manifests, "us-east-1")));
    }
    stacks
}

/// A kind's contract: what it stands on, the subject, and merge patches of the subject's spec.
pub struct Contract {
    pub name: String,
    pub desired: Desired,
    pub subject: Option<ResourceId>,
    pub changes: Vec<Value>,
}

/// The contracts of all kinds.
pub fn contracts() -> Vec<Contract> {
    let contract = |file: PathBuf| {
        let read_from = text(&file).replace("${env.account}", ACCOUNT);
        let contract: Value = serde_yaml::from_str(&read_from).expect("a contract");
        let name = name(&file);
        let (service, rest) = name.split_once('.').expect("a service");
        let of_kind = format!("{service}/{}", rest.split('.').next().unwrap_or_default());
        let subject = contract["subject"].as_str().map(|subject| ResourceId::new(of_kind, subject));
        let desired = read(contract["manifests"].as_str().expect("its stack"), "us-east-1");
        let changes = contract["changes"].as_object().into_iter().flatten();
        Contract { name, desired, subject, changes: changes.map(|(_, patch)| patch.clone()).collect() }
    };
    entries("tests/contract").into_iter().map(contract).collect()
}

pub fn prod() -> Desired {
    let image = format!("222222222222.dkr.ecr.us-east-1.amazonaws.com/prod-worker@sha256:{}", "0".repeat(64));
    let images = BTreeMap::from([("worker".to_owned(), image)]);
    load(&root().join("manifests"), "prod", &manifest::Options { images, ..Default::default() })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder");
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn load(root: &Path, environment: &str, options: &manifest::Options) -> Desired {
    manifest::load(root, environment, options).unwrap_or_else(|errors| panic!("{errors}"))
}

/// One file of manifests as the only stack of an environment, as scenarios have it.
fn read(manifests: &str, region: &str) -> Desired {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = format!(
        "project: acme/scenario\naccount: \"{ACCOUNT}\"\nregion: {region}\nnamePrefix: test-\nstacks: [main]\n"
    );
    for (path, text) in [("test/environment.yaml", environment.as_str()), ("stacks/main/all.yaml", manifests)]
    {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    load(folder.path(), "test", &manifest::Options::default())
}
