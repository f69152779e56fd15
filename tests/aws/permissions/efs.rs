//! What EFS's requests need: each is about the file system or the access point that it names, and a condition on tags holds of that.

use batchwright::resource::{Desired, OWNER_TAG};
use serde_json::Value;

use super::authorization::{actions_of, form, types};
use super::calls::{Need, filled};
use super::sending::Sent;

/// By the method and the last word of the path that is no id: <https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html>.
const OPERATIONS: &[(&str, &str, &str)] = &[
    ("DELETE", "access-points", "DeleteAccessPoint"),
    ("DELETE", "file-systems", "DeleteFileSystem"),
    ("DELETE", "mount-targets", "DeleteMountTarget"),
    ("DELETE", "policy", "DeleteFileSystemPolicy"),
    ("DELETE", "replication-configuration", "DeleteReplicationConfiguration"),
    ("DELETE", "resource-tags", "UntagResource"),
    ("GET", "access-points", "DescribeAccessPoints"),
    ("GET", "backup-policy", "DescribeBackupPolicy"),
    ("GET", "file-systems", "DescribeFileSystems"),
    ("GET", "lifecycle-configuration", "DescribeLifecycleConfiguration"),
    ("GET", "mount-targets", "DescribeMountTargets"),
    ("GET", "policy", "DescribeFileSystemPolicy"),
    ("GET", "replication-configurations", "DescribeReplicationConfigurations"),
    ("GET", "security-groups", "DescribeMountTargetSecurityGroups"),
    ("POST", "access-points", "CreateAccessPoint"),
    ("POST", "file-systems", "CreateFileSystem"),
    ("POST", "mount-targets", "CreateMountTarget"),
    ("POST", "replication-configuration", "CreateReplicationConfiguration"),
    ("POST", "resource-tags", "TagResource"),
    ("PUT", "backup-policy", "PutBackupPolicy"),
    ("PUT", "file-systems", "UpdateFileSystem"),
    ("PUT", "lifecycle-configuration", "PutLifecycleConfiguration"),
    ("PUT", "policy", "PutFileSystemPolicy"),
    ("PUT", "protection", "UpdateFileSystemProtection"),
    ("PUT", "security-groups", "ModifyMountTargetSecurityGroups"),
];

/// What is made with the rights of whoever calls: the operation, the action, on what, who says so.
pub const OF_EC2: &[(&str, &str, &str, &str)] = &[
    ("CreateMountTarget", "ec2:CreateNetworkInterface", "network-interface/eni-1", MOUNT),
    ("CreateMountTarget", "ec2:CreateNetworkInterface", "security-group/sg-1", MOUNT),
    ("CreateMountTarget", "ec2:CreateNetworkInterface", "subnet/subnet-1", MOUNT),
    ("CreateMountTarget", "ec2:DescribeNetworkInterfaces", "", MOUNT),
    ("CreateMountTarget", "ec2:DescribeSubnets", "", MOUNT),
    ("DeleteMountTarget", "ec2:DeleteNetworkInterface", "network-interface/eni-1", UNMOUNT),
    ("DescribeMountTargetSecurityGroups", "ec2:DescribeNetworkInterfaceAttribute", "", GROUPS),
    (
        "ModifyMountTargetSecurityGroups",
        "ec2:ModifyNetworkInterfaceAttribute",
        "network-interface/eni-1",
        MODIFY,
    ),
];
const MOUNT: &str = "https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html";
const UNMOUNT: &str = "https://docs.aws.amazon.com/efs/latest/ug/API_DeleteMountTarget.html";
const GROUPS: &str = "https://docs.aws.amazon.com/efs/latest/ug/API_DescribeMountTargetSecurityGroups.html";
const MODIFY: &str = "https://docs.aws.amazon.com/efs/latest/ug/API_ModifyMountTargetSecurityGroups.html";

/// The role that EFS makes for itself with the first mount target:
/// <https://docs.aws.amazon.com/efs/latest/ug/using-service-linked-roles.html>.
const ROLE: &str =
    "role/aws-service-role/elasticfilesystem.amazonaws.com/AWSServiceRoleForAmazonElasticFileSystem";

pub fn needs(sent: &Sent, desired: &Desired) -> Vec<Need> {
    let (place, owner) = (&desired.place, desired.owner.to_string());
    let words: Vec<String> = sent.path.split(['/', '?']).map(str::to_owned).collect();
    let known = |word: &&String| OPERATIONS.iter().any(|it| it.1 == **word);
    let end = words.iter().rev().find(known).unwrap_or_else(|| panic!("what is {}?", sent.path));
    let operation = OPERATIONS.iter().find(|it| it.0 == sent.method && it.1 == *end);
    let (.., operation) = operation.unwrap_or_else(|| panic!("what is {} {}?", sent.method, sent.path));
    let [action]: [String; 1] =
        actions_of("elasticfilesystem", operation).unwrap_or_default().try_into().unwrap();
    let said: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
    let written = said["Tags"].as_array().is_some_and(|it| it.iter().any(|it| it["Value"] == owner.as_str()));
    let asked = sent.query.iter().filter(|(key, _)| key.ends_with("Id")).map(|(_, value)| value.as_str());
    let ids = words.iter().map(String::as_str).chain(said["FileSystemId"].as_str()).chain(asked);
    let arn = |id: &str| match id {
        _ if id.starts_with("fs-") => Some(place.arn("elasticfilesystem", &format!("file-system/{id}"))),
        _ if id.starts_with("fsap-") => Some(place.arn("elasticfilesystem", &format!("access-point/{id}"))),
        // A mount target is a part of some file system.
        _ if id.starts_with("fsmt-") => Some(filled(form("file-system", "elasticfilesystem"), place)),
        _ => None,
    };
    // All that these tests declare is ours, and carries our tag.
    let ours = |need: Need| need.with(&format!("aws:ResourceTag/{OWNER_TAG}"), &owner);
    let with_tags = |need: Need| match written {
        true => need.with(&format!("aws:RequestTag/{OWNER_TAG}"), &owner),
        false => need,
    };
    let mut needs: Vec<Need> =
        ids.filter_map(arn).map(|arn| with_tags(ours(Need::of(&action, arn)))).collect();
    if needs.is_empty() {
        assert!(types(&action).is_empty() || sent.method == "GET", "{operation} names nothing");
        needs.push(with_tags(Need::of(&action, "*")));
    }
    if let Some(of) = made(operation).filter(|_| !said["Tags"].is_null()) {
        let need = Need::of("elasticfilesystem:TagResource", filled(form(of, "elasticfilesystem"), place));
        needs.push(with_tags(need.with("elasticfilesystem:CreateAction", operation)));
    }
    for (_, action, on, _) in OF_EC2.iter().filter(|it| it.0 == *operation) {
        needs.push(Need::of(action, if on.is_empty() { "*".to_owned() } else { place.arn("ec2", on) }));
    }
    if *operation == "CreateMountTarget" {
        let need = Need::of("iam:CreateServiceLinkedRole", place.iam_arn(ROLE));
        needs.push(need.with("iam:AWSServiceName", "elasticfilesystem.amazonaws.com"));
    }
    needs
}

/// What an operation makes and tags.
fn made(operation: &str) -> Option<&'static str> {
    match operation {
        "CreateFileSystem" => Some("file-system"),
        "CreateAccessPoint" => Some("access-point"),
        _ => None,
    }
}
