//! One guided suite for all kinds, over the real SDK on the sandbox: create, nothing differs, change each field, nothing
//! differs, change it back as drift, nothing differs, delete, gone. It catches the field that `update` forgot.
//!
//! `tests/contract/<service>.<Kind>*.yaml` say for each kind what it stands on, the subject itself, a change for every
//! updatable field, and which fields the sandbox cannot show, and why. A field that is in neither list fails the suite.

#![allow(clippy::print_stderr, reason = "where it stands when it fails is worth a line")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::world::merge::merge;
use crate::world::{World, changes, load, planned};
use batchwright::diff::{ChangeRule, Compare, Rules};
use batchwright::kind::Ownership;
use batchwright::kinds::{KINDS, kind};
use batchwright::manifest::Options;
use batchwright::plan::{Change, Guard};
use batchwright::resource::{Desired, Observed, ResourceId};
use serde::Deserialize;
use serde_json::Value;

/// What a file under tests/contract says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Contract {
    /// The subject's logical name; its kind is the file's.
    subject: String,
    /// Manifests: what the subject stands on, and the subject.
    manifests: String,
    /// Instance profiles that are there already: not a kind of ours.
    #[serde(default)]
    instance_profiles: Vec<String>,
    /// For each updatable field, a merge patch of the subject's spec. A key may have a `#…` suffix: several changes.
    #[serde(default)]
    changes: BTreeMap<String, Value>,
    /// For each field that takes one thing in several forms, merge patches of the subject's spec that all mean the same.
    #[serde(default)]
    forms: BTreeMap<String, Vec<Value>>,
    /// Fields that cannot be exercised here, and why.
    #[serde(default)]
    skipped: BTreeMap<String, String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/contract")
}

/// The contracts of a kind: `<service>.<Kind>.yaml`, and `<service>.<Kind>.<form>.yaml` where one subject can't show all.
fn contracts(name: &str) -> Vec<Contract> {
    let begin = format!("{}.", name.replace('/', "."));
    let files = std::fs::read_dir(folder()).expect("tests/contract").map(|file| file.expect("a file").path());
    let is_ours = |path: &PathBuf| {
        path.file_name().and_then(|file| file.to_str()).is_some_and(|file| file.starts_with(&begin))
    };
    let mut files: Vec<PathBuf> = files.filter(is_ours).collect();
    files.sort();
    assert!(!files.is_empty(), "{name} has no contract");
    files.iter().map(|path| contract(name, path)).collect()
}

