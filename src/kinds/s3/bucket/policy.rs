//! What S3 refuses of a bucket's policy: MalformedPolicy, as its messages name it (API reference: PutBucketPolicy).

use serde_json::Value;

use super::Bucket;
use super::access::PublicAccessBlock;
use crate::kind::prelude::*;
use crate::kinds::iam::types::document::{self, Attached};
use crate::value::reference::{self, Reference, references};

/// A bucket policy holds at most this many bytes.
const LONGEST_POLICY: usize = 20 * 1024;

pub(super) fn check(policy: &Policy, block: &PublicAccessBlock, found: &mut Vec<Invalid>) {
    document::check("policy", policy, Attached::Bucket, found);
    let size = policy.text().len();
    if size > LONGEST_POLICY {
        found.push(Invalid::new("policy", format!("{size} bytes, but S3 takes at most {LONGEST_POLICY}")));
    }
    for (path, statement) in document::statements("policy", policy) {
        applies(&path, statement, found);
        if block.block_public_policy && is_public(statement) {
            let what = "allows everybody, which publicAccessBlockConfiguration.blockPublicPolicy refuses; \
                        name the principals, or add a Condition that narrows it down";
            found.push(Invalid::new(path, what));
        }
    }
}

/// What an action is done to, or a resource stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Bucket,
    Objects,
}

/// "Action does not apply to any resource(s) in statement."
fn applies(path: &str, statement: &Value, found: &mut Vec<Invalid>) {
    let texts = |field: &str| {
        let items = statement.get(field).map(|it| document::items(&format!("{path}.{field}"), it));
        items.unwrap_or_default().into_iter().filter_map(|(path, it)| Some((path, it.as_str()?)))
    };
    // Of what may be both or neither nothing is said.
    let Some(named) = texts("Resource").map(|(_, text)| named(text)).collect::<Option<Vec<Of>>>() else {
        return;
    };
    for (path, action) in texts("Action") {
        let what = match done_to(action) {
            Some(of) if named.is_empty() || named.contains(&of) => continue,
            Some(Of::Objects) => "objects, and Resource names the bucket alone: add `<its ARN>/*` there",
            Some(Of::Bucket) => "the bucket, and Resource names objects alone: add its ARN there",
            None => continue,
        };
        found.push(Invalid::new(path, format!("`{action}` is done to {what}")));
    }
}

/// What an action of S3 is done to, by its name; nothing of those with wildcards.
fn done_to(action: &str) -> Option<Of> {
    const OBJECTS: &[&str] = &[
        "abortmultipartupload",
        "bypassgovernanceretention",
        "listmultipartuploadparts",
        "replicatedelete",
        "replicatetags",
    ];
    let action = action.to_ascii_lowercase();
    let name = action.strip_prefix("s3:").filter(|name| !name.contains(['*', '?', '$']))?;
    if OBJECTS.contains(&name) {
        return Some(Of::Objects);
    }
    if name.contains("objectlambda") || name.contains("allmybuckets") {
        return None;
    }
    match (name.contains("bucketobject"), name.contains("object"), name.contains("bucket")) {
        (false, true, _) => Some(Of::Objects),
        (true, ..) | (_, _, true) => Some(Of::Bucket),
        _ => None,
    }
}

/// What a resource stands for, if it surely is one of the two.
fn named(text: &str) -> Option<Of> {
    let plain = reference::replace(text, &|_| Some("x".to_owned()));
    let unsure = plain == "*" || (!plain.contains('/') && plain.contains(['*', '?', '$']));
    let of = if plain.contains('/') { Of::Objects } else { Of::Bucket };
    (!unsure).then_some(of)
}

/// Whether a statement surely counts as public: anybody may, on no condition.
fn is_public(statement: &Value) -> bool {
    let star = |value: &Value| match value {
        Value::Array(items) => items.iter().any(|item| item == "*"),
        one => one == "*",
    };
    let principal = statement.get("Principal");
    let anybody = principal.is_some_and(|p| star(p) || p.get("AWS").is_some_and(star));
    anybody && statement.get("Effect").is_some_and(|e| e == "Allow") && statement.get("Condition").is_none()
}

