//! What S3 refuses of a bucket's policy: MalformedPolicy, as its messages name it (API reference: PutBucketPolicy).

use serde_json::Value;

use super::Bucket;
use super::access::PublicAccessBlock;
use crate::kind::{Beside, Invalid};
use crate::kinds::iam::types::{document, principal};
use crate::value::Policy;
use crate::value::reference::{Reference, references};

const NEEDED: &[&[&str]] =
    &[&["Effect"], &["Principal", "NotPrincipal"], &["Action", "NotAction"], &["Resource", "NotResource"]];

/// A bucket policy holds at most this many bytes.
const LONGEST_POLICY: usize = 20 * 1024;

pub(super) fn check(policy: &Policy, block: &PublicAccessBlock, found: &mut Vec<Invalid>) {
    let statements = match policy.0.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => {
            let what = "not a policy document: expected an object with `Version` and `Statement`";
            found.push(Invalid::new("policy", what));
            return;
        }
    };
    let size = policy.text().len();
    if size > LONGEST_POLICY {
        found.push(Invalid::new("policy", format!("{size} bytes, but S3 takes at most {LONGEST_POLICY}")));
    }
    document::booleans("policy", policy, found);
    principal::check("policy", policy, found);
    for (index, one) in statements.into_iter().enumerate() {
        statement(&format!("policy.Statement[{index}]"), one, block, found);
    }
}

fn statement(path: &str, statement: &Value, block: &PublicAccessBlock, found: &mut Vec<Invalid>) {
    for names in NEEDED {
        if !names.iter().any(|name| statement.get(name).is_some()) {
            let what =
                format!("lacks {}, which every statement of a bucket policy needs", names.join(" or "));
            found.push(Invalid::new(path, what));
        }
    }
    let effect = statement.get("Effect").and_then(Value::as_str);
    if let Some(wrong) = effect.filter(|it| !matches!(*it, "Allow" | "Deny") && !it.contains("${")) {
        let what = format!("`{wrong}` is neither `Allow` nor `Deny`");
        found.push(Invalid::new(format!("{path}.Effect"), what));
    }
    // "Policy has invalid action."
    for action in ["Action", "NotAction"].into_iter().flat_map(|field| document::texts(statement.get(field)))
    {
        if action != "*" && !action.contains("${") && !action.to_lowercase().starts_with("s3:") {
            let what = format!("`{action}` is none of S3's actions, and a bucket policy has no others");
            found.push(Invalid::new(path, what));
        }
    }
    if block.block_public_policy && is_public(statement) {
        let what = "allows everybody, which publicAccessBlockConfiguration.blockPublicPolicy refuses; \
                    name the principals, or add a Condition that narrows it down";
        found.push(Invalid::new(path, what));
    }
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
            for text in document::texts(statement.get(field)) {
                if let Some(what) = of_another(text, own, beside) {
                    found.push(Invalid::new(format!("{path}.{field}"), what));
                }
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
        None if text == "*" || text.contains("${") => return None,
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