fn contract(name: &str, path: &Path) -> Contract {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = text.replace("${env.account}", &account(name));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Each kind's account of its own.
fn account(name: &str) -> String {
    let position = KINDS.iter().position(|kind| kind.facts().name == name).unwrap_or_default();
    format!("{}", 200_000_000_000 + position as u64)
}

/// An environment of an account of its own that holds these manifests.
fn environment(name: &str, manifests: &str) -> Desired {
    let folder = tempfile::tempdir().expect("a folder");
    let account = account(name);
    let slug = name.to_lowercase().replace('/', "-");
    let environment = format!(
        "project: acme/contract\naccount: \"{account}\"\nregion: us-east-1\nnamePrefix: {slug}-\nstacks: [contract]\n"
    );
    std::fs::create_dir_all(folder.path().join("test")).expect("a folder");
    std::fs::create_dir_all(folder.path().join("stacks/contract")).expect("a folder");
    std::fs::write(folder.path().join("test/environment.yaml"), environment).expect("a file");
    std::fs::write(folder.path().join("stacks/contract/all.yaml"), manifests).expect("a file");
    load(folder.path(), "test", &Options::default())
}

/// The environment with the subject's spec patched.
fn patched(desired: &Desired, subject: &ResourceId, patch: &Value) -> Desired {
    let mut desired = desired.clone();
    let kind = kind(&subject.kind).expect("a kind");
    let declared = desired.resources.get_mut(subject).expect("the subject");
    let mut spec = declared.spec.clone();
    merge(&mut spec, patch);
    declared.spec = kind.normal(&spec, &desired.place).expect("the patched spec decodes");
    let complaints = kind.validate(&declared.spec, &desired.place);
    assert!(complaints.is_empty(), "{subject} with {patch}: {complaints:?}");
    desired
}

/// Every updatable field of the kind has a change, or a reason why it has none.
fn covered(name: &str, contracts: &[Contract]) {
    let rules = &kind(name).expect("a kind").facts().rules;
    let updatable = rules
        .fields
        .iter()
        .filter(|(_, rules)| matches!(rules.change, ChangeRule::InPlace | ChangeRule::Tag));
    let keys = contracts.iter().flat_map(|contract| contract.changes.keys().chain(contract.skipped.keys()));
    let said: BTreeSet<&str> = keys.filter_map(|key| key.split('#').next()).collect();
    let missing: Vec<&String> =
        updatable.map(|(field, _)| field).filter(|field| !said.contains(field.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "{name}: fields without a change in tests/contract");
}

/// Makes what a subject stands on and no kind of ours is.
async fn stand(world: &World, contract: &Contract) {
    let config = world.sandbox.sdk_config();
    let iam = aws_sdk_iam::Client::new(&config);
    for name in &contract.instance_profiles {
        iam.create_instance_profile().instance_profile_name(name).send().await.expect("a profile");
    }
}

/// Whether what others add to the field is nobody's drift.
fn is_shared(name: &str, field: &str) -> bool {
    let rules = &kind(name).expect("a kind").facts().rules;
    let field = field.split('#').next().and_then(|field| rules.at(field));
    field.is_some_and(|rules| rules.compare == Compare::AtLeast)
}

fn unchanged(desired: &Desired, observed: &Observed, guard: &Guard, when: &str) {
    assert_eq!(changes(&planned(desired, observed, guard)), Vec::<String>::new(), "{when}");
}

/// The paths of all fields that take a name or an ARN, each such as `computeEnvironmentOrder[].computeEnvironment`.
fn of_several_forms(rules: &Rules, path: &str, depth: usize, found: &mut BTreeSet<String>) {
    if matches!(rules.compare, Compare::NameOrArn) {
        found.insert(path.to_owned());
    }
    for (name, field) in rules.fields.iter().filter(|_| depth < 12) {
        let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        of_several_forms(field, &below, depth + 1, found);
    }
    let inner = rules.items.iter().map(|items| (items, "[]")).chain(rules.values.iter().map(|it| (it, "{}")));
    for (inner, mark) in inner {
        of_several_forms(inner, &format!("{path}{mark}"), depth + 1, found);
    }
}

/// Every field that takes a name or an ARN is exercised in its forms, or a reason tells why not. What stands in several places
/// of a spec is told by its last two steps.
fn all_forms(name: &str, contracts: &[Contract]) {
    let mut paths = BTreeSet::new();
    of_several_forms(&kind(name).expect("a kind").facts().rules, "", 0, &mut paths);
    let keys = contracts.iter().flat_map(|contract| contract.forms.keys().chain(contract.skipped.keys()));
    let said: BTreeSet<&str> = keys.filter_map(|key| key.split('#').next()).collect();
    let is_said = |path: &&String| {
        said.iter().any(|said| path.as_str() == *said || path.ends_with(&format!(".{said}")))
    };
    let missing: Vec<&String> = paths.iter().filter(|path| !is_said(path)).collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "{name}: a name or an ARN without its forms in tests/contract"
    );
}

/// Brought about in one form, nothing differs in any other, whatever AWS makes of it: no change, and never a replacement.
async fn forms(world: &World, desired: &Desired, subject: &ResourceId, contract: &Contract, guard: &Guard) {
    for (field, forms) in &contract.forms {
        assert!(forms.len() > 1, "{field}: one form alone");
        for (number, one) in forms.iter().enumerate() {
            eprintln!("{subject}: {field}, form {number}");
            let written = patched(desired, subject, one);
            world.apply(&written, guard).await;
            let observed = world.observe(&written).await;
            for other in forms {
                unchanged(&patched(desired, subject, other), &observed, guard, &format!("{one} is {other}"));
            }
            world.apply(desired, guard).await;
        }
    }
}

async fn walk(name: &str) {
    let contracts = contracts(name);
    covered(name, &contracts);
    all_forms(name, &contracts);
    for contract in &contracts {
        keep(name, contract).await;
    }
}

async fn keep(name: &str, contract: &Contract) {
    let facts = kind(name).expect("a kind").facts();
    let desired = environment(name, &contract.manifests);
    let subject = ResourceId::new(name, contract.subject.clone());
    assert!(desired.resources.contains_key(&subject), "{subject} is declared");
    let world = World::of(&desired).await;
    stand(&world, contract).await;
    let guard = Guard { allow_delete: desired.resources.keys().cloned().collect(), ..Guard::default() };

    world.apply(&desired, &guard).await;
    let mut observed = world.observe(&desired).await;
    unchanged(&desired, &observed, &guard, "after it was made");
    for (field, patch) in &contract.changes {
        eprintln!("{name}: {field}");
        let changed = patched(&desired, &subject, patch);
        let plan = world.apply_to(&changed, &observed, &guard).await;
        assert!(plan.changes.iter().any(|change| change.id == subject), "{name}: {field} is a change");
        observed = world.observe(&changed).await;
        unchanged(&changed, &observed, &guard, "after it was changed");
        // To the manifests as they were, what is live now is drift: it is seen, and healed.
        let plan = world.apply_to(&desired, &observed, &guard).await;
        let seen = plan.changes.iter().any(|change| change.id == subject);
        assert_eq!(seen, !is_shared(name, field), "{name}: drift of {field} is seen");
        observed = world.observe(&desired).await;
        unchanged(&desired, &observed, &guard, "after it was healed");
    }
    if !contract.forms.is_empty() {
        forms(&world, &desired, &subject, contract, &guard).await;
        observed = world.observe(&desired).await;
    }
    if facts.ownership == Ownership::Tagged || facts.ownership == Ownership::TagAfterCreate {
        tags(&world, &desired, &subject, &guard, observed).await;
    }

    let nothing = Desired { resources: BTreeMap::new(), ..desired.clone() };
    world.apply(&nothing, &Guard { destroy: true, ..guard.clone() }).await;
    assert_eq!(changes(&world.plan(&nothing, &guard).await.0), Vec::<String>::new(), "{name}: it is gone");
}

/// A tag more, another value, and none again: never anything but tag changes (P19).
async fn tags(world: &World, desired: &Desired, subject: &ResourceId, guard: &Guard, mut observed: Observed) {
    for value in [Some("one"), Some("two"), None] {
        let mut tagged = desired.clone();
        let declared = tagged.resources.get_mut(subject).expect("the subject");
        declared.tags.extend(value.map(|value| ("team".to_owned(), value.to_owned())));
        let plan = world.apply_to(&tagged, &observed, guard).await;
        let only_tags = |change: &Change| change.fields.iter().all(|field| field.rule == ChangeRule::Tag);
        assert!(plan.changes.iter().any(|change| change.id == *subject), "the tag is a change");
        assert!(plan.changes.iter().all(only_tags), "{:?}", changes(&plan));
        observed = world.observe(&tagged).await;
        unchanged(&tagged, &observed, guard, "after the tag was written");
    }
}

/// One test per kind, so that a failure names it.
macro_rules! kinds {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                walk($name).await;
            }
        )*

        #[test]
        fn every_kind_has_a_contract() {
            let here = BTreeSet::from([$($name),*]);
            let all: BTreeSet<&str> = KINDS.iter().map(|kind| kind.facts().name).collect();
            assert_eq!(here, all);
        }
    };
}

