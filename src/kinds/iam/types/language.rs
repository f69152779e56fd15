//! What IAM's parser refuses of statements beyond their fields: MalformedPolicyDocument, as its messages name it (IAM user guide,
//! "IAM JSON policy elements reference").

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::{Attached, statements, texts};
use crate::kind::Invalid;
use crate::value::Policy;

/// Operators of conditions; each may begin with `ForAllValues:` or `ForAnyValue:` and end with `IfExists`.
const OPERATORS: &[&str] = &[
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

/// "The policy contains invalid characters": `policyDocumentType` takes Latin-1 and no control characters.
pub(super) fn characters(path: &str, policy: &Policy, found: &mut Vec<Invalid>) {
    let is_taken = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if let Some(bad) = policy.text().chars().find(|&c| !is_taken(c)) {
        let message = format!("holds {bad:?}: IAM takes the characters of ASCII and Latin-1 in policies");
        found.push(Invalid::new(path, message));
    }
}

/// "Statement IDs (SID) in a single policy must be unique", and "must be alpha-numeric".
pub(super) fn sids(path: &str, policy: &Policy, found: &mut Vec<Invalid>) {
    let mut seen = BTreeSet::new();
    for (path, statement) in statements(path, policy) {
        let path = format!("{path}.Sid");
        let Some(sid) = statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.contains("${")) else {
            continue;
        };
        if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
            found.push(Invalid::new(path, format!("is {sid:?}: IAM takes letters and digits in it")));
        } else if !sid.is_empty() && !seen.insert(sid) {
            found.push(Invalid::new(path, format!("is `{sid}`, which names another statement already")));
        }
    }
}

/// What a statement speaks of.
pub(super) fn statement(
    path: &str,
    fields: &Map<String, Value>,
    attached: Attached,
    found: &mut Vec<Invalid>,
) {
    // "Resource … must be in ARN format or "*"."
    for field in ["Resource", "NotResource"] {
        for text in texts(fields.get(field)) {
            if text != "*" && !text.starts_with("arn:") && !text.starts_with("${") {
                let message = format!("`{text}` is no ARN: expected one, or `*`");
                found.push(Invalid::new(format!("{path}.{field}"), message));
            }
        }
    }
    if attached == Attached::Trust {
        // "AssumeRole policy may only specify STS AssumeRole actions."
        for field in ["Action", "NotAction"] {
            for action in texts(fields.get(field)).filter(|action| !action.contains("${")) {
                if !action.to_ascii_lowercase().starts_with("sts:") {
                    let message =
                        format!("`{action}` has no place in a trust policy: expected `sts:AssumeRole`");
                    found.push(Invalid::new(format!("{path}.{field}"), message));
                }
            }
        }
    }
    conditions(path, fields, found);
}

/// "Invalid Condition type", and "Conditions must be prefaced by a vendor".
fn conditions(path: &str, fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    for (operator, keys) in fields.get("Condition").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{path}.Condition.{operator}");
        if operator.contains("${") {
            continue;
        }
        let bare =
            operator.split_once(':').filter(|(set, _)| is_set_operator(set)).map_or(&**operator, |it| it.1);
        let plain = bare.strip_suffix("IfExists").unwrap_or(bare);
        if bare != "Null" && !OPERATORS.iter().any(|known| known.eq_ignore_ascii_case(plain)) {
            let near =
                |name: &&&str| strsim::damerau_levenshtein(&name.to_lowercase(), &plain.to_lowercase());
            let hint = match OPERATORS.iter().min_by_key(near).filter(|name| near(name) <= 2) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "expected one such as StringEquals or ArnLike".to_owned(),
            };
            found.push(Invalid::new(&path, format!("is no operator of a condition; {hint}")));
        }
        match keys.as_object() {
            Some(keys) => {
                for key in keys.keys().filter(|key| !key.contains([':', '$'])) {
                    let message =
                        format!("`{key}` is no key of a condition: expected one such as aws:SourceArn");
                    found.push(Invalid::new(&path, message));
                }
            }
            None if keys.as_str().is_some_and(|text| text.contains("${")) => {}
            None => found.push(Invalid::new(&path, "holds no keys: expected {<key>: <value>}")),
        }
    }
}

fn is_set_operator(text: &str) -> bool {
    text.eq_ignore_ascii_case("ForAllValues") || text.eq_ignore_ascii_case("ForAnyValue")
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
        let trust =
            json!([{"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole", "sts:tagSession"]}]);
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
doc.Statement[0].Resource: `bucket/*` is no ARN: expected one, or `*`
doc.Statement[1].Condition.Bool: holds no keys: expected {<key>: <value>}
doc.Statement[1].Condition.StringEqual: is no operator of a condition; did you mean `StringEquals`?
doc.Statement[1].Condition.StringEqual: `SourceArn` is no key of a condition: expected one such as aws:SourceArn
doc.Statement[2].Condition.Foo: is no operator of a condition; did you mean `Bool`?
"#);
        let trust = json!([{"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole", "s3:*", "*"]}]);
        insta::assert_snapshot!(complaints(trust, Attached::Trust), @r#"
doc.Statement[0].Action: `s3:*` has no place in a trust policy: expected `sts:AssumeRole`
doc.Statement[0].Action: `*` has no place in a trust policy: expected `sts:AssumeRole`
"#);
    }
}