/// "Policy has invalid resource": what is none of this bucket.
pub(super) fn of_others(policy: &Policy, own: Option<&str>, beside: &Beside<'_>) -> Vec<Invalid> {
    let mut found = Vec::new();
    for (path, statement) in document::statements("policy", policy) {
        for field in ["Resource", "NotResource"] {
            let items = statement.get(field).map(|it| document::items(&format!("{path}.{field}"), it));
            for (path, text) in items.into_iter().flatten() {
                let what = text.as_str().and_then(|text| of_another(text, own, beside));
                found.extend(what.map(|what| Invalid::new(path, what)));
            }
        }
    }
    found
}

fn of_another(text: &str, own: Option<&str>, beside: &Beside<'_>) -> Option<String> {
    let named = match references(text).first() {
        Some(Reference::Output { id, .. }) if id.kind == <Bucket as crate::kind::Kind>::NAME => {
            beside.get(id)?.physical
        }
        Some(_) => return None,
        None if text.contains("${") || !text.starts_with("arn:") => return None,
        None => {
            let Some(named) = text.strip_prefix("arn:").and_then(|arn| arn.split_once(":s3:::")) else {
                return Some(format!(
                    "`{text}` is no ARN of a bucket or of what is in one: expected such as `arn:aws:s3:::bucket/*`"
                ));
            };
            named.1.split('/').next().filter(|name| !name.contains(['*', '?']))?
        }
    };
    let own = own?;
    (named != own)
        .then(|| format!("`{text}` is of the bucket {named}, and a policy speaks of its own alone: {own}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(action: &str, resource: &Value) -> usize {
        let mut found = Vec::new();
        applies("s", &json!({"Action": action, "Resource": resource}), &mut found);
        found.len()
    }

    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>, as a package carries it.
    #[test]
    fn actions_are_done_to_what_aws_says() {
        let table = include_str!("../../../../tests/data/service_authorization.json");
        let table: Value = serde_json::from_str(table).unwrap();
        let actions = table["services"]["s3"]["actions"].as_object().unwrap();
        assert!(actions.len() > 100);
        for (name, action) in actions {
            let of = |kind: &str| {
                ["required", "optional"]
                    .iter()
                    .any(|it| action[it].as_array().is_some_and(|it| it.iter().any(|it| it == kind)))
            };
            match done_to(&format!("s3:{name}")) {
                Some(Of::Objects) => assert!(of("object"), "{name}"),
                Some(Of::Bucket) => assert!(of("bucket"), "{name}"),
                None => {}
            }
        }
        for name in ["GetObject", "PutObjectAcl", "DeleteObjectVersion"] {
            assert!(done_to(&format!("s3:{name}")) == Some(Of::Objects), "{name}");
        }
        assert!(done_to("s3:ListBucket") == Some(Of::Bucket));
    }

    #[test]
    fn an_action_has_a_resource_that_it_is_done_to() {
        let (bucket, objects) = (json!("arn:aws:s3:::b"), json!("${s3/Bucket/b.arn}/*"));
        for (action, resource, count) in [
            ("s3:GetObject", &bucket, 1),
            ("s3:GetObject", &json!("${s3/Bucket/b.arn}"), 1),
            ("s3:ListBucket", &objects, 1),
            ("s3:GetObject", &objects, 0),
            ("s3:GetObject", &json!([bucket, objects]), 0),
            ("s3:ListBucket", &bucket, 0),
            ("s3:*", &bucket, 0),
            ("s3:GetObject", &json!("*"), 0),
            ("s3:GetObject", &json!("arn:aws:s3:::b*"), 0),
            ("s3:GetObject", &json!("arn:aws:s3:::${var.b}"), 0),
        ] {
            assert_eq!(said(action, resource), count, "{action} of {resource}");
        }
    }
}
