//! A name or an ARN: when both denote the same.
//!
//! AWS takes either in many fields, and answers with the ARN in some of them, or with what was sent in others. What is declared
//! and what is reported are one as long as they denote one thing.

/// Whether two texts, each a name or an ARN, denote the same.
pub fn same(a: &str, b: &str) -> bool {
    match (is_arn(a), is_arn(b)) {
        (true, false) => names(a, b),
        (false, true) => names(b, a),
        (true, true) => a == b,
        (false, false) => plain(a) == plain(b),
    }
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

/// Roles with a path are named `/path/name` to Batch (API reference: CreateComputeEnvironment, `serviceRole`), parameters
/// with levels `/a/b`; neither ARN has the first slash twice.
fn plain(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

/// Whether an ARN is that of what has this name. A name is all that follows the type: of `parameter/a/b` it is `a/b`, not `b`.
fn names(arn: &str, name: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    let name = plain(name);
    if name.is_empty() {
        return false;
    }
    let after_type = resource.split_once(['/', ':']).map(|(_, rest)| rest);
    // Of roles and instance profiles there is one of each name, whatever its path (IAM user guide, "IAM identifiers").
    let last = resource.rsplit('/').next().filter(|_| service == "iam");
    // An alias is named with its type: `alias/images`.
    resource == name || after_type == Some(name) || last == Some(name)
}

#[cfg(test)]
mod tests {
    use super::same;

    /// The forms of one thing, as the API references of the services have them, and what looks alike and is another.
    #[test]
    fn forms_of_one_thing_are_one_and_of_two_things_are_two() {
        for (forms, others) in [
            // Batch, CreateJobQueue: "the compute environment's name or Amazon Resource Name".
            (
                &["arn:aws:batch:eu-west-1:111122223333:compute-environment/fargate", "fargate"][..],
                &[
                    "gate",
                    "arn:aws:batch:eu-west-1:111122223333:compute-environment/other",
                    "environment/fargate",
                ][..],
            ),
            // Batch, CreateComputeEnvironment `serviceRole`: "the full role ARN or prefix the role name with the path".
            (
                &["arn:aws:iam::111122223333:role/service/batch", "/service/batch", "service/batch"],
                &["/other/batch", "role", ""],
            ),
            (&["arn:aws:iam::111122223333:role/service/batch", "batch"], &["tch", "/other/batch"]),
            // Batch, ComputeResource `instanceRole`: "the short name or full Amazon Resource Name of an instance profile".
            (
                &["arn:aws-cn:iam::111122223333:instance-profile/instances", "instances"],
                &["instance-profile"],
            ),
            // ECR, EncryptionConfiguration; S3, ServerSideEncryptionByDefault: "key ID, key alias, or ARN".
            (
                &[
                    "arn:aws:kms:us-east-1:111111111111:key/06f453c6-0c05-4dda-ab38-e03bf25f96a3",
                    "06f453c6-0c05-4dda-ab38-e03bf25f96a3",
                ],
                &["alias/06f453c6-0c05-4dda-ab38-e03bf25f96a3", "e03bf25f96a3"],
            ),
            (
                &["arn:aws:kms:us-east-1:111111111111:alias/team/images", "alias/team/images"],
                &["alias/other/images", "alias/images", "images"],
            ),
            // Batch, Secret `valueFrom`: "the full ARN or name of the parameter".
            (
                &["arn:aws:ssm:us-east-1:111111111111:parameter/payments/key", "/payments/key"],
                &["/other/key", "key"],
            ),
            (&["arn:aws:ssm:us-east-1:111111111111:parameter/key", "key"], &["ey"]),
        ] {
            for (i, a) in forms.iter().enumerate() {
                for b in forms {
                    assert!(same(a, b) && same(b, a), "{a} {b}");
                }
                for b in others {
                    assert!(!same(a, b) && !same(b, a), "{i}: {a} {b}");
                }
            }
        }
    }
}
