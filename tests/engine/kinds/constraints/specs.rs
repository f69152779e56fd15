//! Specs that are right, and between them say every field: those of the contracts with each of their changes, the examples, and
//! `tests/data/constraints_specs.yaml` for what these leave out.

use std::fs;

use batchwright::kinds;
use batchwright::manifest;
use regex::Regex;
use serde_json::Value;

use super::place::Place;
use super::probe::{self, Probe};
use super::rules::Rule;

const MORE: &str = "tests/data/constraints_specs.yaml";

/// Specs of a kind that nothing is wrong with.
pub fn right(kind: &str) -> Vec<Probe> {
    let probes: Vec<Probe> = specs(kind).into_iter().map(literal).map(Probe::of).collect();
    let told = probe::told(kind, probes.iter());
    for (probe, told) in probes.iter().zip(&told) {
        assert!(told.is_empty(), "{kind}: {told:?}: {}", probe.spec);
    }
    probes
}

fn specs(kind: &str) -> Vec<Value> {
    let mut specs: Vec<Value> = documents(kinds::kind(kind).unwrap().facts().example)
        .into_iter()
        .filter(|document| document["kind"] == kind)
        .map(|document| document["spec"].clone())
        .collect();
    let begin = format!("{}.", kind.replace('/', "."));
    for file in fs::read_dir("tests/contract").unwrap() {
        let path = file.unwrap().path();
        if !path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&begin)) {
            continue;
        }
        let contract = documents(&fs::read_to_string(path).unwrap()).remove(0);
        let subject = documents(contract["manifests"].as_str().unwrap())
            .into_iter()
            .find(|document| document["kind"] == kind && document["metadata"]["name"] == contract["subject"]);
        let spec = subject.unwrap()["spec"].clone();
        for change in contract["changes"].as_object().into_iter().flat_map(|changes| changes.values()) {
            let mut changed = spec.clone();
            merge(&mut changed, change);
            specs.push(changed);
        }
        specs.push(spec);
    }
    for document in documents(&fs::read_to_string(MORE).unwrap()).iter().filter(|it| it["kind"] == kind) {
        let several = document["specs"].as_array().into_iter().flatten();
        specs.extend(document.get("spec").into_iter().chain(several).cloned());
    }
    specs
}

fn documents(text: &str) -> Vec<Value> {
    manifest::value("a spec", text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A JSON merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    for (key, value) in patch {
        let Some(fields) = target.as_object_mut() else { return };
        match value {
            Value::Null => drop(fields.remove(key)),
            value => merge(fields.entry(key.clone()).or_insert(Value::Null), value),
        }
    }
}

/// The same with a value in the place of each reference: nothing else is declared beside a probe.
fn literal(mut spec: Value) -> Value {
    let reference = Regex::new(r"\$\{([a-z0-9]+)/([A-Za-z]+)/([A-Za-z0-9_-]+)\.([A-Za-z]+)\}").unwrap();
    let value = |found: &regex::Captures<'_>| {
        let [service, kind, name, output] = [1, 2, 3, 4].map(|group| &found[group]);
        let number = name.bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let id = |prefix: &str| format!("{prefix}-{:017x}", number % (1 << 60));
        let arn = |resource: &str| format!("arn:aws:{service}:us-east-1:111111111111:{resource}");
        match (kind, output) {
            ("Vpc", "cidrBlock") => "10.0.0.0/16".to_owned(),
            ("Vpc", "defaultSecurityGroupId") => id("sg"),
            ("Vpc", _) => id("vpc"),
            ("FileSystem", "arn") => {
                format!("arn:aws:elasticfilesystem:us-east-1:111111111111:file-system/{}", id("fs"))
            }
            ("FileSystem", _) => id("fs"),
            ("AccessPoint", _) => id("fsap"),
            ("Subnet", _) => id("subnet"),
            ("SecurityGroup", _) => id("sg"),
            ("RouteTable", _) => id("rtb"),
            ("InternetGateway", _) => id("igw"),
            ("ElasticIp", "allocationId" | "id") => id("eipalloc"),
            ("NatGateway", _) => id("nat"),
            ("PlacementGroup", "id") => id("pg"),
            ("LaunchTemplate", "id") => id("lt"),
            ("LaunchTemplate", "latestVersion" | "defaultVersion") => "1".to_owned(),
            ("LogGroup", "arn") => arn(&format!("log-group:{name}")),
            ("Bucket", "arn") => format!("arn:aws:s3:::{name}"),
            (_, "name") => name.to_owned(),
            ("ComputeEnvironment", _) => arn(&format!("compute-environment/{name}")),
            ("ConsumableResource", _) => arn(&format!("consumable-resource/{name}")),
            ("ServiceEnvironment", _) => arn(&format!("service-environment/{name}")),
            ("SchedulingPolicy", _) => arn(&format!("scheduling-policy/{name}")),
            ("Queue", _) => arn(name),
            ("Secret", _) => arn(&format!("secret:{name}-AbCdEf")),
            ("Role" | "ServiceLinkedRole", _) => format!("arn:aws:iam::111111111111:role/{name}"),
            ("Policy", _) => format!("arn:aws:iam::111111111111:policy/{name}"),
            ("InstanceProfile", _) => format!("arn:aws:iam::111111111111:instance-profile/{name}"),
            _ => panic!("what is {}?", &found[0]),
        }
    };
    let settings =
        [("${env.account}", "111111111111"), ("${env.region}", "us-east-1"), ("${env.partition}", "aws")];
    each(&mut spec, &|text| {
        let text = settings.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        // What AWS is to read as `${…}` is escaped in manifests.
        let text = reference.replace_all(&text, value);
        Regex::new(r"\$\{[a-z-]+\}").unwrap().replace_all(&text, "$$$0").into_owned()
    });
    spec
}

fn each(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| each(field, change)),
        _ => {}
    }
}

/// What may stand in a field that no spec says yet.
const VALUES: &[&str] = &["a", "1", "10", "600", "true", "[]", "arn:aws:iam::111111111111:policy/boundary"];

/// For each rule a manifest that is right and has the value that the rule is about.
pub fn grounds(kind: &str, rules: &[Rule], bases: &[Probe]) -> Vec<Option<Probe>> {
    let mut grounds: Vec<Option<Probe>> =
        rules.iter().map(|rule| bases.iter().find(|base| rule.field.read(base).is_some()).cloned()).collect();
    let mut tried = Vec::new();
    for (index, rule) in rules.iter().enumerate().filter(|(index, _)| grounds[*index].is_none()) {
        for (base, value) in bases.iter().flat_map(|base| VALUES.iter().map(move |value| (base, value))) {
            let spelt =
                [Value::String((*value).to_owned())].into_iter().chain(serde_json::from_str(value).ok());
            tried.extend(spelt.filter_map(|value| Some((index, rule.field.with(base, &value)?))));
        }
    }
    let told = probe::told(kind, tried.iter().map(|(_, probe)| probe));
    for ((index, probe), told) in tried.into_iter().zip(told) {
        if told.is_empty() && matches!(rules[index].field, Place::Spec(_)) && grounds[index].is_none() {
            grounds[index] = Some(probe);
        }
    }
    grounds
}
