//! Every other kind: what needs a new resource here and in CloudFormation, and why where the two differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use batchwright::diff::{ChangeRule, Rules};
use batchwright::kind::Facts;
use batchwright::kinds::KINDS;
use serde_json::Value;

use crate::world::golden::golden;

/// Where the two differ: kind, field, why.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("batch/ComputeEnvironment", "tags", "TagResource changes them in place; CloudFormation alone cannot"),
    ("ec2/ElasticIp", "customerOwnedIpv4Pool", "AllocateAddress alone takes it, and CloudFormation does not"),
    (
        "ec2/ElasticIp",
        "publicIpv4Pool",
        "AllocateAddress alone takes it; CloudFormation makes another address, too",
    ),
    (
        "ec2/Vpc",
        "instanceTenancy",
        "CloudFormation: from dedicated to default in place; anything else is a new VPC",
    ),
    ("ec2/Vpc", "ipv6CidrBlockNetworkBorderGroup", "of AWS::EC2::VPCCidrBlock, all of which is create-only"),
    (
        "logs/LogGroup",
        "logGroupClass",
        "PutRetentionPolicy and its like do not take it; AWS says it cannot change",
    ),
];

/// Create-only in CloudFormation and not said in a spec: where it is said.
const ELSEWHERE: &[(&str, &str)] = &[
    ("Name", "metadata.physicalName"),
    ("BucketNamePrefix", "not managed: names are ours to choose"),
    ("TransferAddress", "not managed: a person accepts an address that another account offers"),
    ("Tags", "metadata.tags: CreateTags changes them in place; CloudFormation alone cannot"),
    ("ClientToken", "not managed: it comes from the step that creates"),
    ("BucketNamespace", "not managed: names are ours to choose"),
];

/// The topmost fields whose change needs a new resource.
fn create_only(rules: &Rules, path: &str, found: &mut BTreeSet<String>) {
    for (name, inside) in &rules.fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if inside.change == ChangeRule::CreateOnly {
            found.insert(path);
        } else {
            create_only(inside.items.as_deref().unwrap_or(inside), &path, found);
        }
    }
}

/// A list of CloudFormation's schema, in the words of our specs.
fn cloudformation(facts: &Facts, list: &str) -> BTreeSet<String> {
    let data: Value = serde_json::from_str(include_str!("../../data/cfn_properties.json")).unwrap();
    let listed = data["types"][facts.cloudformation][list].as_array().cloned().unwrap_or_default();
    let path = |path: &Value| path.as_str().unwrap().split('/').map(lowered).collect::<Vec<_>>().join(".");
    listed.iter().map(path).collect()
}

/// The first letter lowered, a leading acronym whole (D1).
fn lowered(property: &str) -> String {
    let capitals = property.chars().take_while(char::is_ascii_uppercase).count();
    let acronym = if capitals > 1 && capitals < property.len() { capitals - 1 } else { capitals };
    let (head, tail) = property.split_at(acronym);
    head.to_ascii_lowercase() + tail
}

fn reason(kind: &str, field: &str) -> Option<&'static str> {
    DIFFERENT.iter().find(|(of, name, _)| *of == kind && *name == field).map(|(.., why)| *why)
}

fn elsewhere(field: &str) -> Option<&'static str> {
    let named = ELSEWHERE.iter().find(|(name, _)| lowered(name) == field);
    let ends = || ELSEWHERE.first().filter(|(name, _)| field.ends_with(name));
    named.or_else(ends).map(|(_, why)| *why)
}

#[test]
fn what_needs_a_new_resource_is_what_cloudformation_says() {
    let mut text = String::from(
        "What a change to needs a new resource, kind by kind, here and in CloudFormation.\nWritten by tests/engine/strategies.rs.\n",
    );
    let mut unexplained = Vec::new();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for facts in KINDS.iter().map(|kind| kind.facts()) {
        let mut ours = BTreeSet::new();
        create_only(&facts.rules, "", &mut ours);
        let conditional = cloudformation(facts, "conditionalCreateOnly");
        let theirs = cloudformation(facts, "createOnly");
        let within = |field: &str, set: &BTreeSet<String>| {
            set.iter().any(|other| {
                field == other || field.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('.'))
            })
        };
        let _ = writeln!(text, "\n{} ({})", facts.name, facts.cloudformation);
        for field in ours.union(&theirs) {
            // A whole that we spell field by field, or the other way round, is one thing.
            let here =
                within(field, &ours) || ours.iter().any(|our| within(our, &BTreeSet::from([field.clone()])));
            let there = within(field, &theirs);
            let why = reason(facts.name, field);
            let said = match (here, there, why) {
                (true, true, None) => "in both".to_owned(),
                (_, _, Some(why)) if here != there => {
                    *used.entry(why).or_default() += 1;
                    format!("{}  # {why}", if here { "here only" } else { "there only" })
                }
                (false, true, None) if facts.rules.at(field).is_none() => match elsewhere(field) {
                    Some(why) => format!("there only  # {why}"),
                    None => {
                        unexplained.push(format!("{}: {field} is no field of ours", facts.name));
                        continue;
                    }
                },
                (false, true, None)
                    if facts.rules.at(field).is_some_and(|it| it.change == ChangeRule::WriteOnly) =>
                {
                    "there only  # AWS never reports it back, so that a change to it is never seen".to_owned()
                }
                _ => {
                    unexplained.push(format!("{}: {field}: here {here}, there {there}, {why:?}", facts.name));
                    continue;
                }
            };
            let _ = writeln!(text, "  {field}: {said}");
        }
        // The compute environment's own conditions have a table of their own.
        for field in conditional.iter().filter(|_| facts.name != "batch/ComputeEnvironment") {
            if !within(field, &ours) {
                let _ = writeln!(
                    text,
                    "  {field}: in place where AWS takes it; CloudFormation: under conditions"
                );
            }
        }
    }
    assert_eq!((unexplained, used.len()), (Vec::<String>::new(), DIFFERENT.len()));
    golden("tests/engine/strategies/create_only.txt", &text);
}
