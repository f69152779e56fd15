//! The shape of policy documents: what AWS would refuse, told before it is asked.

use serde_json::{Map, Value};

use super::{condition, elements, language, principal};
use crate::kind::prelude::*;
use crate::value::{policy, reference};

/// What a document is attached to: it decides what a statement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kinds) enum Attached {
    /// To an identity: a principal is implied, and must not be named.
    Identity,
    /// To a role, saying who may assume it: a principal must be named, a resource must not.
    Trust,
    /// To a bucket of S3: principals and resources are named.
    Bucket,
    /// To a repository of ECR: a principal must be named, a resource must not.
    Repository,
    /// To a queue of SQS: principals and resources are named.
    Queue,
    /// To an endpoint of a VPC: principals and resources are named, of whichever service it leads to.
    Endpoint,
    /// To a file system of EFS: a principal must be named; the resource is the file system, named or not.
    FileSystem,
}

impl Attached {
    /// Whether IAM keeps the document, whose rules for texts are stricter than those of the services.
    pub(super) fn is_iams(self) -> bool {
        matches!(self, Self::Identity | Self::Trust)
    }

    /// Why a statement names no resource, if it does not.
    fn without_resource(self) -> Option<&'static str> {
        match self {
            Self::Trust => {
                Some("has no place in a trust policy, whose resource is the role itself: remove it")
            }
            Self::Repository => {
                Some("has no place in a repository's policy, which is for this repository alone: remove it")
            }
            Self::Identity | Self::Bucket | Self::Queue | Self::Endpoint | Self::FileSystem => None,
        }
    }
}

const STATEMENT: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// How many characters of a document IAM counts: all but white space. `None` while it holds references.
pub(in crate::kinds) fn size(policy: &Policy) -> Option<usize> {
    (!reference::is_unknown(&policy.0)).then(|| policy.text().chars().filter(|c| !c.is_whitespace()).count())
}

/// Complains if a document is larger than `most` characters.
pub(in crate::kinds) fn too_large(path: &str, policy: &Policy, most: usize, found: &mut Vec<Invalid>) {
    if let Some(size) = size(policy).filter(|size| *size > most) {
        let message = format!(
            "has {size} characters without white space; IAM takes {most}: split it, or use wildcards"
        );
        found.push(Invalid::new(path, message));
    }
}

/// What AWS would refuse in a document
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>).
pub(in crate::kinds) fn check(path: &str, policy: &Policy, attached: Attached, found: &mut Vec<Invalid>) {
    let document = match &policy.0 {
        Value::Object(document) => document,
        other => {
            let fault = other.as_str().and_then(policy::fault);
            let message = fault.unwrap_or_else(|| {
                "is not a policy document: expected an object with Version and Statement".to_owned()
            });
            found.push(Invalid::new(path, message));
            return;
        }
    };
    known(path, document, &["Version", "Id", "Statement"], found);
    if attached.is_iams() {
        language::characters(path, policy, found);
    }
    match document.get("Version").map(Value::as_str) {
        Some(Some("2012-10-17" | "2008-10-17")) => {}
        Some(_) => found.push(Invalid::new(
            format!("{path}.Version"),
            "is not a version of the policy language: write \"2012-10-17\"",
        )),
        // AWS takes it for 2008-10-17.
        None => {}
    }
    if document.get("Id").is_some_and(|id| !id.is_string()) {
        found.push(Invalid::new(format!("{path}.Id"), "is no text: write it in quotes"));
    }
    language::sids(path, policy, attached, found);
    match document.get("Statement") {
        Some(Value::Array(statements)) if statements.is_empty() => {
            found.push(Invalid::new(
                format!("{path}.Statement"),
                "is empty: a policy says at least one thing",
            ));
        }
        Some(_) => {
            for (path, one) in statements(path, policy) {
                statement(&path, one, attached, found);
            }
        }
        None => found.push(Invalid::new(path, "has no Statement: add one with Effect and Action")),
    }
}

/// Complains about a managed policy in the older version of the language, which IAM takes of other documents only
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>).
pub(in crate::kinds) fn of_newer_version(path: &str, policy: &Policy, found: &mut Vec<Invalid>) {
    let Value::Object(document) = &policy.0 else { return };
    match document.get("Version").and_then(Value::as_str) {
        None if !document.contains_key("Version") => found.push(Invalid::new(
            path,
            "has no Version, and so means 2008-10-17, which IAM takes in no managed policy: add `Version: \"2012-10-17\"`",
        )),
        Some("2008-10-17") => found.push(Invalid::new(
            format!("{path}.Version"),
            "is older than IAM takes in managed policies: write \"2012-10-17\"",
        )),
        _ => {}
    }
}

