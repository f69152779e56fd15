//! The role without which Batch can't delete an environment (P9, P10).

use serde_json::json;

use crate::kind::prelude::*;
use crate::kinds::iam::role::Role;

/// The role that Batch deletes an environment with, as far as Batch needs it for that: without it the environment gets stuck, and
/// Batch may not have found out yet that it is gone, and call it VALID. The service-linked role comes back by itself.
pub(super) fn service_role(arn: &str, place: &Place) -> Option<Scaffold> {
    let tail =
        arn.strip_prefix(&place.iam_arn("role/")).filter(|tail| !tail.starts_with("aws-service-role/"))?;
    let (path, name) = tail
        .rsplit_once('/')
        .map_or_else(|| ("/".to_owned(), tail), |(path, name)| (format!("/{path}/"), name));
    let partition = &place.partition;
    let want = json!({
        "description": "Made again so that AWS Batch can delete what needs it",
        "path": path,
        "maxSessionDuration": 3600,
        "assumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "batch.amazonaws.com" },
                "Action": "sts:AssumeRole",
            }],
        },
        "managedPolicyArns": [format!("arn:{partition}:iam::aws:policy/service-role/AWSBatchServiceRole")],
    });
    (!name.is_empty()).then(|| Scaffold { id: ResourceId::new(Role::NAME, name), arn: arn.to_owned(), want })
}
