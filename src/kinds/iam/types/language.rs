//! What IAM's parser refuses of statements beyond their fields: MalformedPolicyDocument, as its messages name it (IAM user guide,
//! "IAM JSON policy elements reference").

use crate::kind::prelude::*;
use std::collections::BTreeSet;

use super::document::{Attached, statements};

/// "The policy contains invalid characters": `policyDocumentType` takes Latin-1 and no control characters.
pub(super) fn characters(path: &str, policy: &Policy, found: &mut Vec<Invalid>) {
    let is_taken = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if let Some(bad) = policy.text().chars().find(|&c| !is_taken(c)) {
        let message = format!("holds {bad:?}: IAM takes the characters of ASCII and Latin-1 in policies");
        found.push(Invalid::new(path, message));
    }
}

/// "Statement IDs (SID) in a single policy must be unique", and of IAM's "must be alpha-numeric"; S3 and EC2 take other characters
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html>).
pub(super) fn sids(path: &str, policy: &Policy, attached: Attached, found: &mut Vec<Invalid>) {
    let mut seen = BTreeSet::new();
    for (path, statement) in statements(path, policy) {
        let Some(sid) = statement.get("Sid") else { continue };
        let path = format!("{path}.Sid");
        match sid.as_str() {
            None => found.push(Invalid::new(path, "is no text: write it in quotes")),
            Some(sid) if sid.contains("${") => {}
            Some(sid) if attached.is_iams() && !sid.chars().all(|c| c.is_ascii_alphanumeric()) => {
                found.push(Invalid::new(path, format!("is {sid:?}: IAM takes letters and digits in it")));
            }
            Some(sid) if !sid.is_empty() && !seen.insert(sid) => {
                found.push(Invalid::new(path, format!("is `{sid}`, which names another statement already")));
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::document::{Attached, check};
    use crate::value::Policy;

    fn complaints(statements: serde_json::Value, attached: Attached) -> String {
        let mut found = Vec::new();
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        check("doc", &Policy(document), attached, &mut found);
        found.iter().map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect()
    }

    #[test]
    fn what_iam_takes_passes() {
        let statements = json!([
            {"Sid": "One", "Effect": "Allow", "Action": "s3:*", "Resource": ["*", "${s3/Bucket/a.arn}/*", "arn:aws:s3:::b/${aws:username}/*"],
             "Condition": {"ForAllValues:StringEqualsIfExists": {"aws:TagKeys": ["a"]}, "Null": {"aws:TokenIssueTime": "true"},
                           "StringLike": {"${env}": "x"}, "bool": {"aws:SecureTransport": true}}},
            {"Sid": "", "Effect": "Deny", "NotAction": "iam:*", "NotResource": "arn:aws:iam::*:role/ä"},
            {"Sid": "", "Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}
        ]);
        assert_eq!(complaints(statements, Attached::Identity), "");
        let trust = json!([{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:tagSession"]}]);
        assert_eq!(complaints(trust, Attached::Trust), "");
    }

    #[test]
    fn what_it_refuses_is_told_at_its_place() {
        let statements = json!([
            {"Sid": "read all", "Effect": "Allow", "Action": "s3:*", "Resource": ["bucket/*", "arn:aws:s3:::日"]},
            {"Sid": "A1", "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEqual": {"SourceArn": "x"}, "Bool": true}},
            {"Sid": "A1", "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Foo": {"aws:x": "y"}}}
        ]);
        insta::assert_snapshot!(complaints(statements, Attached::Identity), @r#"
doc: holds '日': IAM takes the characters of ASCII and Latin-1 in policies
doc.Statement[0].Sid: is "read all": IAM takes letters and digits in it
doc.Statement[2].Sid: is `A1`, which names another statement already
doc.Statement[0].Resource[0]: `bucket/*` is no ARN: expected one, or `*`
doc.Statement[1].Condition.Bool: holds no keys: expected {<key>: <value>}
doc.Statement[1].Condition.StringEqual: is no operator of a condition; did you mean `StringEquals`?
doc.Statement[1].Condition.StringEqual: `SourceArn` is no key of a condition: expected one such as aws:SourceArn
doc.Statement[2].Condition.Foo: is no operator of a condition; did you mean `Bool`?
"#);
        let trust = json!([{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "s3:*", "*"]}]);
        insta::assert_snapshot!(complaints(trust, Attached::Trust), @r#"
doc.Statement[0].Action[1]: `s3:*` has no place in a trust policy: expected `sts:AssumeRole`
doc.Statement[0].Action[2]: `*` has no place in a trust policy: expected `sts:AssumeRole`
"#);
    }
}
