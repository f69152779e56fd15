//! The shape of policy documents: what AWS would refuse, told before it is asked.

use serde_json::{Map, Value};

use super::{language, principal};
use crate::kind::Invalid;
use crate::value::{Policy, reference};

/// What a document is attached to: it decides whether a statement names a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kinds) enum Attached {
    /// To an identity: a principal is implied, and must not be named.
    Identity,
    /// To a role, saying who may assume it: a principal must be named, a resource must not.
    Trust,
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

/// What AWS would refuse in a document.
pub(in crate::kinds) fn check(path: &str, policy: &Policy, attached: Attached, found: &mut Vec<Invalid>) {
    let document = match &policy.0 {
        Value::Object(document) => document,
        Value::String(text) if text.contains("${") => return,
        _ => {
            found.push(Invalid::new(
                path,
                "is not a policy document: expected an object with Version and Statement",
            ));
            return;
        }
    };
    known(path, document, &["Version", "Id", "Statement"], found);
    language::characters(path, policy, found);
    match document.get("Version").map(Value::as_str) {
        Some(Some("2012-10-17" | "2008-10-17")) => {}
        Some(_) => found.push(Invalid::new(
            format!("{path}.Version"),
            "is not a version of the policy language: write \"2012-10-17\"",
        )),
        // AWS takes it for 2008-10-17.
        None => {}
    }
    booleans(path, policy, found);
    language::sids(path, policy, found);
    match document.get("Statement") {
        Some(Value::Array(statements)) if statements.is_empty() => {
            found.push(Invalid::new(
                format!("{path}.Statement"),
                "is empty: a policy says at least one thing",
            ));
        }
        Some(Value::Array(statements)) => {
            for (index, one) in statements.iter().enumerate() {
                statement(&format!("{path}.Statement[{index}]"), one, attached, found);
            }
        }
        Some(one) => statement(&format!("{path}.Statement"), one, attached, found),
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
    match attached {
        Attached::Identity => {
            one_of(path, fields, "Resource", "NotResource", found);
            for field in ["Principal", "NotPrincipal"].into_iter().filter(|field| fields.contains_key(*field))
            {
                let message =
                    "has no place in an identity's policy, which speaks of whom it is attached to: remove it";
                found.push(Invalid::new(format!("{path}.{field}"), message));
            }
        }
        Attached::Trust => {
            principal::of_trust(path, fields, found);
            for field in ["Resource", "NotResource"].into_iter().filter(|field| fields.contains_key(*field)) {
                let message = "has no place in a trust policy, whose resource is the role itself: remove it";
                found.push(Invalid::new(format!("{path}.{field}"), message));
            }
        }
    }
    actions(path, fields, found);
    language::statement(path, fields, attached, found);
    if fields.get("Condition").is_some_and(|condition| !condition.is_object()) {
        let message = "is not a condition: expected {<operator>: {<key>: <value>}}";
        found.push(Invalid::new(format!("{path}.Condition"), message));
    }
}

/// An action is `*` or `<service>:<name>`; what is neither a text nor a list of texts is "Syntax errors in policy".
fn actions(path: &str, fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    for field in ["Action", "NotAction", "Resource", "NotResource"] {
        let items = fields.get(field).map(|it| it.as_array().map_or(std::slice::from_ref(it), Vec::as_slice));
        if items.is_some_and(|items| items.is_empty() || !items.iter().all(Value::is_string)) {
            let message = "is neither a text nor a list of texts";
            found.push(Invalid::new(format!("{path}.{field}"), message));
        }
    }
    for field in ["Action", "NotAction"] {
        for action in texts(fields.get(field)) {
            let service =
                action.split_once(':').map(|(service, name)| !service.is_empty() && !name.is_empty());
            if action != "*" && !action.contains("${") && service != Some(true) {
                let message = format!(
                    "`{action}` is not an action: expected `<service>:<Operation>`, such as `s3:GetObject`"
                );
                found.push(Invalid::new(format!("{path}.{field}"), message));
            }
        }
    }
}

/// Complains about words that a condition on a boolean never meets, in any statement: YAML 1.2 reads `no` as a text
/// (IAM user guide, "Boolean condition operators" and "Null").
pub(in crate::kinds) fn booleans(path: &str, policy: &Policy, found: &mut Vec<Invalid>) {
    for (path, statement) in statements(path, policy) {
        let Some(operators) = statement.get("Condition").and_then(Value::as_object) else { continue };
        for (operator, keys) in operators.iter().filter(|(operator, _)| is_boolean(operator)) {
            let values = keys.as_object().into_iter().flat_map(|keys| keys.values());
            for word in values.flat_map(|value| texts(Some(value)).collect::<Vec<_>>()) {
                if !word.contains("${")
                    && !word.eq_ignore_ascii_case("true")
                    && !word.eq_ignore_ascii_case("false")
                {
                    let message = format!(
                        "`{word}` is neither true nor false, so that the condition is never met: write `true` or `false`"
                    );
                    found.push(Invalid::new(format!("{path}.Condition.{operator}"), message));
                }
            }
        }
    }
}

/// Each statement with its place, whether there is a list of them or a single one.
pub(in crate::kinds) fn statements<'p>(path: &str, policy: &'p Policy) -> Vec<(String, &'p Value)> {
    match policy.0.get("Statement") {
        Some(Value::Array(items)) => {
            let place = |index: usize| format!("{path}.Statement[{index}]");
            items.iter().enumerate().map(|(index, it)| (place(index), it)).collect()
        }
        one => one.map(|statement| (format!("{path}.Statement"), statement)).into_iter().collect(),
    }
}

fn is_boolean(operator: &str) -> bool {
    let plain = operator.rsplit(':').next().unwrap_or(operator);
    ["Bool", "BoolIfExists", "Null"].iter().any(|it| it.eq_ignore_ascii_case(plain))
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

pub(in crate::kinds) fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Some(Value::Array(items)) => (None, items.as_slice()),
        one => (one, [].as_slice()),
    };
    one.into_iter().chain(many).filter_map(Value::as_str)
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
doc.Statement[0]: has no Principal: add one
doc.Statement[0].Resource: has no place in a trust policy, whose resource is the role itself: remove it
doc.Statement[1].Principal.Services: is not a field of the policy language; did you mean `Service`?
"#);
        let words = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {
            "Bool": {"aws:SecureTransport": "no", "aws:ViaAWSService": [true, "False"]}, "StringEquals": {"aws:RequestTag/backup": "no"}}}});
        insta::assert_snapshot!(complaints(words, Attached::Identity), @"doc.Statement.Condition.Bool: `no` is neither true nor false, so that the condition is never met: write `true` or `false`");
        insta::assert_snapshot!(complaints(json!([]), Attached::Trust), @r#"doc: is not a policy document: expected an object with Version and Statement"#);
    }
}
