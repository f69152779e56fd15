//! D1: fields are called what CloudFormation calls them, or stand here with a reason. `tests/data/cfn_properties.json`
//! holds CloudFormation's side.

use std::collections::{BTreeMap, BTreeSet};

use batchwright::diff::ChangeRule;
use batchwright::kind::Facts;
use batchwright::kinds;
use serde_json::Value;

use super::{facts, none};

/// Fields that the kind's CloudFormation type does not have, and whose they are.
const BEYOND: &[(&str, &str, &str)] = &[
    ("ec2/ElasticIp", "customerOwnedIpv4Pool", "AllocateAddress alone has it"),
    ("ec2/InternetGateway", "vpcId", "AWS::EC2::VPCGatewayAttachment"),
    ("ec2/RouteTable", "gatewayIds", "AWS::EC2::GatewayRouteTableAssociation"),
    ("ec2/RouteTable", "propagatingVpnGatewayIds", "AWS::EC2::VPNGatewayRoutePropagation"),
    ("ec2/RouteTable", "routes", "AWS::EC2::Route"),
    ("ec2/RouteTable", "subnetIds", "AWS::EC2::SubnetRouteTableAssociation"),
    ("ec2/Subnet", "customerOwnedIpv4Pool", "ModifySubnetAttribute alone has it"),
    ("ec2/Subnet", "mapCustomerOwnedIpOnLaunch", "ModifySubnetAttribute alone has it"),
    ("ec2/Vpc", "amazonProvidedIpv6CidrBlock", "AWS::EC2::VPCCidrBlock"),
    ("ec2/Vpc", "ipv6CidrBlockNetworkBorderGroup", "AWS::EC2::VPCCidrBlock"),
    ("ec2/Vpc", "ipv6CidrBlocks", "AWS::EC2::VPCCidrBlock"),
    ("ec2/Vpc", "ipv6IpamPoolId", "AWS::EC2::VPCCidrBlock"),
    ("ec2/Vpc", "ipv6NetmaskLength", "AWS::EC2::VPCCidrBlock"),
    ("ec2/Vpc", "ipv6Pool", "AWS::EC2::VPCCidrBlock"),
    ("ec2/Vpc", "secondaryCidrBlocks", "AWS::EC2::VPCCidrBlock"),
    ("efs/FileSystem", "mountTargets", "AWS::EFS::MountTarget"),
    (
        "logs/LogGroup",
        "retentionPolicyName",
        "DescribeLogGroups tells it; a manifest that says it is refused",
    ),
    ("s3/Bucket", "policy", "AWS::S3::BucketPolicy"),
    ("sqs/Queue", "policy", "AWS::SQS::QueuePolicy"),
];

/// What CloudFormation calls create-only and we change another way.
const NOT_CREATE_ONLY: &[(&str, &str, &str)] = &[];

/// A list of CloudFormation's schema, by type, in the words of our specs.
fn cloudformation(facts: &Facts, list: &str) -> Vec<String> {
    let data: Value = serde_json::from_str(include_str!("../../data/cfn_properties.json")).unwrap();
    let listed = data["types"][facts.cloudformation][list].as_array();
    let listed = listed.unwrap_or_else(|| panic!("{}: not in tests/data", facts.cloudformation));
    let path = |path: &Value| path.as_str().unwrap().split('/').map(lowered).collect::<Vec<_>>().join(".");
    listed.iter().map(path).collect()
}

/// The first letter lowered, a leading acronym whole: `VpcId`, `AWSServiceName`.
fn lowered(property: &str) -> String {
    let capitals = property.chars().take_while(char::is_ascii_uppercase).count();
    let acronym = if capitals > 1 && capitals < property.len() { capitals - 1 } else { capitals };
    let (head, tail) = property.split_at(acronym);
    head.to_ascii_lowercase() + tail
}

fn listed(list: &[(&str, &str, &str)], kind: &str, field: &str) -> bool {
    list.iter().any(|(of, name, why)| *of == kind && *name == field && !why.is_empty())
}

#[test]
fn fields_are_called_what_cloudformation_calls_them() {
    let mut wrong = Vec::new();
    for facts in facts() {
        let fields: BTreeSet<&str> = facts.rules.fields.keys().map(String::as_str).collect();
        let properties = cloudformation(facts, "properties");
        for property in &properties {
            let left_out =
                property == "tags" || facts.not_managed.iter().any(|(name, _)| lowered(name) == *property);
            if fields.contains(property.as_str()) == left_out {
                let how = if left_out { "is a field, and listed as left out" } else { "is no field" };
                wrong.push(format!("{}: {property} {how}", facts.name));
            }
        }
        for field in fields {
            if properties.iter().any(|property| property == field) == listed(BEYOND, facts.name, field) {
                wrong.push(format!("{}: {field} is not CloudFormation's, or needlessly listed", facts.name));
            }
        }
    }
    for (kind, field, _) in BEYOND.iter().chain(NOT_CREATE_ONLY) {
        let known = kinds::kind(kind).map(|kind| {
            let facts = kind.facts();
            facts.rules.at(field).is_some()
                || cloudformation(facts, "properties").iter().any(|it| it == field)
        });
        if known != Some(true) {
            wrong.push(format!("{kind}: {field} is listed, and nobody has it"));
        }
    }
    none("names that are not CloudFormation's (D1)", &wrong);
}

#[test]
fn what_cloudformation_calls_create_only_is_create_only() {
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for facts in facts() {
        for path in cloudformation(facts, "createOnly") {
            let Some(rules) = facts.rules.at(&path.replace(".*", "[0]")) else { continue };
            *seen.entry(facts.name).or_default() += 1;
            // What AWS does not report back is never compared, so a change to it is never seen.
            let agrees = matches!(rules.change, ChangeRule::CreateOnly | ChangeRule::WriteOnly);
            if agrees == listed(NOT_CREATE_ONLY, facts.name, &path) {
                wrong.push(format!("{}: {path}: {:?}", facts.name, rules.change));
            }
        }
    }
    assert!(seen.len() >= 10, "hardly anything was compared: {seen:?}");
    none("not create-only, or needlessly listed", &wrong);
}