fn statement(path: &str, statement: &Value, attached: Attached, found: &mut Vec<Invalid>) {
    let Value::Object(fields) = statement else {
        found.push(Invalid::new(path, "is not a statement: expected an object with Effect and Action"));
        return;
    };
    known(path, fields, STATEMENT, found);
    match fields.get("Effect").map(Value::as_str) {
        Some(Some("Allow" | "Deny")) => {}
        Some(Some(reference)) if reference.contains("${") => {}
        Some(_) => found.push(Invalid::new(format!("{path}.Effect"), "is neither `Allow` nor `Deny`")),
        None => found.push(Invalid::new(path, "has no Effect: add `Effect: Allow`")),
    }
    one_of(path, fields, "Action", "NotAction", found);
    match attached.without_resource() {
        // EFS names its own where none is named.
        None if attached == Attached::FileSystem && !fields.contains_key("NotResource") => {}
        None => one_of(path, fields, "Resource", "NotResource", found),
        Some(why) => {
            for field in ["Resource", "NotResource"].into_iter().filter(|field| fields.contains_key(*field)) {
                found.push(Invalid::new(format!("{path}.{field}"), why));
            }
        }
    }
    match attached {
        Attached::Identity => {
            for field in ["Principal", "NotPrincipal"].into_iter().filter(|field| fields.contains_key(*field))
            {
                let message =
                    "has no place in an identity's policy, which speaks of whom it is attached to: remove it";
                found.push(Invalid::new(format!("{path}.{field}"), message));
            }
        }
        Attached::Trust => principal::of_trust(path, fields, found),
        Attached::Bucket
        | Attached::Repository
        | Attached::Queue
        | Attached::Endpoint
        | Attached::FileSystem => {
            one_of(path, fields, "Principal", "NotPrincipal", found);
            principal::check(path, fields, found);
        }
    }
    elements::check(path, fields, attached, found);
    condition::check(path, fields, found);
}

/// Each statement with its place, whether there is a list of them or a single one.
pub(in crate::kinds) fn statements<'p>(path: &str, policy: &'p Policy) -> Vec<(String, &'p Value)> {
    policy.0.get("Statement").map(|it| items(&format!("{path}.Statement"), it)).unwrap_or_default()
}

/// The same of any element.
pub(in crate::kinds) fn items<'p>(path: &str, value: &'p Value) -> Vec<(String, &'p Value)> {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, it)| (format!("{path}[{index}]"), it)).collect()
        }
        one => vec![(path.to_owned(), one)],
    }
}

fn one_of(path: &str, fields: &Map<String, Value>, one: &str, other: &str, found: &mut Vec<Invalid>) {
    match (fields.contains_key(one), fields.contains_key(other)) {
        (false, false) => found.push(Invalid::new(path, format!("has no {one}: add one"))),
        (true, true) => {
            found.push(Invalid::new(path, format!("has both {one} and {other}: AWS takes one of the two")));
        }
        _ => {}
    }
}

