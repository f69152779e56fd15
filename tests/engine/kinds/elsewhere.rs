//! What a spec is pasted with from AWS and what is said elsewhere here: its tags and its name. And references: every output that
//! names the same thing is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use batchwright::diff::{Compare, Rules};
use batchwright::kind::Ownership;
use batchwright::kinds::KINDS;
use batchwright::manifest::{self, Options};

use super::none;

/// What each API calls the name of its resource, and CloudFormation where that differs.
const NAMES: &[(&str, &[&str])] = &[
    ("batch/ComputeEnvironment", &["computeEnvironmentName"]),
    ("batch/ConsumableResource", &["consumableResourceName"]),
    ("batch/JobDefinition", &["jobDefinitionName"]),
    ("batch/JobQueue", &["jobQueueName"]),
    ("batch/ServiceEnvironment", &["serviceEnvironmentName"]),
    ("ec2/LaunchTemplate", &["launchTemplateName"]),
    ("ec2/PlacementGroup", &["groupName"]),
    ("ec2/SecurityGroup", &["groupName"]),
    ("ecr/Repository", &["repositoryName"]),
    ("iam/InstanceProfile", &["instanceProfileName"]),
    ("iam/Policy", &["policyName", "managedPolicyName"]),
    ("iam/Role", &["roleName"]),
    ("logs/LogGroup", &["logGroupName"]),
    ("s3/Bucket", &["bucketName"]),
];

#[test]
fn tags_and_names_in_a_pasted_spec_are_said_in_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let file = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    file(
        "dev/environment.yaml",
        "project: acme/jobs\naccount: \"111122223333\"\nregion: eu-west-1\nstacks: [main]\n",
    );
    let names: BTreeMap<_, _> = NAMES.iter().copied().collect();
    let mut wrong = Vec::new();
    for facts in KINDS.iter().map(|kind| kind.facts()) {
        let has_tags = facts.ownership != Ownership::Shared;
        let tags = if has_tags { "this is said as metadata.tags" } else { "this kind has none" };
        let mut fields = vec![("tags".to_owned(), tags), ("Tags".to_owned(), tags)];
        for name in names.get(facts.name).copied().unwrap_or_default() {
            let pascal = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            let said = "this is said as metadata.physicalName";
            fields.extend([((*name).to_owned(), said), (pascal, said)]);
        }
        for (field, said) in fields {
            let spec = format!("kind: {}\nmetadata: {{name: a}}\nspec:\n  {field}: x\n", facts.name);
            file("stacks/main/a.yaml", &format!("apiVersion: batchwright/v1\n{spec}"));
            let errors = manifest::load(folder.path(), "dev", &Options::default()).unwrap_err().to_string();
            let unknown = errors.contains(&format!("unknown field `{field}`"));
            if !unknown || !errors.contains(said) {
                wrong.push(format!("{}.{field}: {errors}", facts.name));
            }
        }
    }
    none("not said where it is said instead", &wrong);
}

/// Outputs that name one thing, so that a field that takes one of them takes all.
const ALIKE: &[&[&str]] = &[
    &["ec2/SecurityGroup.groupId", "ec2/SecurityGroup.id", "ec2/Vpc.defaultSecurityGroupId"],
    &["ec2/RouteTable.id", "ec2/Vpc.mainRouteTableId"],
    &["ec2/ElasticIp.allocationId", "ec2/ElasticIp.id"],
    &["efs/AccessPoint.accessPointId", "efs/AccessPoint.id"],
    &["efs/FileSystem.fileSystemId", "efs/FileSystem.id"],
];

/// Fields of names and ARNs whose API takes the ARN alone.
const BY_ARN_ALONE: &[(&str, &str)] = &[
    (
        "batch/ComputeEnvironment.computeResources.spotIamFleetRole",
        "API_ComputeResource: \"The Amazon Resource Name (ARN) of the Amazon EC2 Spot Fleet IAM role\"",
    ),
    (
        "batch/ComputeEnvironment.serviceRole: iam/ServiceLinkedRole",
        "it has a path, and API_CreateComputeEnvironment wants the ARN of such a role",
    ),
];

fn each<'r>(path: &str, rules: &'r Rules, into: &mut Vec<(String, &'r Rules)>) {
    if !rules.refers.is_empty() {
        into.push((path.to_owned(), rules));
    }
    if let Some(items) = rules.items.as_deref() {
        each(path, items, into);
    }
    for (name, field) in &rules.fields {
        each(&format!("{path}.{name}"), field, into);
    }
}

#[test]
fn every_output_that_names_the_same_is_taken() {
    let mut fields = Vec::new();
    KINDS.iter().for_each(|kind| each(kind.facts().name, &kind.facts().rules, &mut fields));
    assert!(fields.len() > 25, "{fields:?}");
    let mut wrong = Vec::new();
    for (path, rules) in &fields {
        let refers: BTreeSet<&str> = rules.refers.iter().map(String::as_str).collect();
        for alike in ALIKE.iter().filter(|alike| alike.iter().any(|it| refers.contains(it))) {
            wrong.extend(alike.iter().filter(|it| !refers.contains(*it)).map(|it| format!("{path}: {it}")));
        }
        if rules.compare != Compare::NameOrArn {
            continue;
        }
        for facts in KINDS.iter().map(|kind| kind.facts()) {
            let both = ["arn", "name"].map(|output| format!("{}.{output}", facts.name));
            let has = both.each_ref().map(|output| refers.contains(output.as_str()));
            let whole = format!("{path}: {}", facts.name);
            let excused = BY_ARN_ALONE.iter().any(|(field, _)| field == path || *field == whole);
            if has != [false, false] && has != [true, true] && !excused {
                wrong.push(format!("{path}: {}", both.join(" and ")));
            }
        }
    }
    none("an output that names the same is refused", &wrong);
}