kinds! {
    batch_compute_environment: "batch/ComputeEnvironment",
    batch_consumable_resource: "batch/ConsumableResource",
    batch_job_definition: "batch/JobDefinition",
    batch_job_queue: "batch/JobQueue",
    batch_scheduling_policy: "batch/SchedulingPolicy",
    batch_service_environment: "batch/ServiceEnvironment",
    ec2_elastic_ip: "ec2/ElasticIp",
    ec2_flow_log: "ec2/FlowLog",
    ec2_internet_gateway: "ec2/InternetGateway",
    ec2_launch_template: "ec2/LaunchTemplate",
    ec2_nat_gateway: "ec2/NatGateway",
    ec2_placement_group: "ec2/PlacementGroup",
    ec2_route_table: "ec2/RouteTable",
    ec2_security_group: "ec2/SecurityGroup",
    ec2_subnet: "ec2/Subnet",
    ec2_vpc: "ec2/Vpc",
    ec2_vpc_endpoint: "ec2/VpcEndpoint",
    ecr_repository: "ecr/Repository",
    efs_access_point: "efs/AccessPoint",
    efs_file_system: "efs/FileSystem",
    iam_instance_profile: "iam/InstanceProfile",
    iam_oidc_provider: "iam/OidcProvider",
    iam_policy: "iam/Policy",
    iam_role: "iam/Role",
    iam_service_linked_role: "iam/ServiceLinkedRole",
    logs_log_group: "logs/LogGroup",
    s3_bucket: "s3/Bucket",
    sqs_queue: "sqs/Queue",
}