/// Complains about fields that the policy language does not have, with the one that was perhaps meant.
pub(super) fn known(path: &str, fields: &Map<String, Value>, names: &[&str], found: &mut Vec<Invalid>) {
    for field in fields.keys().filter(|field| !names.contains(&field.as_str()) && !field.contains("${")) {
        let near = |name: &&&str| strsim::damerau_levenshtein(&name.to_lowercase(), &field.to_lowercase());
        let hint = match names.iter().min_by_key(near).filter(|name| near(name) <= 2) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("expected one of {}", names.join(", ")),
        };
        found.push(Invalid::new(
            format!("{path}.{field}"),
            format!("is not a field of the policy language; {hint}"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Attached, check};
    use crate::value::Policy;

    fn complaints(document: serde_json::Value, attached: Attached) -> String {
        let mut found = Vec::new();
        check("doc", &Policy(document), attached, &mut found);
        found.iter().map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect()
    }

    #[test]
    fn good_documents_pass() {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Action": ["s3:*", "*"],
            "Resource": "${s3/Bucket/source.arn}/${aws:username}", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]});
        assert_eq!(complaints(policy, Attached::Identity), "");
        let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": ["ecs-tasks.amazonaws.com"]}}});
        assert_eq!(complaints(trust, Attached::Trust), "");
    }

    /// Examples of the user guides of S3, ECR and VPC.
    #[test]
    fn good_documents_of_resources_pass() {
        let bucket = json!({"Version": "2012-10-17", "Id": "http referer policy", "Statement": [
            {"Sid": "Allow get requests originating from www.example.com", "Effect": "Allow", "Principal": "*",
             "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": "arn:aws:s3:::amzn-s3-demo-bucket/*",
             "Condition": {"StringLike": {"aws:Referer": ["http://www.example.com/*"]}}},
            {"Effect": "Allow", "Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
             "Action": "s3:*", "Resource": "*"}]});
        assert_eq!(complaints(bucket, Attached::Bucket), "");
        let repository = json!({"Version": "2008-10-17", "Statement": [
            {"Sid": "new statement", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root", "Service": "codebuild.amazonaws.com"},
             "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:codebuild:us-east-1:1:project/p"}}}]});
        assert_eq!(complaints(repository, Attached::Repository), "");
        let endpoint = json!({"Statement": [
            {"Sid": "Access-to-specific-bucket-only", "Principal": "*", "Action": ["s3:GetObject"], "Effect": "Allow",
             "Resource": ["arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"]},
            {"Principal": {"AWS": "*"}, "Action": "*", "Effect": "Allow", "Resource": "*",
             "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}]});
        assert_eq!(complaints(endpoint, Attached::Endpoint), "");
    }

    #[test]
    fn a_text_that_is_no_json_is_told_where_it_breaks() {
        let text = |text: &str| complaints(json!(text), Attached::Identity);
        insta::assert_snapshot!(text("{\"Statement\": [\n  {\"Resource\": \"${aws:username}\"},\n]}"), @"doc: is no JSON: trailing comma at line 3 column 1");
        // Variables are replaced by now, and no output of a resource is a document.
        insta::assert_snapshot!(text("${iam/Role/a.arn}"), @"doc: is not a policy document: expected an object with Version and Statement");
    }

    #[test]
    fn every_mistake_is_told_with_what_mends_it() {
        let policy = json!({"Version": "2012-10-18", "Statements": [], "Statement": [
            {"Effect": "allow", "Actions": "s3:GetObject", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "GetObject", "NotAction": "s3:*", "Condition": "x"},
            "Allow"]});
        insta::assert_snapshot!(complaints(policy, Attached::Identity), @r#"
doc.Statements: is not a field of the policy language; did you mean `Statement`?
doc.Version: is not a version of the policy language: write "2012-10-17"
doc.Statement[0].Actions: is not a field of the policy language; did you mean `Action`?
doc.Statement[0].Effect: is neither `Allow` nor `Deny`
doc.Statement[0]: has no Action: add one
doc.Statement[0].Principal: has no place in an identity's policy, which speaks of whom it is attached to: remove it
doc.Statement[1]: has both Action and NotAction: AWS takes one of the two
doc.Statement[1]: has no Resource: add one
doc.Statement[1].Action: `GetObject` is not an action: expected `<service>:<Operation>`, such as `s3:GetObject`
doc.Statement[1].Condition: is not a condition: expected {<operator>: {<key>: <value>}}
doc.Statement[2]: is not a statement: expected an object with Effect and Action
"#);
        let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Services": "batch.amazonaws.com"}}]});
        insta::assert_snapshot!(complaints(trust, Attached::Trust), @r#"
doc.Statement[0].Resource: has no place in a trust policy, whose resource is the role itself: remove it
doc.Statement[0]: has no Principal: add one
doc.Statement[1].Principal.Services: is not a field of the policy language; did you mean `Service`?
"#);
        let words = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {
            "Bool": {"aws:SecureTransport": "no", "aws:ViaAWSService": [true, "False"]}, "StringEquals": {"aws:RequestTag/backup": "no"}}}});
        insta::assert_snapshot!(complaints(words, Attached::Identity), @r#"doc.Statement.Condition.Bool["aws:SecureTransport"]: `no` is neither true nor false, so that the condition is never met: write `true` or `false`"#);
        insta::assert_snapshot!(complaints(json!([]), Attached::Trust), @r#"doc: is not a policy document: expected an object with Version and Statement"#);
    }
}
